"""Why an attempt was asked for more, in words that an analyst can check: each reason is one fact of the
observation.
"""

from sekisho.guard.devices import TokenClass
from sekisho.guard.evidence import ratio_class
from sekisho.guard.recollection import Observation

_ASKED_FROM_CLASS = 7  # twice the usual odds of failure and more

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


def reasons(seen: Observation, provider_excess: float, *, campaign: bool) -> tuple[str, ...]:
    """Return the facts that spoke against an observed, unvouched attempt; `provider_excess` is odds over
    the usual.
    """
    ever, excess = seen.around.ever, seen.around.excess
    known = seen.known
    facts = (
        (campaign, "campaign"),
        (True, _BY_TOKEN[seen.sighting.kind]),
        (not known.logins, "no_history"),
        (known.network in (1, 2), "new_network"),
        (known.client in (1, 2), "new_client"),
        (not ever, "new_address"),
        (excess >= 1.0, "failing_address"),
        (ratio_class(provider_excess) >= _ASKED_FROM_CLASS, "provider_under_attack"),
        (seen.sprayed >= 2.0, "sprayed_secret"),  # noqa: PLR2004 - one other account may be chance
        (seen.guesses >= 3.0, "guessed_account"),  # noqa: PLR2004 - people mistype twice
        (seen.leaked == 1, "leaked_pair"),
    )
    return tuple(name for holds, name in facts if holds)
