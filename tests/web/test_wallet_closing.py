"""Closing a wallet on its pages: what is in the way and how it is mended, the approval, and what is left."""

import re

import pytest
from tests.web.member_site import found
from tests.web.test_wallet_identity import MOBILE, book
from tests.web.test_wallet_sign_in import session_of
from tests.web.wallet_site import play

from sekisho.identity import holds
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.sessions import form_token
from sekisho.kernel.ids import SEND
from sekisho.ledger.transfers import Booked
from sekisho.wallet import send_rows
from sekisho.wallet.send_rows import Send, SendState
from sekisho.wallet.wallets import WalletState, freeze_wallet
from sekisho.web.members.roles import OF_MEMBERS
from sekisho.web.wallet.app import ROUTES

JSON = {"Accept": "application/json"}
# What the wallet's own pages still do when it is closed. This list may only shrink, or grow with a reason.
STAYS = {
    "GET /close",  # leads to the first page
    "POST /close",  # sent twice, it closes once
    "GET /history",
    "GET /moves/{move_id:str}",  # what became of it
    "GET /payments/{payment_id:str}",
    "GET /send/{send_id:str}",
    "GET /offers",  # what was sent
    "POST /login/id/confirm",  # for what the member still approves: passkeys, devices, the profile
}


async def person_with_phone(site):
    person = site.person()
    await person.open_wallet()
    await person.prove_phone(site, MOBILE)
    return person


async def close(person):
    """Close a wallet as people do: ask, confirm with the ID, press."""
    await person.at_wallet.get("/close")
    await person.at_wallet.get(found(r'href="(/step-up\?wish=close:\w+)"', person.at_wallet.page.text))
    await person.confirm()
    assert person.at_wallet.path == "/close"
    return await person.at_wallet.submit("/close")


def send_of(site, wallet, yen):
    """Put a send down that waits to be accepted."""
    parts, digest = site.site.parts, b"d" * 32
    sent = Send(
        id=SEND.new(parts.clock, parts.chance),
        key="k",
        sender_id=wallet.member_id,
        phone_digest=digest,
        phone_sealed=b"",
        receiver_id=None,
        amount_yen=yen,
        state=SendState.WAITING,
        session_id="s",
        attempt_id="",
        requested_at_us=parts.clock.now_us(),
        sent_at_us=parts.clock.now_us(),
        expires_at_us=parts.clock.now_us() + 10**12,
        ended_at_us=None,
    )
    parts.store.write(lambda at: send_rows.add(at, sent)).result()
    return sent


def test_an_empty_wallet_is_asked_for_approved_and_closed_and_can_still_be_read(tmp_path):
    async def scene(site):
        person = await person_with_phone(site)
        page = await person.at_wallet.get("/")
        assert 'href="/close"' in page.text
        asked = await person.at_wallet.get("/close")
        assert "opens no other wallet" in asked.text
        assert 'action="/close"' not in asked.text
        closed = await close(person)
        assert person.at_wallet.path == "/"
        assert "Closed on" in closed.text
        assert 'href="/pay"' not in closed.text
        (wallet,) = site.wallets()
        assert (wallet.state, wallet.stopped_for) == (WalletState.CLOSED, "member")
        assert (await person.at_wallet.get("/history")).status_code == 200
        assert len(site.messages.sent("notice:wallet_closed")) == 2
        await person.at_wallet.get("/close")
        assert person.at_wallet.path == "/"

    play(tmp_path, scene)


def test_a_closing_that_is_sent_twice_closes_once(tmp_path):
    async def scene(site):
        person = await person_with_phone(site)
        await close(person)
        token = form_token(session_of(site, person.at_wallet), "/close")
        again = await person.at_wallet.post("/close", {"form": token})
        assert (again.status_code, person.at_wallet.path) == (200, "/")
        assert len(site.messages.sent("notice:wallet_closed")) == 2

    play(tmp_path, scene)


def test_without_an_approval_the_form_leads_to_it(tmp_path):
    async def scene(site):
        person = await person_with_phone(site)
        site.wait(301)
        token = form_token(session_of(site, person.at_wallet), "/close")
        await person.at_wallet.post("/close", {"form": token})
        assert person.at_wallet.path.startswith("/step-up?wish=close:wal_")
        told = await person.at_wallet.post("/close", {"form": token}, **JSON)
        assert (told.status_code, told.json()["code"]) == (401, "insufficient_user_authentication")
        assert site.wallets()[0].state is WalletState.OPEN

    play(tmp_path, scene)


