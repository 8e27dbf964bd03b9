"""Paying at a shop: by its code, read by the camera or pasted, or by a code that the shop reads.

An order is approved before it exists anywhere: it travels sealed from the form to its approval.
"""

import base64
import re
from typing import Any

import msgspec
import segno
from litestar import Response, get, post
from markupsafe import Markup

from sekisho.identity.assurance import Need
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.storage.keyring import Unsealable
from sekisho.wallet.emv_qr import QrNotOurs, QrUnreadable
from sekisho.wallet.identity_levels import LevelTooLow
from sekisho.wallet.merchants import MerchantUnknown
from sekisho.wallet.payment_codes import CEILING, ShownCode, showing
from sekisho.wallet.payment_requests import RequestOver
from sekisho.wallet.payments import NotEnough, Order, Payment, PaymentRefused, Scanned, purpose_of
from sekisho.wallet.spending import AboveCeiling
from sekisho.wallet.switches import Function
from sekisho.web.members.gate_answers import new_key, typed_amount
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.site import ReadsWish
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import UnknownWish, Wish, is_granted
from sekisho.web.members.writing import show
from sekisho.web.problems import NotFound
from sekisho.web.wallet.closed_wallets import USES
from sekisho.web.wallet.desks import desks_of
from sekisho.web.wallet.gate_answers import GATE_ANSWERS
from sekisho.web.wallet.identity_pages import to_identity
from sekisho.web.wallet.overview_pages import today_of

OF_MEMBERS = {ROLE: Role.MEMBER, USES: True}
APPROVED = {ROLE: Role.APPROVED, USES: True}
UNPROCESSABLE = 422
CODE_CHARS_MAX = 600
PASSKEY = "passkey"
OCCASION = re.compile(r"[0-9a-f]{32}")
UNREADABLE = (QrUnreadable, QrNotOurs, MerchantUnknown, RequestOver)
NOT_NOW = (AboveCeiling, NotEnough, PaymentRefused, RequestOver, MerchantUnknown)


class Kept(msgspec.Struct, frozen=True):
    """An order as it travels sealed."""

    key: str
    merchant_id: str
    amount_yen: int
    reference: str
    request_id: str

    @property
    def order(self) -> Order:
        """Return it as the desk takes it."""
        return Order(self.key, self.merchant_id, Yen(self.amount_yen), self.reference, self.request_id)


@get("/pay", opt=OF_MEMBERS, sync_to_thread=False)
def pay_page(request: AnyRequest) -> Response[Any]:
    """Ask for the shop's code."""
    return _ask_code(visit_of(request))


@post("/pay", opt=OF_MEMBERS)
async def read_shop_code(request: AnyRequest) -> Response[Any]:
    """Take the shop's code, and the amount where the code names none."""
    visit = visit_of(request)
    code = visit.form.trimmed("code")[:CODE_CHARS_MAX]
    try:
        scanned = await desks_of(request).payments.scan(code)
    except UNREADABLE as refusal:
        return _ask_code(visit, error=refusal.code)
    amount = scanned.amount
    if amount is None:
        amount = typed_amount(visit.form["amount"])
        if amount is None:
            return _ask_amount(visit, scanned, code)
    kept = Kept(new_key(visit), scanned.merchant.id, amount.amount, scanned.reference, scanned.request_id)
    return visit.go(_path(_seal(visit, kept)))


@get("/pay/confirm", opt=APPROVED)
async def confirm_page(request: AnyRequest) -> Response[Any]:
    """Show what is to be paid to whom: approved, it can be paid by a button."""
    visit = visit_of(request)
    text = request.query_params.get("order", "")
    kept = _unseal(visit, text)
    if kept is None:
        return visit.go("/pay")
    merchant = await desks_of(request).payments.merchant(kept.merchant_id)
    wish = await _paying(visit, text, kept)
    return show(
        visit,
        "wallet/pay_confirm.html",
        amount=kept.order.amount,
        shop=merchant.name(visit.language),
        wish=wish.text,
        order=text,
        approved=is_granted(visit, wish),
        here=_path(text),
    )


@post("/pay/confirm", opt=APPROVED)
async def pay(request: AnyRequest) -> Response[Any]:
    """Pay, once everything at the gate has been passed."""
    visit = visit_of(request)
    text = visit.form["order"]
    kept = _unseal(visit, text)
    if kept is None:
        return visit.go("/pay")
    try:
        outcome = await desks_of(request).payments.pay(visit.who().present, visit.arrival(), kept.order)
    except LevelTooLow:
        return to_identity(visit, Function.PAYMENT)
    except NOT_NOW as refusal:
        return _not_paid(visit, refusal)
    if isinstance(outcome, Payment):
        return visit.go(f"/payments/{outcome.id}")
    wish = await _paying(visit, text, kept)
    only_passkey = await _paying(visit, text, kept, by_passkey=True)
    return GATE_ANSWERS.go_on(visit, outcome, wish, only_passkey)


@get("/payments/{payment_id:str}", opt={ROLE: Role.MEMBER})
async def payment_page(request: AnyRequest) -> Response[Any]:
    """Show a payment, as it is shown to the shop."""
    visit = visit_of(request)
    desk = desks_of(request).payments
    own = await desk.of_member(visit.who().member.id)
    found = next((one for one in own if one.id == request.path_params["payment_id"]), None)
    if found is None:
        raise NotFound
    merchant = await desk.shop_of(found)
    return show(visit, "wallet/paid.html", payment=found, shop=merchant.name(visit.language))


