"""Attacks on the protocol of links: at the push, at the browser, at the code and at the tokens."""

import asyncio
from typing import Any

import pytest
from joserfc import jwk, jwt
from tests.web.bank_site import BACK, DETAILS, ORIGIN, VERIFIER, BankSite, play
from tests.web.member_site import Forms

from sekisho.bank import deposits, mandates
from sekisho.bank.authorisation import partners
from sekisho.bank.authorisation.access import Shown
from sekisho.bank.authorisation.refusals import InvalidDpopProof, TokenNotBound, UseDpopNonce
from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.bank.mandate_states import MandateState
from sekisho.bank.switches import Function, SwitchedOff
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.refusals import Refusal
from sekisho.linking.dpop import ProofKey, new_key

PIN_ALONE = LinkPolicy.ACCOUNT_PIN
MANDATES = "/v1/mandates"


async def linked(site, wallet, **fields):
    """Link the account and return the way back."""
    browser = site.browser()
    await wallet.send(browser, **fields)
    await browser.type_account()
    return await browser.agree()


async def entered(site, wallet, **fields):
    """Link the account and return the tokens."""
    answer = await linked(site, wallet, **fields)
    return (await wallet.redeem(answer.parameters["code"])).json()


def scene_of(tmp_path, scene, policy=PIN_ALONE):
    """Play a scene at a bank with the account and the wallet."""

    async def opened(site: BankSite) -> None:
        await site.open(number="1234567")
        await scene(site, site.partner())

    play(tmp_path, opened, policy=policy)


async def shows(site, wallet, tokens, **changes):
    """Use an access token, everything right but for what is given."""
    token = changes.pop("token", tokens["access_token"])
    proof = changes.pop("proof", None) or wallet.proof(
        changes.pop("proved_path", MANDATES),
        token=changes.pop("proved_token", token),
        method=changes.pop("proved_method", "GET"),
        nonce=changes.pop("nonce", site.links.prover.nonce()),
    )
    scheme = changes.pop("scheme", "DPoP")
    shown = Shown("GET", MANDATES, [f"{scheme} {token}"], [proof])
    return await site.links.access.require_token(shown._replace(**changes))


def test_a_pushed_request_is_opened_once(tmp_path):
    async def scene(site, wallet):
        uri = (await wallet.push()).json()["request_uri"]
        path = f"/link/authorize?client_id={wallet.client_id}&request_uri={uri}"
        first, second = site.browser(), site.browser()
        assert (await first.get(path)).status_code == 200
        assert (await second.get(path)).status_code == 400
        assert second.cookie("__Host-link") == ""

    scene_of(tmp_path, scene)


@pytest.mark.parametrize("change", ["late", "unknown", "another partner", "no name", "parameters instead"])
def test_a_browser_that_brings_no_good_request_is_sent_nowhere(tmp_path, change):
    async def scene(site, wallet):
        other = site.partner("other-wallet", "https://other.example/back")
        uri = (await wallet.push()).json()["request_uri"]
        client_id = other.client_id if change == "another partner" else wallet.client_id
        if change == "late":
            site.wait(60)
        if change == "unknown":
            uri = uri[:-1] + ("A" if uri[-1] != "A" else "B")
        path = f"/link/authorize?client_id={client_id}&request_uri={uri}"
        if change == "no name":
            path = f"/link/authorize?client_id={client_id}"
        if change == "parameters instead":
            path = f"/link/authorize?client_id={client_id}&response_type=code&redirect_uri={BACK}&state=x"
        browser = site.browser()
        page = await browser.get(path)
        assert page.status_code == 400
        assert BACK not in page.text

    scene_of(tmp_path, scene)


