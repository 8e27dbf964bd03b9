"""The authorisation endpoint, without HTTP: from a request to a login, a consent, and a code to take back."""

import asyncio
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.assurance import Level
from sekisho.identity.devices import Device
from sekisho.identity.institution import Parts
from sekisho.identity.openid import consents, events, grants, tickets
from sekisho.identity.openid.claims import login_of, may_be_released
from sekisho.identity.openid.clients import Client
from sekisho.identity.openid.parameters import Parameters
from sekisho.identity.openid.redirects import with_parameters
from sekisho.identity.openid.refusals import (
    AccessDenied,
    ConsentRequired,
    LoginRequired,
    UnmetAuthenticationRequirements,
)
from sekisho.identity.openid.requests import (
    Addressee,
    AuthorisationRequest,
    Prompt,
    Unacceptable,
    addressee_of,
    read_request,
)
from sekisho.identity.openid.scopes import Scope
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.identity.openid.tickets import Ticket
from sekisho.identity.sessions import Session
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.refusals import Refusal


class Begun(NamedTuple):
    """A request that passed every check, sealed, and the languages that the client asks for."""

    ticket: str
    ui_locales: str


class SendBack(NamedTuple):
    """Send the browser back to the client, with a code or an error in the address."""

    uri: str
    client: Client


class AskLogin(NamedTuple):
    """Nobody is logged in: the login comes first."""

    login_hint: str


class AskProof(NamedTuple):
    """Somebody is logged in, and must prove it again: more recently (`level` None), or this strongly."""

    client: Client
    level: Level | None


class AskConsent(NamedTuple):
    """Ask the member whether the client may learn this."""

    client: Client
    scopes: tuple[Scope, ...]
    redirect_uri: str


Next = SendBack | AskLogin | AskProof | AskConsent


