"""What the documents say of logs is so."""

import re
from pathlib import Path

import pytest

from sekisho.campaigns.logs.formats import READERS
from sekisho.campaigns.logs.record import COLUMNS, WHY_BROKEN
from sekisho.campaigns.logs.web_access import read_rules
from sekisho.campaigns.replay import DECISIONS

DOCS = Path(__file__).parents[2] / "docs"
RECORD = (DOCS / "reference" / "attempt-record.md").read_text()
GUIDE = (DOCS / "guides" / "reading-your-logs.md").read_text()
RULES = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("name", [*COLUMNS, *DECISIONS.names, *filter(None, WHY_BROKEN)])
def test_every_column_and_reason_is_documented(name):
    assert f"`{name}`" in RECORD


@pytest.mark.parametrize("name", READERS)
def test_every_format_is_in_the_guide(name):
    assert f"`{name}`" in GUIDE


@pytest.mark.parametrize("number", range(2))
def test_the_guides_rules_can_be_used_as_they_stand(tmp_path, number):
    path = tmp_path / "rules.toml"
    path.write_text(RULES[number])
    assert read_rules(path).success.status