PUSHED_WRONG = {
    "an address that is not registered": ({"redirect_uri": BACK + "/x"}, "invalid_request"),
    "an open redirect": ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
    "no challenge": ({"code_challenge": ""}, "invalid_request"),
    "a plain challenge": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no method": ({"code_challenge_method": ""}, "invalid_request"),
    "a short challenge": ({"code_challenge": "x"}, "invalid_request"),
    "a token at once": ({"response_type": "token"}, "unsupported_response_type"),
    "a fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "a request of another push": ({"request_uri": "urn:x"}, "invalid_request"),
    "a request object": ({"request": "e30.e30."}, "invalid_request"),
    "a state that is no text": ({"state": "\u65e5"}, "invalid_request"),
    "no details": ({"authorization_details": ""}, "invalid_request"),
    "details that are no list": ({"authorization_details": "{}"}, "invalid_authorization_details"),
    "no JSON": ({"authorization_details": "["}, "invalid_authorization_details"),
    "two links": ({"authorization_details": "[{},{}]"}, "invalid_authorization_details"),
    "a foreign key": ({"dpop_jkt": "x"}, "invalid_request"),
    "a shared secret": ({"client_secret": "x"}, "invalid_request"),
    "another client's name": ({"client_id": "other-wallet"}, "invalid_client"),
}
DETAILS_WRONG = {
    "above what the bank allows": {"ceiling_yen": 300_001, "month_ceiling_yen": 300_001},
    "a month above what the bank allows": {"month_ceiling_yen": 1_000_001},
    "nothing": {"ceiling_yen": 0},
    "less than nothing": {"ceiling_yen": -1},
    "a fraction": {"ceiling_yen": 1.5},
    "a text": {"ceiling_yen": "100"},
    "a month below one debit": {"month_ceiling_yen": 99_999},
    "another type": {"type": "payment"},
    "another action": {"actions": ["debit", "close"]},
    "an action twice": {"actions": ["debit", "debit"]},
    "no action": {"actions": []},
    "a day that there is not": {"holder": DETAILS["holder"] | {"birth_date": "1990-02-30"}},
    "a name without end": {"holder": DETAILS["holder"] | {"name_kana": "ｱ" * 61}},
    "a phone that is none": {"holder": DETAILS["holder"] | {"phone": "090-1234"}},
    "a field that nobody knows": {"holder": DETAILS["holder"] | {"pin": "1234"}},
    "a user in the clear": {"user_ref": "山田"},
    "a short user": {"user_ref": "x"},
}


def test_what_is_pushed_wrong_is_refused_by_its_word(tmp_path):
    async def scene(_site, wallet):
        for name, (fields, error) in PUSHED_WRONG.items():
            answer = await wallet.push(**fields)
            assert answer.json()["error"] == error, name
            assert answer.status_code in {400, 401}, name

    scene_of(tmp_path, scene)


def test_details_that_nobody_could_grant_are_refused(tmp_path):
    async def scene(_site, wallet):
        assert (await wallet.push()).status_code == 201
        for name, details in DETAILS_WRONG.items():
            answer = await wallet.push(details)
            assert answer.json()["error"] == "invalid_authorization_details", name
            assert "山田" not in answer.text

    scene_of(tmp_path, scene)


CLAIMS_WRONG: dict[str, dict[str, Any]] = {
    "for the token endpoint": {"aud": ORIGIN + "/link/token"},
    "for another bank": {"aud": "https://other-bank.example"},
    "for several": {"aud": [ORIGIN, "https://other-bank.example"]},
    "for nobody": {"aud": None},
    "of another": {"iss": "other-wallet"},
    "about another": {"sub": "other-wallet"},
    "expired": {"exp": 1},
    "for ever": {"exp": 1 << 39},
    "without an end": {"exp": None},
    "an end that is no time": {"exp": "soon"},
    "of the future": {"iat": 1 << 39},
    "without a name": {"jti": None},
    "with a name without end": {"jti": "x" * 300},
}


def test_a_partner_proves_itself_to_us_and_to_nobody_else(tmp_path):
    """What another bank was told is of no use here: that is what keeps mix-ups harmless."""

    async def scene(site, wallet):
        site.partner("other-wallet", "https://other.example/back")
        for name, claims in CLAIMS_WRONG.items():
            answer = await wallet.push(client_assertion=wallet.statement(**claims))
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), name

    scene_of(tmp_path, scene)


