"""What is known of a member's own devices, read for the relay test: ids, regions of addresses, countries."""

from sqlalchemy import Connection, select

from sekisho.identity.assurance import Standing
from sekisho.identity.relay import KnownWays, source_of
from sekisho.identity.sign_ins import LoginResult
from sekisho.storage.tables.sessions import device, session, sign_in

_SESSIONS_MAX = 50


def known_ways(connection: Connection, member_id: str) -> KnownWays:
    """Return where the member's trusted devices are and were; empty for somebody who has none.

    It asks the same of the store whoever it is, so that its time does not tell a member from nobody.
    """
    trusted = (device.c.member_id == member_id) & (device.c.standing == Standing.TRUSTED)
    own = select(device.c.id, device.c.first_ip).where(trusted)
    used = (
        select(session.c.ip)
        .join(device, device.c.id == session.c.device_id)
        .where(trusted, session.c.member_id == member_id)
        .order_by(session.c.opened_at_us.desc())
        .limit(_SESSIONS_MAX)
    )
    been = (
        select(sign_in.c.country)
        .join(device, device.c.id == sign_in.c.device_id)
        .where(
            trusted,
            sign_in.c.member_id == member_id,
            sign_in.c.result == LoginResult.OPENED,
            sign_in.c.country != "",
        )
        .order_by(sign_in.c.at_us.desc())
        .limit(_SESSIONS_MAX)
    )
    first_ips = {row.id: row.first_ip for row in connection.execute(own)}
    ips = {*first_ips.values(), *connection.execute(used).scalars()}
    sources = (source_of(ip) for ip in ips)
    return KnownWays(
        devices=frozenset(first_ips),
        regions=frozenset(source.region for source in sources if source is not None),
        countries=frozenset(connection.execute(been).scalars()),
    )
