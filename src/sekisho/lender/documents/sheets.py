"""What stands in each document: the items that the Money Lending Business Act asks for, in Japanese.

Pure: the same facts make the same sheet. The text is for members, and in their words where the law leaves a
choice.
"""

import datetime as dt

import msgspec

from sekisho.kernel.yen import Yen
from sekisho.lender.due_days import DueDay
from sekisho.lender.loan_events import LoanEvent
from sekisho.lender.rates import Rate
from sekisho.lender.repayment import fixed_payment
from sekisho.lender.terms import Terms, TermsBook

_EXAMPLES = (100_000, 300_000, 500_000, 1_000_000, 5_000_000)


class Lender(msgspec.Struct, frozen=True, kw_only=True):
    """The lender as its documents name it. `disputes` is the body for complaints that the law designates."""

    name: str
    address: str
    registration: str
    telephone: str
    disputes: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """The credit line that a document is about, and to whom. `free_days` is zero where none are free."""

    to: str
    address: str
    limit: Yen
    rate: Rate
    terms: Terms
    due_day: DueDay
    free_days: int


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A document before it is typeset: rows of a label and a text, paragraphs around them."""

    title: str
    made: tuple[int, int, int]
    day: str
    lender: str
    to: str
    opening: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    closing: tuple[str, ...]
    issuer: str


def before_contract(lender: Lender, line: Line, book: TermsBook, *, day: dt.date) -> Sheet:
    """Return what is handed over before the contract (貸金業法16条の2, for a revolving basic contract)."""
    return Sheet(
        title="契約締結前の書面",
        made=(day.year, day.month, day.day),
        day=in_japanese(day),
        lender=lender.name,
        to=line.to,
        opening=(
            "ご契約の前に、次の内容をご確認ください。この書面をお渡しした時点では、ご契約は成立していません。",
        ),
        rows=(*_line_rows(line, book), *_lender_rows(lender)),
        closing=("内容にご不明な点がありましたら、お手続きを進める前に、お電話でおたずねください。",),
        issuer=_issuer(lender),
    )


def at_contract(  # noqa: PLR0913 - a contract has a number and a day beside what it agrees
    lender: Lender, line: Line, book: TermsBook, *, number: str, day: dt.date, shown: str
) -> Sheet:
    """Return what is handed over at the contract (貸金業法17条2項).

    `shown` is the digest of the document that went before it.
    """
    return Sheet(
        title="極度方式基本契約書面",
        made=(day.year, day.month, day.day),
        day=in_japanese(day),
        lender=lender.name,
        to=line.to,
        opening=("次の内容でご契約いただきました。この書面は、大切に保管してください。",),
        rows=(
            ("契約番号", number),
            ("契約年月日", in_japanese(day)),
            ("ご契約者", f"{line.to}\n{line.address}"),
            *_line_rows(line, book),
            *_lender_rows(lender),
            ("契約締結前の書面", f"お客さまがご確認のうえ承認された書面の識別値(SHA-256)\n{_grouped(shown)}"),
        ),
        closing=(),
        issuer=_issuer(lender),
    )


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment to be receipted: under which contract, from whom. `payer` is empty where the debtor paid."""

    debtor: str
    contract_number: str
    contract_day: dt.date
    limit: Yen
    payer: str = ""


