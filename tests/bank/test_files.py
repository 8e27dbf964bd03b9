"""Files of other institutions: whole or not at all, once, each row with its result."""

import asyncio
import contextlib
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bank.mandate_at_hand import NAME, OFF, START, open_bank

from sekisho.bank import deposits, file_partners
from sekisho.bank.deposits import DepositState
from sekisho.bank.file_desk import ROWS_MAX, BankFileRefused, FileDesk
from sekisho.bank.file_exchange import BankFileExchange
from sekisho.bank.file_partners import FilePartnerUnfit, partner_of
from sekisho.bank.mandate_states import Deed, Who
from sekisho.bank.mandates import Origin
from sekisho.bank.switches import Function
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.linking.exchange import FolderTray, InTray
from sekisho.linking.zengin import (
    BankAccount,
    DebitResult,
    FileKind,
    Party,
    Row,
    TransferResult,
    ZenginFile,
    read_file,
    write_file,
)

CODE = "0000008470"
PARTY = Party(CODE, "ｱｻｷﾞﾘﾛ-ﾝ", BankAccount("9901", "001", "1", "0008470"))
PARTNER = partner_of(CODE)


class Sender:
    """A registered sender with a mandate on paper for the account at hand."""

    def __init__(self, bank, *, through_clearing=False):
        self.bank = bank
        self.desk = FileDesk(bank.bank, bank.debits(), bank.switches, through_clearing=through_clearing)
        self.registered = bank.do(lambda at: file_partners.register(at, bank.bank, CODE, PARTY.kana))
        self.mandate = self.lodge()
        bank.clock.advance(2 * DAY_US)

    def lodge(self, **changes):
        plain = {"partner": PARTNER, "user_ref": "", "way": "seal", "origin": Origin.PAPER}
        return self.bank.mandate(**plain | changes)

    def row(self, yen=10_000, reference="R1", deposit=None, **changes):
        deposit = deposit or self.bank.deposit
        account = BankAccount("9901", deposit.branch, deposit.kind.value, deposit.number)
        return Row(account, NAME, Yen(yen), reference)._replace(**changes)

    def file(self, *rows, kind=FileKind.DEBITS, on=None, party=PARTY):
        return ZenginFile(kind, party, on or self.bank.bank.today(), rows or (self.row(),))

    def send(self, *rows, **changes):
        return self.take(write_file(self.file(*rows, **changes)))

    def take(self, octets):
        return asyncio.run(self.desk.take(octets))

    def results(self, *rows, **changes):
        answer = read_file(self.send(*rows, **changes), near=self.bank.bank.today())
        return [row.result for row in answer.rows]

    def settled(self):
        account = self.bank.look(lambda at: find_account(at, self.registered.settlement_account))
        return account.balance.amount


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.audit()
    opened.bank.store.close()


@pytest.fixture
def sender(bank):
    return Sender(bank)


def test_debits_are_collected_with_a_code_for_each(bank, sender):
    poor = bank.open(100)
    sender.lodge(deposit_id=poor.id)
    nobody = BankAccount("9901", "001", "1", "9999999")
    rows = (
        sender.row(10_000, "R1"),
        sender.row(10_000, "R2", poor),
        sender.row(10_000, "R3", account=nobody),
        sender.row(10_000, "R4", bank.open(50_000)),
        sender.row(10_000, "R5", holder_kana="ﾀﾅｶ ﾀﾛｳ"),
        sender.row(10_000, "R6", account=sender.row().account._replace(bank="0125")),
        sender.row(100_001, "R7"),
        sender.row(10_000, "R8", holder_kana="ﾔﾏﾀﾞﾊﾅｺ"),
    )
    assert sender.results(*rows) == ["0", "1", "2", "4", "2", "2", "9", "0"]
    assert bank.balance() == START.amount - 20_000
    assert sender.settled() == 20_000


