import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.guard.small_world import DAY_S, KEY, START_S

from sekisho.guard.devices import Devices, DeviceTokens, TokenClass

NOW_US = START_S * 1_000_000
DAY_US = DAY_S * 1_000_000
TOKENS = DeviceTokens(KEY)
MEMBER, OTHER = 0x1234_5678_9ABC_DEF0, 0x0FED_CBA9_8765_4321
BROWSER, APP = 40, 41


@given(st.text(max_size=30), st.integers(0, 399))
def test_a_token_is_good_for_its_member_until_it_runs_out(member, days):
    token = TOKENS.issue(member, "n0nce", NOW_US)
    assert TOKENS.verify(token, member, NOW_US + days * DAY_US)
    assert not TOKENS.verify(token, member + "x", NOW_US)
    assert not TOKENS.verify(token, member, NOW_US + 401 * DAY_US)
    assert not DeviceTokens(bytes(32)).verify(token, member, NOW_US)


def test_a_token_says_nothing_of_the_member():
    assert "mem_42" not in TOKENS.issue("mem_42", "n0nce", NOW_US)


def test_two_devices_of_one_member_have_two_tokens():
    assert TOKENS.issue("m", "one", NOW_US) != TOKENS.issue("m", "two", NOW_US)


def test_another_server_s_clock_may_be_a_minute_ahead():
    token = TOKENS.issue("m", "n", NOW_US)
    assert TOKENS.verify(token, "m", NOW_US - 60_000_000)
    assert not TOKENS.verify(token, "m", NOW_US - 61_000_000)


@given(st.integers(0, 70), st.characters(codec="utf-8"))
def test_a_changed_token_is_refused(place, character):
    token = TOKENS.issue("m", "n0nce", NOW_US)
    changed = token[: place % len(token)] + character + token[place % len(token) + 1 :]
    assert TOKENS.verify(changed, "m", NOW_US) == (changed == token)


@given(st.text() | st.lists(st.text(max_size=14), max_size=6).map(".".join))
def test_any_text_is_refused_quietly(token):
    assert not TOKENS.verify(token, "m", NOW_US)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "d1",
        "d1.n.1780000000",
        "d2.n.1780000000.00",
        "d1.n.-5.00",
        "d1.n." + "9" * 5_000 + ".00",
        "d1.n.1.\ud800",
    ],
)
def test_malformed_tokens_are_refused(token):
    assert not TOKENS.verify(token, "m", NOW_US)


def _earned(valid=None):
    devices = Devices(slots=1 << 10, key=9)
    devices.earn(devices.look("cookie", MEMBER, BROWSER, valid), BROWSER, START_S)
    return devices


@pytest.mark.parametrize(
    ("device", "member", "program", "valid", "kind"),
    [
        pytest.param("", MEMBER, BROWSER, None, TokenClass.NONE, id="none"),
        pytest.param("cookie", MEMBER, BROWSER, None, TokenClass.OWN, id="earned"),
        pytest.param("cookie", MEMBER, BROWSER, True, TokenClass.OWN, id="earned and verified"),
        pytest.param("cookie", MEMBER, APP, None, TokenClass.MOVED, id="moved to another program"),
        pytest.param("cookie", MEMBER, APP, True, TokenClass.MOVED, id="moved, though verified"),
        pytest.param("cookie", OTHER, BROWSER, None, TokenClass.FOREIGN, id="somebody else's"),
        pytest.param("invented", MEMBER, BROWSER, None, TokenClass.UNSEEN, id="never seen"),
        pytest.param("invented", MEMBER, BROWSER, True, TokenClass.OWN, id="verified before it was seen"),
        pytest.param("cookie", MEMBER, BROWSER, False, TokenClass.FORGED, id="forged"),
        pytest.param("", MEMBER, BROWSER, False, TokenClass.NONE, id="nothing can be forged"),
    ],
)
def test_what_a_token_says(device, member, program, valid, kind):
    assert _earned().look(device, member, program, valid).kind == kind


def test_a_family_s_browser_is_earned_by_each_of_them():
    devices = _earned()
    devices.earn(devices.look("cookie", OTHER, BROWSER, None), BROWSER, START_S)
    assert devices.look("cookie", OTHER, BROWSER, None).kind == TokenClass.OWN
    assert devices.look("cookie", MEMBER, BROWSER, None).kind == TokenClass.OWN


def test_a_forged_token_earns_nothing():
    """Or whoever passes a challenge with it would make it good for everybody's log."""
    devices = _earned(valid=False)
    assert devices.look("cookie", MEMBER, BROWSER, None).kind == TokenClass.UNSEEN


def test_a_success_without_a_token_earns_nothing():
    devices = Devices(slots=1 << 10, key=9)
    devices.earn(devices.look("", MEMBER, BROWSER, None), BROWSER, START_S)
    assert not any(devices.table.prints)
