"""What the live page's figures mean, told by small histories."""

from hypothesis import given
from hypothesis import strategies as st
from tests.console.lived import NOW_S, NOW_US, attempt, decision, log_in

from sekisho.console.live_tally import ACTIONS, WINDOW_S, LiveTally
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.kernel.clock import SECOND_US


def test_nothing_has_happened():
    """An empty tally shows noughts, not errors."""
    picture = LiveTally().picture(NOW_US)
    assert (picture.attempts, picture.rate, picture.seconds, picture.campaigns) == (0, 0.0, (), ())


def test_the_rate_is_the_mean_of_the_ten_whole_seconds_before_now():
    """The second that still runs is left out, so that the figure does not breathe."""
    tally = LiveTally()
    for ago in range(1, 11):
        for _ in range(3):
            log_in(tally, NOW_S - ago)
    log_in(tally, NOW_S)
    assert tally.picture(NOW_US).rate == 3.0


def test_the_rate_before_is_the_mean_of_the_minute_before_those_ten_seconds():
    """A change is told against a minute that it is no part of."""
    tally = LiveTally()
    for ago in range(70, 0, -1):
        for _ in range(2 if ago > 10 else 9):
            log_in(tally, NOW_S - ago)
    picture = tally.picture(NOW_US)
    assert (picture.rate, picture.rate_before) == (9.0, 2.0)


def test_what_is_older_than_a_quarter_of_an_hour_is_forgotten():
    """The window slides."""
    tally = LiveTally()
    log_in(tally, NOW_S - WINDOW_S)
    log_in(tally, NOW_S - WINDOW_S + 1)
    assert tally.picture(NOW_US).attempts == 1


def test_stopped_is_everything_but_allow():
    """A puzzle stops as well: who does not solve it gets no further."""
    tally = LiveTally()
    for action in Action:
        tally.decided(attempt(), decision(action, before_hash=action is not Action.ALLOW), NOW_US)
    picture = tally.picture(NOW_US)
    assert (picture.attempts, picture.stopped, picture.before_hash) == (4, 3, 3)
    assert picture.seconds == ((NOW_S, 1, 1, 1, 1),)


def test_a_member_who_passed_the_additional_proof_was_asked_and_not_entered():
    """An honest member who is caught in a campaign's net is friction, not damage."""
    tally = LiveTally()
    passed = ChallengeResult.PASSED
    log_in(tally, NOW_S, action=Action.CHALLENGE, challenge=passed, campaign="cmp_1")
    picture = tally.picture(NOW_US)
    assert (picture.successes, picture.asked, picture.entered) == (1, 1, 0)


def test_a_right_password_without_the_proof_reached_nobody():
    """Somebody knew the password and came no further: no login, no friction, no entry."""
    tally = LiveTally()
    abandoned = ChallengeResult.ABANDONED
    log_in(tally, NOW_S, action=Action.CHALLENGE, challenge=abandoned, campaign="cmp_1")
    picture = tally.picture(NOW_US)
    assert (picture.successes, picture.asked, picture.entered) == (0, 0, 0)


def test_a_success_that_was_allowed_within_a_campaign_may_be_an_entry():
    """Whom did it reach: those who were let in on an attempt that the guard gives to the campaign."""
    tally = LiveTally()
    log_in(tally, NOW_S, campaign="cmp_1", member="tanaka42")
    picture = tally.picture(NOW_US)
    assert picture.entered == picture.entered_last_minute == 1
    assert [entered.member for entered in picture.campaigns[0].entered_lately] == ["tan…42"]


def test_an_honest_look_is_no_entry_though_a_campaign_runs():
    """What the guard thinks honest stays honest, even where it is counted to the campaign."""
    tally = LiveTally()
    log_in(tally, NOW_S, campaign="cmp_1", probability=0.4)
    assert tally.picture(NOW_US).entered == 0


def test_reasons_of_what_was_allowed_are_not_ranked():
    """The table says why attempts were stopped."""
    tally = LiveTally()
    tally.decided(attempt(), decision(reasons=["known_device"]), NOW_US)
    assert tally.picture(NOW_US).reasons == ()


