"""The table of the ASVS: complete, honest in form, and every test that it names exists."""

import ast
import re
from collections import Counter
from functools import cache
from typing import NamedTuple

import pytest
from sqlalchemy import func, select
from tests.identity.login_house import PASSWORD, returning, run
from tests.project_files import ROOT

from sekisho.identity.claims import LoginForm
from sekisho.identity.welcomes import Welcome
from sekisho.storage.tables.members import member

PAGE = (ROOT / "docs" / "reference" / "asvs.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.*?) ?\| `(tests/\S+\.py)::(\w+)` \|$", re.MULTILINE
)
STATES = {"met", "otherwise", "partly", "missing", "not applicable"}
# How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has.
SECTIONS = {
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
}  # fmt: skip
TEN_YEARS_S = 10 * 365 * 86_400


class Requirement(NamedTuple):
    """One row."""

    number: str
    asks: str
    state: str
    how: str
    path: str
    test: str


REQUIREMENTS = [Requirement(*row) for row in ROW.findall(PAGE)]


@cache
def named_in(path):
    """Return the names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_requirement_of_both_chapters_has_one_row():
    """None is left out, and none stands there twice."""
    sections = Counter(each.number.rpartition(".")[0] for each in REQUIREMENTS)
    assert sections == SECTIONS
    assert len({each.number for each in REQUIREMENTS}) == len(REQUIREMENTS)
    assert len(re.findall(r"^\| \d", PAGE, re.MULTILINE)) == len(REQUIREMENTS)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda each: each.number)
def test_every_row_has_a_state_a_reason_and_a_test_that_exists(requirement):
    """Whatever is not simply met says why."""
    assert requirement.state in STATES
    assert requirement.how or requirement.state == "met"
    assert requirement.test.startswith("test_")
    assert requirement.test in named_in(requirement.path)


def test_the_count_of_each_state_is_right():
    for state, count in Counter(each.state for each in REQUIREMENTS).items():
        assert re.search(rf"^\| {state} \| .+ \| {count} \|$", PAGE, re.MULTILINE), state


def test_a_new_institution_has_no_member(tmp_path):
    """Nobody can log in to a store that was just made (6.3.2)."""

    async def play(house):
        with house.parts.store.read() as connection:
            assert connection.execute(select(func.count()).select_from(member)).scalar_one() == 0

    run(tmp_path, play)


def test_a_password_does_not_grow_old(tmp_path):
    """Ten years later it opens what it opened (6.2.10)."""

    async def play(house):
        opened = await house.open_account()
        house.wait(TEN_YEARS_S)
        form = LoginForm(house.name_of(opened), PASSWORD)
        assert isinstance(await house.logins.begin(form, returning(opened)), Welcome)

    run(tmp_path, play)
