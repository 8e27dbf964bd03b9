"""Logins on a cowrie honeypot: its JSON events, or the CSV that is often drawn from them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sekisho.campaigns.logs.columns import distinct_text, translated
from sekisho.campaigns.logs.delimited import read_delimited
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.gathering import EMPTY_NAME, Gathering, secret_token
from sekisho.campaigns.logs.objects import read_objects
from sekisho.campaigns.logs.record import RawRecords
from sekisho.guard.attempts import Outcome

CSV_COLUMNS = frozenset({"timestamp", "src_ip", "session", "username", "password", "result"})
SESSIONS_OPEN_MAX = 100_000

_OUTCOMES = {"success": Outcome.SUCCESS, "succeeded": Outcome.SUCCESS, "failed": Outcome.WRONG_SECRET}
_LOGINS = {"cowrie.login.success": Outcome.SUCCESS, "cowrie.login.failed": Outcome.WRONG_SECRET}


def read_cowrie_csv(path: Path, faults: Faults, *, key: bytes) -> Iterator[RawRecords]:
    """Yield the tries of a CSV with `timestamp,src_ip,session,username,password,result`."""
    for raw in read_delimited(path, faults, CSV_COLUMNS):
        columns, length = raw.columns, raw.length
        names = distinct_text(columns.get("username"), length)
        yield replace(
            raw,
            columns={
                "time": distinct_text(columns.get("timestamp"), length),
                "member": pc.if_else(pc.equal(names, ""), EMPTY_NAME, names),
                "ip": distinct_text(columns.get("src_ip"), length),
                "session": distinct_text(columns.get("session"), length),
                "secret": secret_tokens(columns.get("password"), length, key),
                "outcome": translated(columns.get("result"), length, _OUTCOMES),
            },
        )


def secret_tokens(secrets: pa.Array | None, length: int, key: bytes) -> pa.StringArray:
    """Return a column's tokens (`secret_token`); an empty secret that was tried is a secret too."""
    if secrets is None:
        return distinct_text(None, length)
    texts = pc.dictionary_encode(distinct_text(secrets, length))
    tokens = [secret_token(secret, key) for secret in texts.dictionary.to_pylist()]
    return pa.array(tokens, pa.string()).take(texts.indices)


def read_cowrie_json(path: Path, faults: Faults, *, key: bytes) -> Iterator[RawRecords]:
    """Yield the login events of a JSON log; the client's version and key-exchange fingerprint go with them.

    Events that are no login are no records. `hassh`, the fingerprint of an SSH client, stands in the column
    `tls`.
    """
    clients: dict[str, dict[str, str]] = {}
    for objects in read_objects(path, faults, is_record=_is_login):
        found = Gathering("time", "member", "ip", "session", "secret", "outcome", "user_agent", "tls")
        for item in objects:
            said = item.said
            session = str(said.get("session", ""))
            if not _is_login(said):
                _remember(clients, session, said)
                continue
            client = clients.get(session, {})
            password = said.get("password")
            found.add(
                faults,
                item.line,
                str(said.get("timestamp", "")),
                str(said.get("username", "")) or EMPTY_NAME,
                str(said.get("src_ip", "")),
                session,
                "" if password is None else secret_token(str(password), key),
                _LOGINS[said["eventid"]],
                client.get("version", ""),
                client.get("hassh", ""),
                row=item.row,
            )
        if len(found):
            yield found.take()


def _is_login(said: dict[str, Any]) -> bool:
    return said.get("eventid") in _LOGINS


def _remember(clients: dict[str, dict[str, str]], session: str, said: dict[str, Any]) -> None:
    """Keep what a session's client said of itself until the session closes."""
    if said.get("eventid") == "cowrie.session.closed":
        clients.pop(session, None)
        return
    facts = {name: str(said[name]) for name in ("version", "hassh") if said.get(name)}
    if facts:
        clients.setdefault(session, {}).update(facts)
        if len(clients) > SESSIONS_OPEN_MAX:  # sessions whose end was never logged: the oldest goes
            del clients[next(iter(clients))]
