"""Members and attacker at the door."""

import asyncio

import pytest
from tests.range.house import MEMBER, NOW_US

from sekisho.range.attackers.list_attack import Try
from sekisho.range.login_house import Reply, solves
from sekisho.range.members import Visit
from sekisho.range.visitors import attack, come

RIGHT = (MEMBER.name, MEMBER.password)
WRONG = (MEMBER.name, "wrong")


class Door:
    """Answers in an order that the test decides, and keeps what it is given."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.forms = []
        self.steps = []

    async def log_in(self, arrival, mark):
        self.forms.append((arrival.password, mark))
        return self.replies.pop(0)

    async def take_step(self, token, given):
        self.steps.append((token, given))
        return self.replies.pop(0)


def visited(door, *typed, at_us=NOW_US, keeps_cookies=True):
    device = MEMBER.devices[0]
    device.cookie = ""
    visit = Visit(
        at_us=at_us, member=MEMBER, device=device, keeps_cookies=keeps_cookies, ip="10.0.0.1", typed=typed
    )
    return asyncio.run(come(visit, door, "v1", NOW_US)), device.cookie


def tried(door, *, solves_puzzles):
    one = Try(at_us=0, name="n", password=WRONG[1], ip="10.0.0.1", user_agent="", tls="", opens=False)
    return asyncio.run(attack(one, door, "t1", solves_puzzles=solves_puzzles))


AGAIN = Reply(next="again")
WELCOME = Reply(next="welcome", cookie="d1.cookie")
CONFIRM = Reply(next="confirm", token="the-token")  # noqa: S106 - names a step, opens nothing
PUZZLE = Reply(next="puzzle", token="the-token", bits=12)  # noqa: S106 - names a step, opens nothing


def test_a_slip_of_the_thumb_is_followed_by_the_right_pair():
    """Wrong, then right, then in, with a cookie for the next time."""
    door = Door(AGAIN, WELCOME)
    stay, cookie = visited(door, WRONG, RIGHT)
    assert (stay.entered, stay.asked, stay.refused, cookie) == (True, 0, 0, "d1.cookie")
    assert [mark for _, mark in door.forms] == ["v1:0", "v1:1"]


def test_a_private_window_keeps_no_cookie():
    """The next visit comes as an unknown device again."""
    assert visited(Door(WELCOME), RIGHT, keeps_cookies=False)[1] == ""


def test_who_is_asked_proves_with_the_own_key():
    """As a passkey signs the site's challenge."""
    door = Door(CONFIRM, WELCOME)
    stay, _ = visited(door, RIGHT)
    assert (stay.entered, stay.asked) == (True, 1)
    assert door.steps == [("the-token", MEMBER.prove("the-token"))]


def test_some_have_no_proof_at_hand():
    """One in twenty gives up there; which of them, the moment of the visit decides."""
    stays = [visited(Door(CONFIRM, WELCOME), RIGHT, at_us=NOW_US + n)[0] for n in range(400)]
    assert 5 <= sum(not stay.entered for stay in stays) <= 40


def test_who_is_refused_comes_back_once():
    """Then the day is spoilt, and it is counted."""
    stay, _ = visited(Door(AGAIN, AGAIN), RIGHT)
    assert (stay.entered, stay.refused) == (False, 2)


@pytest.mark.parametrize(("solves_puzzles", "opened"), [(True, True), (False, False)])
def test_the_attacker_solves_puzzles_only_where_he_is_made_to(solves_puzzles, opened):
    """A plain tool has no browser's script; a better one has."""
    door = Door(PUZZLE, WELCOME)
    assert tried(door, solves_puzzles=solves_puzzles) is opened
    assert all(solves(token, given) for token, given in door.steps)


def test_the_attacker_moves_on_when_asked_for_more():
    """He has the password and not the device."""
    door = Door(CONFIRM)
    assert tried(door, solves_puzzles=True) is False
    assert door.steps == []
