"""How a bank authorises links: what it asks of depositors, and for how long things are good."""

from enum import StrEnum

import msgspec


class LinkPolicy(StrEnum):
    """What the bank asks of a depositor who links an account. Its own choice, told in its metadata."""

    ACCOUNT_PIN = "account_pin"
    """Branch, account, name, birth date and the card's PIN. A code is asked for where there is doubt."""

    ACCOUNT_PIN_CODE = "account_pin_code"
    """The same, and always a one-time code to the phone on file."""

    PASSKEY = "passkey"
    """A passkey of the online bank, and nothing that can be typed."""

    @property
    def strength(self) -> int:
        """How strong the weakest way through is: 1, 2 or 3."""
        return {LinkPolicy.ACCOUNT_PIN: 1, LinkPolicy.ACCOUNT_PIN_CODE: 2, LinkPolicy.PASSKEY: 3}[self]


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator may set. Times are in seconds.

    `policy` is what depositors are asked. A pushed request is good for `request_s` until the browser brings
    it, and the depositor has `visit_s` from then on; a code lives `code_s`, an access token `access_token_s`,
    a refresh token `refresh_days`. No partner may ask for more than `ceiling_yen` a debit and
    `month_ceiling_yen` a month.
    """

    policy: LinkPolicy = LinkPolicy.ACCOUNT_PIN_CODE
    request_s: int = 60
    visit_s: int = 600
    code_s: int = 60
    access_token_s: int = 300
    refresh_days: int = 365
    ceiling_yen: int = 300_000
    month_ceiling_yen: int = 1_000_000

    def __post_init__(self) -> None:
        """Raise ValueError for times that FAPI 2.0 does not allow, or that allow nothing."""
        longest = {"request_s": 600, "code_s": 60, "access_token_s": 600, "visit_s": 3_600}
        for name, seconds in longest.items():
            if not 0 < getattr(self, name) <= seconds:
                raise ValueError(f"{name} is 1 to {seconds} seconds")
        if self.refresh_days < 1 or not 0 < self.ceiling_yen <= self.month_ceiling_yen:
            raise ValueError(
                "refresh_days and the ceilings are more than 0, and a month's not below one debit's"
            )
