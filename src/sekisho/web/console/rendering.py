"""From the tally's picture to HTML: one template is used for the first paint and for every push after it."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from sekisho.console.live_tally import ACTIONS, Picture
from sekisho.kernel.japan import in_japan
from sekisho.web.console.drawing import drawn
from sekisho.web.console.next_steps import next_steps
from sekisho.web.console.words import Language, Words

MINUS = "\N{MINUS SIGN}"
PARTS = ("state", "figures", "next", "campaigns", "networks", "reasons", "latest")
SPANS_MIN = (5, 15)
FINE_BELOW = 10
ALMOST = 1
STOPPED_MOST = 0.8
"""From this share of all that was stopped or failed in the last minute on, the page says that it holds."""


def number(value: int) -> str:
    """Write a count with its thousands set apart."""
    return f"{value:,}"


def percent(part: float, whole: float) -> str:
    """Write a share: only nothing at all is 0%, and only everything is 100%."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < FINE_BELOW or 100 - ALMOST < share < 100:  # noqa: PLR2004 - all of it
        return f"{min(99.9, max(0.1, share)):.1f}%"
    return f"{share:.0f}%"


def change(value: float, digits: int = 0) -> str:
    """Write a change with its sign; a true minus, so that figures stand one below the other."""
    text = f"{abs(value):,.{digits}f}"
    return text if not float(text.replace(",", "")) else ("+" if value > 0 else MINUS) + text


def clock_time(at_us: int) -> str:
    """Write a moment as the time of day in Japan."""
    return in_japan(at_us).strftime("%H:%M:%S")


def state_of(picture: Picture) -> str:
    """Return in one word how things stand: empty, calm, attack, holding or after."""
    if picture.live_campaigns:
        came = picture.stopped_last_minute + picture.failed_last_minute
        return "attack_holding" if picture.stopped_last_minute >= STOPPED_MOST * came else "attack"
    if picture.campaigns:
        return "after"
    return "calm" if picture.attempts else "empty"


class Renderer:
    """Renders the live page and its parts."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("sekisho.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(number=number, percent=percent, change=change, clock_time=clock_time)

    def page(self, picture: Picture, language: Language, minutes: int) -> str:
        """Return the whole page as it stands now: complete without a script."""
        drawing = drawn(picture, minutes * 60)
        return self._environment.get_template("console/live.html").render(
            **self._context(picture, language), drawing=drawing, minutes=minutes, spans=SPANS_MIN, parts=PARTS
        )

    def parts(self, picture: Picture, language: Language) -> dict[str, str]:
        """Return the parts that change, by the id of the element that holds them."""
        context = self._context(picture, language)
        return {
            part: self._environment.get_template(f"console/{part}.html").render(**context).strip()
            for part in PARTS
        }

    def _context(self, picture: Picture, language: Language) -> dict[str, object]:
        return {
            "p": picture,
            "w": Words(language),
            "state": state_of(picture),
            "actions": ACTIONS,
            "steps": next_steps(picture),
        }
