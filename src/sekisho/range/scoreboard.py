"""The auditor: knows who was honest and which pairs open an account, and counts what happened to whom."""

import msgspec

from sekisho.guard.decisions import Action
from sekisho.kernel.clock import SECOND_US
from sekisho.range.attackers.list_attack import Try
from sekisho.range.checkpoint import Answer
from sekisho.range.visitors import Stay

HOSTILE = "t"
HONEST = "v"
RIGHT = ":1"


class Scoreboard(msgspec.Struct, kw_only=True):
    """What came of one play. Counts of attempts, unless a name says members or logins."""

    honest_attempts: int = 0
    honest_in_campaign: int = 0
    honest_logins: int = 0
    honest_logins_asked: int = 0
    honest_logins_refused: int = 0
    honest_logins_entered: int = 0
    hostile_attempts: int = 0
    hostile_stopped: int = 0
    hostile_before_hash: int = 0
    addresses: int = 0
    noticed_after_attempts: int | None = None
    noticed_after_s: int | None = None
    members_entered_without: int = 0
    members_entered: int = 0

    def lines(self) -> list[str]:
        """Return the scoreboard as text, one fact a line."""
        noticed = "not noticed"
        if self.noticed_after_attempts is not None and self.noticed_after_s is not None:
            minutes = self.noticed_after_s / 60
            noticed = f"{self.noticed_after_attempts:,} attempts, {minutes:.0f} minutes of the world's time"
        hostile, logins = self.hostile_attempts, self.honest_logins
        return [
            "The attack",
            _row("attempts", f"{hostile:,} from {self.addresses:,} addresses"),
            _row("noticed after", noticed),
            _row("stopped", f"{self.hostile_stopped:,} ({_share(self.hostile_stopped, hostile)})"),
            _row(
                "before the password hash",
                f"{self.hostile_before_hash:,} ({_share(self.hostile_before_hash, hostile)})",
            ),
            "Members entered",
            _row("without the guard", f"{self.members_entered_without:,}"),
            _row("with the guard", f"{self.members_entered:,}"),
            "Honest members",
            _row("logins with the right password", f"{logins:,}"),
            _row(
                "asked for an additional proof",
                f"{self.honest_logins_asked:,} ({_share(self.honest_logins_asked, logins)})",
            ),
            _row(
                "refused",
                f"{self.honest_logins_refused:,} ({_share(self.honest_logins_refused, logins)})",
            ),
        ]


class Auditor:
    """Fills the scoreboard from the guard's answers and from what the visitors met."""

    def __init__(self) -> None:
        self.board = Scoreboard()
        self._entered: set[str] = set()
        self._open: set[str] = set()
        self._addresses: set[str] = set()
        self._first_us = 0
        self._moments: dict[str, int] = {}

    def sends(self, one: Try, mark: str) -> None:
        """Count a pair that the attacker is about to try."""
        self.board.hostile_attempts += 1
        if not self._moments:
            self._first_us = one.at_us
        self._moments[mark] = one.at_us
        self._addresses.add(one.ip)
        self.board.addresses = len(self._addresses)
        if one.opens:
            self._open.add(one.name)
            self.board.members_entered_without = len(self._open)

    def witnessed(self, mark: str, answer: Answer) -> None:
        """Count the guard's answer to the attempt of a mark."""
        if not mark.startswith(HOSTILE):
            self.board.honest_attempts += 1
            self.board.honest_in_campaign += bool(answer.campaign)
            return
        moment_us = self._moments.get(mark, self._first_us)
        self.board.hostile_stopped += answer.action is not Action.ALLOW
        self.board.hostile_before_hash += answer.before_hash
        if answer.campaign and self.board.noticed_after_attempts is None:
            self.board.noticed_after_attempts = self.board.hostile_attempts
            self.board.noticed_after_s = (moment_us - self._first_us) // SECOND_US

    def left(self, stay: Stay, *, came_with_the_right_pair: bool) -> None:
        """Count a member's visit that is over."""
        if came_with_the_right_pair:
            self.board.honest_logins += 1
            self.board.honest_logins_asked += stay.asked > 0
            self.board.honest_logins_refused += stay.refused > 0
            self.board.honest_logins_entered += stay.entered

    def opened(self, one: Try) -> None:
        """Count an account that the attacker got into."""
        self._entered.add(one.name)
        self.board.members_entered = len(self._entered)


def _row(name: str, value: str) -> str:
    return f"  {name:<32}{value}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"
