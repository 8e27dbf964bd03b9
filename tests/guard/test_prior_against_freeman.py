"""The member side of the guard's prior, learnt by contrast, beside the published score of the same logins.

They are not the same thing: the prior asks whether another member would look like this, the published score
how rare the values are. Above all a new provider in the same country costs little in the published score and
a new program much, for its weights were fitted to another country's logins. On what is wholly the member's
own and on what is wholly new they must agree, and by and large in between.
"""

import numpy as np
import pytest
from tests.guard.small_world import DAY_S, KEY, START_S, visit

from sekisho.guard.attempts import Attempt, Outcome
from sekisho.guard.clients import read_client
from sekisho.guard.freeman import Login, PastLogins
from sekisho.guard.guard import Guard
from sekisho.kernel.chance import SeededChance

MEMBERS = 300
LOGINS = 12
DAYS = 30
OWN, NEW_CLIENT, NEW_NETWORK, ALL_NEW = range(4)
RANK_CORRELATION_LEAST = 0.6


def coming(member: int, time_s: float, *, network: int, client: int) -> Attempt:
    """Return a member's login without a token, from the home of one member with the phone of another."""
    home, phone = visit(network, time_s), visit(client, time_s)
    return visit(
        member, time_s, token=False, ip=home.ip, asn=home.asn, country="JP",
        user_agent=phone.user_agent, tls=phone.tls,
    )  # fmt: skip


def values(attempt: Attempt) -> Login:
    client = read_client(attempt.user_agent)
    return Login(
        attempt.ip, attempt.asn, attempt.country, attempt.user_agent, client.family, client.system, "mobile"
    )


class History:
    """A month of honest logins, learnt by both."""

    def __init__(self, seed: int) -> None:
        self.chance = SeededChance(seed)
        self.guard = Guard(key=KEY, addresses=1 << 16, devices=1 << 16)
        self.past = PastLogins()
        draw = self.chance
        for time_s, member in sorted(
            (START_S + draw.fraction() * DAYS * DAY_S, draw.below(MEMBERS)) for _ in range(MEMBERS * LOGINS)
        ):
            self.live(member, time_s)

    def live(self, member: int, time_s: float) -> None:
        """Let a member log in: nine in ten times from home, nearly always with the own phone."""
        network = member if self.chance.fraction() < 0.9 else self.chance.below(MEMBERS)
        client = member if self.chance.fraction() < 0.93 else self.chance.below(MEMBERS)
        attempt = coming(member, time_s, network=network, client=client)
        self.guard.learn(attempt, self.guard.assess(attempt), Outcome.SUCCESS)
        self.past.add(attempt.member, values(attempt))

    def both(self, attempt: Attempt) -> tuple[float, float]:
        """Return the published score's logarithm and the prior's member side."""
        lane = self.guard.lane("login")
        seen = self.guard.recollection.observe(attempt, lane.tables, START_S + DAYS * DAY_S)
        published = self.past.score(attempt.member, values(attempt))
        assert published is not None
        return float(np.log(published)), lane.prior.contrast.sum(seen.codes)

    def probes(self) -> np.ndarray:
        """Return for each member the two scores (last axis) of the four kinds of login (middle axis)."""
        return np.array([self.of(member) for member in range(MEMBERS) if f"m{member}" in self.past.of_member])

    def of(self, member: int) -> list[tuple[float, float]]:
        """Return the scores of a member's own way, a stranger's client, a stranger's network, and both."""
        strangers = [other for other in range(MEMBERS) if not self.shares_something(member, other)]
        other = self.chance.choose(strangers)
        time_s = START_S + DAYS * DAY_S
        return [
            self.both(coming(member, time_s, network=network, client=client))
            for network, client in ((member, member), (member, other), (other, member), (other, other))
        ]

    def shares_something(self, member: int, other: int) -> bool:
        """Say whether a member ever came from another's home or with another's phone."""
        theirs = values(coming(other, 0.0, network=other, client=other))
        return any(
            past.address == theirs.address or past.user_agent == theirs.user_agent
            for past in self.past.of_member[f"m{member}"]
        )


@pytest.fixture(scope="module", params=[1, 2, 3], ids="seed {}".format)
def probes(request):
    return History(request.param).probes()


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's coefficient; ties, which are few, stand in the order of the probes."""
    one, other = (scores.argsort(kind="stable").argsort().astype(float) for scores in (first, second))
    return float(np.corrcoef(one, other)[0, 1])


@pytest.mark.parametrize("score", [0, 1], ids=["published", "prior"])
def test_own_is_least_and_all_new_most_suspect(probes, score):
    """For at least 95 of 100 members, by either score, and the kinds with one thing new lie between."""
    own, new_client, new_network, all_new = probes[:, :, score].T
    for one_new in (new_client, new_network):
        in_order = float(np.mean((own < one_new) & (one_new < all_new)))
        assert in_order > 0.95


def test_the_prior_ranks_logins_much_as_the_published_score_does(probes):
    """Spearman's coefficient over all probes."""
    assert rank_correlation(*probes.reshape(-1, 2).T) > RANK_CORRELATION_LEAST


def test_a_new_network_weighs_more_than_a_new_client_in_the_prior(probes):
    """People change programs on the line at home; the same phone on a stranger's line is rarer."""
    medians = np.median(probes[:, :, 1], axis=0)
    assert medians[OWN] < medians[NEW_CLIENT] < medians[NEW_NETWORK] < medians[ALL_NEW]
