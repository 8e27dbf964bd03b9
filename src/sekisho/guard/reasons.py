"""Why an attempt was asked for more, in words that an analyst can check: each reason is one fact of the
observation.
"""

from sekisho.guard.devices import TokenClass
from sekisho.guard.evidence import PROVIDER, SOURCE
from sekisho.guard.recollection import Observation

_NEW = (1, 2)  # classes of nearness: nothing shared, or only the provider or the system
_TWICE = 7  # the class of odds from about twice the usual on
_OTHERS = 2.0  # one other account may be chance
_MORE_THAN_A_TYPO = 3.0

REASONS = {
    "known_device": "A device token vouches for the member.",
    "authenticated_partner": "An authenticated partner acts for the member.",
    "no_device_token": "The attempt brought no device token.",
    "unproven_device_token": "The device token was never part of a proven success.",
    "foreign_device_token": "The device token was earned by other members.",
    "forged_device_token": "The device token's signature did not verify.",
    "moved_device_token": "The member's device token came from another program than the one that earned it.",
    "no_history": "No earlier success of this member is known.",
    "new_network": "The member never succeeded from this provider or region.",
    "new_client": "The member never used this kind of client.",
    "new_address": "Nobody ever succeeded from this address.",
    "failing_address": "The address fails for other members.",
    "provider_under_attack": "The address's provider fails more than usual at present.",
    "sprayed_secret": "The same secret failed on other accounts.",
    "guessed_account": "The account failed several times within the hour.",
    "leaked_pair": "The pair stands on a list of leaked ones.",
    "campaign": "A campaign is on, and the attempt looks like part of it.",
}

_BY_TOKEN = {
    TokenClass.NONE: "no_device_token",
    TokenClass.UNSEEN: "unproven_device_token",
    TokenClass.FOREIGN: "foreign_device_token",
    TokenClass.FORGED: "forged_device_token",
    TokenClass.MOVED: "moved_device_token",
    TokenClass.PARTNER: "authenticated_partner",
}


def reasons(seen: Observation, *, campaign: bool) -> tuple[str, ...]:
    """Return the facts that spoke against an observed, unvouched attempt."""
    ever, excess = seen.around.ever, seen.around.excess
    known = seen.known
    why = ["campaign"] if campaign else []
    why.append(_BY_TOKEN[seen.sighting.kind])
    if not known.logins:
        why.append("no_history")
    elif known.network in _NEW:
        why.append("new_network")
    if known.client in _NEW:
        why.append("new_client")
    if not ever:
        why.append("new_address")
    if excess >= 1.0:
        why.append("failing_address")
    if seen.facts is not None and seen.facts.codes[PROVIDER] - SOURCE[PROVIDER] >= _TWICE:
        why.append("provider_under_attack")
    if seen.sprayed >= _OTHERS:
        why.append("sprayed_secret")
    if seen.guesses >= _MORE_THAN_A_TYPO:
        why.append("guessed_account")
    if seen.leaked == 1:
        why.append("leaked_pair")
    return tuple(why)
