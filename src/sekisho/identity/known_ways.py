"""What is known of a member's own devices, read for the relay test: ids, regions of addresses, countries."""

from sqlalchemy import Connection, select

from sekisho.identity.assurance import Standing
from sekisho.identity.relay import KnownWays, source_of
from sekisho.storage.tables.sessions import device, session, sign_in

_SESSIONS_MAX = 50


def known_ways(connection: Connection, member_id: str) -> KnownWays:
    """Return where the member's trusted devices are and were; empty for somebody who has none."""
    trusted = select(device.c.id, device.c.first_ip).where(
        device.c.member_id == member_id, device.c.standing == Standing.TRUSTED
    )
    first_ips = {row.id: row.first_ip for row in connection.execute(trusted)}
    if not first_ips:
        return KnownWays()
    of_these = session.c.device_id.in_(first_ips)
    used = (
        select(session.c.ip)
        .where(session.c.member_id == member_id, of_these)
        .order_by(session.c.opened_at_us.desc())
        .limit(_SESSIONS_MAX)
    )
    ips = {*first_ips.values(), *connection.execute(used).scalars()}
    sources = (source_of(ip) for ip in ips)
    countries = (
        select(sign_in.c.country)
        .where(sign_in.c.member_id == member_id, sign_in.c.device_id.in_(first_ips), sign_in.c.country != "")
        .distinct()
    )
    return KnownWays(
        devices=frozenset(first_ips),
        regions=frozenset(source.region for source in sources if source is not None),
        countries=frozenset(connection.execute(countries).scalars()),
    )
