"""Any course of setting, approving, lifting and time: the book says off exactly where a model says so."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.identity.member_at_hand import open_at_hand

from sekisho.kernel.clock import HOUR_US, MINUTE_US
from sekisho.kernel.refusals import Refusal
from sekisho.response.switch_book import SwitchBook
from sekisho.response.switch_desk import SwitchDesk, Wish
from sekisho.response.switches import Scope, Usage

PEOPLE = ("sato", "ito", "mori")
MEMBERS = ("mem_1", "mem_2")
PARTNERS = ("0125", "0001")


class Switches(RuleBasedStateMachine):
    """Three people, two members, and a model that is a list of plain facts."""

    def __init__(self):
        super().__init__()
        self.folder = TemporaryDirectory()
        self.hand = open_at_hand(Path(self.folder.name))
        self.desk, self.book = SwitchDesk(self.hand.parts), SwitchBook(self.hand.parts)
        self.model = []

    def now(self):
        return self.hand.clock.now_us()

    @rule(
        partner=st.sampled_from(["", *PARTNERS]),
        members=st.sets(st.sampled_from(MEMBERS)),
        begins=st.integers(0, 3),
        lasts=st.none() | st.integers(1, 4),
        urgent=st.booleans(),
        by=st.sampled_from(PEOPLE),
    )
    def set(self, partner, members, begins, lasts, urgent, by):
        from_us = self.now() + begins * HOUR_US
        until_us = None if lasts is None else from_us + lasts * HOUR_US
        wish = Wish(
            scope=Scope(function="charge", partner=partner),
            reason="r",
            open_ways=("payment",),
            members=tuple(members),
            from_us=from_us,
            until_us=until_us,
            is_urgent=urgent,
        )
        one = asyncio.run(self.desk.set(wish, by=by))
        assert one.is_wide is not bool(members)
        self.model.append(
            {
                "id": one.id,
                "partner": partner,
                "members": members,
                "from": from_us,
                "until": until_us,
                "alone_until": self.now() + (HOUR_US if urgent else 0),
                "by": by,
                "approved": bool(members),
                "asked": None,
                "lifted": False,
            }
        )

    @rule(place=st.integers(0, 9), by=st.sampled_from(PEOPLE))
    def approve(self, place, by):
        if not self.model:
            return
        one = self.model[place % len(self.model)]
        try:
            asyncio.run(self.desk.approve(one["id"], by=by))
        except Refusal:
            return
        assert by != one["by"]
        assert not one["members"]
        one["approved"] = True

    @rule(place=st.integers(0, 9), by=st.sampled_from(PEOPLE))
    def lift(self, place, by):
        if not self.model:
            return
        one = self.model[place % len(self.model)]
        wide_and_on = not one["members"] and one["approved"]
        try:
            lifted = asyncio.run(self.desk.lift(one["id"], by=by))
        except Refusal:
            return
        if wide_and_on and one["asked"] is None:
            one["asked"] = by
            assert lifted.lifted_at_us is None
            return
        assert not wide_and_on or by != one["asked"]
        one["lifted"] = True

    @rule(minutes=st.sampled_from([1, 59, 60, 61, 180]))
    def wait(self, minutes):
        self.hand.clock.advance(minutes * MINUTE_US)

    def is_on(self, one):
        now_us = self.now()
        standing = one["approved"] or now_us < one["alone_until"]
        ended = one["lifted"] or (one["until"] is not None and now_us >= one["until"])
        return standing and not ended and now_us >= one["from"]

    @invariant()
    def the_book_says_what_the_model_says(self):
        for member_id in MEMBERS:
            for partner in PARTNERS:
                off = asyncio.run(self.book.off_for(Usage("charge", member_id, partner)))
                expected = any(
                    self.is_on(one)
                    and one["partner"] in {"", partner}
                    and (not one["members"] or member_id in one["members"])
                    for one in self.model
                )
                assert (off is not None) is expected

    def teardown(self):
        self.hand.store.close()
        self.folder.cleanup()


TestSwitches = Switches.TestCase
TestSwitches.settings = settings(max_examples=15, stateful_step_count=12)