def receipt(lender: Lender, payment: Payment, event: LoanEvent) -> Sheet:
    """Return the receipt of one payment (貸金業法18条). The event must be a repayment."""
    day = dt.date.fromisoformat(event.effective_on)
    rows = [
        ("契約番号", payment.contract_number),
        ("契約年月日", in_japanese(payment.contract_day)),
        ("貸付けの金額(極度額)", payment.limit.in_japanese()),
        ("債務者のお名前", payment.debtor),
        ("受領年月日", in_japanese(day)),
        ("受領金額", Yen(event.amount_yen).in_japanese()),
        ("うち賠償金(遅延損害金)", Yen(event.delay_yen).in_japanese()),
        ("うち利息", Yen(event.interest_yen).in_japanese()),
        ("うち元金", Yen(event.principal_yen).in_japanese()),
    ]
    if event.overpaid_yen:
        rows.append(("お預かり(過払い)", Yen(event.overpaid_yen).in_japanese()))
    if payment.payer:
        rows.append(("お支払いになった方", payment.payer))
    rows += [
        ("受領後の残存債務の額", Yen(event.balance_yen).in_japanese()),
        ("登録番号", lender.registration),
    ]
    return Sheet(
        title="受取証書",
        made=(day.year, day.month, day.day),
        day=in_japanese(day),
        lender=lender.name,
        to=payment.payer or payment.debtor,
        opening=("次のとおり、弁済として受領しました。",),
        rows=tuple(rows),
        closing=(),
        issuer=_issuer(lender),
    )


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A contract that ended: whose, which, and on which day."""

    debtor: str
    contract_number: str
    contract_day: dt.date
    limit: Yen
    ended_on: dt.date


def contract_end(lender: Lender, settlement: Settlement) -> Sheet:
    """Return the confirmation that a contract ended: no law asks for it, and members keep it as evidence."""
    day = settlement.ended_on
    return Sheet(
        title="解約のお知らせ",
        made=(day.year, day.month, day.day),
        day=in_japanese(day),
        lender=lender.name,
        to=settlement.debtor,
        opening=("お申し出により、次のご契約を解約しました。",),
        rows=(
            ("契約番号", settlement.contract_number),
            ("契約年月日", in_japanese(settlement.contract_day)),
            ("極度額", settlement.limit.in_japanese()),
            ("債務者のお名前", settlement.debtor),
            ("解約年月日", in_japanese(day)),
            ("解約日における残存債務の額", Yen(0).in_japanese()),
            *_lender_rows(lender),
        ),
        closing=(
            "このご契約に基づく新たなお借入れはできません。ご登録の受取口座は、解約とともに削除しました。",
            "解約後にお振込みがあったときは、ご返済には充てずにお預かりし、お返しします。",
        ),
        issuer=_issuer(lender),
    )


def in_japanese(day: dt.date) -> str:
    """Write a day as documents do: `2026年11月22日`."""
    return f"{day.year}年{day.month}月{day.day}日"


def due_day_in_words(due_day: DueDay, language: str) -> str:
    """Say on which day of the month a payment is due."""
    if language == "ja":
        return "毎月末日" if due_day is DueDay.LAST else f"毎月{due_day.value}日"
    if due_day is DueDay.LAST:
        return "the last of the month"
    return f"the {due_day.value}th of the month"


def _line_rows(line: Line, book: TermsBook) -> tuple[tuple[str, str], ...]:
    free = (
        f"はじめてお借入れになった日の翌日から{line.free_days}日間は、利息がかかりません。"
        if line.free_days
        else "ありません。"
    )
    return (
        ("契約の種類", "極度方式基本契約(極度額の範囲で繰り返しお借入れいただけます)"),
        ("極度額", line.limit.in_japanese()),
        ("貸付けの利率", f"実質年率 {line.rate}"),
        (
            "利息の計算方法",
            "残高に利率をかけ、365(うるう年の日は366)で割り、お借入れの翌日からの日数をかけます。1円未満は切り捨てます。",
        ),
        ("無利息の期間", free),
        ("返済の方式", "残高スライド元利定額返済方式"),
        ("各回の返済金額", _payments(line, book)),
        ("返済期間・返済回数", _terms_of_payment(line, book)),
        ("返済期日", f"{due_day_in_words(line.due_day, 'ja')}(金融機関の休業日に当たるときは、翌営業日)"),
        ("返済の方法", "口座からの即時払い、提携ATM、銀行振込"),
        ("賠償額の予定(遅延損害金)", f"実質年率 {line.terms.delay_rate}(返済期日の翌日から、元金に対して)"),
        ("担保・保証人", "不要"),
        ("契約に関する費用", _fees(book)),
        ("期限前の返済", "いつでもでき、手数料や違約金はかかりません。"),
        (
            "期限の利益の喪失",
            "返済期日に返済がないときは、利息制限法の範囲で、残りの全額を直ちにお支払いいただくことがあります。",
        ),
    )


def _payments(line: Line, book: TermsBook) -> str:
    examples = [Yen(most) for most in _EXAMPLES if most <= line.limit.amount] or [line.limit]
    told = [
        f"最後のお借入れ後の残高が{balance.in_japanese()}のとき {fixed_payment(balance, book).in_japanese()}"
        for balance in examples
    ]
    return "\n".join(("最後のお借入れ後の残高に応じて決まり、次のお借入れまで変わりません。", *told))


def _terms_of_payment(line: Line, book: TermsBook) -> str:
    # Longer terms belong to higher balances, and the line is the highest that there can be.
    longest = book.band(line.limit).payments_max
    return f"お借入れの残高に応じて、最長{longest}か月・1回から{longest}回"


def _fees(book: TermsBook) -> str:
    fees = sorted({fee.fee_yen for fee in book.atm_fees})
    told = "・".join(Yen(fee).in_japanese() for fee in fees)
    return f"ありません。提携ATMでは、金額に応じて1回{told}(税込)の手数料がかかります。"


def _lender_rows(lender: Lender) -> tuple[tuple[str, str], ...]:
    return (
        ("貸金業者", f"{lender.name}\n{lender.address}\n電話 {lender.telephone}"),
        ("登録番号", lender.registration),
        ("指定紛争解決機関", lender.disputes),
    )


def _issuer(lender: Lender) -> str:
    return f"{lender.name}\n{lender.address}\n登録番号 {lender.registration}"


def _grouped(digest: str) -> str:
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))