@get("/pay/code", opt=APPROVED, sync_to_thread=False)
def code_page(request: AnyRequest) -> Response[Any]:
    """Offer to show a code; each showing is approved by itself (`?occasion=`)."""
    visit = visit_of(request)
    occasion = request.query_params.get("occasion", "")
    if not OCCASION.fullmatch(occasion):
        occasion = new_key(visit)
    approved = is_granted(visit, code_showing(occasion))
    return show(visit, "wallet/pay_code.html", occasion=occasion, approved=approved, ceiling=CEILING)


@post("/pay/code", opt=APPROVED)
async def show_code(request: AnyRequest) -> Response[Any]:
    """Show a code for a minute, once everything at the gate has been passed."""
    visit = visit_of(request)
    occasion = visit.form["occasion"]
    if not OCCASION.fullmatch(occasion):
        return visit.go("/pay/code")
    try:
        shown = await desks_of(request).payment_codes.show(visit.who().present, visit.arrival(), occasion)
    except LevelTooLow:
        return to_identity(visit, Function.PAYMENT)
    except NOT_NOW as refusal:
        return _not_paid(visit, refusal)
    if not isinstance(shown, ShownCode):
        return GATE_ANSWERS.go_on(
            visit, shown, code_showing(occasion), code_showing(occasion, by_passkey=True)
        )
    # Drawn here and shown once: the text of a code is a secret for as long as it is good.
    picture = segno.make(shown.text, error="m").svg_inline(border=4, omitsize=True)
    digits = " ".join(re.findall(r"\d{1,6}", shown.text))
    return show(
        visit,
        "wallet/pay_code_shown.html",
        picture=Markup(picture),  # noqa: S704 - drawn by us out of digits
        digits=digits,
        ceiling=shown.ceiling,
        until_us=shown.expires_at_us,
        here="/pay/code",
    )


def code_showing(occasion: str, *, by_passkey: bool = False) -> Wish:
    """Return the wish to show a code on one occasion."""
    text = f"show_code:{occasion}:{PASSKEY}" if by_passkey else f"show_code:{occasion}"
    path = f"/pay/code?occasion={occasion}"
    return Wish(text, showing(occasion), Need.PAY_OUT, path, "/", exact=True, by_passkey=by_passkey)


async def read_showing(_visit: Visit, name: str) -> Wish | None:
    """Return the wish to show a code."""
    occasion, _, way = name.partition(":")
    return code_showing(occasion, by_passkey=way == PASSKEY) if OCCASION.fullmatch(occasion) else None


async def read_paying(visit: Visit, name: str) -> Wish | None:
    """Return the wish to pay what the visitor sealed."""
    text, _, way = name.partition(":")
    kept = _unseal(visit, text)
    try:
        return None if kept is None else await _paying(visit, text, kept, by_passkey=way == PASSKEY)
    except MerchantUnknown as refusal:
        raise UnknownWish(known=refusal.known) from refusal


async def _paying(visit: Visit, text: str, kept: Kept, *, by_passkey: bool = False) -> Wish:
    merchant = await desks_of(visit.request).payments.merchant(kept.merchant_id)
    purpose = purpose_of(kept.order, merchant)
    name = f"pay:{text}:{PASSKEY}" if by_passkey else f"pay:{text}"
    return Wish(name, purpose, Need.PAY_OUT, _path(text), "/pay", exact=True, by_passkey=by_passkey)


def _ask_code(visit: Visit, *, error: str = "") -> Response[Any]:
    status = UNPROCESSABLE if error else 200
    return show(visit, "wallet/pay.html", status=status, error=error, here="/pay")


def _ask_amount(visit: Visit, scanned: Scanned, code: str) -> Response[Any]:
    typed = visit.form["amount"][:20]
    return show(
        visit,
        "wallet/pay_amount.html",
        status=UNPROCESSABLE if typed else 200,
        shop=scanned.merchant.name(visit.language),
        code=code,
        typed=typed,
        error="amount_unreadable" if typed else "",
        here="/pay",
    )


def _not_paid(visit: Visit, refusal: Refusal) -> Response[Any]:
    return show(visit, "wallet/not_moved.html", status=refusal.status, why=refusal.code)


def _path(text: str) -> str:
    return f"/pay/confirm?order={text}"


def _seal(visit: Visit, kept: Kept) -> str:
    sealed = visit.site.parts.keyring.seal(msgspec.json.encode(kept), context=_context(visit))
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _unseal(visit: Visit, text: str) -> Kept | None:
    """Open an order that the visitor sealed; None where it is none of theirs."""
    try:
        sealed = base64.urlsafe_b64decode(text[:CODE_CHARS_MAX] + "=" * (-len(text) % 4))
        plain = visit.site.parts.keyring.open(sealed, context=_context(visit))
        return msgspec.json.decode(plain, type=Kept)
    except (ValueError, Unsealable):
        return None


def _context(visit: Visit) -> str:
    """Bind an order to its member and to the day: an old one is worth nothing."""
    return f"wallet:order:{visit.who().member.id}:{today_of(visit)}"


WISHES: dict[str, ReadsWish] = {"pay": read_paying, "show_code": read_showing}
ROUTES = (pay_page, read_shop_code, confirm_page, pay, payment_page, code_page, show_code)
