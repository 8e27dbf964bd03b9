"""A lender at work and somebody who applies: what tests of the way in stand on."""

import asyncio
from datetime import UTC, date, datetime
from typing import NamedTuple

from tests.identity.member_at_hand import CHROME, AtHand, Entered, open_at_hand

from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Way
from sekisho.identity.identity_methods import Method
from sekisho.identity.person_checks import ManualCheck
from sekisho.identity.personal_data import Item, store
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.ids import MemberId
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.lender.application_desk import ApplicationDesk
from sekisho.lender.applications import Application, Said
from sekisho.lender.credit_bureau import Known, TableCreditBureau
from sekisho.lender.documents.desk import DocumentDesk
from sekisho.lender.documents.sheets import Lender
from sekisho.lender.documents.typesetting import Typesetter
from sekisho.lender.house import LenderParts, open_house
from sekisho.lender.identity_checks import IdentityDesk
from sekisho.lender.income_checks import IncomeDesk
from sekisho.lender.reviews import ReviewDesk
from sekisho.lender.screening_desk import OnOutage, ScreeningDesk
from sekisho.lender.signing import SigningDesk

NAME, KANA, BORN = "山田 花子", "ﾔﾏﾀﾞ ﾊﾅｺ", date(1990, 4, 2)
ADDRESS = "東京都架空区見本町1丁目2番3号"
ARRIVAL = Arrival(ip="192.0.2.7", user_agent=CHROME)

ASAGIRI = Lender(
    name="あさぎりローン株式会社",
    address="東京都架空区朝霧一丁目1番1号",
    registration="関東財務局長(1)第00000号",
    telephone="0120-000-000",
    disputes="架空貸金業相談・紛争解決センター 0120-000-001",
)


def said(**changes) -> Said:
    """Return what an ordinary applicant says: 4,000,000 yen a year, five years there, wants 500,000."""
    named = {
        "income_yen": 4_000_000,
        "employer": "見本商事",
        "employed_months": 60,
        "wanted_yen": 500_000,
        "owed_to_lenders_yen": 0,
        "due_day": 5,
    }
    return Said(**{**named, **changes})


class NoTrust:
    """Trusts nobody."""

    async def authorities(self):
        return []

    async def revocation_lists(self):
        return []


class SettableBureau:
    """A table that can be set, fall silent, or say something else; it counts how often it was asked."""

    def __init__(self):
        self.known = Known()
        self.down = False
        self.twisted = {}
        self.questions = []

    async def ask(self, question):
        self.questions.append(question)
        if self.down:
            raise OperationalError("credit bureau", "HTTP 503")
        table = TableCreditBureau({(question.name_kana, question.born_on): self.known})
        answer = await table.ask(question)
        return type(answer)(**{**{f: getattr(answer, f) for f in answer.__struct_fields__}, **self.twisted})


class WayIn(NamedTuple):
    """A lender with all desks of the way in."""

    at_hand: AtHand
    house: LenderParts
    bureau: SettableBureau
    applications: ApplicationDesk
    identity: IdentityDesk
    incomes: IncomeDesk
    screening: ScreeningDesk
    reviews: ReviewDesk
    documents: DocumentDesk
    signing: SigningDesk
    typesetter: Typesetter

    def add_applicant(self, **changes: str) -> MemberId:
        """Add a member with everything that an application needs."""
        member_id = self.at_hand.add_reachable_member()
        items: dict[Item, str] = {
            Item.NAME: NAME,
            Item.NAME_KANA: KANA,
            Item.BIRTH_DATE: BORN.isoformat(),
            Item.HOME_ADDRESS: ADDRESS,
            **{Item(name): value for name, value in changes.items()},
        }
        self.house.store.write(
            lambda at: store(at, self.house.keyring, member_id, items, self.house.clock.now_us())
        ).result()
        return member_id

    def submitted(self, member_id: MemberId, **changes) -> Application:
        """Begin and send off an application."""

        async def run() -> Application:
            begun = await self.applications.begin(member_id, "k1", said(**changes))
            return await self.applications.submit(member_id, begun.id)

        return asyncio.run(run())

    def checked(self, member_id: MemberId, **changes) -> Application:
        """Send an application off, and let staff establish who it is."""
        application = self.submitted(member_id, **changes)
        asyncio.run(self.identity.record(application.id, "c1", manual(self.house.today())))
        return application

    def screened(self, member_id: MemberId, **changes) -> Application:
        """Bring an application through screening."""
        answer = asyncio.run(self.screening.screen(self.checked(member_id, **changes).id))
        assert isinstance(answer, Application)
        return answer

    def enter(self, member_id: MemberId) -> Entered:
        """Log in on a trusted device, and agree to electronic delivery."""
        entered = self.at_hand.log_in(member_id)
        asyncio.run(self.documents.consent(Present(*entered)))
        return entered

    def approve(self, entered: Entered, application: Application, way: Way = Way.PASSKEY) -> Present:
        """Approve exactly what is to be signed."""
        purpose = asyncio.run(self.signing.purpose(entered.session.member_id, application.id))
        return Present(*self.at_hand.prove(entered, way, purpose.key))

    def states(self, application: Application) -> list[str]:
        """Return the states that were told of an application, in order."""
        kind = "lender:application:"
        return [
            event.kind.removeprefix(kind)
            for event in self.at_hand.events()
            if event.kind.startswith(kind) and event.subject == application.id
        ]

    def close(self) -> None:
        self.typesetter.close()
        self.house.store.close()


def manual(today: date, **changes) -> ManualCheck:
    """Return what staff recorded: an ID and registered mail, done today."""
    named = {
        "method": Method.ID_PLUS_MAIL,
        "staff_id": "sato",
        "checked_on": today,
        "passed": True,
        "evidence": ("scan/0001", "mail/0001"),
    }
    return ManualCheck(**{**named, **changes})


def open_way_in(folder, trust=None, *, on_outage=Posture.CLOSED, incomes=None, **postures) -> WayIn:
    """Open a lender in a folder."""
    return way_in_with(open_at_hand(folder), trust, on_outage=on_outage, incomes=incomes, **postures)


def way_in_with(at_hand, trust=None, *, on_outage=Posture.CLOSED, incomes=None, **postures) -> WayIn:
    """Open a lender's desks on a store that is open."""
    house = open_house(at_hand.parts)
    bureau, typesetter = SettableBureau(), Typesetter()
    posture = OnOutage(**{"bureau": Posture.CLOSED, "income": Posture.CLOSED, **postures})
    return WayIn(
        at_hand,
        house,
        bureau,
        ApplicationDesk(house),
        IdentityDesk(house, trust or NoTrust(), on_outage=on_outage),
        IncomeDesk(house),
        ScreeningDesk(house, bureau, incomes, on_outage=posture),
        ReviewDesk(house),
        DocumentDesk(house, ASAGIRI, typesetter),
        SigningDesk(house, ASAGIRI, typesetter),
        typesetter,
    )


def noon_us(day: date) -> int:
    """Return the noon of a day in Japan, in microseconds."""
    return int(datetime(day.year, day.month, day.day, 3, tzinfo=UTC).timestamp()) * SECOND_US


MONTH_US = 31 * DAY_US
