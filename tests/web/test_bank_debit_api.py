"""What partners call at the bank: tokens bound to keys, answers kept by keys, errors as problem details."""

import asyncio

import pytest
from tests.bank.mandate_at_hand import OFF, START, open_bank
from tests.web.bank_partner import bank_app, linked

from sekisho.bank.mandate_states import Deed, MandateState
from sekisho.bank.switches import Function
from sekisho.kernel.clock import MINUTE_US, SECOND_US, rfc3339
from sekisho.linking.dpop import ProofKey, new_key


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.audit()
    opened.bank.store.close()


def run(asking):
    return asyncio.run(asking)


def test_a_debit_is_answered_and_found_again(bank):
    wallet = linked(bank)

    async def scene():
        made = await wallet.debit(30_000, "a")
        assert made.status_code == 201
        told = made.json()
        assert told["state"] == "done"
        assert (told["result"], told["reason"], told["amount_yen"]) == ("0", "done", 30_000)
        assert made.headers["cache-control"] == "no-store"
        assert (await wallet.debit(30_000, "a")).json() == told
        assert (await wallet.ask("GET", "/v1/debits?key=a")).json() == told
        assert (await wallet.ask("GET", f"/v1/debits/{told['debit_id']}")).json() == told
        paid = (await wallet.debit(10_000, "a", "/v1/credits")).json()
        assert paid["credit_id"].startswith("crd_")
        assert (await wallet.ask("GET", "/v1/credits?key=a")).json() == paid
        assert (await wallet.ask("GET", f"/v1/credits/{paid['credit_id']}")).json() == paid

    run(scene())
    assert bank.balance() == START.amount - 20_000


def test_what_was_never_heard_is_unknown(bank):
    wallet, other = linked(bank), linked(bank, deposit_id=bank.open().id, user_ref="user-0002")

    async def scene():
        made = (await wallet.debit(1_000, "a")).json()
        for path in ("/v1/debits?key=b", "/v1/debits/dbt_x", "/v1/credits?key=a"):
            answer = await wallet.ask("GET", path)
            assert (answer.status_code, answer.json()["code"]) == (404, "bank_order_unknown")
        # The same partner's other link learns nothing of it.
        for path in ("/v1/debits?key=a", f"/v1/debits/{made['debit_id']}"):
            assert (await other.ask("GET", path)).status_code == 404

    run(scene())


def test_a_refusal_is_an_answer(bank):
    wallet = linked(bank)
    bank.deed(wallet.mandate, Deed.STOP)
    refused = run(wallet.debit(1_000))
    assert refused.status_code == 201
    told = refused.json()
    assert (told["state"], told["result"], told["reason"]) == ("refused", "3", "depositor_stopped")


def test_a_token_is_worth_nothing_without_its_key(bank):
    """Stolen, replayed, shown to another address, or as a bearer's."""
    wallet = linked(bank)
    thief = ProofKey(new_key())

    async def scene():
        body = {"mandate_id": wallet.mandate.id, "amount_yen": 1_000, "reference": "r", "text": "ｱ"}
        stolen = await wallet.ask("POST", "/v1/debits", body, key=thief, Idempotency_Key="a")
        assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_token")
        assert stolen.headers["www-authenticate"].startswith('DPoP error="invalid_token"')
        bearer = await wallet.ask(
            "POST", "/v1/debits", body, Idempotency_Key="a", Authorization=f"Bearer {wallet.token}"
        )
        assert bearer.status_code == 401
        guessed = await wallet.ask("POST", "/v1/debits", body, token="A" * 43, Idempotency_Key="a")
        assert guessed.status_code == 401
        none = await wallet.ask("POST", "/v1/debits", body, Idempotency_Key="a", DPoP="")
        assert (none.status_code, none.json()["code"]) == (401, "invalid_dpop_proof")

    run(scene())
    assert bank.balance() == START.amount


def test_a_proof_is_good_once(bank):
    wallet = linked(bank)
    seen = []

    async def scene():
        first = await wallet.ask("GET", f"/v1/mandates/{wallet.mandate.id}")
        seen.append(first.request.headers["dpop"])
        again = await wallet.ask("GET", f"/v1/mandates/{wallet.mandate.id}", DPoP=seen[0])
        assert first.status_code == 200
        assert (again.status_code, again.json()["code"]) == (401, "invalid_dpop_proof")

    run(scene())


