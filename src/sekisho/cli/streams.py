"""`sekisho streams`: agree with another institution to share signals, see how it goes, and part again.

Each side's operator admits the other and hands over the token that is printed; with the other's token the
stream is made at the other. Exit codes: 0 done; 1 a part or the other institution is down; 2 refused.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TextIO, TypeVar

import click
import msgspec

from sekisho.cli.at_institution import AS_JSON, BY, REASON, Place, Refused, at_institution, told
from sekisho.identity.http_line import HttpLine
from sekisho.identity.institution import Parts
from sekisho.kernel.clock import rfc3339
from sekisho.response import audit
from sekisho.response.staff import Deed, require_staff
from sekisho.sharing import feeds, intake, outgoing, partners, streams
from sekisho.sharing.feeds import Feed
from sekisho.sharing.openid_names import learn_earlier_logins
from sekisho.sharing.partners import KEY_OCTETS
from sekisho.sharing.stream_status import Change, change_within
from sekisho.sharing.streams import POLL, PUSH, Status
from sekisho.sharing.subscribing import Subscriber, Wish
from sekisho.storage.unit_of_work import Connection

ISSUER = click.argument("issuer")
Asked = TypeVar("Asked")


@click.group("streams")
def command() -> None:
    """Agree with another institution to share signals, see how it goes, and part again."""


@command.command("add")
@ISSUER
@click.option(
    "--token-file",
    type=click.File("r"),
    help="Where the token is that its operator gave you (- reads it): makes the stream there.",
)
@click.option("--poll", is_flag=True, help="Fetch its events, where it cannot reach us to push them.")
@click.option("--client-id", default="", help="What it is called as a client of our OpenID provider.")
@click.option(
    "--source-key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of the agreed key for hostile sources: 64 hexadecimal digits; made where it is not there.",
)
@click.option("--renew", is_flag=True, help="Print a new token for it; the old one opens nothing any more.")
@BY
@REASON
@at_institution
def add(  # noqa: PLR0913 - the command's options
    place: Place,
    *,
    issuer: str,
    token_file: TextIO | None,
    poll: bool,
    client_id: str,
    source_key: Path | None,
    renew: bool,
    by: str,
    reason: str,
) -> None:
    """Share signals with the institution whose tokens come from ISSUER, and print the token for it."""
    with place.parts() as parts, told():
        require_staff(by)
        key = None if source_key is None else _key_of(source_key, parts)

        def agree(connection: Connection) -> str:
            known = partners.find(connection, issuer)
            made = ""
            if known is None or renew:
                name = client_id or ("" if known is None else known.client_id)
                made = partners.admit(connection, parts, issuer, client_id=name)
            if key is not None:
                partners.agree_on_key(connection, parts, issuer, key)
            if client_id:
                learn_earlier_logins(connection, parts, client_id)
            agreed = {
                "new_token": bool(made),
                "new_key": key is not None,
                "subscribes": token_file is not None,
            }
            _on_record(connection, parts, "signals:partner_admitted", issuer, Deed(by, reason), **agreed)
            return made

        made = parts.store.write(agree).result()
        click.echo(made or "admitted before; its token stays as it is")
        if token_file is not None:
            _require_origin(parts)
            wish = Wish(issuer, token_file.read().strip(), POLL if poll else PUSH)
            feed = asyncio.run(_with_line(parts, lambda subscriber: subscriber.subscribe(wish)))
            click.echo(f"subscribed: {feed.stream_id}")


@command.command("list")
@AS_JSON
@at_institution
def list_streams(place: Place, *, as_json: bool) -> None:
    """Print the partners: what goes out, what comes in, and whether both were seen to work."""
    with place.parts() as parts, parts.store.read() as connection:
        rows = [_row(connection, partner) for partner in partners.all_partners(connection)]
    for row in rows:
        click.echo(msgspec.json.encode(row).decode() if as_json else _line(row))


@command.command("status")
@ISSUER
@click.argument("status", type=click.Choice([each.value for each in Status]))
@BY
@click.option("--reason", required=True, help="Why, for the record and for the receiver.")
@at_institution
def set_status(place: Place, *, issuer: str, status: str, by: str, reason: str) -> None:
    """Pause our stream to an institution, disable it, or enable it again; its receiver is told."""
    with place.parts() as parts:

        def change(connection: Connection) -> None:
            stream = streams.of_partner(connection, issuer)
            if stream is None:
                raise Refused(f"There is no stream to {issuer}.")
            change_within(connection, parts, stream, Change(Status(status), reason))
            statuses = {"before": stream.status.value, "after": status}
            _on_record(connection, parts, "signals:stream_changed", issuer, Deed(by, reason), **statuses)

        parts.store.write(change).result()


@command.command("verify")
@ISSUER
@BY
@REASON
@at_institution
def verify(place: Place, *, issuer: str, by: str, reason: str) -> None:
    """Ask an institution for a verification; `list` says when it came."""
    with place.parts() as parts, told():
        feed, deed = _feed_of(parts, issuer), Deed(by, reason)
        # What goes out cannot be taken back: the word on it is written first.
        parts.store.write(
            lambda at: _on_record(at, parts, "signals:verification_asked", issuer, deed)
        ).result()
        asyncio.run(_with_line(parts, lambda subscriber: subscriber.verify(feed)))


@command.command("remove")
@ISSUER
@BY
@REASON
@at_institution
def remove(place: Place, *, issuer: str, by: str, reason: str) -> None:
    """Part with an institution: both streams end, its token opens nothing, and its names are forgotten."""
    with place.parts() as parts, told():
        require_staff(by)

        def part(connection: Connection) -> None:
            if not partners.part_with(connection, issuer):
                raise Refused(f"There is no agreement with {issuer}.")
            _on_record(connection, parts, "signals:partner_parted", issuer, Deed(by, reason))

        with parts.store.read() as connection:
            feed = feeds.find(connection, issuer)
        if feed is not None:
            try:
                with told():
                    asyncio.run(_with_line(parts, lambda subscriber: subscriber.unsubscribe(feed)))
            except click.ClickException as failure:
                # Whoever parts does not wait for the other.
                click.echo(f"It was not told: {failure.message}", err=True)
        parts.store.write(part).result()


def _on_record(
    connection: Connection, parts: Parts, act: str, issuer: str, deed: Deed, **details: object
) -> None:
    audit.record_deed(connection, deed, act, issuer, at_us=parts.clock.now_us(), **details)


async def _with_line(parts: Parts, ask: Callable[[Subscriber], Awaitable[Asked]]) -> Asked:
    line = HttpLine()
    try:
        return await ask(Subscriber(parts, line))
    finally:
        await line.close()


def _require_origin(parts: Parts) -> None:
    # Of the demo's institutions the port is known to the process that serves them alone.
    if parts.institution.origin.endswith(":0"):
        raise Refused("Events come to the institution's origin; name its file: --institution")


def _row(connection: Connection, partner: partners.Partner) -> dict[str, object]:
    stream = streams.of_partner(connection, partner.issuer)
    feed = feeds.find(connection, partner.issuer)
    sent = outgoing.counts(connection)
    taken = intake.counts(connection)
    return {
        "issuer": partner.issuer,
        "agreed_at": rfc3339(partner.agreed_at_us),
        "exchanges_sources": partner.exchanges_sources,
        "sends": None if stream is None else {"stream_id": stream.id, "status": stream.status.value},
        "sent": {} if stream is None else {state: n for (of, state), n in sent.items() if of == stream.id},
        "receives": None if feed is None else _of_feed(feed),
        "received": {outcome: n for (of, outcome), n in taken.items() if of == partner.issuer},
    }


def _of_feed(feed: Feed) -> dict[str, object]:
    verified = None if feed.verified_at_us is None else rfc3339(feed.verified_at_us)
    return {"stream_id": feed.stream_id, "status": feed.status.value, "verified_at": verified}


def _line(row: dict[str, object]) -> str:
    return "\t".join(msgspec.json.encode(value).decode().strip('"') for value in row.values())


def _feed_of(parts: Parts, issuer: str) -> Feed:
    with parts.store.read() as connection:
        feed = feeds.find(connection, issuer)
    if feed is None:
        raise Refused(f"There is no stream from {issuer}.")
    return feed


def _key_of(file: Path, parts: Parts) -> bytes:
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(parts.chance.octets(KEY_OCTETS).hex() + "\n")
    except FileExistsError:
        pass
    try:
        key = bytes.fromhex(file.read_text("ascii").strip())
    except ValueError as error:
        raise Refused(f"{file} holds no key of {KEY_OCTETS} octets in hexadecimal digits.") from error
    if len(key) != KEY_OCTETS:
        raise Refused(f"{file} holds no key of {KEY_OCTETS} octets in hexadecimal digits.")
    return key
