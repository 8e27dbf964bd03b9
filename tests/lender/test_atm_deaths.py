"""Processes that are killed while cash moves: what was given is booked in the end, and nothing else."""

import asyncio
import re
import subprocess
import sys
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from sqlalchemy import select
from tests.lender.atm_at_hand import HERE, MACHINE, NETWORK, NUMBER, PIN, open_atm
from tests.lender.atm_certificates import Authority
from tests.project_files import ROOT

from sekisho.kernel.clock import MINUTE_US, SystemClock
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_machines import MachineDesk
from sekisho.lender.atm_network import HttpsAtmNetwork
from sekisho.lender.atm_sessions import Direction
from sekisho.storage.tables.atm import atm_order
from sekisho.web.atm_network.app import AtmNetworkApp
from sekisho.web.mutual_tls import serving_peers
from sekisho.web.server import listening_socket

LENDER = "lender.example"
SCENE_S_MAX = 240
COMMAND = "from sekisho.cli.main import main; main()"


@pytest.mark.parametrize(("when", "given"), [("before", 0), ("after", 30_000)])
def test_a_lender_that_is_killed_while_it_tells_a_machine_asks_again_when_it_is_back(tmp_path, when, given):
    killed = subprocess.run(
        [sys.executable, "-m", "tests.lender.dying_lender", str(tmp_path), when], cwd=ROOT, check=False
    )
    assert killed.returncode == -9

    atm = open_atm(tmp_path)
    atm.at.clock.advance(MINUTE_US)
    with atm.house.store.read() as connection:
        order = connection.execute(select(atm_order)).mappings().one()
    assert (order["state"], atm.cash_given()) == ("asked", given)
    assert atm.principal(order["member_id"]) == (0, 30_220)

    assert atm.ask_again() == 1

    assert atm.cash_given() == given
    assert atm.principal(order["member_id"]) == ((30_220, 0) if given else (0, 0))
    assert atm.cash_booked() == atm.cash_given() + atm.fees()
    atm.close()


class MovingNetwork(HttpsAtmNetwork):
    """A machine that has another port each time it is started."""

    def move(self, url):
        self._url = url


class HeardDesk(MachineDesk):
    """A desk that says when it has heard of an order, or given up waiting."""

    def __init__(self, *parts):
        super().__init__(*parts)
        self.heard = defaultdict(asyncio.Event)

    async def tell_machine(self, order_id):
        order = await super().tell_machine(order_id)
        assert order is not None
        self.heard[order.atm_session_id].set()
        return order


@asynccontextmanager
async def running_machine(authority, tmp_path, lender_url, *options):
    """Run `sekisho atm`, and give the addresses of its two doors."""
    theirs = authority.certify(NETWORK)
    files = ("--authority", theirs.authority, "--certificate", theirs.own, "--key", theirs.key)
    where = (
        "--machine",
        MACHINE,
        "--lender",
        lender_url,
        "--lender-name",
        LENDER,
        "--data",
        tmp_path / "atm",
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        COMMAND,
        "atm",
        *map(str, (*where, *files)),
        "--port",
        "0",
        "--screen-port",
        "0",
        *options,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        said = b""
        assert process.stdout is not None
        while b"Cash in it" not in said:
            said += await asyncio.wait_for(process.stdout.readline(), 30)
        screen, lender_door = re.findall(r"https?://127[.]0[.]0[.]1:\d+", said.decode())
        yield process, screen, lender_door
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def draw(atm, present, screen):
    """Go to the screen, claim its code, approve and type."""
    async with httpx.AsyncClient(base_url=screen, headers={"origin": screen}) as person:
        await person.post("/begin")
        page = (await person.get("/")).text
        typed = re.findall(r"<code data-typed>([0-9-]+)</code>", page)[0]
        claimed = await atm.app.claim(present, typed)
        assert "アプリでお手続き" in (await person.get("/")).text
        session_id = claimed.session.id
        chosen = await atm.app.choose(present, session_id, Direction.WITHDRAWAL, Yen(30_000))
        proven = await asyncio.to_thread(atm.proven, present, chosen.purpose)
        await atm.app.approve(proven, HERE, session_id)
        assert "企業番号" in (await person.get("/")).text
        try:
            await person.post("/entry", data={"company_number": NUMBER, "pin": PIN}, timeout=30)
        except httpx.HTTPError:
            return session_id, ""
        return session_id, (await person.get("/")).text


def test_a_machine_of_its_own_pays_dies_and_is_believed_when_it_is_back(atm, tmp_path):
    atm.at.clock.set(SystemClock().now_us())
    authority = Authority(tmp_path / "authority")
    ours = authority.certify(LENDER)
    member_id = atm.member()
    present = atm.entered(member_id)

    async def scene():
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            # Where the lender is too slow to tell the machine, it never dies: that fails, and does not hang.
            await enter(asyncio.timeout(SCENE_S_MAX))
            door = listening_socket("127.0.0.1", 0)
            lender_url = f"https://127.0.0.1:{door.getsockname()[1]}"
            client = await enter(httpx.AsyncClient(verify=ours.for_client()))
            network = MovingNetwork(client, "https://127.0.0.1:1", patience_s=10)
            desk = HeardDesk(atm.house, atm.pins, network)
            await enter(serving_peers(AtmNetworkApp(desk), door, ours.for_server()))

            async with running_machine(authority, tmp_path, lender_url) as (_, screen, machine_url):
                network.move(machine_url)
                first, page = await draw(atm, present, screen)
                assert "30,000円をお受け取りください" in page
                assert atm.order(first)["state"] == "dispensed"

            dying = running_machine(authority, tmp_path, lender_url, "--die-after", "20000")
            async with dying as (process, screen, machine_url):
                network.move(machine_url)
                second, _ = await draw(atm, present, screen)
                assert await process.wait() == -9
                await desk.heard[second].wait()
            assert atm.order(second)["state"] == "unknown"
            assert atm.principal(member_id) == (30_220, 30_220)

            async with running_machine(authority, tmp_path, lender_url) as (_, _, machine_url):
                network.move(machine_url)
                atm.at.clock.advance(MINUTE_US)
                await desk.settlement.ask_again()
            return second

    second = asyncio.run(scene())
    assert (atm.order(second)["state"], atm.order(second)["moved_yen"]) == ("dispensed", 20_000)
    assert atm.principal(member_id) == (30_220 + 20_220, 0)