def test_another_member_s_wallet_is_no_wish_of_mine(tmp_path):
    async def scene(site):
        person, other = await person_with_phone(site), site.person()
        await other.open_wallet()
        own = {one.member_id: one.id for one in site.wallets()}
        mine = own.pop(session_of(site, person.at_wallet).member_id)
        (foreign,) = own.values()
        assert (await person.at_wallet.get(f"/step-up?wish=close:{mine}")).status_code == 200
        assert (await person.at_wallet.get(f"/step-up?wish=close:{foreign}")).status_code == 404

    play(tmp_path, scene)


def test_what_is_in_the_way_is_said_with_the_way_to_mend_it(tmp_path):
    """Everything at once, so that nobody mends one thing only to hear of the next."""

    async def scene(site):
        person = await person_with_phone(site)
        (wallet,) = site.wallets()
        assert isinstance(book(site, wallet, 1_200), Booked)
        sent = send_of(site, wallet, 300)
        page = (await person.at_wallet.get("/close")).text
        assert "¥1,200" in page
        assert 'href="/pay"' in page
        assert f'href="/send/{sent.id}"' in page
        assert "/step-up" not in page
        token = form_token(session_of(site, person.at_wallet), "/close")
        await person.at_wallet.get(f"/step-up?wish=close:{wallet.id}")
        await person.confirm()
        refused = await person.at_wallet.post("/close", {"form": token})
        assert refused.status_code == 409
        assert f'href="/send/{sent.id}"' in refused.text
        told = await person.at_wallet.post("/close", {"form": token}, **JSON)
        assert (told.status_code, told.json()["code"]) == (409, "wallet_not_empty")
        assert "¥1,200 in it; sends not accepted yet: 1" in told.json()["detail"]
        assert site.wallets()[0].state is WalletState.OPEN

    play(tmp_path, scene)


@pytest.mark.parametrize(("put", "told"), [("frozen", "The wallet is stopped"), ("held", "on hold")])
def test_a_wallet_that_is_stopped_or_held_says_so(tmp_path, put, told):
    async def scene(site):
        person = await person_with_phone(site)
        (wallet,), parts = site.wallets(), site.site.parts
        if put == "frozen":
            work = parts.store.write(lambda at: freeze_wallet(at, parts, wallet.id, reason="x", by="aoki"))
        else:
            kind, scope = HoldKind.CONTAINMENT, HoldScope.MONEY_OUT
            work = parts.store.write(
                lambda at: holds.place(at, parts, wallet.member_id, kind, scope, reason="x", until_us=None)
            )
        work.result()
        assert told in (await person.at_wallet.get("/close")).text

    play(tmp_path, scene)


def test_every_other_page_of_a_closed_wallet_says_that_it_is_closed(tmp_path):
    """A new page has to be thought about: it refuses, or it stands in the list of what stays."""

    async def scene(site):
        person = await person_with_phone(site)
        own = {path for route in ROUTES for path in route.paths}
        await close(person)
        session, stays = session_of(site, person.at_wallet), set()
        for access in site.site.accesses:
            path = re.sub(r"\{\w+:\w+\}", "x", access.path)
            if access.role not in OF_MEMBERS or access.path not in own:
                continue
            fields = {"form": form_token(session, path)}
            person.at_wallet.client.headers["Accept"] = "application/json"
            answer = await person.at_wallet.client.request(
                access.method,
                path,
                data=fields if access.method == "POST" else None,
                headers={"Origin": "http://wallet.localhost:8470", "Sec-Fetch-Site": "same-origin"},
            )
            if answer.status_code == 409 and answer.json()["code"] == "wallet_closed":
                continue
            stays.add(f"{access.method} {access.path}")
        assert stays == STAYS
        person.at_wallet.client.headers["Accept"] = "text/html"
        page = await person.at_wallet.get("/pay")
        assert (page.status_code, "This wallet is closed" in page.text) == (409, True)

    play(tmp_path, scene)


def test_who_closed_a_wallet_proves_a_number_for_no_level(tmp_path):
    """A changed number is a contact still, and raises nothing: the books of the wallet stay shut."""

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await close(person)
        await person.prove_phone(site, MOBILE)
        (wallet,) = site.wallets()
        assert (wallet.state, wallet.phone_proven_at_us) == (WalletState.CLOSED, None)

    play(tmp_path, scene)
