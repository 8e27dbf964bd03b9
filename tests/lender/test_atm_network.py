"""The line between lender and machines: real TLS with certificates on both sides, real HTTP."""

import asyncio
import ssl
from contextlib import AsyncExitStack

import httpx
import pytest
from tests.lender.atm_at_hand import HERE, MACHINE, NETWORK, NUMBER, PIN
from tests.lender.atm_certificates import Authority

from sekisho.kernel.posture import OperationalError
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_machines import MachineDesk
from sekisho.lender.atm_network import CashState, Certificates, HttpsAtmNetwork, PayOut
from sekisho.lender.atm_sessions import Direction
from sekisho.range.atm.lender_line import Declined, HttpsLenderLine
from sekisho.range.atm.site import MachineSite
from sekisho.range.atm.teller import Teller, View
from sekisho.web.atm_network.app import AtmNetworkApp
from sekisho.web.mutual_tls import peer_of, serving_peers
from sekisho.web.server import listening_socket

LENDER = "lender.example"


@pytest.fixture
def authority(tmp_path):
    """Give an authority that both sides trust."""
    return Authority(tmp_path / "authority")


class Wired:
    """The lender and one machine, each behind its own TLS, and a client for each direction."""

    def __init__(self, atm, authority, *, network=NETWORK, lender=LENDER):
        self.atm = atm
        self._stack = AsyncExitStack()
        self._ours, self._theirs = authority.certify(lender), authority.certify(network)

    async def __aenter__(self):
        # Clients go before the servers that they keep connections to, or those would wait for them.
        enter = self._stack.enter_async_context
        machine_door, lender_door = (listening_socket("127.0.0.1", 0) for _ in range(2))
        self.machine_url, self.lender_url = (
            f"https://127.0.0.1:{door.getsockname()[1]}" for door in (machine_door, lender_door)
        )
        site = MachineSite(self.atm.machines[MACHINE], LENDER, peer_of)
        await enter(serving_peers(site, machine_door, self._theirs.for_server()))
        self.to_machine = await enter(httpx.AsyncClient(verify=self._ours.for_client()))
        self.network = HttpsAtmNetwork(self.to_machine, self.machine_url, patience_s=5.0)
        self.desk = MachineDesk(self.atm.house, self.atm.pins, self.network)
        await enter(serving_peers(AtmNetworkApp(self.desk), lender_door, self._ours.for_server()))
        self.to_lender = await enter(httpx.AsyncClient(verify=self._theirs.for_client()))
        self.line = HttpsLenderLine(self.to_lender, self.lender_url)
        self.teller = Teller(self.atm.machines[MACHINE], self.line, self.atm.at.chance)
        return self

    async def __aexit__(self, *failure):
        await self._stack.aclose()


def play(atm, authority, scene, **names):
    async def playing():
        async with Wired(atm, authority, **names) as wired:
            return await scene(wired)

    return asyncio.run(playing())


def pay_out(yen=1_000, order_id="ato_" + "1" * 32, not_after_us=2**62):
    return PayOut(
        order_id=order_id, machine_id=MACHINE, session_id="", amount_yen=yen, not_after_us=not_after_us
    )


def test_cash_is_drawn_over_the_wire_from_the_code_to_the_books(atm, authority):
    member_id = atm.member()
    present = atm.entered(member_id)

    async def scene(wired):
        teller = wired.teller
        assert (await teller.begin()).view is View.CODE
        claimed = await atm.app.claim(present, teller.screen.qr)
        assert (await teller.look()).view is View.WAITING
        chosen = await atm.app.choose(present, claimed.session.id, Direction.WITHDRAWAL, Yen(20_000))
        proven = await asyncio.to_thread(atm.proven, present, chosen.purpose)
        await atm.app.approve(proven, HERE, claimed.session.id)
        assert (await teller.look()).view is View.PIN
        assert (await teller.enter(NUMBER, "1593")).tries_left == 2
        return await teller.enter(NUMBER, PIN)

    screen = play(atm, authority, scene)
    assert (screen.view, screen.moved_yen) == (View.CASH, 20_000)
    assert atm.principal(member_id) == (20_220, 0)
    assert atm.machines[MACHINE].untold() == []


