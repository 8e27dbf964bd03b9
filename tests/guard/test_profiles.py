import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.guard.small_world import START_S, new_guard, visit

from sekisho.guard.attempts import Outcome
from sekisho.guard.networks import read_source
from sekisho.guard.profiles import CLIENTS, PLACES, STRANGER, Members, familiarity, pack_client

HOME = read_source("10.1.2.3", 100)
PHONE = pack_client(exact=11, family=22, system=1, tls=33)


def _met(place=HOME.place, client=PHONE):
    return Members().remember(1, place, client, START_S, with_token=True)


@pytest.mark.parametrize(
    ("ip", "asn", "nearness"),
    [
        pytest.param("10.1.2.3", 100, 5, id="address"),
        pytest.param("10.1.2.3", 999, 5, id="address, whatever the provider is called today"),
        pytest.param("10.1.2.9", 100, 4, id="prefix"),
        pytest.param("10.1.9.9", 100, 3, id="region"),
        pytest.param("99.1.9.9", 100, 2, id="provider"),
        pytest.param("99.1.9.9", 999, 1, id="nothing"),
        pytest.param("2400:1:2:3::1", 999, 1, id="another protocol"),
    ],
)
def test_how_near_a_network_is(ip, asn, nearness):
    assert familiarity(_met(), read_source(ip, asn).place, PHONE, START_S).network == nearness


def test_two_unknown_providers_are_not_the_same_one():
    place = read_source("10.1.2.3", 0).place
    assert familiarity(_met(place), read_source("99.1.2.3", 0).place, PHONE, START_S).network == 1


def test_the_nearest_of_all_places_counts():
    members = Members()
    for ip in ("10.1.2.3", "99.1.2.3", "50.1.2.3"):
        profile = members.remember(1, read_source(ip, 5).place, PHONE, START_S, with_token=True)
    near = [
        familiarity(profile, read_source(ip, 5).place, PHONE, START_S).network
        for ip in ("10.1.2.4", "50.9.9.9")
    ]
    assert near == [4, 2]


@pytest.mark.parametrize("ip", ["2001:2001::1", "::1"])
def test_an_address_that_packs_to_nothing_is_not_everybody_s_home(ip):
    """An empty slot of a profile is 0, and so are some addresses' places."""
    assert familiarity(_met(), read_source(ip, 0).place, PHONE, START_S).network == 1


@pytest.mark.parametrize(
    ("client", "nearness", "tls"),
    [
        pytest.param((11, 22, 1, 33), 4, 2, id="exact text"),
        pytest.param((12, 22, 1, 33), 3, 2, id="program"),
        pytest.param((12, 23, 1, 34), 2, 1, id="system"),
        pytest.param((12, 23, 2, 34), 1, 1, id="nothing"),
        pytest.param((12, 23, 2, 33), 1, 2, id="fingerprint alone"),
    ],
)
def test_how_near_a_client_is(client, nearness, tls):
    exact, family, system, print_ = client
    known = familiarity(
        _met(), HOME.place, pack_client(exact=exact, family=family, system=system, tls=print_), START_S
    )
    assert (known.client, known.tls) == (nearness, tls)


def test_who_never_succeeded_is_a_class_of_its_own():
    assert familiarity(None, HOME.place, PHONE, START_S) == STRANGER
    assert STRANGER.network == STRANGER.client == STRANGER.logins == 0


def test_logins_silence_and_the_habit_of_a_token():
    members = Members()
    for days, with_token in ((0, True), (1, True), (2, False), (3, True)):
        profile = members.remember(1, HOME.place, PHONE, START_S + days * 86_400, with_token=with_token)
    known = familiarity(profile, HOME.place, PHONE, START_S + 5 * 86_400)
    assert (known.logins, known.silent_s, known.token_share) == (4, 2 * 86_400, 0.75)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=40))
def test_a_profile_keeps_the_latest_places_and_clients_and_no_more(visits):
    """The model: a list, the latest first, each once."""
    members = Members()
    places: list[int] = []
    clients: list[int] = []
    for number in visits:
        place, client = read_source(f"{number}.1.1.1", 9).place, pack_client(number, number, 1, number)
        profile = members.remember(7, place, client, START_S, with_token=False)
        places = [place, *(known for known in places if known != place)][:PLACES]
        clients = [client, *(known for known in clients if known != client)][:CLIENTS]
    numbers = memoryview(profile).cast("Q").tolist()
    assert [place for place in numbers[3 : 3 + PLACES] if place] == places
    assert [client for client in numbers[3 + PLACES :] if client] == clients
    assert len(numbers) == 3 + PLACES + CLIENTS


@pytest.mark.parametrize(
    ("outcome", "written"),
    [
        (Outcome.SUCCESS, 1),
        (Outcome.WRONG_SECRET, 0),
        (Outcome.NO_SUCH_MEMBER, 0),
        (Outcome.REFUSED, 0),
        (Outcome.CHALLENGED, 0),
        (Outcome.UNKNOWN, 0),
    ],
)
def test_only_a_success_writes(outcome, written):
    """An attacker can neither create a profile nor change one by failing."""
    guard = new_guard()
    attempt = visit(3, START_S)
    guard.learn(attempt, guard.assess(attempt), outcome)
    assert len(guard.recollection.members.profiles) == written


def test_a_failure_leaves_a_profile_as_it_is():
    guard = new_guard()
    attempt = visit(3, START_S)
    guard.learn(attempt, guard.assess(attempt), Outcome.SUCCESS)
    (profile,) = guard.recollection.members.profiles.values()
    before = list(profile)
    elsewhere = visit(3, START_S + 60, token=False, ip="99.1.1.1", user_agent="robot/1")
    guard.learn(elsewhere, guard.assess(elsewhere), Outcome.WRONG_SECRET)
    assert list(profile) == before
