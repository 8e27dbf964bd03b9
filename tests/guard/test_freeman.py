"""The published score, checked against its authors' program.

Origin of the expected scores: `rba-algorithm.ipynb` of github.com/das-group/rba-algorithm, commit
28fec46757e75ddb9f046ae0ed4842f69065ee64, MIT licence, Copyright 2022 Stephan Wiefling / Data and Application
Security Group. The notebook publishes 24 scores over a data set of several gigabytes (das-group/rba-dataset,
CC BY 4.0) that is not part of this project: they are checked only where somebody has put it. What is always
checked is `freeman_logins.csv`, a made-up log that the notebook's program was run over (pandas 1.5.3).
"""

from pathlib import Path

import pytest
from tests.guard.rba_log import scores

from sekisho.guard.freeman import Login, PastLogins

OWN_LOG = Path(__file__).with_name("freeman_logins.csv")
DATA_SET = Path(__file__).parents[2].parent / "shared/data/logs/rba-dataset.csv"

PROGRAM_OVER_OUR_LOG = [
    *(13.394736842105264, 1.332692307692308, 0.16734416099033633, 0.09376935314043015),
    *(0.08937851829715052, 0.3519996562453587, 0.06584475600196137, 0.4841316157461574),
    *(0.058346732478141324, 1.4759533747913407, 0.15940153127504886, 1.0174319727891157),
    *(0.06654064495262672, 0.12443426240134456, 0.7382750082628116, 5.106132075471697),
    *(2.8509249572190583, 0.05853261582049137, 0.5449326242623845, 0.08061275654576483),
    *(0.09002558872164597, 1.2349903165323886, 0.2638087135049782, 3.1793032786885242),
    *(72.0, 0.16866083874386978, 0.0820431896888777, 0.06637121062671537),
    *(0.19421078239398276, 0.08443354521041416, 5.488235294117647, 0.07258763762636117),
    *(0.056655284073503565, 0.05670948988749587, 0.10414078711096086, 14.285181161222326),
    *(0.067083804141916, 0.09346145090396478, 0.5283653505507488, 0.05605876427215564),
    *(3.3783204107948244, 0.09185135705318988, 0.06352384694645845),
]

PUBLISHED = [
    *(0.001735608896331267, 0.0003131930911696338, 0.00038481209981864445, 0.00023380343388881817),
    *(0.0062984271682455266, 0.024024171011906934, 0.36241860205465537, 0.0003489615152250577),
    *(0.00048701529441907065, 1.2462230273339967, 0.00025999322274249494, 0.00021976714969851479),
    *(0.47014766381586093, 0.0009798412309385818, 0.0841229474444737, 0.4421278704947991),
    *(0.01472119251257646, 0.03366013914910071, 0.000483684972634349, 0.0002568913432172573),
    *(0.0045807146185027755, 1.176522284255606e-05, 0.0006543352945740962, 0.0009051562075623795),
]

HOME = Login("192.0.2.1", 64_500, "NO", "b/1 (p)", "b 1", "p", "mobile")
NEIGHBOUR = Login("192.0.2.9", 64_500, "NO", "b/2 (p)", "b 2", "p", "mobile")
ABROAD = Login("203.0.113.5", 64_502, "US", "x/1 (q)", "x 1", "q", "desktop")


@pytest.fixture
def past():
    """Three logins: two of mika from home, one of ken from next door."""
    logins = PastLogins()
    for member, login in (("mika", HOME), ("mika", HOME), ("ken", NEIGHBOUR)):
        logins.add(member, login)
    return logins


def test_scores_equal_the_authors_program_to_the_last_digit():
    """43 logins with new and known values, short and long pasts, of a log that holds broken records too."""
    assert [login.score for login in scores(OWN_LOG, 30, 50)] == PROGRAM_OVER_OUR_LOG


@pytest.mark.real_data
def test_scores_equal_the_published_ones():
    """The notebook's own check: successful logins 50,000 to 50,049 of the data set's first million rows."""
    if not DATA_SET.exists():
        pytest.skip("the RBA data set is not there")
    assert [login.score for login in scores(DATA_SET, 50_000, 50)] == PUBLISHED


def test_a_login_from_home_is_scored_by_the_formula(past):
    """The address has q = 2/3 * (1 - 3/6), r = 1 - 3/5; the client q = 2/3 * (1 - 5/8), r = 1 - 4/6."""
    network = 0.6 * (1 / 3 * 2 / 5) + 0.3 + 0.1
    client = (
        0.5386653840551359 * (1 / 4 * 1 / 3)
        + 0.2680451498625666 * 2 / 3
        + 0.18818295100109536
        + 0.0051065150812021525
    )
    assert past.score("mika", HOME) == pytest.approx(network * client * (1 / 2) / (2 / 3))


def test_a_login_that_shares_nothing_counts_four_times_for_each_feature(past):
    """However rare the new values are: rarity alone would make an unknown place look harmless."""
    assert past.score("mika", ABROAD) == pytest.approx(4 * 4 * (1 / 2) / (2 / 3))


def test_a_first_login_has_no_score(past):
    """There is nothing to compare it with, and an invented score would pass for a measured one."""
    assert past.score("nobody", HOME) is None
    assert PastLogins().score("mika", HOME) is None


def test_an_unknown_place_and_client_raise_the_score(past):
    """Each feature that is new to the member, and not to others, speaks for an attacker."""
    elsewhere = HOME._replace(address="192.0.2.9", provider=64_502)
    new_client = HOME._replace(user_agent="b/2 (p)", browser="b 2")
    assert past.score("mika", HOME) < past.score("mika", elsewhere)
    assert past.score("mika", HOME) < past.score("mika", new_client)


def test_a_member_who_comes_often_is_less_suspect(past):
    """The score is the odds of this member being attacked against this member logging in."""
    before = past.score("mika", ABROAD)
    past.add("mika", HOME)
    assert past.score("mika", ABROAD) < before
