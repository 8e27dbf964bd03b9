"""What a partner's word does to a member here: sessions end, money stays, and both can be taken back."""

from sqlalchemy import Connection

from sekisho.identity import sessions
from sekisho.identity.holds import HoldKind, HoldScope, holds_on, lift, place
from sekisho.identity.institution import Parts
from sekisho.identity.sessions import Ended
from sekisho.kernel.ids import MEMBER as MEMBER_IDS
from sekisho.kernel.ids import MemberId
from sekisho.sharing import evidence
from sekisho.sharing.actions import Action, Deed, Handler
from sekisho.sharing.agreed_subjects import MEMBER


def hold_money(connection: Connection, parts: Parts, deed: Deed) -> None:
    """Keep a member's money in until the deed's time, unless this partner's word keeps it in for longer."""
    member_id, reason = _member(deed), hold_reason(deed.issuer)
    for standing in holds_on(connection, member_id, parts.clock.now_us()):
        if standing.reason == reason:
            if standing.until_us is None or standing.until_us >= deed.until_us:
                return
            lift(connection, parts, standing.id, by=reason)
    place(
        connection,
        parts,
        member_id,
        HoldKind.CONTAINMENT,
        HoldScope.MONEY_OUT,
        reason=reason,
        until_us=deed.until_us,
    )


def end_sessions(connection: Connection, parts: Parts, deed: Deed) -> None:
    """End all of a member's sessions."""
    sessions.end_all(connection, parts, _member(deed), Ended.CONTAINED)


def lift_holds(connection: Connection, parts: Parts, deed: Deed) -> None:
    """Take back the holds that this partner's word placed on a member, and no others.

    They stay where the word was about one link of the member's, and something else is still said of them.
    """
    reason, now_us = hold_reason(deed.issuer), parts.clock.now_us()
    if deed.cause is not None and evidence.stands(connection, deed.about, issuer=deed.issuer, now_us=now_us):
        return
    for standing in holds_on(connection, _member(deed), now_us):
        if standing.reason == reason:
            lift(connection, parts, standing.id, by=reason)


def hold_reason(issuer: str) -> str:
    """Return the reason that a hold on a partner's word carries."""
    return f"signal:{issuer}"


def _member(deed: Deed) -> MemberId:
    return MEMBER_IDS.parse(deed.about.id)


MEMBER_HANDLERS: dict[tuple[Action, str], Handler] = {
    (Action.HOLD_MONEY_OUT, MEMBER): hold_money,
    (Action.END_SESSIONS, MEMBER): end_sessions,
    (Action.LIFT, MEMBER): lift_holds,
}
