"""How links stop: for a while, or for good. What ended here is told to its bank until it has heard it."""

from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.identity.notifying import warn
from sekisho.kernel.ids import MemberId
from sekisho.kernel.japan import day_in_japan
from sekisho.linking.banks import bank_in_words
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox
from sekisho.wallet import link_rows
from sekisho.wallet.link_rows import LIVE, BankLink, LinkState


class LinkEnd(StrEnum):
    """Why a link came to its end."""

    BY_MEMBER = "by_member"
    """The member ended it."""

    NOT_FINISHED = "not_finished"
    """The member did not come back from the bank in time."""

    DECLINED = "declined"
    """The bank, or whoever was there, said no."""

    BANK_AWAY = "bank_away"
    """The bank gave no answer on the way."""

    FOREIGN_ANSWER = "foreign_answer"
    """The answer was another issuer's, or granted something else than was asked for."""

    HOLDER_DIFFERS = "holder_differs"
    """The account is not in the member's name."""

    ACCOUNT_TAKEN = "account_taken"
    """The account is another wallet's."""

    REVIEW = "review"
    """A person looked at the holder and turned the link down."""

    REPLACED = "replaced"
    """The member linked the same account anew."""

    BANK_REVOKED = "bank_revoked"
    """The bank, or the depositor there, ended the mandate."""

    CONTAINED = "contained"
    """We ended it after an incident."""

    WALLET_CLOSED = "wallet_closed"
    """The wallet was closed."""


class Suspension(StrEnum):
    """Why a link stands still."""

    BANK_SIGNAL = "bank_signal"
    """The bank told us of fraud, or that the depositor stopped it."""

    MEMBER_SIGNAL = "member_signal"
    """A partner told us that something is wrong with the member; no word about one link takes that back."""

    DEBIT_STOPPED = "debit_stopped"
    """The bank refused a debit because the depositor stopped it, or the mandate or account is gone."""

    DISPUTED = "disputed"
    """Somebody reported a debit that was not theirs."""

    STAFF = "staff"
    """We stopped it."""

    CONTAINED = "contained"
    """The member's account was contained in an incident."""

    BANK_REFUSES = "bank_refuses"
    """The bank takes our token no more."""


def end_within(connection: Connection, parts: Parts, link: BankLink, why: LinkEnd) -> bool:
    """End a link and tell whether it was open; the bank is told afterwards, where it has to be.

    The account is free again for another wallet, and so is the phone once nothing else is open.
    """
    if link.state is LinkState.ENDED:
        return False
    now_us = parts.clock.now_us()
    moved = link_rows.move(
        connection,
        link,
        LinkState.ENDED,
        ended_at_us=now_us,
        ended_for=why.value,
        bank_to_tell=link.mandate_id is not None,
        next_tell_us=now_us,
    )
    if not moved:
        return False
    if link.mandate_id is None:
        # There are no tokens to give back, and the secrets of the way are good for nothing any more.
        link_rows.wipe(connection, parts.keyring, link.id)
    link_rows.release_account(connection, link, now_us)
    link_rows.release_phones(connection, link.member_id, now_us)
    _write_down(connection, "wallet:link:ended", link, why.value, now_us)
    return True


def suspend_within(connection: Connection, parts: Parts, link: BankLink, why: Suspension) -> bool:
    """Stop a link until somebody resumes it, and tell whether that is new.

    One that stands still already, or waits for a review, is stopped for this reason as well.
    """
    current = link_rows.find(connection, link.id, for_update=True)
    if current is None or current.state not in LIVE or why in current.stopped_for:
        return False
    is_active = current.state is LinkState.ACTIVE
    stops = ",".join(sorted((*current.stopped_for, why.value)))
    after = LinkState.SUSPENDED if is_active else current.state
    link_rows.move(connection, current, after, suspended_for=stops)
    now_us = parts.clock.now_us()
    _write_down(connection, "wallet:link:suspended", link, why.value, now_us)
    if is_active:
        _tell(connection, parts, link, now_us)
    return True


def resume_within(
    connection: Connection, parts: Parts, link: BankLink, *, by: str, lifts: Suspension | None = None
) -> bool:
    """Take back why a link stands still, and tell whether it goes on. `by` says who decided.

    With `lifts` it goes on only where nothing else has stopped it; without, whatever has.
    """
    current = link_rows.find(connection, link.id, for_update=True)
    if current is None or current.state not in LIVE:
        return False
    left = [] if lifts is None else [why for why in current.stopped_for if why != lifts]
    goes_on = current.state is LinkState.SUSPENDED and not left
    after = LinkState.ACTIVE if goes_on else current.state
    link_rows.move(connection, current, after, suspended_for=",".join(left))
    if goes_on:
        _write_down(connection, "wallet:link:resumed", link, by, parts.clock.now_us())
    return goes_on


def end_by_bank(connection: Connection, parts: Parts, link: BankLink) -> bool:
    """End a link whose mandate its bank has ended, and tell whether it was open; its member is told."""
    if link.state not in LIVE or not end_within(connection, parts, link, LinkEnd.BANK_REVOKED):
        return False
    _tell(connection, parts, link, parts.clock.now_us())
    return True


def suspend_all_of(connection: Connection, parts: Parts, member_id: MemberId, why: Suspension) -> int:
    """Stop all of a member's links, and return for how many that is new."""
    own = link_rows.of_member(connection, member_id)
    return sum(suspend_within(connection, parts, link, why) for link in own)


def end_unmade_of(connection: Connection, parts: Parts, member_id: MemberId, why: LinkEnd) -> int:
    """End a member's links that are not made yet, and return how many there were."""
    own = link_rows.of_member(connection, member_id)
    unmade = [link for link in own if link.state in (LinkState.BEGUN, LinkState.AT_BANK)]
    return sum(end_within(connection, parts, link, why) for link in unmade)


def resume_all_of(
    connection: Connection, parts: Parts, member_id: MemberId, why: Suspension, *, by: str
) -> int:
    """Take back one reason for which a member's links stand still, and return how many go on."""
    own = [link for link in link_rows.of_member(connection, member_id) if why in link.stopped_for]
    return sum(resume_within(connection, parts, link, by=by, lifts=why) for link in own)


def _tell(connection: Connection, parts: Parts, link: BankLink, now_us: int) -> None:
    """Tell a member of a link that stopped; it stops also where no contact opens."""
    kind, bank = NoticeKind.BANK_LINK_STOPPED, bank_in_words(link.bank, day_in_japan(now_us))
    dedupe = f"{kind}:{link.id}:{now_us}"
    warn(connection, parts, link.member_id, kind, {"when": now_us, "bank": bank}, dedupe=dedupe)


def _write_down(connection: Connection, kind: str, link: BankLink, why: str, now_us: int) -> None:
    body = {"member_id": link.member_id, "bank": link.bank, "mandate_id": link.mandate_id, "why": why}
    entry = outbox.Entry(kind, f"{link.id}:{now_us}", now_us, msgspec.json.encode(body))
    outbox.append(connection, [entry])
