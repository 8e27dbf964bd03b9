"""A campaign's story while it runs, within bounds that an attacker cannot widen."""

from tests.console.lived import NOW_US, attempt, decision

from sekisho.console import live_campaigns
from sekisho.console.live_campaigns import CAMPAIGNS_MAX, LIVE_FOR_S, LiveCampaigns
from sekisho.guard.decisions import Action
from sekisho.kernel.clock import SECOND_US


def campaigns_with(*attempts, campaign="cmp_1"):
    campaigns = LiveCampaigns()
    campaigns.raised(campaign, NOW_US, unproven_before=0)
    for one in attempts:
        campaigns.decided(one, decision(Action.DENY, campaign=campaign), "JP AS1", NOW_US)
    return campaigns


def test_one_try_an_account_is_a_list_type_attack():
    """Many names, each tried once: somebody works through a list."""
    campaigns = campaigns_with(*(attempt(member=f"m{n}", ip=f"10.0.0.{n % 3}") for n in range(9)))
    view = campaigns.views(NOW_US)[0]
    assert (view.list_type, view.members, view.addresses, view.networks) == (True, 9, 3, 1)


def test_many_tries_at_one_account_are_guessing():
    """The same few names over and over: somebody guesses."""
    campaigns = campaigns_with(*(attempt(member="m1", ip=f"10.0.0.{n}") for n in range(9)))
    assert campaigns.views(NOW_US)[0].list_type is False


def test_a_list_longer_than_memory_stays_a_list(monkeypatch):
    """Beyond what is told apart, names are "at least so many", and the kind is that of those before."""
    monkeypatch.setattr(live_campaigns, "DISTINCT_MAX", 10)
    view = campaigns_with(*(attempt(member=f"m{n}") for n in range(500))).views(NOW_US)[0]
    assert (view.attempts, view.members, view.distinct_full, view.list_type) == (500, 10, True, True)


def test_a_campaign_is_over_when_nothing_more_comes():
    """Half a minute of silence ends it on the screen; the next attempt brings it back."""
    campaigns = campaigns_with(attempt())
    assert campaigns.views(NOW_US + LIVE_FOR_S * SECOND_US)[0].live is True
    assert campaigns.views(NOW_US + (LIVE_FOR_S + 1) * SECOND_US)[0].live is False


def test_the_oldest_campaign_makes_room():
    """Memory is bounded in campaigns."""
    campaigns = LiveCampaigns()
    for number in range(CAMPAIGNS_MAX + 5):
        campaigns.raised(f"cmp_{number}", NOW_US, unproven_before=0)
    assert len(campaigns.views(NOW_US)) == CAMPAIGNS_MAX
    assert "cmp_0" not in campaigns
    assert f"cmp_{CAMPAIGNS_MAX + 4}" in campaigns
