"""Masks: enough of a personal datum that its owner recognises it, and nothing that a stranger could use.

A mask has the same length however long the datum is, except for what it shows on purpose.
"""

import re
import unicodedata

import phonenumbers

HIDDEN = "●●●●"
STARS = "****"
SHORTEST_TELEPHONE = 8

_PREFECTURE = re.compile(r"北海道|東京都|(?:京都|大阪)府|[^\s0-9]{2,3}県")
_POSTAL_CODE = re.compile(r"\s*〒?\s*[0-9]{3}-?[0-9]{4}\s*")
# Some towns have the word for another kind of town in their names: 四日市市 is a city, not a market.
_MUNICIPALITY = re.compile(
    r"(?:東村山|武蔵村山|羽村|十日町|大町|大村|田村|四日市|廿日市|野々市|大和郡山|蒲郡|小郡)(?P<city>市)"
    r"|(?:余市|高市|[^市区町村0-9]{1,4})(?P<county>郡)"
    r"|[^0-9]{1,7}?(?P<kind>[市区町村])"
)
_COMPANY_FORM = re.compile(r"^(?:株式会社|有限会社|合同会社|\([株有同]\))\s*")
_ACCOUNT_NUMBER = re.compile(r"[0-9]{4,}")


def hidden(_datum: str) -> str:
    """Show nothing but that there is something."""
    return HIDDEN


def masked_company(name: str) -> str:
    """Show the first character of a company's name without its legal form: `ア●●●●`."""
    return masked_name(_COMPANY_FORM.sub("", unicodedata.normalize("NFKC", name).strip()))


def masked_name(name: str) -> str:
    """Show the first character of a person's name: `山●●●●`."""
    # A rare kanji is one character together with the selector that says which form of it is meant.
    shown = 1
    while shown < len(name) and unicodedata.category(name[shown]) == "Mn":
        shown += 1
    return name[:shown] + HIDDEN


def masked_address(address: str) -> str:
    """Show the prefecture and the kind of the municipality: `東京都●●区…`."""
    address = _POSTAL_CODE.sub("", unicodedata.normalize("NFKC", address), count=1).strip()
    prefecture = _PREFECTURE.match(address)
    if prefecture is None:
        return HIDDEN
    municipality = _MUNICIPALITY.match(address[prefecture.end() :].lstrip())
    kind = municipality[municipality.lastgroup or 0] if municipality else ""
    return f"{prefecture[0]}●●{kind}…"


def masked_telephone(number: str) -> str:
    """Show the first group and the last four digits of a Japanese number: `090-****-1234`.

    Of a number from elsewhere, only the last four digits are shown.
    """
    try:
        parsed = phonenumbers.parse(number, "JP")
    except phonenumbers.NumberParseException:
        return STARS
    digits = str(parsed.national_number)
    if len(digits) < SHORTEST_TELEPHONE:
        return STARS
    last = digits[-4:]
    if parsed.country_code != phonenumbers.country_code_for_region("JP"):
        return f"{STARS}-{last}"
    groups = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL).split("-")
    return f"{groups[0]}-{STARS}-{last}" if len(groups) > 1 else f"{STARS}-{last}"


def masked_email(address: str) -> str:
    """Show the first character and the domain: `a****@example.jp`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}{STARS}@{domain}" if at else STARS


def masked_member_number(number: str) -> str:
    """Show the last group of four digits: `****-****-1234`."""
    return f"{STARS}-{STARS}-{number[-4:]}"


def masked_account(account: str) -> str:
    """Show the last three digits of a bank account's number, whatever stands around it: `****123`."""
    numbers = _ACCOUNT_NUMBER.findall(unicodedata.normalize("NFKC", account))
    return STARS + (max(numbers, key=len)[-3:] if numbers else "")