def test_a_statement_is_believed_once_and_with_the_right_key_only(tmp_path):
    async def scene(_site, wallet):
        statement = wallet.statement()
        assert (await wallet.push(client_assertion=statement)).status_code == 201
        assert (await wallet.push(client_assertion=statement)).json()["error"] == "invalid_client"
        wallet.key = jwk.ECKey.generate_key("P-256", private=True)
        assert (await wallet.push()).json()["error"] == "invalid_client"
        shared = jwt.encode(
            {"alg": "HS256"}, {"sub": wallet.client_id}, jwk.OctKey.generate_key(256), algorithms=["HS256"]
        )
        assert (await wallet.push(client_assertion=shared)).json()["error"] == "invalid_client"
        assert (await wallet.push(client_assertion="e30.e30.")).json()["error"] == "invalid_client"

    scene_of(tmp_path, scene)


def test_a_removed_partner_has_nothing_any_more(tmp_path):
    async def scene(site, wallet):
        tokens = await entered(site, wallet)
        browser = site.browser()
        await wallet.send(browser)
        site.do(lambda at: partners.remove(at, site.bank, wallet.client_id))
        assert (await wallet.push()).json()["error"] == "invalid_client"
        assert (await browser.type_account()).status_code == 400
        with pytest.raises(TokenNotBound):
            await shows(site, wallet, tokens)

    scene_of(tmp_path, scene)


def test_a_switched_off_partner_gets_no_new_links_and_keeps_its_old_ones(tmp_path):
    async def scene(site, wallet):
        tokens = await entered(site, wallet)
        browser = site.browser()
        await wallet.send(browser)
        site.switches.off[Function.LINK_REGISTER] = SwitchedOff("fraud", {"ja": "停止中", "en": "Stopped."})
        pushed = await wallet.push()
        assert (pushed.status_code, pushed.json()["error"]) == (503, "temporarily_unavailable")
        await browser.type_account()
        assert (await browser.agree()).parameters["error"] == "temporarily_unavailable"
        assert (await shows(site, wallet, tokens)).client_id == wallet.client_id
        assert (await wallet.refresh(tokens["refresh_token"])).status_code == 200

    scene_of(tmp_path, scene)


def test_another_browser_cannot_go_on_with_a_link(tmp_path):
    async def scene(site, wallet):
        browser, other = site.browser(), site.browser()
        await wallet.send(browser)
        fields = Forms(browser.page.text).fields["/link/account"][0]
        await other.get("/link/account")
        assert other.page.status_code == 400
        await other.post("/link/account", fields)
        assert other.page.status_code in {400, 409}

    scene_of(tmp_path, scene)


def test_what_was_read_in_one_tab_is_not_agreed_to_in_another(tmp_path):
    """A second link that was begun meanwhile must not get the consent that was given to the first."""

    async def scene(site, wallet):
        other = site.partner("other-wallet", "https://other.example/back")
        browser = site.browser()
        await wallet.send(browser)
        await browser.type_account()
        first = Forms(browser.page.text).fields["/link/consent"][0]
        uri = (await other.push(redirect_uri="https://other.example/back")).json()["request_uri"]
        await browser.get(f"/link/authorize?client_id=other-wallet&request_uri={uri}")
        await browser.type_account()
        assert (await browser.post("/link/consent", first)).status_code == 400

    scene_of(tmp_path, scene)


def test_another_site_cannot_send_the_forms(tmp_path):
    async def scene(site, wallet):
        browser = site.browser()
        await wallet.send(browser)
        await browser.type_account()
        fields = Forms(browser.page.text).fields["/link/consent"][0]
        headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert (await browser.post("/link/consent", fields, **headers)).status_code == 403
        assert (await browser.post("/link/consent", fields | {"form": "x"})).status_code == 409
        assert "frame-ancestors 'none'" in browser.page.headers["content-security-policy"]

    scene_of(tmp_path, scene)


