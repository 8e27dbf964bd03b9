"""Payment codes of merchants as EMV QR payloads (merchant-presented mode, EMVCo QRCPS 1.1).

A payload is a row of fields, each a two-digit tag, a two-digit length and its value; the last is a CRC-16
over all before it. The merchant's account stands in tag 26 under our own identifier, the amount in 54, the
purchase in 62. Written here because what is published for Python builds the codes of single countries.
"""

import binascii
import re
from collections.abc import Mapping
from typing import NamedTuple

from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen

OURS = "kamome.example"
"""Our identifier in the template of the merchant's account: a domain, as invented as we are."""

PAYLOAD_MAX = 512
FIELD_MAX = 99
NAME_MAX, CITY_MAX, REFERENCE_MAX = 25, 15, 25
YEN = "392"
STATIC, DYNAMIC = "11", "12"
_VERSION, _METHOD, _ACCOUNT, _CATEGORY = "00", "01", "26", "52"
_CURRENCY, _AMOUNT, _COUNTRY, _NAME, _CITY = "53", "54", "58", "59", "60"
_ADDITIONAL, _CRC, _LANGUAGE = "62", "63", "64"
_GUID, _MERCHANT, _REQUEST = "00", "01", "02"
_REFERENCE = "05"
_LOCAL_LANGUAGE, _LOCAL_NAME = "00", "01"
_YEN_AMOUNT = re.compile(r"[1-9][0-9]{0,9}(?:\.0{0,2})?")
_DIGITS = re.compile(r"[0-9]{2}")
_ACCOUNTS = range(26, 52)


class QrUnreadable(Refusal):
    """What was scanned is no payment code, or is damaged."""

    code = "qr_unreadable"
    status = 422
    told = "This is not a payment code, or it is damaged."


class QrNotOurs(Refusal):
    """A payment code of another service."""

    code = "qr_not_ours"
    status = 422
    told = "This is a payment code of another service."


class MerchantCode(NamedTuple):
    """What a merchant's code says. Without an amount the member types it; `request_id` names one purchase.

    `name` and `city` are in Latin letters, `local_name` as the merchant writes it.
    """

    merchant_id: str
    name: str
    city: str
    category: str = "5999"
    amount: Yen | None = None
    request_id: str = ""
    reference: str = ""
    local_name: str = ""


def write_code(code: MerchantCode) -> str:
    """Return the payload of a code. Raises ValueError where a part does not fit its field."""
    for text, most in ((code.name, NAME_MAX), (code.city, CITY_MAX), (code.reference, REFERENCE_MAX)):
        if len(text) > most or not text.isascii():
            raise ValueError(f"{text[:40]!r} has more than {most} characters, or some that are not ASCII")
    local = _joined({_LOCAL_LANGUAGE: "ja", _LOCAL_NAME: code.local_name}) if code.local_name else ""
    account = {_GUID: OURS, _MERCHANT: code.merchant_id} | _if(_REQUEST, code.request_id)
    fields = {
        _VERSION: "01",
        _METHOD: DYNAMIC if code.request_id else STATIC,
        _ACCOUNT: _joined(account),
        _CATEGORY: code.category,
        _CURRENCY: YEN,
        **_if(_AMOUNT, str(code.amount.amount) if code.amount is not None else ""),
        _COUNTRY: "JP",
        _NAME: code.name,
        _CITY: code.city,
        **_if(_ADDITIONAL, _joined({_REFERENCE: code.reference}) if code.reference else ""),
        **_if(_LANGUAGE, local),
    }
    body = _joined(fields) + _CRC + "04"
    return body + checksum(body)


def read_code(payload: str) -> MerchantCode:
    """Return what a scanned payload says. Raises QrUnreadable and QrNotOurs."""
    text = payload.strip()
    if not text.startswith("000201") or len(text) > PAYLOAD_MAX:
        raise QrUnreadable(known="no EMV payload")
    if text[-8:-4] != f"{_CRC}04" or checksum(text[:-4]) != text[-4:].upper():
        raise QrUnreadable(known="the checksum is wrong")
    fields = _fields(text[:-8])
    ours = _ours(fields)
    if ours is None:
        raise QrNotOurs(known=f"tags {' '.join(sorted(fields))}")
    if fields.get(_CURRENCY) != YEN or fields.get(_COUNTRY) != "JP":
        raise QrUnreadable(known="not in yen")
    local = _fields(fields.get(_LANGUAGE, ""))
    return MerchantCode(
        merchant_id=ours.get(_MERCHANT, ""),
        name=fields.get(_NAME, ""),
        city=fields.get(_CITY, ""),
        category=fields.get(_CATEGORY, ""),
        amount=_amount(fields.get(_AMOUNT, "")),
        request_id=ours.get(_REQUEST, ""),
        reference=_fields(fields.get(_ADDITIONAL, "")).get(_REFERENCE, ""),
        local_name=local.get(_LOCAL_NAME, ""),
    )


def checksum(text: str) -> str:
    """Return the CRC-16/CCITT-FALSE of a payload with the tag and length of the checksum itself, in hex."""
    return f"{binascii.crc_hqx(text.encode('utf-8'), 0xFFFF):04X}"


def _ours(fields: Mapping[str, str]) -> dict[str, str] | None:
    for tag in _ACCOUNTS:
        inner = fields.get(f"{tag:02d}")
        if inner is not None and (account := _fields(inner)).get(_GUID) == OURS:
            return account
    return None


def _amount(text: str) -> Yen | None:
    if not text:
        return None
    if not _YEN_AMOUNT.fullmatch(text):
        raise QrUnreadable(known="the amount is no sum of yen")
    return Yen(int(text.partition(".")[0]))


def _fields(text: str) -> dict[str, str]:
    """Take a row of fields apart. Lengths count characters, as written by all who put Japanese names in."""
    fields: dict[str, str] = {}
    at = 0
    while at < len(text):
        tag, length = text[at : at + 2], text[at + 2 : at + 4]
        if not (_DIGITS.fullmatch(tag) and _DIGITS.fullmatch(length)):
            raise QrUnreadable(known=f"no tag and length at {at}")
        end = at + 4 + int(length)
        if end > len(text) or tag in fields:
            raise QrUnreadable(known=f"the field {tag} is too long or stands twice")
        fields[tag] = text[at + 4 : end]
        at = end
    return fields


def _joined(fields: Mapping[str, str]) -> str:
    for tag, value in fields.items():
        if not value or len(value) > FIELD_MAX:
            raise ValueError(f"the field {tag} is empty or longer than {FIELD_MAX} characters")
    return "".join(f"{tag}{len(value):02d}{value}" for tag, value in fields.items())


def _if(tag: str, value: str) -> dict[str, str]:
    return {tag: value} if value else {}
