import pytest

from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal


class TooSoon(Refusal):
    code = "too_soon"
    status = 429
    told = "Please try again later."


def test_what_is_told_and_what_is_known_are_kept_apart():
    refusal = TooSoon(known="member mem_1 is held by case case_1")
    assert (refusal.code, refusal.status, refusal.told) == ("too_soon", 429, "Please try again later.")
    assert refusal.known == "member mem_1 is held by case case_1"
    assert "case_1" in str(refusal)
    assert "case_1" not in refusal.told


def test_one_occasion_can_tell_more_than_its_class():
    assert TooSoon(told="Try again at 10:00.").told == "Try again at 10:00."
    assert TooSoon().told == "Please try again later."


@pytest.mark.parametrize("code", ["", "Too Soon", "1st", "too-soon"])
def test_a_refusal_needs_a_code_that_callers_can_program_against(code):
    with pytest.raises(TypeError, match="needs a code"):
        type("Nameless", (Refusal,), {"code": code, "status": 409, "told": "No."})


def test_an_outage_names_the_part_and_is_no_refusal():
    outage = OperationalError("history", "disk is full")
    assert (outage.part, outage.detail, str(outage)) == ("history", "disk is full", "history: disk is full")
    assert not isinstance(outage, Refusal)


def test_a_posture_is_written_in_settings_by_its_name():
    assert Posture("open") is Posture.OPEN
    assert Posture("closed") is Posture.CLOSED