def test_cash_is_put_in_over_the_wire(atm, authority):
    member_id = atm.member()
    present = atm.entered(member_id)
    atm.type(atm.approved(present, 20_000))

    async def scene(wired):
        teller = wired.teller
        await teller.begin()
        claimed = await atm.app.claim(present, teller.screen.qr)
        await atm.app.choose(present, claimed.session.id, Direction.REPAYMENT, Yen(0))
        assert (await teller.look()).view is View.INSERT
        return await teller.insert(NUMBER, 5_000)

    screen = play(atm, authority, scene)
    assert (screen.view, screen.moved_yen, screen.fee_yen) == (View.KEPT, 5_000, 110)
    assert atm.principal(member_id) == (20_220 - 4_890, 0)


def test_what_the_lender_did_not_acknowledge_is_told_again(atm, authority):
    present = atm.entered(atm.member())
    session_id = atm.approved(present, 10_000)
    atm.line.cut = "answer"
    atm.type(session_id)

    async def scene(wired):
        return await wired.teller.tell()

    assert len(atm.machines[MACHINE].untold()) == 1
    assert play(atm, authority, scene) == 0
    assert atm.order(session_id)["state"] == "dispensed"


def test_the_lender_asks_and_reverses_over_the_wire(atm, authority):
    async def scene(wired):
        order = pay_out()
        assert (await wired.network.query(MACHINE, order.order_id)).state is CashState.UNHEARD
        assert (await wired.network.reverse(MACHINE, order.order_id)).state is CashState.NEVER
        assert (await wired.network.pay_out(order)).state is CashState.NEVER
        other = pay_out(3_000, "ato_" + "2" * 32)
        assert (await wired.network.pay_out(other)).moved_yen == 3_000
        assert (await wired.network.pay_out(other)).moved_yen == 3_000
        report = await wired.network.report(MACHINE, atm.house.today())
        assert report.machine_id == MACHINE
        with pytest.raises(OperationalError):
            await wired.network.query("0666", order.order_id)

    play(atm, authority, scene)
    assert atm.cash_given() == 3_000


def test_a_machine_listens_to_its_lender_alone(atm, authority):
    async def scene(wired):
        with pytest.raises(OperationalError):
            await wired.network.pay_out(pay_out())

    play(atm, authority, scene, lender="another-lender.example")
    assert atm.cash_given() == 0


def test_a_network_asks_for_its_own_machines_alone(atm, authority):
    async def scene(wired):
        with pytest.raises(Declined) as declined:
            await wired.line.show(MACHINE, "k")
        return declined.value.code

    assert play(atm, authority, scene, network="another-network.example") == "atm_machine_unknown"


def test_without_a_certificate_of_the_authority_nobody_gets_an_answer(atm, authority, tmp_path):
    stranger = Authority(tmp_path / "stranger").certify(NETWORK)
    no_certificate = ssl.create_default_context(cafile=str(authority.file))
    forged = Certificates(authority.file, stranger.own, stranger.key).for_client()

    async def scene(wired):
        for context in (no_certificate, forged):
            async with httpx.AsyncClient(verify=context) as client:
                for url in (wired.lender_url, wired.machine_url):
                    with pytest.raises(httpx.HTTPError):
                        await client.get(url + "/v1/sessions/ats_0")
        async with httpx.AsyncClient(verify=stranger.for_client()) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(wired.lender_url)

    play(atm, authority, scene)


def test_a_server_that_asks_for_no_certificate_is_not_started(atm, authority):
    context = authority.certify("x").for_server()
    context.verify_mode = ssl.CERT_OPTIONAL

    async def scene():
        door = listening_socket("127.0.0.1", 0)
        try:
            async with serving_peers(AtmNetworkApp(atm.desk), door, context):
                pass
        finally:
            door.close()

    with pytest.raises(ValueError, match="certificates"):
        asyncio.run(scene())


