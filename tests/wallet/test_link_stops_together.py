"""Several stop one link: it goes on when the last of them takes it back, and no one lifts another's stop."""

import pytest
from tests.wallet.links_at_hand import within
from tests.wallet.test_link_signals import contained, do

from sekisho.sharing.actions import Action
from sekisho.sharing.agreed_subjects import About
from sekisho.wallet.link_reviews import Decision
from sekisho.wallet.link_rows import LinkState
from sekisho.wallet.link_signals import BANK_LINK
from sekisho.wallet.link_stops import LinksContained, LinkStopDesk, StaffStop


class Stops:
    """The three who can stop a link, and take it back."""

    def __init__(self, there, link):
        self.there, self.link = there, link
        self.about = About(BANK_LINK, link.id)
        self.containing = LinksContained(there.parts)

    async def stop(self, who):
        if who == "the bank":
            do(self.there, Action.SUSPEND_LINK, self.about)
        elif who == "a containment":
            of = contained(self.there, self.link.member_id)
            self.there.wallet.write(lambda at: self.containing.contained(at, of))
        else:
            desk = LinkStopDesk(self.there.wallet.house)
            await desk.stop(StaffStop(self.link.id, "staff-1", "looks like fraud", is_fraud=True))

    def take_back(self, who):
        if who == "the bank":
            do(self.there, Action.LIFT, self.about)
        else:
            of = contained(self.there, self.link.member_id)
            self.there.wallet.write(lambda at: self.containing.reopened(at, of))

    @property
    def state(self):
        return self.there.find(self.link.id).state


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a containment", "the bank"),
        ("the bank", "a containment"),
        ("the bank", "staff"),
        ("a containment", "staff"),
    ],
)
def test_who_takes_back_the_first_stop_leaves_the_second(tmp_path, first, second):
    """The bank saw fraud while the account was contained: to open it again is no all-clear of the bank."""

    async def use(there):
        stops = Stops(there, await there.old_link(there.wallet.add_verified()))
        await stops.stop(first)
        await stops.stop(second)
        stops.take_back(first)
        between = stops.state
        if second != "staff":
            stops.take_back(second)
        return between, stops.state

    between, after = within(tmp_path, use)
    assert between is LinkState.SUSPENDED
    assert after is (LinkState.SUSPENDED if second == "staff" else LinkState.ACTIVE)


def test_a_link_that_was_stopped_while_it_waited_for_a_review_is_not_let_go_by_it(tmp_path):
    async def use(there):
        there.bank.holder["phone_matches"] = False
        link = await there.link(there.wallet.add_verified())
        assert link.state is LinkState.CONFIRMED
        stops = Stops(there, link)
        await stops.stop("the bank")
        await there.reviews.decide(Decision(link.id, approved=True, by="staff-1", reason="told by telephone"))
        reviewed = stops.state
        stops.take_back("the bank")
        return reviewed, stops.state

    assert within(tmp_path, use) == (LinkState.SUSPENDED, LinkState.ACTIVE)