class AuthorisationDesk:
    """Takes requests in, and says what comes next until there is an answer."""

    def __init__(self, parts: Parts, settings: OpenIdSettings) -> None:
        self._parts = parts
        self._settings = settings

    async def begin(self, parameters: Parameters) -> Begun | SendBack:
        """Check a request that just came; return its ticket, or the error to send back.

        Raises ClientUnknown, RedirectUnregistered or RequestUnreadable where nobody may be answered.
        """
        return await asyncio.to_thread(self._begin, parameters)

    def _begin(self, parameters: Parameters) -> Begun | SendBack:
        with self._parts.store.read() as connection:
            addressee = addressee_of(connection, parameters)
        read = read_request(addressee, parameters)
        if isinstance(read, Unacceptable):
            return self._refused(addressee, read.refusal)
        try:
            ticket = Ticket(request=read, came_at_us=self._parts.clock.now_us())
            return Begun(tickets.seal(ticket, self._parts.keyring), read.ui_locales)
        except Refusal as refusal:
            return self._refused(addressee, refusal)

    async def proceed(self, text: str, session: Session | None, device: Device | None) -> Next:
        """Say what a ticket needs next, or give the code. Raises TicketStale and what `begin` raises."""
        ticket = self._opened(text)
        addressee, allowed = await asyncio.to_thread(self._known, ticket, session)
        asked = self._asked(ticket, addressee, session, device, allowed)
        if asked is not None:
            return self._silenced(ticket.request, addressee, asked)
        if session is None:
            return AskLogin(ticket.request.login_hint)
        return await self._granted(ticket, addressee, session, consented=False)

    async def consent(self, text: str, session: Session, device: Device | None) -> Next:
        """Remember that the member said yes and give the code, if the login is still good for it."""
        ticket = self._opened(text)
        addressee, _ = await asyncio.to_thread(self._known, ticket, session)
        asked = self._asked(ticket, addressee, session, device, set(ticket.request.scopes), consenting=True)
        if asked is not None:
            return asked
        return await self._granted(ticket, addressee, session, consented=True)

    async def decline(self, text: str, *, proof: bool = False) -> SendBack:
        """Tell the client that the member said no, to the consent or to proving the login again."""
        ticket = self._opened(text)
        addressee, _ = await asyncio.to_thread(self._known, ticket, None)
        refusal = UnmetAuthenticationRequirements() if proof else AccessDenied()
        return self._refused(addressee, refusal)

    def _opened(self, text: str) -> Ticket:
        return tickets.unseal(
            text,
            self._parts.keyring,
            now_us=self._parts.clock.now_us(),
            ticket_s=self._settings.ticket_s,
        )

    def _known(self, ticket: Ticket, session: Session | None) -> tuple[Addressee, set[Scope]]:
        """Look the client up again, for it may be gone, and what the member allowed it before."""
        request = ticket.request
        named = {"client_id": request.client_id, "redirect_uri": request.redirect_uri, "state": request.state}
        with self._parts.store.read() as connection:
            addressee = addressee_of(connection, Parameters(named))
            if session is None:
                return addressee, set()
            return addressee, consents.given(connection, session.member_id, request.client_id)

    def _asked(  # noqa: PLR0913 - everything that the answer depends on
        self,
        ticket: Ticket,
        addressee: Addressee,
        session: Session | None,
        device: Device | None,
        allowed: set[Scope],
        *,
        consenting: bool = False,
    ) -> AskLogin | AskProof | AskConsent | None:
        request, client = ticket.request, addressee.client
        now_us = self._parts.clock.now_us()
        if session is None or not session.is_live(now_us):
            return AskLogin(request.login_hint)
        login = login_of(session)
        if not request.is_met_by(login.level):
            return AskProof(client, request.levels[0])
        if not may_be_released(request.scopes, login, device):
            return AskProof(client, Level.PASSKEY)
        if login.at_us < ticket.came_at_us and _is_too_old(request, now_us - login.at_us):
            return AskProof(client, None)
        wanted = set(request.scopes) - allowed if client.settings.consent else set()
        if wanted or (Prompt.CONSENT in request.prompts and not consenting):
            return AskConsent(client, request.scopes, request.redirect_uri)
        return None

    def _silenced(
        self, request: AuthorisationRequest, addressee: Addressee, asked: AskLogin | AskProof | AskConsent
    ) -> Next:
        if Prompt.NONE not in request.prompts:
            return asked
        refusal = ConsentRequired() if isinstance(asked, AskConsent) else LoginRequired()
        return self._refused(addressee, refusal)

    async def _granted(
        self, ticket: Ticket, addressee: Addressee, session: Session, *, consented: bool
    ) -> SendBack:
        request, now_us = ticket.request, self._parts.clock.now_us()
        login = login_of(session)
        granted = grants.Granted(
            client_id=request.client_id,
            member_id=session.member_id,
            session_id=session.id,
            redirect_uri=request.redirect_uri,
            scopes=request.scopes,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
            level=login.level,
            proven_at_us=login.at_us,
        )

        def work(connection: Connection) -> str:
            if consented:
                consents.give(connection, session.member_id, request.client_id, request.scopes, now_us=now_us)
                events.consent_given(connection, granted, now_us=now_us)
            return grants.new_code(
                connection, granted, now_us=now_us, code_s=self._settings.code_s, chance=self._parts.chance
            )

        code = await asyncio.wrap_future(self._parts.store.write(work))
        return self._back(addressee, {"code": code})

    def _refused(self, addressee: Addressee, refusal: Refusal) -> SendBack:
        return self._back(addressee, {"error": refusal.code, "error_description": refusal.told})

    def _back(self, addressee: Addressee, answer: dict[str, str]) -> SendBack:
        """Address an answer. The issuer stands in it, so that a client of several can tell them apart."""
        state = {"state": addressee.state} if addressee.state else {}
        issuer = {"iss": self._parts.institution.origin}
        return SendBack(with_parameters(addressee.redirect_uri, answer | state | issuer), addressee.client)


def _is_too_old(request: AuthorisationRequest, age_us: int) -> bool:
    if Prompt.LOGIN in request.prompts:
        return True
    return request.max_age_s is not None and age_us > request.max_age_s * SECOND_US