@pytest.mark.parametrize(
    ("method", "path", "key", "body", "status", "code"),
    [
        ("POST", f"/v1/machines/{MACHINE}/sessions", "", b"", 400, "malformed"),
        ("POST", f"/v1/machines/{MACHINE}/sessions", "a b", b"", 400, "malformed"),
        ("POST", "/v1/machines/9999/sessions", "k", b"", 404, "atm_machine_unknown"),
        ("GET", f"/v1/machines/{MACHINE}/sessions", "", b"", 405, "method_not_allowed"),
        ("GET", "/v1/sessions/ats_0", "", b"", 409, "atm_session_over"),
        ("POST", "/v1/sessions/ats_0/entry", "k", b"{", 400, "malformed"),
        ("POST", "/v1/sessions/ats_0/entry", "k", b'{"company_number": 1}', 400, "malformed"),
        ("POST", "/v1/sessions/ats_0/entry", "k", b'{"company_number":"1"}', 409, "atm_session_over"),
        ("POST", "/v1/sessions/ats_0/entry", "k", b" " * 5_000, 413, "too_large"),
        (
            "POST",
            "/v1/sessions/ats_0/count",
            "k",
            b'{"company_number":"1","amount_yen":1}',
            422,
            "atm_amount_not_allowed",
        ),
        ("POST", "/v1/orders/ato_0/confirmation", "k", b'{"state":"done"}', 404, "atm_order_unknown"),
        ("POST", "/v1/orders/ato_0/confirmation", "k", b'{"state":"done","moved_yen":-1}', 400, "malformed"),
        ("POST", "/v1/orders/ato_0/confirmation", "k", b'{"state":"perhaps"}', 400, "malformed"),
        ("GET", "/v1/", "", b"", 404, "not_found"),
    ],
)
def test_what_the_lender_does_not_take(atm, authority, method, path, key, body, status, code):
    async def scene(wired):
        headers = {"Idempotency-Key": key} if key else {}
        return await wired.to_lender.request(method, wired.lender_url + path, content=body, headers=headers)

    answer = play(atm, authority, scene)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/orders", b"{", 400),
        ("POST", "/v1/orders", b" " * 5_000, 400),
        (
            "POST",
            "/v1/orders",
            b'{"order_id":"x","machine_id":"0042","session_id":"","amount_yen":1,"not_after_us":1}',
            400,
        ),
        ("GET", "/v1/orders", b"", 404),
        ("GET", "/v1/machines/0666/orders/ato_" + "1" * 32, b"", 404),
        ("POST", f"/v1/machines/{MACHINE}/orders/ato_" + "1" * 32, b"", 405),
        ("GET", f"/v1/machines/{MACHINE}/orders/ato_" + "1" * 32 + "/reversal", b"", 405),
        ("GET", f"/v1/machines/{MACHINE}/days/2026-13-01", b"", 400),
    ],
)
def test_what_a_machine_does_not_take(atm, authority, method, path, body, status):
    async def scene(wired):
        client = wired.to_machine
        return await client.request(method, wired.machine_url + path, content=body)

    assert play(atm, authority, scene).status_code == status
    assert atm.cash_given() == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n",
        b'HTTP/1.1 200 OK\r\ncontent-length: 42\r\n\r\n{"order_id":"ato_of_another","state":"done"}',
        b"nonsense\r\n\r\n",
        b"",
    ],
)
def test_an_answer_that_says_nothing_is_an_outage_and_no_yes(authority, answer):
    """A machine that answers anything but what became of exactly this order has not answered."""
    ours, theirs = authority.certify(LENDER), authority.certify(NETWORK)

    async def say(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def scene():
        server = await asyncio.start_server(say, "127.0.0.1", 0, ssl=theirs.for_server())
        async with server, httpx.AsyncClient(verify=ours.for_client()) as client:
            port = server.sockets[0].getsockname()[1]
            network = HttpsAtmNetwork(client, f"https://127.0.0.1:{port}", patience_s=5.0)
            with pytest.raises(OperationalError):
                await network.pay_out(pay_out())

    asyncio.run(scene())


def test_a_machine_that_says_nothing_at_all_is_not_waited_for(authority):
    ours, theirs = authority.certify(LENDER), authority.certify(NETWORK)

    async def scene():
        over = asyncio.Event()

        async def silent(_, writer):
            await over.wait()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0, ssl=theirs.for_server())
        async with server, httpx.AsyncClient(verify=ours.for_client()) as client:
            port = server.sockets[0].getsockname()[1]
            network = HttpsAtmNetwork(client, f"https://127.0.0.1:{port}", patience_s=0.2)
            with pytest.raises(OperationalError, match="in time"):
                await network.query(MACHINE, "ato_" + "1" * 32)
            over.set()

    asyncio.run(scene())
