"""Applications for a credit line: what somebody says, the states that it goes through, and what is refused.

The way goes on from each state at any hour and from any device; where it was cut off it is taken up again.
Rows are in `application_rows`.
"""

from enum import StrEnum

import msgspec

from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import ApplicationId, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.due_days import DueDay
from sekisho.lender.terms import Terms

LIVES_US = 30 * DAY_US
"""How long an application waits for its next step, in microseconds."""

INCOME_YEN_MAX = 10**10
EMPLOYED_MONTHS_MAX = 12 * 80
EMPLOYER_CHARS_MAX = 100


class State(StrEnum):
    """How far an application has come."""

    DRAFTED = "drafted"
    """It is being written, and can still be changed."""

    SUBMITTED = "submitted"
    """It is made; who made it is to be established."""

    IDENTITY_CHECKED = "identity_checked"
    """Who made it is established; the credit bureau is to be asked."""

    A_PERSON_DECIDES = "a_person_decides"
    """Nothing speaks against it, and something asks for a person's judgement."""

    GRANTED = "granted"
    """A line is offered."""

    DOCUMENTS_SHOWN = "documents_shown"
    """The documents before the contract were handed over."""

    SIGNED = "signed"
    """There is a contract."""

    REFUSED = "refused"
    """There will be no contract."""

    WITHDRAWN = "withdrawn"
    """The applicant took it back."""

    EXPIRED = "expired"
    """Nothing happened for too long."""


GIVEN_UP = frozenset({State.WITHDRAWN, State.EXPIRED})
NEXT: dict[State, frozenset[State]] = {
    State.DRAFTED: frozenset({State.SUBMITTED, *GIVEN_UP}),
    State.SUBMITTED: frozenset({State.IDENTITY_CHECKED, *GIVEN_UP}),
    State.IDENTITY_CHECKED: frozenset(
        {State.GRANTED, State.A_PERSON_DECIDES, State.REFUSED, *GIVEN_UP},
    ),
    State.A_PERSON_DECIDES: frozenset({State.GRANTED, State.REFUSED, *GIVEN_UP}),
    State.GRANTED: frozenset({State.DOCUMENTS_SHOWN, *GIVEN_UP}),
    State.DOCUMENTS_SHOWN: frozenset({State.SIGNED, *GIVEN_UP}),
    State.SIGNED: frozenset(),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.EXPIRED: frozenset(),
}
"""Which state can follow which; nothing follows an end."""

ENDS = frozenset(state for state, following in NEXT.items() if not following)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What an applicant says. Amounts are whole yen, the income that of a year before tax."""

    income_yen: int
    employer: str
    employed_months: int
    wanted_yen: int
    owed_to_lenders_yen: int
    due_day: int


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who applies, as the member's data said when the application was made. `born_on` is an ISO date."""

    name: str
    name_kana: str
    born_on: str
    home_address: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What screening found: the verdict, what spoke for it, and the bureau's answer that it stood on."""

    verdict: str
    findings: tuple[str, ...]
    query_id: str
    income_proven: bool


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """An application as it stands. Limit and rate (thousandths of a per cent) are zero until one is offered.

    `free_days` says whether the first days after the first borrowing cost nothing. Times are microseconds
    since the epoch, UTC.
    """

    id: ApplicationId
    key: str
    member_id: MemberId
    state: State
    said: Said
    who: Who | None
    found: Found | None
    drafted_at_us: int
    submitted_at_us: int | None
    changed_at_us: int
    expires_at_us: int
    terms_id: str
    limit_yen: int
    rate: int
    free_days: bool
    document_id: str | None
    contract_id: str | None

    def is_over(self, now_us: int) -> bool:
        """Say whether it waited too long for its next step."""
        return self.state not in ENDS and now_us >= self.expires_at_us


class Fault(StrEnum):
    """What can't be taken in what an applicant says."""

    INCOME = "income"
    """The income is less than nothing, or more than anybody earns."""

    EMPLOYER = "employer"
    """The employer's name is empty, too long, or has characters that can't be seen."""

    EMPLOYED_MONTHS = "employed_months"
    """The months of employment are not from 0 to 960."""

    WANTED = "wanted"
    """The line is not within the terms, or not a multiple of 10,000 yen."""

    OWED = "owed"
    """What is owed to other lenders is less than nothing, or more than anybody owes."""

    DUE_DAY = "due_day"
    """The due day is none of 5, 15, 25 and 31 (the last of the month)."""


class ApplicationUnusable(Refusal):
    """What an applicant says can't be taken as it is."""

    code = "application_unusable"
    status = 422
    told = "Something in the application can't be taken as it is."

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__(known=" ".join(faults))


class ApplicationDetailsMissing(Refusal):
    """Name, reading, birth date or address are not known yet, and no application goes without them."""

    code = "application_details_missing"
    status = 422
    told = "Please complete your name, its reading, your date of birth and your address first."


class ApplicationNotFound(Refusal):
    """There is no such application of this member."""

    code = "application_not_found"
    status = 404
    told = "There is no such application."


class ApplicationKeyReused(Refusal):
    """The same key came with another application."""

    code = "application_key_reused"
    status = 409
    told = "This request was sent before with other contents."


class ApplicationUnderWay(Refusal):
    """The member has an application that has not ended."""

    code = "application_under_way"
    status = 409
    told = "You have an application under way. Please go on with it, or take it back."


class LineOpen(Refusal):
    """The member has a credit line."""

    code = "line_open"
    status = 409
    told = "You have a credit line with us already."


class NotAtThisStep(Refusal):
    """The application is at another step; what was asked for comes earlier or later, or not at all."""

    code = "application_not_at_this_step"
    status = 409
    told = "Your application is at another step. Please look at where it stands."


def faults_of(said: Said, terms: Terms) -> tuple[Fault, ...]:
    """Return what can't be taken in what somebody says, under the terms of a day."""
    wanted = said.wanted_yen
    rules = (
        (0 <= said.income_yen <= INCOME_YEN_MAX, Fault.INCOME),
        (_is_a_name(said.employer), Fault.EMPLOYER),
        (0 <= said.employed_months <= EMPLOYED_MONTHS_MAX, Fault.EMPLOYED_MONTHS),
        (
            terms.limit_min_yen <= wanted <= terms.limit_max_yen and wanted % terms.limit_min_yen == 0,
            Fault.WANTED,
        ),
        (0 <= said.owed_to_lenders_yen <= INCOME_YEN_MAX, Fault.OWED),
        (said.due_day in set(DueDay), Fault.DUE_DAY),
    )
    return tuple(fault for holds, fault in rules if not holds)


def require_going_on(application: Application, now_us: int, *states: State) -> None:
    """Let an application pass that is in one of these states and did not wait too long.

    Raises NotAtThisStep.
    """
    if application.state not in states or (application.state not in ENDS and application.is_over(now_us)):
        raise NotAtThisStep(known=f"{application.id} is {application.state}")


def offered(application: Application) -> Yen:
    """Return the line that is offered, zero where none is."""
    return Yen(application.limit_yen)


def _is_a_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= EMPLOYER_CHARS_MAX and text.isprintable()
