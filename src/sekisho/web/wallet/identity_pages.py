"""What is proven of a member, what that opens, and how it is raised: the phone first, then the person."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.card_answers import CardAnswerUnreadable, from_text, read_answer, to_text
from sekisho.identity.names import NameUnusable, read_name
from sekisho.identity.people import AddressUnusable, BirthDateUnusable, Person
from sekisho.identity.person_checks import CHALLENGE_OCTETS, ChallengeOver
from sekisho.kernel.refusals import Refusal
from sekisho.wallet.identity_checks import IdentityCheck, NothingToCheck
from sekisho.wallet.identity_levels import IdentityLevel, lowest_for, rules_on
from sekisho.wallet.persons import PersonHasWallet
from sekisho.wallet.switches import Function
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.writing import show
from sekisho.web.wallet.closed_wallets import USES
from sekisho.web.wallet.desks import desks_of
from sekisho.web.wallet.overview_pages import sight

OF_MEMBERS = {ROLE: Role.MEMBER, USES: True}
UNPROCESSABLE = 422
FIELDS = ("name", "kana", "birth_date", "home_address")
WRONG = {
    BirthDateUnusable.code: "birth_date",
    AddressUnusable.code: "home_address",
}
WORDS_FOR = {Function.LINK_REGISTER: "link", Function.LINK_CHANGE: "link"}
CHALLENGE_CHARS_MAX = 4 * CHALLENGE_OCTETS + 64


@get("/identity", opt=OF_MEMBERS)
async def identity_page(request: AnyRequest) -> Response[Any]:
    """Show the level, what each level may do, and the next step: for what somebody wants (`?for=charge`)."""
    visit = visit_of(request)
    desks, today = desks_of(request), desks_of(request).house.today()
    seen = await sight(visit, today, today)
    claim = await desks.identity.standing_claim(visit.who().member.id)
    wanted = next((each for each in Function if each == request.query_params.get("for", "")), None)
    is_open = wanted is None or wanted in rules_on(today).rule(seen.wallet.level).may
    return show(
        visit,
        "wallet/identity.html",
        level=seen.wallet.level,
        levels=tuple(IdentityLevel),
        book=rules_on(today),
        claimed=claim is not None,
        wanted=None if wanted is None else WORDS_FOR.get(wanted, wanted.value),
        needs=None if wanted is None or is_open else lowest_for(wanted, today),
        done="done" in request.query_params,
    )


def to_identity(visit: Visit, function: Function) -> Response[Any]:
    """Answer with the way to the page that says what has to be proven before a function can be used."""
    return visit.go(f"/identity?for={function}")


@get("/identity/person", opt=OF_MEMBERS)
async def person_page(request: AnyRequest) -> Response[Any]:
    """Ask who the member is, as it stands on the card."""
    visit = visit_of(request)
    if await _level(visit) is IdentityLevel.NONE:
        return visit.go("/identity")
    return _ask_person(visit)


@post("/identity/person", opt=OF_MEMBERS)
async def type_person(request: AnyRequest) -> Response[Any]:
    """Take who the member says to be; nothing is believed before it was checked."""
    visit = visit_of(request)
    typed = Person(**{name: visit.form.trimmed(name) for name in FIELDS})
    try:
        await desks_of(request).identity.claim(visit.who().present, typed)
    except (NameUnusable, BirthDateUnusable, AddressUnusable) as refusal:
        return _ask_person(visit, wrong=_wrong(typed, refusal), error=refusal.code)
    except NothingToCheck:
        return visit.go("/identity")
    return visit.go("/identity/card")


@get("/identity/card", opt=OF_MEMBERS)
async def card_page(request: AnyRequest) -> Response[Any]:
    """Show what the card is to sign."""
    visit = visit_of(request)
    try:
        challenge = await desks_of(request).identity.challenge(visit.who().member.id)
    except NothingToCheck:
        return visit.go("/identity")
    return _ask_card(visit, to_text(challenge.octets))


@post("/identity/card", opt=OF_MEMBERS)
async def take_card(request: AnyRequest) -> Response[Any]:
    """Take a card's answer, and say what came of it."""
    visit = visit_of(request)
    challenge = visit.form["challenge"][:CHALLENGE_CHARS_MAX]
    try:
        signed, presented = from_text(challenge), read_answer(visit.form["answer"])
        check = await desks_of(request).identity.by_certificate(visit.who().member.id, signed, presented)
    except CardAnswerUnreadable:
        return _ask_card(visit, challenge, error="card_answer_unreadable")
    except ChallengeOver:
        return visit.go("/identity/card")
    except NothingToCheck:
        return visit.go("/identity")
    except PersonHasWallet as refusal:
        return show(visit, "wallet/identity_failed.html", status=refusal.status, fault="has_wallet")
    return _checked(visit, check)


def _checked(visit: Visit, check: IdentityCheck) -> Response[Any]:
    if check.passed:
        return visit.go("/identity?done")
    return show(visit, "wallet/identity_failed.html", status=UNPROCESSABLE, fault=check.faults[0])


def _wrong(typed: Person, refusal: Refusal) -> str:
    """Return the field that was refused: name and reading are refused by the same code."""
    if not isinstance(refusal, NameUnusable):
        return WRONG[refusal.code]
    try:
        read_name(typed.name)
    except NameUnusable:
        return "name"
    return "kana"


async def _level(visit: Visit) -> IdentityLevel:
    today = desks_of(visit.request).house.today()
    return (await sight(visit, today, today)).wallet.level


def _ask_person(visit: Visit, *, wrong: str = "", error: str = "") -> Response[Any]:
    return show(
        visit,
        "wallet/identity_person.html",
        status=UNPROCESSABLE if error else 200,
        typed=visit.form.only(*FIELDS),
        wrong=wrong,
        error=error,
        here="/identity/person",
    )


def _ask_card(visit: Visit, challenge: str, *, error: str = "") -> Response[Any]:
    return show(
        visit,
        "wallet/identity_card.html",
        status=UNPROCESSABLE if error else 200,
        challenge=challenge,
        card_page=desks_of(visit.request).card_page,
        error=error,
        here="/identity/card",
    )


ROUTES = (identity_page, person_page, type_person, card_page, take_card)
