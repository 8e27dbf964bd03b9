"""Notices: what members are told of what happened to their account, in their language and without a link.

Phishers copy notices, link and all. Ours say what happened, when, from which device and place, and what to
do; the way back is the site that members open themselves, and the telephone number.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.japan import JAPAN
from sekisho.kernel.yen import Yen

NOTICES = Path(__file__).with_name("notices.toml")

TIMES = frozenset({"when", "until"})
"""The values that are times: microseconds since the epoch, UTC."""

AMOUNTS = frozenset({"amount"})
"""The values that are amounts: whole yen."""

VALUE_CHARACTERS_MAX = 120
DIGITS_MAX = 6

_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
# A passkey's name is typed by whoever added it: it must not become a link or a number to call.
_UNSAFE = re.compile(r"https?|www|[^\w (),・、ー々〆+-]|_", re.IGNORECASE)


class NoticeKind(StrEnum):
    """What a notice tells."""

    LOGIN_NEW_DEVICE = "login_new_device"
    """A device that the member has not used before logged in."""

    LOGIN_UNFINISHED = "login_unfinished"
    """The password was right and the second factor was not given."""

    PASSWORD_GUESSED = "password_guessed"  # noqa: S105 - a notice's name, no password
    """Strangers got the password wrong so often that it works on known devices only."""

    PASSKEY_ADDED = "passkey_added"
    """There is one more passkey."""

    PASSKEY_REMOVED = "passkey_removed"
    """There is one passkey less."""

    PASSKEY_SUSPECTED = "passkey_suspected"
    """A passkey seems to have been copied, and opens nothing any more."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a notice's name, no password
    """The member changed the password."""

    PASSWORD_INVALIDATED = "password_invalidated"  # noqa: S105 - a notice's name, no password
    """The institution made the password worthless."""

    ACCOUNT_CONTAINED = "account_contained"
    """Somebody else may have logged in: password worthless, sessions ended, money on hold."""

    ACCOUNT_REOPENED = "account_reopened"
    """It was the member: what was done to protect the account is taken back."""

    HOLD_LIFTED = "hold_lifted"
    """Staff ended, before its time, a hold that kept money in the account."""

    EMAIL_CHANGED_OLD = "email_changed_old"
    """The e-mail address was changed: to the one that was registered before."""

    EMAIL_CHANGED_NEW = "email_changed_new"
    """The e-mail address was changed: to the new one, and to the mobile number."""

    MOBILE_CHANGED_OLD = "mobile_changed_old"
    """The mobile number was changed: to the one that was registered before, and by e-mail."""

    MOBILE_CHANGED_NEW = "mobile_changed_new"
    """The mobile number was changed: to the new one."""

    DEVICE_APPROVED = "device_approved"
    """A trusted device approved another one."""

    SIGN_IN_DISOWNED = "sign_in_disowned"
    """"This wasn't me" was taken: session ended, device no longer trusted, money on hold."""

    ACCOUNT_FROZEN = "account_frozen"
    """The member stopped the account."""

    ACCOUNT_UNFROZEN = "account_unfrozen"
    """The member opened the account again."""

    RECOVERY_ASKED = "recovery_asked"
    """A recovery was asked for and waits."""

    RECOVERY_WAITING = "recovery_waiting"
    """The recovery still waits: once a day."""

    RECOVERY_CANCELLED = "recovery_cancelled"
    """The recovery was cancelled."""

    RECOVERY_COMPLETED = "recovery_completed"
    """The recovery is complete; money is on hold for some days."""

    PERSONAL_DATA_SHOWN = "personal_data_shown"
    """Masked data were shown in full on a new device."""

    CODE_ENTERED_ELSEWHERE = "code_entered_elsewhere"
    """A code was entered from elsewhere than it was asked for: it may have been relayed."""

    SIGN_UP_AS_MEMBER = "sign_up_as_member"
    """Somebody asked to sign up with a contact that is a member's already; sent in place of a code."""

    APPLICATION_DECIDED = "application_decided"
    """An application was decided; what was decided stands on the site alone."""

    CONTRACT_SIGNED = "contract_signed"
    """A loan contract was signed."""

    CONTRACT_ENDED = "contract_ended"
    """A loan contract ended, at the member's wish."""

    INCOME_DECIDED = "income_decided"
    """A newer income that the member declared was looked at; what came of it stands on the site alone."""

    PAYMENT_NOT_OWED = "payment_not_owed"
    """A payment came for a contract under which nothing is owed; it is kept for the member."""

    LINE_CLOSED = "line_closed"
    """A credit line lends no more for now; why stands on the site alone."""

    LINE_OPENED = "line_opened"
    """A credit line that lent no more lends again."""

    PAYOUT_CHANGED = "payout_changed"
    """An account for payouts was registered; money goes there from a time on."""

    PAYOUT_CANCELLED = "payout_cancelled"
    """The account that waited to be used was cancelled."""

    MONEY_BORROWED = "money_borrowed"
    """Money was borrowed by transfer."""

    TRANSFER_RETURNED = "transfer_returned"
    """The bank sent a transfer back; nothing was borrowed."""

    DEBIT_FAILED = "debit_failed"
    """The bank did not debit what was to be repaid."""

    CASH_DRAWN = "cash_drawn"
    """A smartphone ATM paid cash out."""

    ATM_PIN_SET = "atm_pin_set"
    """A PIN for smartphone ATMs was set."""

    ATM_PIN_LOCKED = "atm_pin_locked"
    """The PIN was wrong too often at a smartphone ATM, and is locked."""

    ACCOUNT_LINKED = "account_linked"
    """An account was linked with a service, at the bank's own site."""

    LINK_PIN_LOCKED = "link_pin_locked"
    """The PIN was mistyped so often on the web that links by PIN are locked for a while."""

    ACCOUNT_DEBITED = "account_debited"
    """A linked service debited the account for the first time; with the code that stops the link."""

    DEBIT_HELD = "debit_held"
    """The bank held a debit back and stopped the link until the depositor confirms it."""

    MANDATE_STOPPED = "mandate_stopped"
    """A link was stopped or ended; nothing is debited through it any more."""

    MANDATE_ALLOWED = "mandate_allowed"
    """A stopped link was allowed again; with the code that stops it."""

    MANDATE_REPORTED = "mandate_reported"
    """The depositor reported debits as somebody else's; with the number of the report."""

    BANK_LINKED = "bank_linked"
    """A bank account was linked to the wallet."""

    BANK_LINK_STOPPED = "bank_link_stopped"
    """A linked bank account can't be used any more, or not for now, and it was not the member's doing."""

    PAYMENT_MADE = "payment_made"
    """The wallet paid at a shop."""

    PAYMENT_REFUNDED = "payment_refunded"
    """A shop gave money back into the wallet."""

    SEND_MADE = "send_made"
    """The wallet sent money to a phone number."""

    SEND_OFFERED = "send_offered"
    """Money was sent to this phone number, and waits to be accepted."""

    SEND_RETURNED = "send_returned"
    """Money that was sent came back: it was turned down, taken back, or nobody accepted it in time."""

    IDENTITY_CONFIRMED = "identity_confirmed"
    """The member's identity was established for the wallet."""

    WALLET_CHARGED = "wallet_charged"
    """Money came into the wallet from a linked account."""

    WALLET_PAID_OUT = "wallet_paid_out"
    """Money went from the wallet to a linked account."""

    WALLET_PAYOUT_FAILED = "wallet_payout_failed"
    """The bank did not take a payout; the money is back in the wallet."""

    WALLET_CLOSED = "wallet_closed"
    """The wallet was closed for good, by its member or at the member's request."""


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A notice in one language: the mail's subject, what happened, what to do; and the text message."""

    subject: str
    what: str
    todo: str
    sms: str


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A notice in both languages. `facts` names the values that it needs."""

    version: int
    facts: tuple[str, ...]
    ja: Wording
    en: Wording

    def wording(self, language: str) -> Wording:
        """Return the words in a language, the Japanese ones where it is not English."""
        return self.en if language == "en" else self.ja


class NoticeText(NamedTuple):
    """A notice as it is sent. `kind` names its kind and version: `notice:login_new_device:1`."""

    kind: str
    subject: str
    text: str
    sms_text: str


class _Frame(NamedTuple):
    """What surrounds every notice in one language."""

    labels: dict[str, str]
    colon: str
    unknown: str
    subject: str
    sms: str
    closing: str


_FRAMES = {
    "ja": _Frame(
        labels={
            "when": "日時",
            "until": "期限",
            "device": "端末",
            "place": "場所",
            "passkey": "パスキーの名前",
            "items": "表示された項目",
            "action": "確認コードの使いみち",
            "amount": "金額",
            "partner": "サービス",
            "bank": "金融機関",
            "stop_code": "停止コード",
            "reference": "受付番号",
        },
        colon="\uff1a",
        unknown="不明",
        subject="【{institution}】{subject}",
        sms="【{institution}】{sms}",
        closing="サイトは、いつもの方法でご自身で開いてください。このお知らせに、リンクは載せていません。\n"
        "電話やメールなどで、パスワードや確認コードをおたずねすることはありません。\n\n"
        "{institution}\n電話 {telephone}\n",
    ),
    "en": _Frame(
        labels={
            "when": "When",
            "until": "Until",
            "device": "Device",
            "place": "Place",
            "passkey": "Passkey",
            "items": "Data shown",
            "action": "What the code was for",
            "amount": "Amount",
            "partner": "Service",
            "bank": "Bank",
            "stop_code": "Stop code",
            "reference": "Reference",
        },
        colon=": ",
        unknown="unknown",
        subject="[{institution}] {subject}",
        sms="{institution}: {sms}",
        closing="Open the site yourself, as you always do: this notice has no link.\n"
        "We never ask for your password or a code, by telephone, by mail or in any other way.\n\n"
        "{institution}\nTelephone {telephone}\n",
    ),
}


@cache
def notices() -> dict[NoticeKind, Notice]:
    """Read the notices. Raises msgspec.ValidationError where the file lacks one or has one too many."""
    read = msgspec.convert(tomllib.loads(NOTICES.read_text(encoding="utf-8")), dict[NoticeKind, Notice])
    missing = set(NoticeKind) - set(read)
    if missing:
        raise msgspec.ValidationError(f"no words for {', '.join(sorted(missing))}")
    return read


def notice(
    kind: NoticeKind,
    language: str,
    institution_name: str,
    telephone: str,
    values: Mapping[str, str | int],
) -> NoticeText:
    """Put a notice into words: for a mail (subject and text) and for a text message.

    `values` holds each of the notice's facts: times (`when`, `until`) in microseconds since the epoch, UTC,
    amounts in whole yen, everything else as words in that language, empty where it is not known. Raises
    KeyError where a fact is missing and TypeError where a time is not a number.
    """
    found = notices()[kind]
    frame = _FRAMES["en" if language == "en" else "ja"]
    wording = found.wording(language)
    facts = {name: _told(name, values[name], language) or frame.unknown for name in found.facts}
    ours = {"institution": institution_name, "telephone": telephone}
    return NoticeText(
        kind=f"notice:{kind.value}:{found.version}",
        subject=frame.subject.format(**ours, subject=wording.subject),
        text="\n\n".join(
            (
                wording.what,
                "\n".join(f"{frame.labels[name]}{frame.colon}{value}" for name, value in facts.items()),
                wording.todo,
                frame.closing.format(**ours),
            )
        ),
        sms_text=frame.sms.format(**ours, sms=filled(wording.sms, {**facts, **ours})),
    )


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of their names in braces, once: a value's own braces stay what they are."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def moment(at_us: int, language: str) -> str:
    """Write a time as people in Japan read it: `2026年11月21日(土)14:05`."""
    at = datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(JAPAN)
    if language == "en":
        weekday = _WEEKDAYS["en"][at.weekday()]
        return f"{weekday} {at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} (Japan time)"
    return f"{at.year}年{at.month}月{at.day}日({_WEEKDAYS['ja'][at.weekday()]}){at:%H:%M}"


def harmless(value: str) -> str:
    """Take from a value what could become a link, or a number to call, in somebody's mail program."""
    plain = " ".join(_UNSAFE.sub(" ", value).split())[:VALUE_CHARACTERS_MAX]
    if sum(character.isdigit() for character in plain) > DIGITS_MAX:
        plain = " ".join(re.sub(r"\d+", " ", plain).split())
    return plain


def _told(name: str, value: str | int, language: str) -> str:
    if name in TIMES:
        if not isinstance(value, int):
            raise TypeError(f"the time {name!r} is microseconds, not {type(value).__name__}")
        return moment(value, language)
    if name in AMOUNTS:
        yen = Yen(int(value))
        return yen.in_english() if language == "en" else yen.in_japanese()
    return harmless(str(value))
