"""The login with the ID, from the first redirect to an open session: one desk for one ID.

What comes back through the browser is believed only by what the ID itself says on the line between the two
institutions: the browser brings a state that its own ticket names, an issuer that is the one it was sent to,
and a code that is worth nothing without the ticket's verifier and our key.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection

from sekisho.guard.answers import AsksGuard, GuardAnswer
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import devices, sessions, sign_ins
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing, Way, is_fresh
from sekisho.identity.devices import Device
from sekisho.identity.institution import Parts
from sekisho.identity.openid.jose import ALGORITHMS, Claims, Unverifiable, verify
from sekisho.identity.relying import federated, tickets
from sekisho.identity.relying.client_keys import ClientKey, client_key
from sekisho.identity.relying.id_tokens import Asserted, Expected, check_id_token, check_logout_token
from sekisho.identity.relying.provider import Provider, Tokens
from sekisho.identity.relying.refusals import (
    LogoutTokenUnfit,
    NotYourLogin,
    SignInDeclined,
    SignInFailed,
    SignInOver,
    SignInStopped,
)
from sekisho.identity.relying.tickets import Ticket, Wanted
from sekisho.identity.sessions import Opened, Session
from sekisho.identity.sign_ins import Came, LoginResult, LoginWay
from sekisho.identity.tokens import new_token
from sekisho.identity.welcomes import Proved, Stopped, Welcome, stopped, welcome
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import MemberId

STRONG = (Level.CODE, Level.PASSKEY)
SAID_NO = frozenset(
    {"access_denied", "login_required", "consent_required", "unmet_authentication_requirements"}
)


class Begun(NamedTuple):
    """Send the browser to `url`, and keep the ticket in it under `state`."""

    url: str
    state: str
    ticket: str


class Answer(NamedTuple):
    """What a browser brought back from the ID."""

    state: str
    issuer: str
    code: str
    error: str


class Stranger(NamedTuple):
    """Whoever logged in has no account here; one may be opened, in a login that says so."""

    next_path: str


class Entered(NamedTuple):
    """A session is open, and where it goes on."""

    welcome: Welcome
    next_path: str


class Confirmed(NamedTuple):
    """What a member wanted within a session is confirmed; the session has a new token."""

    opened: Opened
    next_path: str


class Shut(NamedTuple):
    """The login is good and the account is not open; `by_passkey` says that a passkey proved it just now."""

    stopped: Stopped
    by_passkey: bool


Finished = Entered | Stranger | Shut | Begun | Confirmed


class Newcomer(NamedTuple):
    """Somebody whose account is being opened: what the ID asserts, and what it knows beside."""

    asserted: Asserted
    email: str
    language: str


Opens = Callable[[Connection, Newcomer], MemberId]
"""Opens a newcomer's account within the unit of work that ties it to the login, and returns its member."""


