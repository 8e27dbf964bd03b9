"""Attempts as OCSF Authentication events (class 3002, schema 1.8.0), in both directions.

The fields are listed in docs/reference/attempt-record.md. What OCSF has no field for stands in `unmapped`,
under the attempt record's own name, so that nothing is lost on the way there and back.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.gathering import Gathering
from sekisho.campaigns.logs.objects import read_objects
from sekisho.campaigns.logs.record import FLAGS, RawRecords
from sekisho.campaigns.logs.times import time_us_of
from sekisho.guard.attempts import ChallengeResult, Gate, Outcome
from sekisho.kernel.clock import rfc3339

AUTHENTICATION = 3002
LOGON = 1
SUCCESS, FAILURE, OTHER = 1, 2, 99
_MS_US = 1_000
_KEPT_AT_ZERO = ("status_id", "time")

_DETAIL_OF = {
    Outcome.WRONG_SECRET: "INVALID_CREDENTIALS",
    Outcome.NO_SUCH_MEMBER: "USER_DOES_NOT_EXIST",
    Outcome.REFUSED: "ACCOUNT_LOCKED_OUT",
}
_OUTCOME_OF = {detail: outcome for outcome, detail in _DETAIL_OF.items()} | {
    "ACCOUNT_DISABLED": Outcome.REFUSED,
    "ACCOUNT_LOCKED": Outcome.REFUSED,
}
_UNMAPPED = ("secret", "leaked", "device_valid", "known", "challenge", "amount_yen", "target", "tls")
_COLUMNS = (
    "time_us",
    "gate",
    "member",
    "actor",
    "client",
    "ip",
    "asn",
    "country",
    "user_agent",
    "device",
    "session",
    "outcome",
    *_UNMAPPED,
)


def to_ocsf(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return one attempt of the record as an OCSF Authentication event; absent values are left out."""
    time_us = record["time_us"]
    status, detail = _status(record["outcome"])
    event: dict[str, Any] = {
        "class_uid": AUTHENTICATION,
        "category_uid": 3,
        "activity_id": LOGON,
        "type_uid": AUTHENTICATION * 100 + LOGON,
        "severity_id": 1,
        "time": time_us // _MS_US,
        "metadata": {
            "version": "1.8.0",
            "product": {"name": "Sekisho", "vendor_name": "Sekisho"},
            "original_time": rfc3339(time_us),
        },
        "service": {"name": record["gate"]},
        "user": {"name": record["member"]},
        "actor": _filled({"user": _filled({"name": record["actor"]}), "app_name": record["client"]}),
        "src_endpoint": _filled(
            {
                "ip": record["ip"],
                "autonomous_system": _filled({"number": record["asn"]}),
                "location": _filled({"country": record["country"]}),
            }
        ),
        "http_request": _filled({"user_agent": record["user_agent"]}),
        "device": _filled({"uid": record["device"]}),
        "session": _filled({"uid": record["session"]}),
        "status_id": status,
        "status_detail": detail,
        "unmapped": _unmapped(record),
    }
    if record["challenge"] == ChallengeResult.PASSED:
        event["is_mfa"] = True
    return _filled(event)


def _status(outcome: str) -> tuple[int, str]:
    if outcome == Outcome.SUCCESS:
        return SUCCESS, ""
    if outcome == Outcome.CHALLENGED:
        return OTHER, "CHALLENGED"
    if outcome == Outcome.UNKNOWN:
        return 0, ""
    return FAILURE, _DETAIL_OF[Outcome(outcome)]


def _unmapped(record: Mapping[str, Any]) -> dict[str, Any]:
    marks = {name: bool(record[name]) for name in FLAGS if record[name] >= 0}
    others = {
        name: record[name] for name in _UNMAPPED if name not in FLAGS and record[name] not in ("", None)
    }
    return marks | others


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is absent: empty texts, empty objects, an autonomous system of number 0."""
    return {name: value for name, value in values.items() if value or name in _KEPT_AT_ZERO}


def read_ocsf(path: Path, faults: Faults) -> Iterator[RawRecords]:
    """Yield a log's logons; events of other classes and other activities are no records."""
    for objects in read_objects(path, faults, is_record=_is_logon):
        found = Gathering(*_COLUMNS)
        for item in objects:
            if _is_logon(item.said):
                found.add(faults, item.line, *_values(item.said), row=item.row)
        if len(found):
            yield found.take()


def _is_logon(said: dict[str, Any]) -> bool:
    return said.get("class_uid") == AUTHENTICATION and said.get("activity_id", LOGON) == LOGON


def _values(said: dict[str, Any]) -> list[Any]:
    """Return an event's values in the order of `_COLUMNS`."""
    unmapped = said.get("unmapped")
    own = unmapped if isinstance(unmapped, dict) else {}
    gate = _text(said, "service.name").lower()
    return [
        _time_us(said),
        gate if gate in frozenset(Gate) else "",
        _text(said, "user.name") or _text(said, "user.uid") or _text(said, "user.email_addr"),
        _text(said, "actor.user.name") or _text(said, "actor.user.uid"),
        _text(said, "actor.app_name"),
        _text(said, "src_endpoint.ip"),
        _number(_at(said, "src_endpoint.autonomous_system.number")),
        _text(said, "src_endpoint.location.country"),
        _text(said, "http_request.user_agent"),
        _text(said, "device.uid") or _text(said, "src_endpoint.uid"),
        _text(said, "session.uid"),
        _outcome(said),
        _text(own, "secret"),
        _mark(own.get("leaked")),
        _mark(own.get("device_valid")),
        _mark(own.get("known", False if _outcome(said) == Outcome.NO_SUCH_MEMBER else None)),
        _text(own, "challenge") or _challenge(said),
        _number(own.get("amount_yen")),
        _text(own, "target"),
        _text(own, "tls"),
    ]


def _at(said: Mapping[str, Any], path: str) -> object:
    value: object = said
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(said: Mapping[str, Any], path: str) -> str:
    value = _at(said, path)
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**63 else None


def _mark(value: object) -> int:
    return int(value) if value in (True, False) else -1


def _time_us(said: Mapping[str, Any]) -> int | None:
    """Return the time to the millisecond, or finer where `metadata.original_time` refines it."""
    time_ms = said.get("time")
    if not isinstance(time_ms, int):
        return None
    finer = time_us_of(_text(said, "metadata.original_time"))
    return finer if finer is not None and finer // _MS_US == time_ms else time_ms * _MS_US


def _outcome(said: Mapping[str, Any]) -> Outcome:
    status, detail = said.get("status_id"), _text(said, "status_detail").upper()
    if status == SUCCESS:
        return Outcome.SUCCESS
    if status == FAILURE:
        return _OUTCOME_OF.get(detail, Outcome.WRONG_SECRET)
    return Outcome.CHALLENGED if detail == "CHALLENGED" else Outcome.UNKNOWN


def _challenge(said: Mapping[str, Any]) -> str:
    passed = said.get("is_mfa") is True and said.get("status_id") == SUCCESS
    return ChallengeResult.PASSED if passed else ChallengeResult.NONE
