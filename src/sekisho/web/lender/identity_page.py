"""Proving who applies with the certificate of a card: what the card signs, and what it gave back."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.card_answers import CardAnswerUnreadable, from_text, read_answer, to_text
from sekisho.identity.certificates import CertificateFault
from sekisho.identity.person_checks import ChallengeOver
from sekisho.lender.applications import Application, State
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.proven import with_figures
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.writing import show

APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422
TOLD = {
    CertificateFault.NOT_TRUSTED: "identity_not_trusted",
    CertificateFault.REVOKED: "identity_revoked",
    CertificateFault.BAD_SIGNATURE: "identity_bad_signature",
    CertificateFault.NAME_DIFFERS: "identity_differs",
    CertificateFault.BIRTH_DATE_DIFFERS: "identity_differs",
    CertificateFault.ADDRESS_DIFFERS: "identity_differs",
    CertificateFault.SUBSTITUTED: "identity_substituted",
}
"""What is told about a certificate; of all other faults that it could not be used."""


@get("/apply/identity", opt=APPROVED)
@with_figures("apply")
async def identity_page(request: AnyRequest) -> Response[Any]:
    """Show what the card is to sign."""
    visit = visit_of(request)
    application = await _waiting(visit)
    return visit.go("/apply") if application is None else await _ask(visit, application)


@post("/apply/identity", opt=APPROVED)
@with_figures("apply")
async def check_identity(request: AnyRequest) -> Response[Any]:
    """Verify what the card gave."""
    visit, form = visit_of(request), visit_of(request).form
    application = await _waiting(visit)
    if application is None:
        return visit.go("/apply")
    desk = desks_of(request).identity
    try:
        presented, signed = read_answer(form["answer"]), from_text(form["challenge"])
        check = await desk.by_certificate(application.member_id, application.id, signed, presented)
    except CardAnswerUnreadable:
        return await _ask(visit, application, error="identity_unreadable")
    except ChallengeOver:
        return await _ask(visit, application, error="identity_over")
    if check.passed:
        return visit.go("/apply")
    told = [TOLD[fault] for fault in map(CertificateFault, check.faults) if fault in TOLD]
    return await _ask(visit, application, error=next(iter(told), "identity_unusable"))


async def _waiting(visit: Visit) -> Application | None:
    """Return the visitor's application where it waits for the proof of who made it."""
    current = await desks_of(visit.request).applications.current(visit.who().member.id)
    if current is None or current.state is not State.SUBMITTED or current.is_over(visit.now_us()):
        return None
    return current


async def _ask(visit: Visit, application: Application, *, error: str = "") -> Response[Any]:
    desks = desks_of(visit.request)
    challenge = await desks.identity.challenge(application.member_id, application.id)
    return show(
        visit,
        "lender/apply_identity.html",
        status=UNPROCESSABLE if error else 200,
        application=application,
        challenge=to_text(challenge.octets),
        until_us=challenge.expires_at_us,
        card_page=desks.card_page,
        error=error,
        here="/apply/identity",
    )


ROUTES = (identity_page, check_identity)
