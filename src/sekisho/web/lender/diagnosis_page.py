"""The three-second diagnosis, open to everybody: nobody says who they are, and nothing is kept."""

from datetime import date
from typing import Any, NamedTuple

from litestar import Response, get, post

from sekisho.kernel.yen import Yen
from sekisho.lender.diagnosis import LENT_IN_YEN, Answers, diagnose
from sekisho.web.lender.desks import desks_of
from sekisho.web.members.forms import Form
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of
from sekisho.web.members.writing import show

OPEN = {ROLE: Role.ANYONE}
FIELDS = ("birth_date", "income", "owed")
UNPROCESSABLE = 422
NOTHING_TYPED = dict.fromkeys(FIELDS, "")
MAN_MAX = 1_000_000


class Read(NamedTuple):
    """A form that was read: the answers, or what is wrong by field."""

    answers: Answers | None
    errors: dict[str, str]


@get("/diagnosis", opt=OPEN, sync_to_thread=False)
def diagnosis_page(request: AnyRequest) -> Response[Any]:
    """Ask three questions."""
    return show(visit_of(request), "lender/diagnosis.html", typed=NOTHING_TYPED, errors={})


@post("/diagnosis", opt=OPEN, sync_to_thread=False)
def answer_diagnosis(request: AnyRequest) -> Response[Any]:
    """Say whether an application makes sense, and for up to how much."""
    visit, house = visit_of(request), desks_of(request).house
    answers, errors = read_answers(visit.form)
    if answers is None:
        typed = {name: visit.form[name][:20] for name in FIELDS}
        return show(visit, "lender/diagnosis.html", status=UNPROCESSABLE, typed=typed, errors=errors)
    today = house.today()
    diagnosis = diagnose(answers, house.book.on(today), today=today)
    return show(visit, "lender/diagnosed.html", status=200, diagnosis=diagnosis)


def read_answers(form: Form) -> Read:
    """Read the form: a birth date, and two amounts in ten thousands of yen."""
    born_on, income, owed = (
        _day(form.trimmed("birth_date")),
        typed_man(form["income"]),
        typed_man(form["owed"] or "0"),
    )
    wrong = {"birth_date": born_on is None, "income": income is None, "owed": owed is None}
    if born_on is None or income is None or owed is None:
        faults = {
            "birth_date": "birth_date_wrong",
            "income": "amount_unreadable",
            "owed": "amount_unreadable",
        }
        return Read(None, {name: faults[name] for name, is_wrong in wrong.items() if is_wrong})
    return Read(Answers(born_on, income, owed), {})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def typed_man(text: str) -> Yen | None:
    """Read a number of ten thousands of yen."""
    try:
        man = Yen.parse(text).amount
    except ValueError:
        return None
    return Yen(man * LENT_IN_YEN) if 0 <= man <= MAN_MAX else None


ROUTES = (diagnosis_page, answer_diagnosis)