class FederatedDesk:
    """Logs members in with one ID. `opens` makes the accounts of newcomers."""

    def __init__(self, parts: Parts, guard: AsksGuard, provider: Provider, opens: Opens) -> None:
        self._parts = parts
        self._guard = guard
        self._provider = provider
        self._opens = opens
        self._own_key: ClientKey | None = None

    @property
    def issuer(self) -> str:
        """The ID's issuer, which is its origin."""
        return self._provider.client.issuer

    async def begin(self, wanted: Wanted) -> Begun:
        """Begin a login. Raises OperationalError where the ID can't be asked."""
        chance, client = self._parts.chance, self._provider.client
        metadata = await self._provider.metadata()
        ticket = Ticket(
            issuer=client.issuer,
            state=new_token(chance),
            nonce=new_token(chance),
            verifier=new_token(chance),
            wanted=wanted,
            began_at_us=self._parts.clock.now_us(),
        )
        query = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "scope": "openid email" if wanted.opening else "openid",
            "state": ticket.state,
            "nonce": ticket.nonce,
            "code_challenge": _challenge(ticket.verifier),
            "code_challenge_method": "S256",
            "ui_locales": wanted.language,
        }
        if wanted.fresh:
            query["max_age"] = "0"
        if wanted.levels:
            query["acr_values"] = " ".join(wanted.levels)
        url = f"{metadata.authorization_endpoint}?{urlencode(query)}"
        return Begun(url, ticket.state, tickets.seal(ticket, self._parts.keyring))

    async def finish(
        self, answer: Answer, ticket_text: str, arrival: Arrival, *, replaces: str, session: Session | None
    ) -> Finished:
        """Take what a browser brought back from the ID; `session` is the one that it has now.

        Raises SignInOver, SignInFailed, SignInDeclined, SignInStopped, NotYourLogin and OperationalError.
        """
        now_us = self._parts.clock.now_us()
        ticket = tickets.unseal(ticket_text, self._parts.keyring, state=answer.state, now_us=now_us)
        asserted, tokens = await self._asserted(ticket, answer)
        if ticket.wanted.session_id:
            return await self._confirm(ticket.wanted, asserted, session)
        member_id = await self._parts.read(
            lambda at: federated.member_of(at, asserted.issuer, asserted.subject)
        )
        if member_id is None and not ticket.wanted.opening:
            return Stranger(ticket.wanted.next_path)
        judged = await self._judged(asserted, member_id, arrival)
        if _must_prove_anew(judged, ticket.wanted):
            await self._guard.settle(judged.attempt_id, Outcome.CHALLENGED)
            return await self.begin(
                msgspec.structs.replace(ticket.wanted, fresh=True, levels=STRONG, challenged=True)
            )
        newcomer = None if member_id is not None else await self._newcomer(asserted, tokens, ticket.wanted)
        login = _Login(asserted, arrival, judged, replaces)
        entered = await self._entered(login, member_id, newcomer)
        challenge = ChallengeResult.PASSED if ticket.wanted.challenged else ChallengeResult.NONE
        if isinstance(entered, Shut):
            await self._guard.settle(judged.attempt_id, Outcome.REFUSED)
            return entered
        await self._guard.settle(judged.attempt_id, Outcome.SUCCESS, challenge)
        return Entered(entered, ticket.wanted.next_path)

    async def log_out(self, token: str) -> int:
        """End the sessions that a logout token of the ID names, and return how many were live.

        Raises LogoutTokenUnfit and OperationalError.
        """
        try:
            claims = await self._verified(token)
        except Unverifiable as error:
            raise LogoutTokenUnfit(known=str(error)) from error
        client = self._provider.client
        now_s = self._parts.clock.now_us() // SECOND_US
        asked = check_logout_token(claims, issuer=client.issuer, client_id=client.client_id, now_s=now_s)
        return await self._parts.written(lambda at: federated.end_sessions(at, self._parts, asked))

    async def key_set(self) -> str:
        """Return the JWK set that the ID registers us with. Raises OperationalError."""
        return (await self._key()).key_set

    async def _asserted(self, ticket: Ticket, answer: Answer) -> tuple[Asserted, Tokens]:
        """Believe the ID, and nobody else. Raises SignInFailed, SignInDeclined and OperationalError."""
        client = self._provider.client
        # The answer names who gave it (RFC 9207): another provider's is not taken for this one's.
        if answer.issuer != client.issuer or ticket.issuer != client.issuer:
            raise SignInFailed(known="another issuer")
        if answer.error:
            raise (SignInDeclined if answer.error in SAID_NO else SignInFailed)(known=answer.error[:60])
        if not answer.code:
            raise SignInFailed(known="no code")
        tokens = await self._provider.exchange(answer.code, ticket.verifier, (await self._key()).signing)
        try:
            claims = await self._verified(tokens.id_token)
        except Unverifiable as error:
            raise SignInFailed(known=f"id_token: {error}") from error
        expected = Expected(
            issuer=client.issuer,
            client_id=client.client_id,
            nonce=ticket.nonce,
            access_token=tokens.access_token,
            not_before_s=ticket.began_at_us // SECOND_US if ticket.wanted.fresh else None,
            levels=ticket.wanted.levels,
        )
        now_s = self._parts.clock.now_us() // SECOND_US
        return check_id_token(claims, expected, now_s=now_s), tokens

    async def _verified(self, token: str) -> Claims:
        """Verify a signature, with the keys read anew where none of ours made it. Raises Unverifiable."""
        try:
            return verify(token, await self._provider.keys(), algorithms=ALGORITHMS)
        except Unverifiable:
            keys = await self._provider.keys(because_unknown=True)
            return verify(token, keys, algorithms=ALGORITHMS)

    async def _judged(self, asserted: Asserted, member_id: MemberId | None, arrival: Arrival) -> GuardAnswer:
        """Ask the guard about a login. Raises SignInStopped."""
        own = await self._parts.read(lambda at: _device_here(at, member_id, arrival))
        trusted = own is not None and own.standing is Standing.TRUSTED
        answer = await self._guard.assess(
            Attempt(
                time_us=self._parts.clock.now_us(),
                member=member_id or f"sub:{asserted.subject}",
                known=True if member_id is not None else None,
                ip=arrival.ip,
                asn=arrival.asn,
                country=arrival.country,
                user_agent=arrival.user_agent,
                tls=arrival.tls,
                device=own.id if own is not None and trusted else "",
                device_valid=True if trusted else None,
            )
        )
        if answer.decision.action is Action.DENY:
            await self._guard.settle(answer.attempt_id, Outcome.REFUSED)
            raise SignInStopped(known=" ".join(answer.decision.reasons))
        return answer

    async def _newcomer(self, asserted: Asserted, tokens: Tokens, wanted: Wanted) -> Newcomer:
        """Ask the ID what it knows beside. Raises SignInFailed where it speaks of somebody else."""
        told = await self._provider.userinfo(tokens.access_token)
        # The token could have been put in the place of another (OpenID Connect Core 5.3.2).
        if told.get("sub") != asserted.subject:
            raise SignInFailed(known="userinfo is about somebody else")
        email = told.get("email", "")
        proven = told.get("email_verified") is True and isinstance(email, str)
        return Newcomer(asserted, email if proven else "", wanted.language)

    async def _entered(
        self, login: "_Login", member_id: MemberId | None, newcomer: Newcomer | None
    ) -> Welcome | Shut:
        try:
            return await self._parts.written(lambda at: self._enter(at, login, member_id, newcomer))
        except _SomebodyFaster:
            # The same newcomer in another tab, by less than a transaction: their account is there now.
            return await self._parts.written(lambda at: self._enter(at, login, member_id, newcomer))

    def _enter(
        self, connection: Connection, login: "_Login", member_id: MemberId | None, newcomer: Newcomer | None
    ) -> Welcome | Shut:
        """Open the session, and before it the account of a newcomer."""
        asserted, now_us = login.asserted, self._parts.clock.now_us()
        opened = False
        if member_id is None and newcomer is not None:
            # Another tab of the same newcomer may have been faster.
            member_id = _owner(connection, asserted)
            if member_id is None:
                member_id, opened = self._opens(connection, newcomer), True
                if not federated.tie(connection, asserted, member_id, now_us):
                    raise _SomebodyFaster
        assert member_id is not None  # noqa: S101 - strangers were told apart before
        by_passkey = asserted.level is Level.PASSKEY and is_fresh(asserted.proven_at_s * SECOND_US, now_us)
        shut = stopped(connection, member_id, by_passkey=by_passkey)
        if shut is not None:
            came = Came(way=LoginWay.ID, result=LoginResult.STOPPED, attempt_id=login.judged.attempt_id)
            sign_ins.record(connection, self._parts, member_id, login.arrival, came)
            return Shut(shut, by_passkey)
        strong = opened or asserted.level is Level.PASSKEY
        proved = Proved(
            member_id=member_id,
            level=asserted.level,
            way=LoginWay.SIGN_UP if opened else LoginWay.ID,
            standing=Standing.TRUSTED if strong else Standing.UNCONFIRMED,
            arrival=login.arrival,
            attempt_id=login.judged.attempt_id,
            risk=login.judged.decision.probability,
            campaign=login.judged.decision.campaign,
            replaces=login.replaces,
            proven_elsewhere_us=asserted.proven_at_s * SECOND_US,
        )
        welcomed = welcome(connection, self._parts, proved)
        federated.used(connection, asserted, welcomed.session.id, now_us)
        return welcomed

    async def _confirm(self, wanted: Wanted, asserted: Asserted, session: Session | None) -> Confirmed:
        """Write down that a member confirmed a purpose by a new login. Raises SignInOver, NotYourLogin."""
        if session is None or session.id != wanted.session_id:
            raise SignInOver(known="the session is another one now")

        def work(connection: Connection) -> Opened:
            sessions.require_live(connection, session, self._parts.clock.now_us())
            owner = _owner(connection, asserted)
            if owner != session.member_id:
                raise NotYourLogin(known=session.id)
            if asserted.level is Level.PASSKEY:
                devices.trust(connection, self._parts, session.device_id)
            return sessions.prove(connection, self._parts, session, Way.ID, purpose=wanted.purpose)

        return Confirmed(await self._parts.written(work), wanted.next_path)

    async def _key(self) -> ClientKey:
        if self._own_key is None:
            self._own_key = await self._parts.written(lambda at: client_key(at, self._parts, self.issuer))
        return self._own_key


class _SomebodyFaster(Exception):  # noqa: N818 - raised to roll a unit of work back
    """The login opens an account that somebody else has just opened."""


class _Login(NamedTuple):
    """A login that the ID vouches for, where it comes from, and what the guard thinks of it."""

    asserted: Asserted
    arrival: Arrival
    judged: GuardAnswer
    replaces: str


def _must_prove_anew(judged: GuardAnswer, wanted: Wanted) -> bool:
    """Say whether the guard wants more than the ID's standing session. One proof is enough."""
    return judged.decision.action is Action.CHALLENGE and not wanted.challenged


def _owner(connection: Connection, asserted: Asserted) -> MemberId | None:
    return federated.member_of(connection, asserted.issuer, asserted.subject)


def _device_here(connection: Connection, member_id: MemberId | None, arrival: Arrival) -> Device | None:
    here = devices.of_browser(connection, arrival.device_token)
    return next((each for each in here if each.member_id == member_id), None)


def _challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
