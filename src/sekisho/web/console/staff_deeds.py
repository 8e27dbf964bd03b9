"""What staff do is approved by passkey, deed by deed: the approval is for exactly what the page showed.

A deed is a name and everything that it depends on; its digest goes into the ceremony that the page begins and
is made anew from what is posted. Change a field in between, and the passkey has approved something else.
"""

import hashlib
import re
from typing import Any

import msgspec
from litestar import Response, get

from sekisho.identity.ceremonies import CeremonyOver
from sekisho.identity.passkey_answers import PasskeyMalformed, PasskeyRefused
from sekisho.identity.passkeys import PasskeyUnknown
from sekisho.identity.purposes import Purpose
from sekisho.kernel.refusals import Refusal
from sekisho.web.members import cookies
from sekisho.web.members.login_pages import JSON
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest, Visit, visit_of

_DIGEST = re.compile(r"[0-9a-f]{64}")


class DeedNotApproved(Refusal):
    """The passkey did not approve this deed, or too long ago."""

    code = "deed_not_approved"
    status = 401
    told = "Your passkey did not approve exactly this. Nothing has been done."


def deed(name: str, **of: str) -> str:
    """Return the digest of a deed and of all that it depends on."""
    return hashlib.sha256(msgspec.json.encode([name, of], order="deterministic")).hexdigest()


async def require_approved(visit: Visit, digest: str) -> None:
    """Take the passkey's approval of a deed that was posted with it. Raises DeedNotApproved."""
    form = visit.form
    try:
        opened = await visit.site.desks.passkey_proofs.approve(
            visit.who().session,
            form["ceremony"],
            form["credential"].encode(),
            visit.arrival(),
            purpose=_purpose(digest),
        )
    except (CeremonyOver, PasskeyMalformed, PasskeyRefused) as refusal:
        raise DeedNotApproved(known=refusal.known) from refusal
    visit.set(cookies.hosted(cookies.SESSION, opened.token))


@get("/deeds/options", opt={ROLE: Role.MEMBER})
async def deed_options(request: AnyRequest) -> Response[Any]:
    """Begin the ceremony in which a passkey approves a deed."""
    visit, digest = visit_of(request), request.query_params.get("deed", "")
    if not _DIGEST.fullmatch(digest):
        raise PasskeyUnknown(known="no deed")
    begun = await visit.site.desks.passkey_proofs.begin_approval(visit.who().session, _purpose(digest))
    body = msgspec.json.encode({"ceremony": begun.token, "options": begun.options})
    return Response(body, media_type=JSON, headers=NO_STORE)


def _purpose(digest: str) -> Purpose:
    return Purpose(action="staff_deed", details={"deed": digest})


ROUTES = (deed_options,)
