"""`/v1/forward-auth`: a reverse proxy asks about a request that it holds back, in headers alone.

The proxy sends X-Original-Method, X-Forwarded-For and the member whose proof is tried. A request that proves
nothing (GET, HEAD or OPTIONS: the login page itself) passes without a decision.
"""

import hashlib
import hmac
from time import perf_counter
from urllib.parse import unquote_plus

from sekisho.guard.attempts import Attempt, Gate
from sekisho.guard.decisions import Action
from sekisho.web.asgi import NO_STORE, Answer, Scope, cookie_value
from sekisho.web.guard_api.desk import GuardDesk
from sekisho.web.guard_api.messages import LONG_CHARS_MAX, MEMBER_CHARS_MAX, TEXT_CHARS_MAX
from sekisho.web.guard_api.metrics import GuardMetrics
from sekisho.web.guard_api.refusals import UnreadableLogin, UntrustedProxy
from sekisho.web.guard_api.settings import ForwardAuthSettings

PROVES_NOTHING = {b"GET", b"HEAD", b"OPTIONS"}
STATUS_OF = {Action.ALLOW: 204, Action.PUZZLE: 401, Action.CHALLENGE: 401, Action.DENY: 403}
SECRET_KEY_OCTETS_MIN = 16
GATES = {gate.value.encode(): gate for gate in Gate}


class ForwardAuth:
    """Reads the proxy's headers into an attempt and answers with a status that a proxy understands."""

    def __init__(self, desk: GuardDesk, metrics: GuardMetrics, settings: ForwardAuthSettings) -> None:
        if settings.secret_key and len(settings.secret_key) < SECRET_KEY_OCTETS_MIN:
            raise ValueError(f"secret_key has at least {SECRET_KEY_OCTETS_MIN} octets")
        self._desk = desk
        self._metrics = metrics
        self._settings = settings

    async def answer(self, scope: Scope, headers: dict[bytes, bytes]) -> Answer:
        """Answer 204 (go on), 401 (an additional proof is asked for) or 403 (no), the reasons in headers.

        Refuses with `untrusted_proxy` where the peer is not one of the trusted proxies, and with
        `unreadable_login` where the request proves something and names no member.
        """
        peer = scope["client"][0] if scope.get("client") else ""
        if not self._settings.trusted_proxies.trusts(peer):
            raise UntrustedProxy(known=f"peer {peer}")
        if headers.get(b"x-original-method", b"").upper() in PROVES_NOTHING:
            return Answer(204, (NO_STORE,), b"")
        started = perf_counter()
        attempt = self._attempt(peer, headers, _forwarded_for(scope))
        attempt_id, decision = await self._desk.assess(attempt)
        self._metrics.assessed(attempt.gate, decision, perf_counter() - started)
        return Answer(
            STATUS_OF[decision.action],
            (
                NO_STORE,
                (b"x-sekisho-attempt", attempt_id.encode()),
                (b"x-sekisho-action", decision.action.encode()),
                (b"x-sekisho-reasons", ",".join(decision.reasons).encode()),
                (b"x-sekisho-probability", b"%.4f" % decision.probability),
                (b"x-sekisho-campaign", decision.campaign.encode()),
            ),
            b"",
        )

    def _attempt(self, peer: str, headers: dict[bytes, bytes], forwarded_for: str) -> Attempt:
        member = _value(headers, b"x-sekisho-member")[:MEMBER_CHARS_MAX]
        if not member:
            raise UnreadableLogin(told="X-Sekisho-Member or X-Sekisho-Member-Form must name the member.")
        gate = GATES.get(headers.get(b"x-sekisho-gate", b"login"))
        if gate is None:
            raise UnreadableLogin(told="X-Sekisho-Gate is not a gate.")
        address = self._settings.trusted_proxies.client_address(peer, forwarded_for)
        if not address:
            raise UnreadableLogin(told="X-Forwarded-For must name the client.")
        tls_header = self._settings.tls_header.lower().encode()
        return Attempt(
            time_us=self._desk.clock.now_us(),
            member=member,
            ip=address,
            gate=gate,
            user_agent=_text(headers.get(b"user-agent", b""))[:LONG_CHARS_MAX],
            tls=_text(headers.get(tls_header, b""))[:TEXT_CHARS_MAX],
            device=_device(headers, self._settings.device_cookie),
            secret=self._secret_token(headers),
        )

    def _secret_token(self, headers: dict[bytes, bytes]) -> str:
        secret = _value(headers, b"x-sekisho-secret")
        if not secret or not self._settings.secret_key:
            return ""
        return secret_token(self._settings.secret_key, secret)


def secret_token(key: bytes, secret: str) -> str:
    """Return what stands for a secret: equal for equal secrets under one key, and of no use without the key.

    It is taken over the secret alone, so that one secret tried over many members shows.
    """
    return hmac.digest(key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()[:32]


def _device(headers: dict[bytes, bytes], name: str) -> str:
    return cookie_value(headers.get(b"cookie", b"").decode("latin-1"), name)[:LONG_CHARS_MAX]


def _value(headers: dict[bytes, bytes], name: bytes) -> str:
    """Read a header, or its twin `-form`, which holds the value as it stood in an urlencoded form."""
    plain = headers.get(name)
    if plain is not None:
        return _text(plain)
    return unquote_plus(headers.get(name + b"-form", b"").decode("latin-1")).replace("\0", "\ufffd")


def _forwarded_for(scope: Scope) -> str:
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")