def test_a_member_entered_twice_is_one_member():
    """Members are counted, not logins."""
    tally = LiveTally()
    for _ in range(3):
        log_in(tally, NOW_S, campaign="cmp_1", member="tanaka42")
    assert tally.picture(NOW_US).entered == 1


def test_failures_reach_nobody():
    """Only a success opens an account."""
    tally = LiveTally()
    tally.decided(attempt(), decision(campaign="cmp_1"), NOW_US)
    tally.settled(attempt(), decision(campaign="cmp_1"), Outcome.WRONG_SECRET, ChallengeResult.NONE, NOW_US)
    picture = tally.picture(NOW_US)
    assert (picture.entered, picture.successes) == (0, 0)


def test_what_came_past_the_guard_and_failed_is_told():
    """What was stopped is half the story: what was let through and failed at the password is the other."""
    tally = LiveTally()
    for action, outcome in (
        (Action.ALLOW, Outcome.WRONG_SECRET),
        (Action.ALLOW, Outcome.NO_SUCH_MEMBER),
        (Action.CHALLENGE, Outcome.WRONG_SECRET),
        (Action.ALLOW, Outcome.UNKNOWN),
    ):
        tally.settled(attempt(), decision(action), outcome, ChallengeResult.NONE, NOW_US)
    picture = tally.picture(NOW_US)
    assert picture.failed == picture.failed_last_minute == 2


def test_logins_from_unknown_devices_around_a_campaign_are_to_be_checked():
    """The guard notices an attack some attempts late and not all of it: who came in then is not forgotten."""
    tally = LiveTally()
    for ago, device_valid in ((121, None), (90, None), (80, True)):
        log_in(tally, NOW_S - ago, device_valid=device_valid)
    log_in(tally, NOW_S - 60, campaign="cmp_1", settled=False)
    for ago, device_valid in ((50, None), (45, True), (29, None)):
        log_in(tally, NOW_S - ago, device_valid=device_valid)
    assert tally.picture(NOW_US).campaigns[0].unproven == 2


def test_networks_and_reasons_are_ranked_by_what_was_stopped():
    """The table answers who is being stopped, so that busy honest networks do not stand above the attack."""
    tally = LiveTally()
    for _ in range(5):
        tally.decided(attempt(asn=1), decision(), NOW_US)
    tally.decided(attempt(asn=2), decision(Action.DENY, reasons=["spray"]), NOW_US)
    picture = tally.picture(NOW_US)
    assert [(row.key, row.attempts, row.stopped) for row in picture.networks] == [
        ("JP AS2", 1, 1),
        ("JP AS1", 5, 0),
    ]
    assert [(row.key, row.stopped) for row in picture.reasons] == [("spray", 1)]


def test_the_latest_decision_comes_first_and_hides_the_member():
    """Nobody's whole id stands on a screen that hangs on a wall."""
    tally = LiveTally()
    tally.decided(attempt(member="first-of-all"), decision(), NOW_US)
    tally.decided(attempt(member="hanako.sato83"), decision(Action.DENY), NOW_US)
    latest = tally.picture(NOW_US).latest
    assert [row.member for row in latest] == ["han…83", "fir…ll"]


def test_a_clock_that_goes_back_loses_no_attempt():
    """What comes with an old time is counted in the newest second."""
    tally = LiveTally()
    log_in(tally, NOW_S)
    log_in(tally, NOW_S - 3_600)
    assert tally.picture(NOW_US).attempts == 2


@given(
    events=st.lists(
        st.tuples(st.integers(-30, 30), st.sampled_from(ACTIONS), st.sampled_from(["", "cmp_1", "cmp_2"])),
        max_size=60,
    )
)
def test_every_decision_is_counted_once_wherever_it_shows(events):
    """Sums over seconds, networks and verdicts agree, whatever comes in whatever order."""
    tally = LiveTally()
    for offset_s, action, campaign in events:
        tally.decided(attempt(), decision(action, campaign=campaign), NOW_US + offset_s * SECOND_US)
    picture = tally.picture(NOW_US + 60 * SECOND_US)
    assert picture.attempts == len(events)
    assert sum(sum(row[1:]) for row in picture.seconds) == len(events)
    assert sum(row.attempts for row in picture.networks) == len(events)
    assert sum(view.attempts for view in picture.campaigns) == sum(bool(event[2]) for event in events)
