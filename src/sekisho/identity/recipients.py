"""To whom codes go: mobile numbers that we send to, and how an address is counted."""

import ipaddress

import phonenumbers

from sekisho.kernel.refusals import Refusal

JAPANESE_MOBILES = ("+8160", "+8170", "+8180", "+8190")
"""The beginnings of numbers that codes are sent to as it comes: 060, 070, 080 and 090. Elsewhere a message
costs many times as much, which is what SMS pumping lives on; 050 is telephony over IP and proves no phone.
"""

_REGION = "JP"
_BLOCK_DIGITS = 4  # numbers are given out in blocks of ten thousand
_NUMBER_CHARS_MAX = 32


class NumberNotServed(Refusal):
    """The number is no mobile number that codes are sent to."""

    code = "number_not_served"
    status = 422
    told = "Please enter a Japanese mobile number that begins with 060, 070, 080 or 090."


def mobile_number(text: str, *, served: tuple[str, ...] = JAPANESE_MOBILES) -> str:
    """Read a mobile number as people type it, and return it as in E.164.

    `served` holds the beginnings (E.164) of numbers that messages are sent to. Raises NumberNotServed, which
    does not repeat the number.
    """
    try:
        parsed = phonenumbers.parse(text[:_NUMBER_CHARS_MAX], _REGION)
    except phonenumbers.NumberParseException:
        raise NumberNotServed(known="not a telephone number") from None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if parsed.extension or not phonenumbers.is_valid_number(parsed):
        raise NumberNotServed(known="not a valid number")
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    if phonenumbers.number_type(parsed) not in kinds or not number.startswith(served):
        raise NumberNotServed(known="not a mobile number of a kind that is served")
    return number


def number_block(number: str) -> str:
    """Return the block of numbers that one provider was given, in which a number (E.164) lies."""
    return number[:-_BLOCK_DIGITS]


def counted_as(ip: str) -> tuple[str, str]:
    """Return what an address is counted as, and the neighbourhood that it lies in.

    That is an IPv4 address and its /24, or an IPv6 /64 and its /48; a text that is no address counts as
    itself.
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[:64], ip[:64]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv4Address):
        return str(address), str(ipaddress.ip_network((address, 24), strict=False))
    own, around = (ipaddress.ip_network((address, bits), strict=False) for bits in (64, 48))
    return str(own), str(around)
