"""How the pages go on from what the money gate answers: to the missing proof, or to why it is shut."""

from typing import Any, NamedTuple

from litestar import Response

from sekisho.identity.assurance import NotFromHere, StepUp, Way
from sekisho.kernel.yen import Yen
from sekisho.response.money_gates import Held, MoneyOutStopped, Stopped, refusal_of
from sekisho.web.members.step_up import step_up_path
from sekisho.web.members.visits import Visit
from sekisho.web.members.wishes import Wish
from sekisho.web.members.writing import show

TYPED_MAX = 20


class GateAnswers(NamedTuple):
    """The answers at one institution: the page that says why the gate is shut, and its place."""

    template: str
    here: str

    def go_on(
        self, visit: Visit, answer: StepUp | NotFromHere | Held | Stopped, wish: Wish, only_passkey: Wish
    ) -> Response[Any]:
        """Answer for what did not pass. `only_passkey` is the wish where a code is not enough."""
        match answer:
            case Held():
                return self.held(visit, answer)
            case Stopped():
                raise MoneyOutStopped(known=" ".join(answer.reasons))
            case StepUp() if Way.CODE not in answer.ways:
                return visit.go(step_up_path(only_passkey))
            case _:
                return visit.go(step_up_path(wish))

    def held(self, visit: Visit, answer: Held) -> Response[Any]:
        """Say why the gate is shut, until when, and which ways are open, in the words of whoever shut it."""
        refusal = refusal_of(answer)
        return show(
            visit,
            self.template,
            status=refusal.status,
            key=refusal.code,
            told=answer.told.get(visit.language, ""),
            until_us=answer.until_us,
            here=self.here,
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