def test_the_same_file_again_gets_the_same_result(bank, sender):
    octets = write_file(sender.file())
    first = sender.take(octets)
    bank.revoke(sender.mandate)
    bank.clock.advance(DAY_US)
    assert sender.take(octets) == first
    assert sender.take(octets.replace(b"\r\n", b"")) == first
    assert bank.balance() == START.amount - 10_000


def test_a_row_of_a_day_is_taken_once_whatever_file_it_comes_in(bank, sender):
    """A file that was made anew with one more row would debit the others twice."""
    sender.send(sender.row(reference="R1"))
    with pytest.raises(BankFileRefused, match="record 3 reference"):
        sender.send(sender.row(reference="R2"), sender.row(reference="R1"))
    assert bank.balance() == START.amount - 10_000
    bank.clock.advance(DAY_US)
    assert sender.results(sender.row(reference="R1")) == [DebitResult.DONE]


STOPS = {
    "depositor": (lambda b, m: b.deed(m, Deed.STOP), "3"),
    "disputed": (lambda b, m: b.deed(m, Deed.DISPUTE), "3"),
    "revoked": (lambda b, m: b.revoke(m), "3"),
    "collector": (lambda b, m: b.deed(m, Deed.STOP, Who.PARTNER), "8"),
    "bank": (lambda b, m: b.deed(m, Deed.STOP, Who.BANK), "9"),
    "off": (lambda b, _: b.switches.off.update({Function.DEBIT: OFF}), "9"),
    "closed": (
        lambda b, _: b.do(
            lambda at: deposits.set_state(at, b.bank, b.deposit.id, DepositState.CLOSED, "test")
        ),
        "2",
    ),
}


@pytest.mark.parametrize("case", STOPS)
def test_who_has_stopped_a_mandate_is_in_the_code(bank, sender, case):
    stop, code = STOPS[case]
    stop(bank, sender.mandate)
    assert sender.results() == [code]
    assert bank.balance() == START.amount


def test_the_result_is_the_file_with_its_sums(sender):
    answer = sender.send(sender.row(10_000, "R1"), sender.row(200_000, "R2"))
    trailer = answer.split(b"\r\n")[3]
    assert trailer.startswith(b"8000002000000210000" + b"000001000000010000" + b"000001000000200000")


def test_transfers_reach_own_depositors_whose_names_fit(bank, sender):
    rows = (
        sender.row(10_000, "T1"),
        sender.row(10_000, "T2", holder_kana="ﾀﾅｶ ﾀﾛｳ"),
        sender.row(10_000, "T3", account=BankAccount("9901", "002", "1", bank.deposit.number)),
    )
    results = sender.results(*rows, kind=FileKind.TRANSFERS)
    assert results == [TransferResult.PAID, TransferResult.HOLDER_DIFFERS, TransferResult.NO_ACCOUNT]
    assert bank.balance() == START.amount + 10_000
    assert sender.settled() == -10_000


def test_a_sender_without_the_money_sends_nothing(bank, sender):
    with pytest.raises(BankFileRefused):
        sender.send(sender.row(10_000_001), kind=FileKind.TRANSFERS)
    assert bank.balance() == START.amount


def test_what_comes_through_the_clearing_is_settled_with_the_banks(bank):
    sender = Sender(bank, through_clearing=True)
    unknown = PARTY._replace(code="1111111111")
    assert sender.results(kind=FileKind.TRANSFERS, party=unknown) == [TransferResult.PAID]
    assert sender.results() == [DebitResult.DONE]
    assert sender.results(party=unknown) == [DebitResult.NO_MANDATE]
    interbank = bank.look(lambda at: find_account(at, bank.bank.accounts.interbank))
    assert interbank.balance == Yen(0)
    assert sender.settled() == 0


def test_who_is_not_registered_sends_nothing(bank, sender):
    with pytest.raises(BankFileRefused, match="record 1 party_code"):
        sender.send(party=PARTY._replace(code="1111111111"))
    bank.do(lambda at: file_partners.remove(at, bank.bank, CODE))
    with pytest.raises(BankFileRefused):
        sender.send()
    with pytest.raises(FilePartnerUnfit):
        bank.do(lambda at: file_partners.register(at, bank.bank, CODE, "ｱ"))


