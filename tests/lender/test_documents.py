"""The documents: what the law asks for stands in them, names are never replaced, what was issued stays."""

import asyncio
import re
import zlib
from datetime import date

import pytest
from sqlalchemy import func, select, update
from tests.lender.applicants import ADDRESS, ARRIVAL, ASAGIRI, NAME, open_way_in

from sekisho.identity.session_desk import Present
from sekisho.kernel.yen import Yen
from sekisho.lender.applications import NotAtThisStep, State
from sekisho.lender.contracts import Contract
from sekisho.lender.documents import archive
from sekisho.lender.documents.archive import Delivery, DocumentNotFound, Kind
from sekisho.lender.documents.consents import DeliveryConsentMissing
from sekisho.lender.documents.sheets import (
    Line,
    Payment,
    at_contract,
    before_contract,
    receipt,
)
from sekisho.lender.documents.typesetting import DocumentNotMade, GlyphMissing, typeset
from sekisho.lender.due_days import DueDay
from sekisho.lender.loan_events import LoanEvent, Movement
from sekisho.lender.rates import Rate
from sekisho.lender.terms import published_terms
from sekisho.response import audit
from sekisho.response.staff import StaffIdUnusable
from sekisho.storage.keyring import Unsealable
from sekisho.storage.tables.applications import delivery_consent, loan_document
from sekisho.storage.tables.lender import credit_contract

DAY = date(2026, 9, 21)
BOOK = published_terms()
LINE = Line(
    to=NAME,
    address=ADDRESS,
    limit=Yen(500_000),
    rate=Rate.parse("18.0"),
    terms=BOOK.on(DAY),
    due_day=DueDay.LAST,
    free_days=30,
)


@pytest.fixture
def way(tmp_path):
    opened = open_way_in(tmp_path)
    yield opened
    opened.close()


def rows_of(sheet):
    return dict(sheet.rows)


def contracts(way):
    with way.house.store.read() as connection:
        return connection.execute(select(func.count()).select_from(credit_contract)).scalar_one()


def test_before_the_contract_everything_stands_that_will_be_agreed():
    sheet = before_contract(ASAGIRI, LINE, BOOK, day=DAY)
    rows = rows_of(sheet)
    assert rows["極度額"] == "500,000円"
    assert rows["貸付けの利率"] == "実質年率 18.0%"
    assert rows["賠償額の予定(遅延損害金)"].startswith("実質年率 20.0%")
    assert rows["返済期日"].startswith("毎月末日")
    assert "300,000円のとき 11,000円" in rows["各回の返済金額"]
    assert "5,000,000円" not in rows["各回の返済金額"]
    assert "最長60か月" in rows["返済期間・返済回数"]
    assert "30日間" in rows["無利息の期間"]
    assert rows["登録番号"] == ASAGIRI.registration
    assert ASAGIRI.disputes in rows["指定紛争解決機関"]
    assert ASAGIRI.address in rows["貸金業者"]


def test_at_the_contract_its_number_and_day_stand_beside_it():
    sheet = at_contract(ASAGIRI, LINE, BOOK, number="0123456789", day=DAY, shown="ab" * 32)
    rows = rows_of(sheet)
    assert (rows["契約番号"], rows["契約年月日"]) == ("0123456789", "2026年9月21日")
    assert rows["ご契約者"] == f"{NAME}\n{ADDRESS}"
    assert "abababab abababab" in rows["契約締結前の書面"]
    before = rows_of(before_contract(ASAGIRI, LINE, BOOK, day=DAY))
    assert {label: rows[label] for label in before} == before


def event(**changes):
    named = {
        "id": "lev_1",
        "key": "r1",
        "contract_id": "ctr_1",
        "kind": "repaid",
        "way": "web_debit",
        "amount_yen": 4_000,
        "delay_yen": 0,
        "interest_yen": 1_463,
        "principal_yen": 2_537,
        "overpaid_yen": 0,
        "balance_yen": 97_463,
        "payment_yen": 4_000,
        "next_due_on": "2026-10-05",
        "effective_on": "2026-09-21",
        "booked_at_us": 0,
        "transfer_id": "trf_1",
        "request": b"",
    }
    return LoanEvent(**{**named, **changes})


