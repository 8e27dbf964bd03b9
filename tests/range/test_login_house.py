"""A login that asks before it hashes, and tells nobody more than it must."""

from hashlib import sha256

import pytest
from tests.range.house import MEMBER, NOW_US, QUICK, DecidedCheckpoint, arrival, house_with, wait_for

from sekisho.guard.decisions import Action
from sekisho.kernel.clock import MINUTE_US, SetClock
from sekisho.range.login_house import AGAIN, STAND_IN, solve, solves
from sekisho.range.members import proof

RIGHT: dict[str, str] = {}
WRONG = {"password": "something else"}
NOBODY = {"name": "nobody.here"}


class CountingHasher:
    """Counts verifications: what the attacker makes us pay."""

    def __init__(self):
        self.verified = 0

    def hash(self, password):
        return QUICK.hash(password)

    def verify(self, stored, password):
        self.verified += 1
        return QUICK.verify(stored, password)


@pytest.mark.parametrize(
    ("typed", "next_step", "outcome"),
    [(RIGHT, "welcome", "success"), (WRONG, "again", "wrong_secret"), (NOBODY, "again", "no_such_member")],
)
def test_an_allowed_attempt_is_verified_and_its_outcome_told(typed, next_step, outcome):
    """The failures are what teaches the guard."""
    checkpoint = DecidedCheckpoint(Action.ALLOW)
    reply = wait_for(house_with(checkpoint).log_in(arrival(**typed), "m"))
    assert reply.next == next_step
    assert checkpoint.told == [("att_1", outcome, "")]


def test_a_wrong_password_and_a_name_that_nobody_has_get_the_same_answer():
    """No oracle: not in the words."""
    replies = [
        wait_for(house_with(DecidedCheckpoint(Action.ALLOW)).log_in(arrival(**t), "m"))
        for t in (WRONG, NOBODY)
    ]
    assert replies == [AGAIN, AGAIN]


@pytest.mark.parametrize("typed", [RIGHT, WRONG, NOBODY], ids=["right", "wrong", "nobody"])
@pytest.mark.parametrize("action", [Action.PUZZLE, Action.CHALLENGE, Action.DENY])
@pytest.mark.parametrize("before_hash", [True, False])
def test_who_is_stopped_learns_nothing_about_the_pair(typed, action, before_hash):
    """The answer depends on the guard alone: right, wrong and unknown hear the same."""
    house = house_with(DecidedCheckpoint(action, before_hash=before_hash))
    expected = {Action.PUZZLE: "puzzle", Action.CHALLENGE: "confirm", Action.DENY: "again"}[action]
    reply = wait_for(house.log_in(arrival(**typed), "m"))
    assert (reply.next, reply.cookie) == (expected, "")


def test_what_is_stopped_before_the_hash_costs_no_hash():
    """Decide before you pay."""
    hasher = CountingHasher()
    house = house_with(DecidedCheckpoint(Action.CHALLENGE), hasher=hasher)
    wait_for(house.log_in(arrival(), "m"))
    assert hasher.verified == 0


def test_a_name_that_nobody_has_costs_a_hash_like_any_other():
    """No oracle: not in the time either."""
    hasher = CountingHasher()
    wait_for(house_with(DecidedCheckpoint(Action.ALLOW), hasher=hasher).log_in(arrival(**NOBODY), "m"))
    assert hasher.verified == 1


def after_a_step(action, typed, given, *, before_hash=True):
    """Log in, take the step that is asked, and return the reply and what the guard was told."""
    checkpoint = DecidedCheckpoint(action, before_hash=before_hash)
    house = house_with(checkpoint)

    async def both():
        reply = await house.log_in(arrival(**typed), "m")
        return await house.take_step(reply.token, given(reply.token))

    return wait_for(both()).next, checkpoint.told


@pytest.mark.parametrize("before_hash", [True, False])
def test_a_member_who_proves_comes_in(before_hash):
    """The challenge is told as passed: that is what honest friction is counted by."""
    result = after_a_step(Action.CHALLENGE, RIGHT, MEMBER.prove, before_hash=before_hash)
    assert result == ("welcome", [("att_1", "success", "passed")])


