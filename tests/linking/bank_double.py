"""A bank outside, on the loopback: an authorisation server and a debit interface with awkward moods.

It checks what a real one checks (client statement, pushed request, PKCE, DPoP, codes used once), so that a
client that forgets one of them gets nothing. A mood says how it treats the next calls of one path.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, urlsplit

from sekisho.identity.openid.jose import public_keys, verify
from sekisho.kernel.clock import Clock
from sekisho.linking import dpop
from sekisho.linking.bank_client import challenge_of
from sekisho.linking.link_details import LinkRequest, read_request

HOLDER = {"name_kana": "ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ", "birth_date": "1980-01-01", "phone_matches": True}
ACCOUNT = {"bank": "9901", "branch": "001", "kind": "1", "last4": "4567", "ref": "ref-of-taro"}
MUTE, DEAF, BROKEN, FAILING, LATE, SILENT = "mute", "deaf", "broken", "failing", "late", "silent"
"""Acts and hangs up; hangs up; answers no JSON; acts and says 500; says too late; acts and is silent."""


class _Gone(Exception):  # noqa: N818 - the other side hangs up
    """Nothing is answered."""


@dataclass
class BankDouble:
    """One bank. Tests change what it says of itself and of its depositors."""

    clock: Clock
    key_set: str = ""
    issuer: str = ""
    client_id: str = "kamome-wallet"
    authentication: str = "account_pin_code"
    strength: int = 2
    holder: dict[str, object] = field(default_factory=lambda: dict(HOLDER))
    account: dict[str, str] = field(default_factory=lambda: dict(ACCOUNT))
    granted: dict[str, object] = field(default_factory=dict)
    metadata_changes: dict[str, object] = field(default_factory=dict)
    answer_changes: dict[str, object] = field(default_factory=dict)
    moods: dict[str, list[str]] = field(default_factory=dict)
    off: dict[str, str] = field(default_factory=dict)
    wants_nonce: bool = False
    token_s: int = 300
    is_revoked: bool = False
    calls: list[str] = field(default_factory=list)
    pushed: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    tokens: dict[str, str] = field(default_factory=dict)
    bookings: dict[str, dict[str, object]] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    statements: set[str] = field(default_factory=set)
    server: asyncio.Server | None = None
    at_work: set[asyncio.Task[None] | None] = field(default_factory=set)
    fell_silent: asyncio.Event = field(default_factory=asyncio.Event)

    def agree(self, address: str) -> dict[str, str]:
        """Be the depositor at an address where a browser was sent, and return what it brings back."""
        query = dict(parse_qsl(urlsplit(address).query))
        asked = self.pushed.pop(query["request_uri"])
        assert query["client_id"] == self.client_id
        code = f"code-{len(self.calls)}-{len(self.codes)}"
        self.codes[code] = json.dumps(asked)
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def booked_yen(self) -> int:
        """Return how much was debited in all."""
        return sum(int(str(one["amount_yen"])) for one in self.bookings.values() if one["state"] == "done")

    def metadata(self) -> dict[str, object]:
        issuer = self.issuer
        return {
            "issuer": issuer,
            "pushed_authorization_request_endpoint": f"{issuer}/par",
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "revocation_endpoint": f"{issuer}/revoke",
            "require_pushed_authorization_requests": True,
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "dpop_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": True,
            "authorization_details_types_supported": ["account_link"],
            "sekisho_bank_code": "9901",
            "sekisho_link_authentication": self.authentication,
            "sekisho_link_strength": self.strength,
            "sekisho_debit_endpoint": f"{issuer}/v1/debits",
            "sekisho_credit_endpoint": f"{issuer}/v1/credits",
            "sekisho_mandate_endpoint": f"{issuer}/v1/mandates",
            "sekisho_service_status_endpoint": f"{issuer}/v1/service-status",
        } | self.metadata_changes

    def answer(self, call: "_Call") -> tuple[int, object]:
        """Return the status and body of an answer."""
        paths = {
            "/.well-known/oauth-authorization-server": lambda: (200, self.metadata()),
            "/par": lambda: self._take_request(self._client(call)),
            "/token": lambda: self._give_tokens(call, self._client(call)),
            "/revoke": lambda: self._revoke(self._client(call)),
            "/v1/service-status": lambda: self._say_what_is_off(call),
            "/v1/debits": lambda: self._move(call),
            "/v1/credits": lambda: self._move(call),
        }
        return paths[call.path]()

    def _revoke(self, form: dict[str, str]) -> tuple[int, object]:
        self.revoked.append(form["token"])
        return 200, {}

    def _say_what_is_off(self, call: "_Call") -> tuple[int, object]:
        self._client(call)
        told = {"ja": "停止中です"}
        details = {name: {"reason": why, "told": told} for name, why in self.off.items()}
        return 200, {"partner": self.client_id, "off": self.off, "details": details}

    def _client(self, call: "_Call") -> dict[str, str]:
        form = dict(parse_qsl(call.body.decode()))
        claims = verify(
            form["client_assertion"], public_keys(self.key_set, ("ES256",)), algorithms=("ES256",)
        )
        assert (claims["iss"], claims["sub"], claims["aud"]) == (self.client_id, self.client_id, self.issuer)
        assert claims["jti"] not in self.statements, "a statement came twice"
        self.statements.add(claims["jti"])
        return form

    def _take_request(self, form: dict[str, str]) -> tuple[int, object]:
        assert form["code_challenge_method"] == "S256"
        assert form["dpop_jkt"]
        if self.answer_changes.get("par"):
            return 400, {"error": self.answer_changes["par"]}
        uri = f"urn:ietf:params:oauth:request_uri:{len(self.calls)}"
        self.pushed[uri] = form
        return 201, {"request_uri": uri, "expires_in": 60}

    def _give_tokens(self, call: "_Call", form: dict[str, str]) -> tuple[int, object]:
        proof = self._proof(call, "")
        if proof is None:
            return 400, {"error": "use_dpop_nonce"}
        if form["grant_type"] == "refresh_token":
            if self.is_revoked or self.tokens.get(form["refresh_token"]) != proof.thumbprint:
                return 400, {"error": "invalid_grant"}
            return 200, self._access(proof.thumbprint)
        asked = self._asked_with(form, proof)
        if asked is None:
            return 400, {"error": "invalid_grant"}
        refresh = f"refresh-{form['code']}"
        self.tokens[refresh] = proof.thumbprint
        details = json.loads(asked["authorization_details"])[0]
        wish: LinkRequest = read_request(asked["authorization_details"])
        details |= {"mandate_id": f"mdt_{wish.user_ref}", "account": self.account, "holder": self.holder}
        details |= self.granted
        answer = self._access(proof.thumbprint) | {"refresh_token": refresh}
        return 200, answer | {"authorization_details": [details]} | self.answer_changes

    def _asked_with(self, form: dict[str, str], proof: dpop.Proof) -> dict[str, str] | None:
        code = form["code"]
        asked: dict[str, str] = json.loads(self.codes.get(code, "{}"))
        if code in self.used or not asked or challenge_of(form["code_verifier"]) != asked["code_challenge"]:
            return None
        if (form["redirect_uri"], proof.thumbprint) != (asked["redirect_uri"], asked["dpop_jkt"]):
            return None
        self.used.add(code)
        return asked

    def _access(self, thumbprint: str) -> dict[str, object]:
        token = f"access-{len(self.tokens)}"
        self.tokens[token] = thumbprint
        return {"access_token": token, "token_type": "DPoP", "expires_in": self.token_s}

    def _proof(self, call: "_Call", token: str) -> dpop.Proof | None:
        url = self.issuer + call.path
        proof = dpop.check(
            call.headers["dpop"], dpop.Demand(call.method, url, token), now_us=self.clock.now_us()
        )
        return None if self.wants_nonce and "nonce-1" not in call.proof_claims() else proof

    def _move(self, call: "_Call") -> tuple[int, object]:
        token = call.headers["authorization"].removeprefix("DPoP ")
        proof = self._proof(call, token)
        if proof is None:
            return 401, {"code": "use_dpop_nonce"}
        if self.is_revoked or self.tokens.get(token) != proof.thumbprint:
            return 401, {"code": "invalid_token"}
        if call.method == "GET":
            booked = self.bookings.get(parse_qs(call.query)["key"][0])
            return (404, {"code": "bank_order_unknown"}) if booked is None else (200, booked)
        key, body = call.headers["idempotency-key"], json.loads(call.body)
        if LATE in self.moods.get("refusing", []):
            return 409, {"code": "too_late"}
        if key not in self.bookings:
            its_id = {"debit_id" if "debits" in call.path else "credit_id": f"dbt_{len(self.bookings)}"}
            said = {"state": "done", "result": "0", "booked_at": "2026-09-21T12:00:00Z"}
            self.bookings[key] = its_id | body | said | self.answer_changes
        return 201, self.bookings[key]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one call, in the mood of the moment."""
        self.at_work.add(asyncio.current_task())
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, _Gone):
                writer.write(await self._answered(await _read_call(reader), reader))
                await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answered(self, call: "_Call", reader: asyncio.StreamReader) -> bytes:
        self.calls.append(f"{call.method} {call.path}")
        moods = self.moods.get(call.path, [])
        mood = moods.pop(0) if moods else ""
        status, said = (0, {}) if mood == DEAF else self.answer(call)
        if mood == SILENT:
            # Says nothing until the other side has had enough.
            self.fell_silent.set()
            await reader.read()
        if mood in {MUTE, DEAF, SILENT}:
            raise _Gone
        body = b"<html>" if mood == BROKEN else json.dumps(said).encode()
        status = 500 if mood == FAILING else status
        nonce = "DPoP-Nonce: nonce-1\r\n" if self.wants_nonce else ""
        head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{nonce}\r\n"
        return head.encode() + body


@dataclass
class _Call:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def proof_claims(self) -> str:
        part = self.headers["dpop"].split(".")[1]
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


async def _read_call(reader: asyncio.StreamReader) -> _Call:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return _Call(method, parts.path, parts.query, headers, body)


@contextlib.asynccontextmanager
async def serving(bank: BankDouble) -> AsyncIterator[BankDouble]:
    """Let a bank answer while the block runs; its issuer is where it answers, where it has none yet."""
    port = int(bank.issuer.rpartition(":")[2]) if bank.issuer else 0
    server = await asyncio.start_server(bank.serve, "127.0.0.1", port)
    bank.issuer = bank.issuer or f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    bank.server = server
    async with server:
        try:
            yield bank
        finally:
            await asyncio.gather(*(task for task in bank.at_work if task is not None))