def test_a_receipt_has_every_item_that_the_law_lists():
    """貸金業法18条: lender, contract day, loan, what was received with its parts and day, what is left."""
    payment = Payment(debtor=NAME, contract_number="0123456789", contract_day=DAY, limit=Yen(500_000))
    sheet = receipt(ASAGIRI, payment, event())
    rows = rows_of(sheet)
    assert rows["受領金額"] == "4,000円"
    assert (rows["うち賠償金(遅延損害金)"], rows["うち利息"], rows["うち元金"]) == (
        "0円",
        "1,463円",
        "2,537円",
    )
    assert rows["受領年月日"] == "2026年9月21日"
    assert rows["受領後の残存債務の額"] == "97,463円"
    assert rows["貸付けの金額(極度額)"] == "500,000円"
    assert rows["債務者のお名前"] == NAME
    assert "受領しました" in sheet.opening[0]
    assert ASAGIRI.name in sheet.issuer
    assert ASAGIRI.address in sheet.issuer
    assert "お支払いになった方" not in rows
    other = rows_of(receipt(ASAGIRI, Payment(**{**_fields(payment), "payer": "山田 一郎"}), event()))
    assert other["お支払いになった方"] == "山田 一郎"


def _fields(struct):
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def test_the_same_sheet_makes_the_same_octets():
    sheet = before_contract(ASAGIRI, LINE, BOOK, day=DAY)
    one, other = typeset(sheet), typeset(sheet)
    assert one == other
    assert one.pdf.startswith(b"%PDF-")
    assert one.pages == 1
    next_day = before_contract(ASAGIRI, LINE, BOOK, day=date(2026, 9, 22))
    assert typeset(next_day).sha256 != one.sha256


def test_no_letter_is_smaller_than_eight_points():
    """Read from the PDF: the sizes that its text is set in, scaled by what surrounds it."""
    pdf = typeset(before_contract(ASAGIRI, LINE, BOOK, day=DAY)).pdf
    sizes = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            content = zlib.decompress(stream)
        except zlib.error:
            continue
        sizes += [float(size) for size in re.findall(rb"/\S+ ([\d.]+) Tf", content)]
    assert sizes
    assert min(sizes) >= 8


@pytest.mark.parametrize("name", ["\u9ad9\u6a4b 花子", "\U00020bb7野 花子", "葛\U000e0100城 花子"])
def test_a_rare_kanji_is_written_as_it_is(name):
    plain = name.translate({0x9AD9: "高", 0x20BB7: "吉", 0xE0100: None})
    as_is, replaced = (
        typeset(before_contract(ASAGIRI, _named(each), BOOK, day=DAY)).sha256 for each in (name, plain)
    )
    assert as_is != replaced


def _named(name):
    return Line(**{**_fields(LINE), "to": name})


@pytest.mark.parametrize(
    ("name", "points"), [("\U0002b820 花子", "U+2B820"), ("\ue000 花子", "U+E000"), ("\U0001f600", "U+1F600")]
)
def test_a_character_without_a_shape_is_refused_and_only_its_number_is_noted(name, points):
    with pytest.raises(GlyphMissing) as refused:
        typeset(before_contract(ASAGIRI, _named(name), BOOK, day=DAY))
    assert refused.value.known == points
    assert "花子" not in str(refused.value)


def test_a_font_that_is_not_there_is_our_trouble():
    with pytest.raises(DocumentNotMade):
        typeset(before_contract(ASAGIRI, LINE, BOOK, day=DAY), font="No Such Font")


@pytest.mark.parametrize("name", ["#panic()", "$x$ *b* _i_", "[a](b)", "\\u{41}", "</text>"])
def test_a_name_is_text_whatever_it_looks_like(name):
    assert typeset(before_contract(ASAGIRI, _named(name), BOOK, day=DAY)).pages == 1


def test_where_the_contract_cannot_be_typeset_nothing_is_signed(way):
    """The address is on the contract and not on what goes before it."""
    member_id = way.add_applicant(home_address="東京都架空区\U0002b820町1番")
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    present = way.approve(entered, granted)
    with pytest.raises(GlyphMissing):
        asyncio.run(way.signing.sign(present, granted.id, ARRIVAL))
    assert contracts(way) == 0
    assert way.states(granted)[-1] == "documents_shown"
    assert "contract_signed" not in way.at_hand.notices()


def test_where_the_first_document_cannot_be_typeset_it_is_not_shown(way):
    member_id = way.add_applicant(name="\U0002b820 花子")
    granted = way.screened(member_id)
    way.enter(member_id)
    with pytest.raises(GlyphMissing):
        asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    assert way.states(granted)[-1] == "granted"


