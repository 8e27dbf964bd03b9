"""Introduce two institutions to each other: what their operators would agree, for a demonstration.

Each admits the other and subscribes to it over HTTP, as it would anywhere; only the tokens and the key of the
source exchange, which people would carry from one to the other, are handed over here.
"""

import asyncio
from typing import NamedTuple
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Connection

from sekisho.identity.http_line import is_local
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.sharing import feeds, partners
from sekisho.sharing.exchange import Exchange
from sekisho.sharing.openid_names import learn_earlier_logins
from sekisho.sharing.partners import KEY_OCTETS
from sekisho.sharing.streams import PUSH
from sekisho.sharing.subscribing import Wish

log = structlog.get_logger(__name__)

AGAIN_AFTER_S = 1.0


class Introduction(NamedTuple):
    """Two institutions, and what each is called as a client of the other's OpenID provider, if any."""

    one: Exchange
    other: Exchange
    other_at_one: str = ""
    one_at_other: str = ""
    method: str = PUSH


async def introduce(introduction: Introduction) -> None:
    """Let two institutions hear each other, unless they do already.

    Raises OperationalError and TransmitterUnfit.
    """
    one, other = introduction.one, introduction.other
    if await _hears(one, other) and await _hears(other, one):
        return
    key = one.parts.chance.octets(KEY_OCTETS)
    to_other = await _admit(one, other, introduction.other_at_one, key)
    to_one = await _admit(other, one, introduction.one_at_other, key)
    await other.subscriber.subscribe(Wish(one.parts.institution.origin, to_other, introduction.method))
    await one.subscriber.subscribe(Wish(other.parts.institution.origin, to_one, introduction.method))


async def introduce_when_served(introductions: list[Introduction]) -> None:
    """Introduce institutions to each other as soon as they answer; run it beside what serves them."""
    waiting = list(introductions)
    while waiting:
        still = []
        for introduction in waiting:
            try:
                await introduce(introduction)
            except (OperationalError, Refusal) as failure:
                log.info("signals:introduction:waits", why=str(failure))
                still.append(introduction)
        waiting = still
        if waiting:
            await asyncio.sleep(AGAIN_AFTER_S)


async def _hears(one: Exchange, other: Exchange) -> bool:
    issuer = other.parts.institution.origin
    return await one.parts.read(lambda at: feeds.find(at, issuer)) is not None


async def _admit(one: Exchange, other: Exchange, client_id: str, key: bytes) -> str:
    issuer = other.parts.institution.origin

    def work(connection: Connection) -> str:
        _forget_moved(connection, issuer)
        token = partners.admit(connection, one.parts, issuer, client_id=client_id)
        partners.agree_on_key(connection, one.parts, issuer, key)
        if client_id:
            learn_earlier_logins(connection, one.parts, client_id)
        return token

    return await one.parts.written(work)


def _forget_moved(connection: Connection, issuer: str) -> None:
    """Part with what an institution of this machine was before it came up on another port."""
    host = urlsplit(issuer).hostname or ""
    for partner in partners.all_partners(connection):
        if partner.issuer != issuer and is_local(host) and urlsplit(partner.issuer).hostname == host:
            partners.part_with(connection, partner.issuer)
