"""What a campaign taught is gone through again and again while it is on.

Labels are few where few of the tried names exist: learnt once each, they leave the regressions far from what
they could say. So a few earlier lessons are taken again with every new one. A success whose member nobody
vouched for counts each time by how likely it was the member's own as seen *now*: in the first minutes hits
pass for honest successes, and what has been learnt since shows them for what they are
(expectation-maximisation, one example at a time: Dempster, Laird and Rubin 1977; Neal and Hinton 1998).
"""

from collections.abc import Iterator

import msgspec

from sekisho.guard.evidence import Codes

LESSONS = 4_096
_AGAIN = 3
_STRIDE = 1_597  # has no divisor in common with the number of lessons, so that each has its turn


class Lesson(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An outcome at an id that exists, with its codes as they were.

    `weight` is how many failures it stands for, or the chance that a success was the member's own; `settled`
    says that this is known and will not be judged again.
    """

    kind: int
    state: int
    leaked: int
    source: Codes
    member: Codes
    failed: bool
    weight: float
    settled: bool


class Rehearsal:
    """The last lessons of a campaign."""

    def __init__(self) -> None:
        self._lessons: list[Lesson] = []
        self._next = self._at = 0

    def take(self, lesson: Lesson) -> Iterator[Lesson]:
        """Keep a lesson, in the place of the oldest where there is no room, and yield earlier ones to learn
        again.
        """
        if len(self._lessons) < LESSONS:
            self._lessons.append(lesson)
        else:
            self._lessons[self._next] = lesson
            self._next = (self._next + 1) % LESSONS
        for _ in range(_AGAIN):
            self._at = (self._at + _STRIDE) % len(self._lessons)
            yield self._lessons[self._at]

    def forget(self) -> None:
        """Drop all lessons: the campaign is over."""
        self._lessons.clear()
        self._next = self._at = 0
