"""When a transfer can go out: at any hour, but for maintenance and for banks that are closed.

The windows stand in `transfer_hours.toml`, dated and with their sources. A transfer that cannot go out now
waits, and its member is told until when.
"""

import datetime as dt
import tomllib
from functools import cache
from pathlib import Path

import msgspec

from sekisho.kernel.japan import in_japan, japanese_us
from sekisho.lender.due_days import is_bank_holiday

_FILE = Path(__file__).with_suffix(".toml")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = dt.timedelta(days=7)
_STEPS_MAX = 100


class ClosedWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A time of every week in which nothing goes out, to one bank or to any (`bank` empty).

    `begins` and `ends` are a weekday and a time of day in Japan; `until` is the first day on which it no
    longer holds.
    """

    id: str
    from_: dt.date = msgspec.field(name="from")
    until: dt.date | None = None
    bank: str = ""
    begins: str
    ends: str
    source: str


class BusinessHours(msgspec.Struct, frozen=True, kw_only=True):
    """A bank that takes transfers on business days only, from `opens` to `closes`."""

    id: str
    from_: dt.date = msgspec.field(name="from")
    until: dt.date | None = None
    bank: str
    opens: str
    closes: str
    source: str


class TransferHours(msgspec.Struct, frozen=True, kw_only=True):
    """All windows there are."""

    closed: tuple[ClosedWindow, ...] = ()
    business_hours: tuple[BusinessHours, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be read when it is needed. Raises ValueError."""
        for window in self.closed:
            _since_monday(window.begins)
            _since_monday(window.ends)
        for hours in self.business_hours:
            if not _time(hours.opens) < _time(hours.closes):
                raise ValueError(f"{hours.id}: a bank closes after it opened")

    def goes_out_us(self, bank: str, at_us: int) -> int:
        """Return when a transfer to a bank goes out that could leave at a time: then, or later.

        Raises LookupError where the windows leave no time at all.
        """
        moment = in_japan(at_us)
        for _ in range(_STEPS_MAX):
            later = self._opens_again(bank, moment)
            if later is None:
                return max(at_us, japanese_us(moment))
            moment = later
        raise LookupError(f"no transfer to the bank {bank} can ever go out")

    def _opens_again(self, bank: str, moment: dt.datetime) -> dt.datetime | None:
        for window in self.closed:
            if window.bank in {"", bank} and _holds(window, moment) and (end := _end(window, moment)):
                return end
        for hours in self.business_hours:
            if hours.bank == bank and _holds(hours, moment) and (opening := _opening(hours, moment)):
                return opening
        return None


def _holds(rule: ClosedWindow | BusinessHours, moment: dt.datetime) -> bool:
    day = moment.date()
    return rule.from_ <= day and (rule.until is None or day < rule.until)


def _end(window: ClosedWindow, moment: dt.datetime) -> dt.datetime | None:
    """Return when a window ends that a moment lies in."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - dt.timedelta(days=moment.weekday())
    into, begins, ends = moment - monday, _since_monday(window.begins), _since_monday(window.ends)
    length = (ends - begins) % _WEEK
    passed = (into - begins) % _WEEK
    return moment + (length - passed) if passed < length else None


def _opening(hours: BusinessHours, moment: dt.datetime) -> dt.datetime | None:
    """Return when a bank opens that is closed at a moment."""
    opens, closes = _time(hours.opens), _time(hours.closes)
    day, now = moment.date(), moment.time().replace(tzinfo=None)
    if not is_bank_holiday(day) and opens <= now < closes:
        return None
    if now >= opens:
        day += dt.timedelta(days=1)
    while is_bank_holiday(day):
        day += dt.timedelta(days=1)
    return dt.datetime.combine(day, opens, tzinfo=moment.tzinfo)


def _since_monday(text: str) -> dt.timedelta:
    day, _, time = text.partition(" ")
    if day not in _DAYS:
        raise ValueError(f"no weekday and time: {text!r}")
    at = _time(time)
    return dt.timedelta(days=_DAYS.index(day), hours=at.hour, minutes=at.minute)


def _time(text: str) -> dt.time:
    return dt.time.fromisoformat(text)


def read_transfer_hours(text: str) -> TransferHours:
    """Read windows. Raises msgspec.ValidationError and ValueError where they cannot be any."""
    return msgspec.convert(tomllib.loads(text), TransferHours)


@cache
def published_transfer_hours() -> TransferHours:
    """Return the windows that come with the program."""
    return read_transfer_hours(_FILE.read_text(encoding="utf-8"))
