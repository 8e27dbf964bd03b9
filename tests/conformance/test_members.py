"""Members, sessions and logins on every store; and what happens to them reaches sealed history."""

import asyncio

import pyarrow.parquet as pq
from tests.identity.login_house import HOME, PASSWORD, WRONG, code_in, house, returning

from sekisho.identity.claims import LoginForm
from sekisho.identity.known_logins import Again
from sekisho.identity.login_codes import LoginOver, NotRight
from sekisho.identity.welcomes import Welcome
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.history.sealing import Sealing, first_fault

KINDS = {"member:account:opened", "member:password:set", "member:session:opened", "member:session:ended"}


async def _lives(opened, folder):
    """Open an account, log in at home and away, be refused, log out; then move it all to history."""
    home = await opened.open_account()
    name = opened.name_of(home)
    assert await opened.logins.begin(LoginForm(name, WRONG), returning(home)) == Again()
    back = await opened.logins.begin(
        LoginForm(name, PASSWORD), returning(home, HOME), replaces=home.session_token
    )
    assert isinstance(back, Welcome)
    away = await opened.log_in_away(name)
    step = await opened.as_stranger("nobody@example.jp")
    assert [await opened.enter(step, "123456") for _ in range(5)][-2:] == [NotRight(1), LoginOver()]
    assert {present.session.id for present in await opened.sessions.all_of(back.session)} == {
        back.session.id,
        away.session.id,
    }
    await opened.sessions.log_out(away.session)
    assert await opened.sessions.present(away.session_token) is None
    opened.wait(601)
    assert await opened.logins.sweep() == 1
    written = len(opened.all_events())
    history = HistoryFolder(folder)
    moved = await asyncio.to_thread(Sealing(opened.parts.store, history, clock=opened.clock).step)
    assert moved.moved == written
    assert first_fault(opened.parts.store, history) is None
    return home


def _events(folder):
    files = sorted((folder / "events").rglob("*.parquet"))
    return [row for path in files for row in pq.read_table(path, partitioning=None).to_pylist()]


def test_a_member_lives_alike_on_every_store_and_leaves_sealed_history(store_url, tmp_path):
    """Entries of every kind reach history under their kind, and a changed file shows."""
    folder = tmp_path / "history"

    async def scene():
        async with house(tmp_path, url=store_url) as opened:
            home = await _lives(opened, folder)
            rows = _events(folder)
            assert {row["kind"] for row in rows} >= KINDS
            subjects = {row["subject"] for row in rows if row["kind"] == "member:account:opened"}
            assert subjects == {home.session.member_id}
            bodies = b"".join(row["body"] for row in rows)
            for secret in (PASSWORD, WRONG, "taro1@example.jp", "+819012340001", code_in(opened.sent()[0])):
                assert secret.encode() not in bodies
            changed = next((folder / "events").rglob("*.parquet"))
            changed.write_bytes(changed.read_bytes() + b"x")
            assert first_fault(opened.parts.store, HistoryFolder(folder)) is not None

    asyncio.run(scene())
