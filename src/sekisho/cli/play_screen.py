"""A play's progress and its scoreboard in the terminal."""

import click

from sekisho.range.play import Progress
from sekisho.range.scoreboard import Scoreboard

BAR_CHARS = 24
QUIET_EVERY_S = 10


class PlayScreen:
    """Keeps one line up to date on a terminal; writes a line every ten seconds where there is none."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._act = ""

    def tell(self, progress: Progress) -> None:
        """Show where the play stands."""
        text = _line(progress)
        if self._terminal:
            click.echo(f"\r\x1b[2K  {text}", nl=False)
        elif progress.act != self._act or progress.elapsed_s % QUIET_EVERY_S == 0:
            click.echo(f"  {text}")
        self._act = progress.act

    def close(self, board: Scoreboard) -> None:
        """Show the scoreboard."""
        click.echo("\n" if self._terminal else "")
        for line in board.lines():
            click.echo(f"  {line}")
        click.echo()


def _line(progress: Progress) -> str:
    done = min(BAR_CHARS, BAR_CHARS * progress.elapsed_s // max(1, progress.length_s))
    minutes, seconds = divmod(progress.elapsed_s, 60)
    board = progress.board
    facts = f"{progress.act}: {board.honest_logins:,} members came"
    if board.hostile_attempts:
        facts += (
            f", {board.hostile_attempts:,} hostile attempts, {board.hostile_stopped:,} stopped, "
            f"{board.members_entered:,} of {board.members_entered_without:,} members entered"
        )
    return f"{minutes}:{seconds:02d} [{'#' * done}{'.' * (BAR_CHARS - done)}] {facts}"
