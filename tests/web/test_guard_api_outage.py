"""The real store, and what its outage means to a caller."""

import asyncio
from pathlib import Path

import pytest
from tests.web.guard_service import ATTEMPT, GuardService
from tests.web.test_guard_api_attempts import code_of

from sekisho.kernel.posture import Posture
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store


@pytest.mark.parametrize(("posture", "status"), [(Posture.CLOSED, 503), (Posture.OPEN, 200)])
def test_a_store_that_goes_away_means_what_the_operator_said(
    tmp_path: Path, posture: Posture, status: int
) -> None:
    """What was answered before is on record; what comes after is refused, or answered and counted."""

    async def play() -> None:
        at = GuardService(posture=posture)
        store = open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")
        record = AttemptStore(store, clock=at.clock)
        at.recorder.record = record.record  # type: ignore[method-assign] # the real store behind the same desk
        at.recorder.settle = record.settle  # type: ignore[method-assign] # likewise
        async with at.client() as client:
            before = await client.post("/v1/attempts", json=ATTEMPT)
            assert [kept.attempt_id for kept in record.recent(9)] == [before.json()["id"]]
            store.close()
            answer = await client.post("/v1/attempts", json=ATTEMPT)
            outcome = await client.post(
                f"/v1/attempts/{before.json()['id']}/outcome", json={"outcome": "success"}
            )
        assert before.status_code == 200
        assert (answer.status_code, outcome.status_code) == (status, status)
        assert at.desk.unrecorded_count == 2
        if posture is Posture.CLOSED:
            assert code_of(answer) == code_of(outcome) == "record_unavailable"

    asyncio.run(play())


def test_parallel_answers_share_commits_and_keep_their_order(tmp_path: Path) -> None:
    async def play() -> None:
        at = GuardService()
        store = open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")
        record = AttemptStore(store, clock=at.clock)
        at.recorder.record = record.record  # type: ignore[method-assign] # the real store behind the same desk
        async with at.client() as client:
            answers = await asyncio.gather(
                *(client.post("/v1/attempts", json=ATTEMPT | {"member": f"m{n}"}) for n in range(50))
            )
        kept = [event.attempt_id for event in record.since(0)]
        store.close()
        assert sorted(kept) == sorted(answer.json()["id"] for answer in answers)

    asyncio.run(play())
