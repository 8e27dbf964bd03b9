"""What the guard answers: an action, how sure it is, and why."""

from enum import StrEnum

import msgspec


class Action(StrEnum):
    """What happens to the attempt, in order of strictness."""

    ALLOW = "allow"
    PUZZLE = "puzzle"
    CHALLENGE = "challenge"
    DENY = "deny"


STRICTNESS = {action: rank for rank, action in enumerate(Action)}


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One answer, complete enough to be stored and replayed.

    `probability` is the estimated chance (0 to 1) that the attempt is hostile. `before_hash` says that an
    action other than allow stands before the password is verified; where it is False and the action is not
    allow, the password is verified first and the action follows if it was right. `label_wanted` asks the
    caller to verify the password of an attempt stopped before the hash all the same and to tell the
    outcome, without any change to what the other side sees: by this small random share the guard goes on
    learning. `campaign` is empty or the id of a live campaign. `shadow` holds what each shadow policy would
    have done, by its name (`ours@5`, id and revision); it is empty where a known device vouched for the
    attempt, which is let through under every policy.
    """

    action: Action
    probability: float
    before_hash: bool
    reasons: tuple[str, ...]
    policy: str
    policy_revision: int
    campaign: str = ""
    label_wanted: bool = False
    shadow: dict[str, str] = {}
