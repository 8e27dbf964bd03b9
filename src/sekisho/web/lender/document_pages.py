"""The member's documents: what was issued before and at the contract, receipts, and each of them to keep."""

from typing import Any

from litestar import Response, get

from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.loan_pages import sight
from sekisho.web.lender.proven import with_figures
from sekisho.web.lender.statement_files import PDF, as_file
from sekisho.web.members.form_tokens import OWN_SITES
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of
from sekisho.web.members.writing import show

APPROVED = {ROLE: Role.APPROVED}


@get("/loan/documents", opt=APPROVED)
@with_figures("documents")
async def documents_page(request: AnyRequest) -> Response[Any]:
    """List what was issued, the newest first, and the months with a statement."""
    visit = visit_of(request)
    documents = await desks_of(request).documents.of_member(visit.who().member.id)
    loan = await sight(visit)
    return show(
        visit,
        "lender/documents.html",
        documents=documents,
        months=[] if loan is None else loan.months(),
        here="/loan/documents",
    )


@get("/loan/documents/{document_id:str}", opt=APPROVED)
@with_figures("documents")
async def document_file(request: AnyRequest) -> Response[Any]:
    """Give a document out as it was issued."""
    visit = visit_of(request)
    # What another site makes a browser fetch was not asked for by the member.
    if request.headers.get("sec-fetch-site", "none") not in OWN_SITES:
        return visit.go("/loan/documents")
    read = await desks_of(request).documents.read(visit.who().member.id, request.path_params["document_id"])
    return as_file(read.pdf, PDF, f"{read.document.kind}-{read.document.id}.pdf")


ROUTES = (documents_page, document_file)
