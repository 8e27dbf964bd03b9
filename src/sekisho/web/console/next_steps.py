"""What a person should do now, in order of harm, worked out from the figures alone."""

from typing import Literal

import msgspec

from sekisho.console.live_tally import Picture

ASKED_MUCH = 0.02
"""From this share of honest logins on, people will call the contact desk."""
SUCCESSES_MIN = 50


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do: its key in the words, when, and the figures in it."""

    key: str
    when: Literal["now", "today", "meanwhile"]
    count: int = 0
    share: float = 0.0


def next_steps(picture: Picture) -> tuple[Step, ...]:
    """Return what to do next, the most harmful first; nothing where nothing is wrong."""
    steps: list[Step] = []
    if picture.entered:
        steps.append(Step(key="next_entered", when="now", count=picture.entered))
    unproven = sum(campaign.unproven for campaign in picture.campaigns)
    if unproven:
        steps.append(Step(key="next_unproven", when="today", count=unproven))
    if picture.successes >= SUCCESSES_MIN and picture.asked > ASKED_MUCH * picture.successes:
        steps.append(Step(key="next_desk", when="now", share=picture.asked / picture.successes))
    if picture.live_campaigns:
        steps.append(Step(key="next_hold", when="meanwhile"))
    elif picture.campaigns:
        steps.append(Step(key="next_hunt", when="today"))
    return tuple(steps)
