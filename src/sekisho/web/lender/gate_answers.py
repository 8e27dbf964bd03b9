"""How the pages go on from what the gate answers: to the proof that is missing, or to why it is shut."""

from typing import Any

from litestar import Response

from sekisho.identity.assurance import NotFromHere, StepUp, Way
from sekisho.kernel.yen import Yen
from sekisho.response.money_gates import Held, MoneyOutStopped, Stopped, refusal_of
from sekisho.web.members.step_up import step_up_path
from sekisho.web.members.visits import Visit
from sekisho.web.members.wishes import Wish
from sekisho.web.members.writing import show

TYPED_MAX = 20


def go_on(
    visit: Visit, answer: StepUp | NotFromHere | Held | Stopped, wish: Wish, only_passkey: Wish
) -> Response[Any]:
    """Answer for what did not pass. `only_passkey` is the wish where a code is not enough."""
    match answer:
        case Held():
            return held(visit, answer)
        case Stopped():
            raise MoneyOutStopped(known=" ".join(answer.reasons))
        case StepUp() if Way.CODE not in answer.ways:
            return visit.go(step_up_path(only_passkey))
        case _:
            return visit.go(step_up_path(wish))


def held(visit: Visit, answer: Held) -> Response[Any]:
    """Say why the gate is shut, until when, and which ways are open, in the words of whoever shut it."""
    refusal = refusal_of(answer)
    told = answer.told.get(visit.language, "")
    return show(
        visit,
        "lender/held.html",
        status=refusal.status,
        key=refusal.code,
        told=told,
        until_us=answer.until_us,
        here="/loan",
    )


def typed_amount(text: str) -> Yen | None:
    """Read an amount that was typed; None where it is none, or not more than zero."""
    try:
        amount = Yen.parse(text[:TYPED_MAX])
    except ValueError:
        return None
    return amount if amount > Yen(0) else None


def new_key(visit: Visit) -> str:
    """Return a key for a form that orders something: sent twice, it orders once."""
    return visit.site.parts.chance.octets(16).hex()
