"""Why an application was refused, in words for the applicant, without the figures that rules stand on."""

import tomllib
from functools import cache
from pathlib import Path

from sekisho.lender.applications import Application, State
from sekisho.lender.screening import AGAINST, Verdict

BY_A_PERSON = "by_a_person"
_FILE = Path(__file__).with_suffix(".toml")


@cache
def _words() -> dict[str, dict[str, str]]:
    words = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    missing = {finding.value for finding in AGAINST} | {BY_A_PERSON}
    if set(words) != missing:
        raise LookupError(f"not the reasons that there are: {', '.join(sorted(set(words) ^ missing))}")
    return words


def reasons_in_words(application: Application, language: str) -> tuple[str, ...]:
    """Return why an application was refused, in `ja` or else in `en`; nothing where it was not."""
    if application.state is not State.REFUSED or application.found is None:
        return ()
    language = "ja" if language == "ja" else "en"
    found = application.found
    codes = found.findings if found.verdict == Verdict.REFUSED else (BY_A_PERSON,)
    told = [_words()[code][language] for code in codes if code in _words()]
    return tuple(dict.fromkeys(told))
