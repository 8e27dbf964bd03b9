"""The way from an application to a contract is the same on every engine, also where two come at once."""

import asyncio
from pathlib import Path

import pytest
from tests.identity.member_at_hand import LENDER, NOON_US, AtHand
from tests.lender.applicants import ARRIVAL, said, way_in_with

from sekisho.identity.institution import Parts
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.lender.applications import ApplicationUnderWay, State
from sekisho.storage.keyring import HeldKeyring, new_keys


@pytest.fixture
def way(store):
    clock, chance = SetClock(NOON_US), SeededChance(3)
    parts = Parts(LENDER, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
    opened = way_in_with(AtHand(parts=parts, clock=clock, chance=chance, file=Path()))
    yield opened
    opened.typesetter.close()


def test_from_an_application_to_a_contract(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    present = way.approve(entered, granted)
    signed = asyncio.run(way.signing.sign(present, granted.id, ARRIVAL))
    assert asyncio.run(way.signing.sign(present, granted.id, ARRIVAL)) == signed
    assert asyncio.run(way.applications.current(member_id)).state is State.SIGNED


def test_one_of_two_applications_is_begun(way):
    member_id = way.add_applicant()

    async def both():
        return await asyncio.gather(
            *(way.applications.begin(member_id, key, said()) for key in ("a", "b")), return_exceptions=True
        )

    answers = asyncio.run(both())
    assert sorted(type(answer) is ApplicationUnderWay for answer in answers) == [False, True]