def test_without_consent_it_goes_on_paper_by_a_named_member_of_staff(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    with pytest.raises(DeliveryConsentMissing):
        asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    with pytest.raises(StaffIdUnusable):
        asyncio.run(way.documents.show_before_contract(member_id, granted.id, on_paper_by="No One"))
    document = asyncio.run(way.documents.show_before_contract(member_id, granted.id, on_paper_by="sato"))
    with way.house.store.read() as connection:
        assert set(archive.deliveries_of(connection, document.id)) == {Delivery.ON_PAPER}
        (act,) = audit.search(connection, act="document:")
    assert (act.actor, act.act, act.subject) == ("sato", "document:handed_over", document.id)
    found = asyncio.run(way.applications.current(member_id))
    assert (found.state, found.free_days) == (State.DOCUMENTS_SHOWN, False)


def test_consent_has_its_times_and_can_be_taken_back(way):
    member_id = way.add_applicant()
    entered = way.enter(member_id)
    asyncio.run(way.documents.consent(Present(*entered)))
    assert asyncio.run(way.documents.withdraw_consent(member_id))
    assert not asyncio.run(way.documents.withdraw_consent(member_id))
    asyncio.run(way.documents.consent(Present(*entered)))
    with way.house.store.read() as connection:
        rows = connection.execute(select(delivery_consent).order_by(delivery_consent.c.given_at_us)).all()
    assert [row.withdrawn_at_us is None for row in rows] == [False, True]
    assert {row.session_id for row in rows} == {entered.session.id}


def test_a_document_is_issued_once_and_read_as_it_was(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    way.enter(member_id)
    first = asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    way.at_hand.clock.advance(3 * 86_400 * 1_000_000)
    again = asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    assert again == first
    one, other = (asyncio.run(way.documents.read(member_id, first.id)) for _ in range(2))
    assert one.pdf == other.pdf
    assert NAME.encode() not in way.at_hand.file.read_bytes()
    assert one.pdf not in way.at_hand.file.read_bytes()


def test_nobody_reads_somebody_elses_document(way):
    member_id, stranger = way.add_applicant(), way.add_applicant()
    granted = way.screened(member_id)
    way.enter(member_id)
    document = asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    with pytest.raises(DocumentNotFound):
        asyncio.run(way.documents.read(stranger, document.id))
    assert asyncio.run(way.documents.of_member(stranger)) == []


def test_what_was_approved_must_be_there_when_it_is_signed(way):
    """A document that was exchanged in the table signs nothing."""
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    document = asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    present = way.approve(entered, granted)
    forged = way.house.keyring.seal(b"%PDF-another", context=f"document:{member_id}:{document.id}")
    way.house.store.write(lambda at: at.execute(update(loan_document).values(sealed=forged))).result()
    with pytest.raises(Unsealable):
        asyncio.run(way.signing.sign(present, granted.id, ARRIVAL))
    assert contracts(way) == 0


@pytest.fixture
def signed(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    return asyncio.run(way.signing.sign(way.approve(entered, granted), granted.id, ARRIVAL)).contract


def moved(way, contract: Contract, what, key, yen, day):
    movement = Movement(key, Yen(yen), day, "transfer", way.house.accounts.bank)
    return way.house.store.write(
        lambda at: getattr(way.house.loans, what)(at, contract.id, movement)
    ).result()


def test_a_repayment_has_one_receipt_and_a_borrowing_has_none(way, signed):
    today = way.house.today()
    borrowed = moved(way, signed, "borrow", "b1", 100_000, today)
    repaid = moved(way, signed, "repay", "r1", 4_000, today)
    first = asyncio.run(way.documents.of_event(signed.member_id, repaid.id))
    assert first.kind is Kind.RECEIPT
    assert asyncio.run(way.documents.of_event(signed.member_id, repaid.id)) == first
    for member_id, event_id in (
        (signed.member_id, borrowed.id),
        (signed.member_id, "lev_none"),
        (way.add_applicant(), repaid.id),
    ):
        with pytest.raises(DocumentNotFound):
            asyncio.run(way.documents.of_event(member_id, event_id))
    kinds = [document.kind for document in asyncio.run(way.documents.of_member(signed.member_id))]
    assert sorted(kinds) == ["before_contract", "contract", "receipt"]


def test_the_contracts_number_is_the_one_on_its_document(way, signed):
    document = next(
        each for each in asyncio.run(way.documents.of_member(signed.member_id)) if each.kind is Kind.CONTRACT
    )
    assert document.subject == f"contract:{signed.id}"
    assert len(signed.number) == 10


def test_documents_are_not_shown_for_what_was_not_granted(way):
    application = way.checked(way.add_applicant())
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.documents.show_before_contract(application.member_id, application.id))