def test_only_an_offered_account_can_be_linked(tmp_path):
    async def scene(site, wallet):
        other = await site.open(number="2222222")
        browser = site.browser()
        await wallet.send(browser)
        await browser.type_account()
        assert (await browser.submit("/link/consent", account=other.id)).status_code == 400
        assert site.mandates(other) == []

    scene_of(tmp_path, scene)


def test_a_code_that_is_used_twice_takes_back_what_it_gave(tmp_path):
    async def scene(site, wallet):
        one = site.look(lambda at: deposits.find_by_number(at, "001", "1234567"))
        answer = await linked(site, wallet)
        tokens = (await wallet.redeem(answer.parameters["code"])).json()
        assert (await shows(site, wallet, tokens)).mandate_id
        again = await wallet.redeem(answer.parameters["code"])
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        with pytest.raises(TokenNotBound):
            await shows(site, wallet, tokens)
        assert (await wallet.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
        assert site.mandates(one)[0].state is MandateState.REVOKED

    scene_of(tmp_path, scene)


@pytest.mark.parametrize(
    "stolen", ["late", "verifier", "address", "another partner", "another key", "guessed"]
)
def test_a_stolen_code_buys_nothing_and_neither_does_it_later(tmp_path, stolen):
    async def scene(site, wallet):
        other = site.partner("other-wallet", BACK)
        key = wallet.dpop.thumbprint if stolen == "another key" else ""
        answer = await linked(site, wallet, dpop_jkt=key)
        code, thief, fields = answer.parameters["code"], wallet, {}
        own_key = wallet.dpop
        if stolen == "late":
            site.wait(60)
        elif stolen == "verifier":
            fields = {"code_verifier": "w" * 43}
        elif stolen == "address":
            fields = {"redirect_uri": "https://evil.example/"}
        elif stolen == "another partner":
            thief = other
        elif stolen == "another key":
            wallet.dpop = ProofKey(new_key())
        else:
            code = "x" * 43
        refused = await thief.redeem(code, **fields)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        wallet.dpop = own_key
        after = await wallet.redeem(answer.parameters["code"])
        assert after.status_code == (200 if stolen == "guessed" else 400)

    scene_of(tmp_path, scene)


TOKENS_WRONG: dict[str, tuple[dict[str, Any], type[Refusal]]] = {
    "as a bearer's": ({"scheme": "Bearer"}, TokenNotBound),
    "under another word": ({"scheme": "PoPD"}, TokenNotBound),
    "guessed": ({"token": "x" * 43}, TokenNotBound),
    "no token": ({"authorization": []}, TokenNotBound),
    "two tokens": ({"authorization": ["DPoP a", "DPoP b"]}, TokenNotBound),
    "no proof": ({"dpop": []}, InvalidDpopProof),
    "two proofs": ({"dpop": ["a", "b"]}, InvalidDpopProof),
    "a proof for another token": ({"proved_token": "y" * 43}, InvalidDpopProof),
    "a proof for no token": ({"proved_token": ""}, InvalidDpopProof),
    "another method": ({"proved_method": "POST"}, InvalidDpopProof),
    "another address": ({"proved_path": "/v1/debits"}, InvalidDpopProof),
    "no nonce": ({"nonce": ""}, UseDpopNonce),
    "an invented nonce": ({"nonce": "x"}, UseDpopNonce),
}


@pytest.mark.parametrize("name", TOKENS_WRONG)
def test_a_token_is_worth_nothing_without_its_own_fresh_proof(tmp_path, name):
    changes, refusal = TOKENS_WRONG[name]

    async def scene(site, wallet):
        tokens = await entered(site, wallet)
        assert (await shows(site, wallet, tokens)).client_id == wallet.client_id
        with pytest.raises(refusal):
            await shows(site, wallet, tokens, **changes)

    scene_of(tmp_path, scene)


def test_a_stolen_token_is_worth_nothing_with_another_key(tmp_path):
    async def scene(site, wallet):
        tokens = await entered(site, wallet)
        wallet.dpop = ProofKey(new_key())
        with pytest.raises(TokenNotBound):
            await shows(site, wallet, tokens)
        assert (await wallet.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"

    scene_of(tmp_path, scene)


def test_a_proof_is_believed_once_also_by_two_at_the_same_moment(tmp_path):
    async def scene(site, wallet):
        tokens = await entered(site, wallet)
        proof = wallet.proof(
            MANDATES, token=tokens["access_token"], method="GET", nonce=site.links.prover.nonce()
        )
        tries = [shows(site, wallet, tokens, proof=proof) for _ in range(5)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(not isinstance(answer, Exception) for answer in answers) == 1

    scene_of(tmp_path, scene)


def test_a_proof_grows_stale_within_its_nonce(tmp_path):
    async def scene(site, wallet):
        tokens = await entered(site, wallet)
        proof = wallet.proof(
            MANDATES, token=tokens["access_token"], method="GET", nonce=site.links.prover.nonce()
        )
        site.wait(61)
        with pytest.raises((InvalidDpopProof, UseDpopNonce)):
            await shows(site, wallet, tokens, proof=proof)

    scene_of(tmp_path, scene)


def test_an_access_token_ends_and_a_refreshed_one_goes_on(tmp_path):
    async def scene(site, wallet):
        tokens = await entered(site, wallet)
        site.clock.advance(tokens["expires_in"] * SECOND_US)
        with pytest.raises(TokenNotBound):
            await shows(site, wallet, tokens)
        fresh = (await wallet.refresh(tokens["refresh_token"])).json()
        assert "refresh_token" not in fresh
        assert (await shows(site, wallet, fresh)).client_id == wallet.client_id

    scene_of(tmp_path, scene)


def test_another_partner_can_neither_refresh_nor_revoke(tmp_path):
    async def scene(site, wallet):
        other = site.partner("other-wallet", "https://other.example/back")
        tokens = await entered(site, wallet)
        other.dpop = wallet.dpop
        refused = await other.refresh(tokens["refresh_token"])
        assert refused.json()["error"] == "invalid_grant"
        revoked = await other.post("/link/revoke", {"token": tokens["refresh_token"]})
        assert revoked.status_code == 200
        assert (await shows(site, wallet, tokens)).client_id == wallet.client_id

    scene_of(tmp_path, scene)


def test_revoking_the_refresh_token_ends_the_link(tmp_path):
    async def scene(site, wallet):
        tokens = await entered(site, wallet)
        granted = tokens["authorization_details"][0]
        assert (await wallet.post("/link/revoke", {"token": tokens["refresh_token"]})).status_code == 200
        with pytest.raises(TokenNotBound):
            await shows(site, wallet, tokens)
        ended = site.look(lambda at: mandates.find(at, granted["mandate_id"]))
        assert ended.state is MandateState.REVOKED

    scene_of(tmp_path, scene)


def test_secrets_stand_neither_in_addresses_nor_under_two_names(tmp_path):
    async def scene(site, wallet):
        answer = await linked(site, wallet)
        fields = {"grant_type": "authorization_code", "code": answer.parameters["code"], "redirect_uri": BACK}
        in_address = await wallet.post("/link/token?code=x", fields | {"code_verifier": VERIFIER})
        assert in_address.json()["error"] == "invalid_request"
        basic = await wallet.post("/link/token", fields, Authorization="Basic eDp5")
        assert basic.json()["error"] == "invalid_request"
        twice = await site.client.post(
            "/link/token",
            content=b"grant_type=authorization_code&code=a&code=b",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert twice.json()["error"] == "invalid_request"
        as_json = await site.client.post("/link/par", json={"client_id": wallet.client_id})
        assert as_json.json()["error"] == "invalid_request"
        other = await wallet.token({"grant_type": "password"})
        assert other.json()["error"] == "unsupported_grant_type"
        for each in (in_address, basic, twice, as_json, other):
            assert each.headers["cache-control"] == "no-store"
            assert each.headers["dpop-nonce"]

    scene_of(tmp_path, scene)