def test_a_proof_without_a_fresh_nonce_learns_one(bank):
    wallet = linked(bank)

    async def scene():
        path = f"/v1/mandates/{wallet.mandate.id}"
        asked = await wallet.ask("GET", path, nonce="")
        assert (asked.status_code, asked.json()["code"]) == (401, "use_dpop_nonce")
        assert 'error="use_dpop_nonce"' in asked.headers["www-authenticate"]
        assert (await wallet.ask("GET", path, nonce=asked.headers["dpop-nonce"])).status_code == 200

    run(scene())


def test_a_token_ends(bank):
    wallet = linked(bank)
    bank.clock.advance(6 * MINUTE_US)
    answer = run(wallet.debit(1_000))
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_a_token_debits_its_own_mandate_alone(bank):
    wallet = linked(bank)
    other = linked(bank, deposit_id=bank.open().id, user_ref="user-0002")

    async def scene():
        answer = await wallet.debit(1_000, mandate_id=other.mandate.id)
        assert (answer.status_code, answer.json()["code"]) == (404, "mandate_unknown")
        assert (await wallet.ask("GET", f"/v1/mandates/{other.mandate.id}")).status_code == 404
        assert (await wallet.ask("POST", f"/v1/mandates/{other.mandate.id}/revoke")).status_code == 404

    run(scene())
    assert bank.balance(other.bank.deposit) == START.amount


BAD = [
    {"amount_yen": 0},
    {"amount_yen": -1},
    {"amount_yen": 1.5},
    {"amount_yen": "1000"},
    {"amount_yen": 10**12},
    {"amount_yen": True},
    {"reference": ""},
    {"reference": "ﾃｽﾄ"},
    {"reference": "x" * 65},
    {"text": ""},
    {"text": "漢字"},
    {"text": "ｱ" * 21},
    {"text": "é"},
    {"not_after": "2026-11-22T10:00:00"},
    {"not_after": 5},
    {"mandate_id": None},
    {"mandate_id": "mdt_\0"},
]


@pytest.mark.parametrize("changes", BAD, ids=str)
def test_what_cannot_be_read_is_refused(bank, changes):
    wallet = linked(bank)
    answer = run(wallet.debit(1_000, **changes))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert bank.balance() == START.amount


@pytest.mark.parametrize("key", ["", " ", "x" * 81])
def test_a_key_is_needed(bank, key):
    answer = run(linked(bank).debit(1_000, key))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_a_key_for_another_request_and_a_late_one(bank):
    wallet = linked(bank)
    soon = rfc3339(bank.clock.now_us() + SECOND_US)

    async def scene():
        await wallet.debit(1_000, "a", not_after=soon)
        other = await wallet.debit(2_000, "a")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        bank.clock.advance(2 * SECOND_US)
        assert (await wallet.debit(1_000, "a", not_after=soon)).status_code == 201
        late = await wallet.debit(1_000, "b", not_after=soon)
        assert (late.status_code, late.json()["code"]) == (409, "too_late")
        assert (await wallet.ask("GET", "/v1/debits?key=b")).status_code == 404

    run(scene())


def test_a_partner_sees_and_ends_its_mandate(bank):
    wallet = linked(bank)

    async def scene():
        path = f"/v1/mandates/{wallet.mandate.id}"
        told = (await wallet.ask("GET", path)).json()
        assert (told["state"], told["ceiling_yen"], told["stopped_by"]) == ("active", 100_000, [])
        assert (await wallet.ask("POST", f"{path}/revoke")).json()["state"] == "revoked"
        assert (await wallet.ask("POST", f"{path}/revoke")).json()["state"] == "revoked"

    run(scene())
    assert bank.now(wallet.mandate).state is MandateState.REVOKED


def test_a_partner_hears_what_is_switched_off(bank):
    wallet = linked(bank)
    bank.switches.off.update({Function.LINK_REGISTER: OFF})

    async def scene():
        told = (await wallet.ask("GET", "/v1/service-status")).json()
        assert told["off"] == {"register": "fraud"}
        assert told["details"]["register"]["told"]["en"] == "Stopped."
        assert (await wallet.debit(1_000)).json()["state"] == "done"

    run(scene())


def test_what_is_no_form_or_json_is_told(bank):
    wallet = linked(bank, bank_app(bank))
    answer = run(wallet.ask("POST", "/v1/debits", None, Idempotency_Key="a"))
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    status = run(wallet.ask("POST", "/v1/service-status", None))
    assert status.status_code == 400