def wrong(file):
    octets, line = write_file(file), 122
    two = write_file(file._replace(rows=(file.rows[0], file.rows[0]._replace(reference="R2"))))
    answered = file.rows[0]._replace(result=DebitResult.DONE)
    return {
        "short": octets[:-line],
        "cut": octets[:-1],
        "nothing": b"",
        "doubled": octets * 2,
        "a row twice": octets[: 2 * line] + octets[line:],
        "a reference twice": two.replace(b"R2", b"R1"),
        "no reference": write_file(file._replace(rows=(file.rows[0]._replace(reference=""),))),
        "answered": write_file(file._replace(rows=(answered,))),
        "yesterday's in a week": write_file(file._replace(on=file.on - timedelta(days=8))),
        "tomorrow's": write_file(file._replace(on=file.on + timedelta(days=1))),
        "a sum that is none": octets.replace(b"8000001000000010000", b"8000001000000010001"),
        "no rows": write_file(file._replace(rows=())),
        "too many rows": write_file(file._replace(rows=file.rows * (ROWS_MAX + 1))),
        "no amount": octets.replace(b"0000010000", b"0000000000"),
    }


SOME_FILE = ZenginFile(
    FileKind.DEBITS, PARTY, date(2026, 9, 23), (Row(PARTY.account, NAME, Yen(10_000), "R1"),)
)


@pytest.mark.parametrize("case", wrong(SOME_FILE))
def test_a_file_with_anything_wrong_moves_nothing(bank, sender, case):
    octets = wrong(sender.file())[case]
    with pytest.raises(BankFileRefused):
        sender.take(octets)
    assert bank.balance() == START.amount
    assert sender.take(write_file(sender.file()))


@given(at=st.integers(0, 4 * 122 - 1), octet=st.integers(0, 255))
def test_a_changed_octet_debits_nobody_else_and_no_other_amount(files_once, at, octet):
    bank, sender, octets = files_once
    changed = octets[:at] + bytes([octet]) + octets[at + 1 :]
    before = bank.balance()
    moved = bank.do(lambda connection: moved_by(sender, connection, changed))
    assert moved in {0, 10_000}
    assert bank.balance() == before


def moved_by(sender, connection, octets):
    """Return what a file takes from the account, and undo it."""
    before = deposits.balance(connection, sender.bank.deposit)
    savepoint = connection.begin_nested()
    with contextlib.suppress(BankFileRefused):
        sender.desk.take_within(connection, octets)
    after = deposits.balance(connection, sender.bank.deposit)
    savepoint.rollback()
    return (before - after).amount


@pytest.fixture(scope="module")
def files_once(tmp_path_factory):
    bank = open_bank(tmp_path_factory.mktemp("files"))
    sender = Sender(bank)
    yield bank, sender, write_file(sender.file())
    bank.bank.store.close()


def test_files_in_a_folder_are_taken_and_answered_once(bank, sender, tmp_path):
    out, answers = FolderTray(tmp_path / "to_bank"), InTray(tmp_path / "from_bank")
    exchange = BankFileExchange(sender.desk, InTray(tmp_path / "to_bank"), FolderTray(tmp_path / "from_bank"))
    octets = write_file(sender.file())
    out.put("a.txt", octets)
    out.put("b.txt", b"x")
    asyncio.run(exchange.go_round())
    assert answers.waiting() == ["a.txt"]
    assert read_file(answers.read("a.txt"), near=bank.bank.today()).rows[0].result == "0"
    assert (tmp_path / "to_bank" / "refused" / "b.txt").exists()
    # As if the program had died before the file was put away.
    (tmp_path / "to_bank" / "taken" / "a.txt").rename(tmp_path / "to_bank" / "a.txt")
    asyncio.run(exchange.go_round())
    assert bank.balance() == START.amount - 10_000
