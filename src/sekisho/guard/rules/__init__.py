"""Rules beside the score: each is one readable file with one function, switched and limited by the policy.

A rule looks at one observation and says whether it holds. It never learns and never remembers; what follows
from it is the policy's business.
"""

from collections.abc import Callable

from sekisho.guard.recollection import Observation
from sekisho.guard.rules import (
    forged_device_token,
    guesses_on_one_account,
    leaked_pair_on_unknown_device,
    listed_address,
    many_members_from_one_address,
    one_secret_on_many_accounts,
    relayed_code,
    shared_signal,
)

Rule = Callable[[Observation, float], bool]

RULES: dict[str, Rule] = {
    "forged_device_token": forged_device_token.holds,
    "guesses_on_one_account": guesses_on_one_account.holds,
    "leaked_pair_on_unknown_device": leaked_pair_on_unknown_device.holds,
    "listed_address": listed_address.holds,
    "many_members_from_one_address": many_members_from_one_address.holds,
    "one_secret_on_many_accounts": one_secret_on_many_accounts.holds,
    "relayed_code": relayed_code.holds,
    "shared_signal": shared_signal.holds,
}

WITHOUT_LIMIT = frozenset({"forged_device_token", "leaked_pair_on_unknown_device"})
"""The rules that hold or not, whatever their limit; every other one would hold always at a limit of 0."""
