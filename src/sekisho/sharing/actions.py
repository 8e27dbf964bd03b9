"""What a received event makes us do: a policy table, and handlers that the institution registers.

The table says which event leads to which actions, for how long, and by which sign the guard hears of it. A
handler does one action for one kind of subject; what an institution has no handler for, it does not do.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.sharing.agreed_subjects import About
from sekisho.sharing.events import BY_SHORT_NAME, Event, short_name, type_of, write_event

DEFAULT = Path(__file__).with_name("actions.toml")


class Action(StrEnum):
    """What can be done on a partner's word."""

    RAISE_EVIDENCE = "raise_evidence"
    """The guard hears of it at every gate, for a while."""

    HOLD_MONEY_OUT = "hold_money_out"
    """No money leaves, for a while."""

    SUSPEND_LINK = "suspend_link"
    """A link between two institutions is used for nothing until somebody looks."""

    END_LINK = "end_link"
    """A link between two institutions is over for good."""

    END_SESSIONS = "end_sessions"
    """All sessions end."""

    LIFT = "lift"
    """What this partner's word had raised or held is taken back."""

    TELL_STAFF = "tell_staff"
    """A person looks."""


class BadActionTable(ValueError):  # noqa: N818 - named like a refusal, for it is one to the operator
    """The table of actions cannot be used; the text says where and why."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the table: the event by its short name, what it must say, and what follows.

    `about` is the kind of what it must be about; empty for anything.
    """

    event: str
    about: str = ""
    when: dict[str, str] = {}
    actions: tuple[Action, ...]
    sign: str = ""
    hours: Annotated[int, msgspec.Meta(gt=0, le=24 * 90)] = 72


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: tuple[Rule, ...]


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One action on one partner's word. `until_us` is for as long as it lasts, where it lasts.

    `cause` is what the word was about, where the deed befalls its owner.
    """

    action: Action
    about: About
    issuer: str
    jti: str
    txn: str
    event: str
    sign: str
    until_us: int
    cause: About | None = None


Handler = Callable[[Connection, Parts, Deed], None]
Handlers = Mapping[tuple[Action, str], Handler]
"""By action and kind of subject."""

LeadsTo = Mapping[str, Callable[[Connection, str], About | None]]
"""By kind of subject: whose it is. What befalls a link befalls the member who made it."""


def parse_table(text: str) -> tuple[Rule, ...]:
    """Read the table from TOML. Raises BadActionTable."""
    try:
        rules = msgspec.toml.decode(text, type=_Table).rule
    except msgspec.DecodeError as error:
        raise BadActionTable(str(error)) from error
    for rule in rules:
        if rule.event not in BY_SHORT_NAME:
            raise BadActionTable(f"there is no event {rule.event!r}")
        if Action.RAISE_EVIDENCE in rule.actions and not rule.sign:
            raise BadActionTable(f"{rule.event}: raise_evidence needs a sign")
    return rules


def load_table(path: Path = DEFAULT) -> tuple[Rule, ...]:
    """Read the table from a file. Raises BadActionTable with the file's name."""
    try:
        return parse_table(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, BadActionTable) as error:
        raise BadActionTable(f"{path}: {error}") from error


def rule_for(rules: tuple[Rule, ...], event: Event, kind: str) -> Rule | None:
    """Return the first rule that an event about something of a kind meets."""
    name, said = short_name(type_of(event)), write_event(event)
    return next((rule for rule in rules if rule.event == name and _meets(rule, said, kind)), None)


def _meets(rule: Rule, said: Mapping[str, object], kind: str) -> bool:
    return rule.about in {"", kind} and all(said.get(member) == value for member, value in rule.when.items())
