"""`sekisho streams`: two operators agree, each at the folder of an institution that is served meanwhile."""

import asyncio
import json
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner

from sekisho.cli.main import main
from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.sharing.exchange import open_exchange
from sekisho.storage.engine import open_store
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper
from sekisho.web.server import listening_socket
from sekisho.web.signals.app import create_signals_app

WHY = ("--by", "aoki", "--reason", "agreed on paper")


class Served:
    """An institution's folder, its file, and the command run on both."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder / key, key
        self.listener = listening_socket("127.0.0.1", 0)
        self.origin = f"http://{key}.localhost:{self.listener.getsockname()[1]}"
        self.file = folder / f"{key}.toml"
        self.file.write_text(
            f'key = "{key}"\nhost = "{key}.localhost"\norigin = "{self.origin}"\ntelephone = "0120-000-000"\n'
            f'names = {{ ja = "{key}", en = "{key}" }}\ndesk_hours = {{ ja = "平日", en = "weekdays" }}\n',
            "utf-8",
        )
        self.folder.mkdir()
        clock, chance = SystemClock(), SystemChance()
        keyring = open_keyring(self.folder, key_wrapper(self.folder, {}, chance), clock=clock, chance=chance)
        institution = Institution(
            key=key,
            names={"ja": key, "en": key},
            host=f"{key}.localhost",
            origin=self.origin,
            telephone="0120-000-000",
            desk_hours={"ja": "平日", "en": "weekdays"},
        )
        store = open_store(f"sqlite:///{self.folder / 'sekisho.db'}")
        self.exchange = open_exchange(Parts(institution, store, keyring, clock, chance))

    def __call__(self, *arguments, typed=None):
        """Run a subcommand at this institution."""
        at = ["--data", str(self.folder), "--institution", str(self.file)]
        if arguments[0] != "list":
            at += WHY
        return CliRunner().invoke(main, ["streams", arguments[0], *at, *arguments[1:]], input=typed)

    def acts(self):
        """Return who did what to which partner and why, the oldest first."""
        listed = CliRunner().invoke(main, ["audit", "list", "--data", str(self.folder)]).output
        return [tuple(line.split("\t")[2:6]) for line in reversed(listed.splitlines())]

    def listed(self):
        """Return what `list` says of the one partner."""
        (line,) = self("list", "--json").output.splitlines()
        return json.loads(line)


@contextmanager
def _serving(one):
    app = create_signals_app(one.exchange)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))

    async def serve():
        await server.serve(sockets=[one.listener])
        await one.exchange.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        yield one
    finally:
        server.should_exit = True
        thread.join()
        one.exchange.parts.store.close()


@pytest.fixture(name="two")
def _two(tmp_path):
    """Give an ID and a wallet, each served with a store that the command joins."""
    with ExitStack() as ending:
        yield [ending.enter_context(_serving(Served(tmp_path, key))) for key in ("id", "wallet")]


def _admitted(one, other, *more, typed=None):
    done = one("add", *more, other.origin, typed=typed)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()[0]


def test_two_operators_agree_and_see_that_it_works(two, tmp_path):
    """Each hands the printed token to the other; the streams are made, used, paused and taken away."""
    one, other = two
    key = tmp_path / "source.key"
    to_other = _admitted(one, other, "--source-key", str(key))
    assert to_other.startswith("ssf_")
    assert key.stat().st_mode & 0o777 == 0o600
    to_one = _admitted(other, one, "--token-file", "-", "--source-key", str(key), typed=to_other)
    assert (
        _admitted(one, other, "--token-file", "-", typed=to_one)
        == "admitted before; its token stays as it is"
    )
    row = one.listed()
    assert (row["issuer"], row["exchanges_sources"]) == (other.origin, True)
    assert row["sends"]["status"] == row["receives"]["status"] == "enabled"
    assert to_other not in one("list").output
    # The verification that the wallet asked for waits at the ID until its deliverer takes it.
    assert row["sent"] == {"waiting": 1}
    assert other.listed()["receives"]["verified_at"] is None
    _deliver(one)
    assert other.listed()["receives"]["verified_at"] is not None
    assert one("status", other.origin, "paused", "--reason", "works").exit_code == 0
    assert one.listed()["sends"]["status"] == "paused"
    assert other("remove", one.origin).exit_code == 0
    assert other("list").output == ""
    assert one.listed()["sends"] is None
    admitted = ("aoki", "signals:partner_admitted", other.origin, "agreed on paper")
    assert one.acts() == [admitted] * 2 + [("aoki", "signals:stream_changed", other.origin, "works")]
    assert [act for _, act, _, _ in other.acts()] == ["signals:partner_admitted", "signals:partner_parted"]


def _deliver(served):
    """Deliver on a loop of its own, as the process that serves it would."""

    async def deliver():
        exchange = open_exchange(served.exchange.parts)
        await exchange.deliverer.deliver_due()
        await exchange.close()

    asyncio.run(deliver())


def test_a_renewed_token_replaces_the_old_one(two):
    one, other = two
    first = _admitted(one, other)
    assert _admitted(one, other) == "admitted before; its token stays as it is"
    second = _admitted(one, other, "--renew")
    assert second.startswith("ssf_")
    refused = other("add", "--token-file", "-", one.origin, typed=first)
    assert (refused.exit_code, "status 401" in refused.output) == (1, True)
    assert other("add", "--token-file", "-", "--poll", one.origin, typed=second).exit_code == 0
    assert other("verify", one.origin).exit_code == 1  # asked for within the last minute


def test_what_cannot_be_is_said(two, tmp_path):
    one, other = two
    nobody = "https://nobody.example"
    for arguments in (
        ("status", nobody, "paused"),
        ("verify", nobody),
        ("remove", nobody),
        ("add", "http://in-the-clear.example"),
        ("add", "--source-key", str(one.file), other.origin),
    ):
        refused = one(*arguments)
        assert refused.exit_code == 2, arguments
        assert "Error" in refused.output
    assert one("list").output == ""
    assert one.acts() == []
    demo = [*WHY, "--at", "id", "--data", str(tmp_path / "demo"), "--token-file", "-", other.origin]
    refused = CliRunner().invoke(main, ["streams", "add", *demo], input="t")
    assert (refused.exit_code, "--institution" in refused.output) == (2, True)