def test_a_right_password_without_the_proof_stays_outside():
    """The leaked pair is right, and opens nothing."""
    result = after_a_step(Action.CHALLENGE, RIGHT, lambda _: "000000")
    assert result == ("again", [("att_1", "challenged", "failed")])


def test_a_member_who_proves_but_mistypes_stays_outside():
    """The proof stands beside the password, not in its place."""
    result = after_a_step(Action.CHALLENGE, WRONG, MEMBER.prove)
    assert result == ("again", [("att_1", "wrong_secret", "passed")])


def test_a_wrong_password_found_before_the_step_is_told_once():
    """The step is asked all the same, so that the answer gives nothing away."""
    result = after_a_step(Action.CHALLENGE, WRONG, MEMBER.prove, before_hash=False)
    assert result == ("again", [("att_1", "wrong_secret", "")])


def test_nobody_cannot_be_proven():
    """A name that nobody has has no key, whatever is worked out of the token."""
    result = after_a_step(
        Action.CHALLENGE, NOBODY, lambda token: proof(sha256(token.encode()).digest(), token)
    )
    assert result == ("again", [("att_1", "challenged", "failed")])


def test_the_stand_in_password_of_unknown_names_opens_nothing():
    """What is hashed in their place, for the time that it takes, is not a password."""
    checkpoint = DecidedCheckpoint(Action.ALLOW)
    reply = wait_for(house_with(checkpoint).log_in(arrival(name="nobody.here", password=STAND_IN), "m"))
    assert reply.next == "again"
    assert checkpoint.told == [("att_1", "no_such_member", "")]


def test_a_solved_puzzle_goes_on_to_the_password():
    """A puzzle proves no member, so it is no passed challenge."""
    assert after_a_step(Action.PUZZLE, RIGHT, solve) == ("welcome", [("att_1", "success", "")])
    assert after_a_step(Action.PUZZLE, RIGHT, lambda _: "guess")[0] == "again"


def test_a_step_can_be_taken_once():
    """A token that was used, or never given, opens nothing."""
    house = house_with(DecidedCheckpoint(Action.CHALLENGE))

    async def twice():
        reply = await house.log_in(arrival(**WRONG), "m")
        await house.take_step(reply.token, MEMBER.prove(reply.token))
        return await house.take_step(reply.token, MEMBER.prove(reply.token))

    assert wait_for(twice()) == AGAIN


def test_what_is_not_proven_in_ten_minutes_is_told_as_abandoned():
    """Most attackers never come back, and the guard should know."""
    checkpoint, clock = DecidedCheckpoint(Action.CHALLENGE), SetClock(NOW_US)
    house = house_with(checkpoint, clock=clock)

    async def leave():
        await house.log_in(arrival(), "m")
        clock.advance(10 * MINUTE_US - 1)
        await house.let_go()
        early = list(checkpoint.told)
        clock.advance(1)
        await house.let_go()
        return early

    assert wait_for(leave()) == []
    assert checkpoint.told == [("att_1", "challenged", "abandoned")]


def test_the_guard_never_sees_a_password():
    """Only a token that is equal for equal passwords."""
    checkpoint = DecidedCheckpoint(Action.ALLOW)
    house = house_with(checkpoint)

    async def three():
        for typed in (RIGHT, {**NOBODY, "password": MEMBER.password}, WRONG):
            await house.log_in(arrival(**typed), "m")

    wait_for(three())
    same, again, other = checkpoint.asked
    assert MEMBER.password not in repr(checkpoint.asked)
    assert same.secret == again.secret != other.secret
    assert (same.known, again.known) == (True, False)


def test_a_cookie_is_worth_something_only_to_the_member_who_earned_it():
    """The device token is bound to the member."""
    checkpoint = DecidedCheckpoint(Action.ALLOW)
    house = house_with(checkpoint)

    async def come_back():
        cookie = (await house.log_in(arrival(), "m")).cookie
        await house.log_in(arrival(cookie=cookie), "m")
        await house.log_in(arrival(**NOBODY, cookie=cookie), "m")

    wait_for(come_back())
    assert [attempt.device_valid for attempt in checkpoint.asked] == [None, True, False]


def test_a_puzzle_takes_some_work():
    """About four thousand tries; one in four thousand guesses is right by luck."""
    assert solves("token", solve("token"))
    assert sum(solves("token", str(n)) for n in range(20_000)) < 20
