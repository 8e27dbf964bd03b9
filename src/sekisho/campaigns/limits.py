"""What a log does not record, and what the hunt therefore cannot see in it."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Limit:
    """One thing that limits what can be found, in both languages."""

    english: str
    japanese: str


_COLUMNS = {
    "device": Limit(
        "No device tokens: members' own devices cannot be known, so honest logins clear themselves less.",
        "端末トークンの記録がないため、会員の見慣れた端末を区別できません。",
    ),
    "secret": Limit(
        "No tokens for equal secrets: one password or PIN tried on many members cannot be seen.",
        "同じパスワードや暗証番号を示す値がないため、使い回しの試行を見つけられません。",
    ),
    "user_agent": Limit(
        "No user agents: clients cannot be compared.",
        "ユーザーエージェントがないため、端末環境を比較できません。",
    ),
    "tls": Limit(
        "No TLS fingerprints: copied user agents cannot be told.",
        "TLSの特徴がないため、偽装を見分けられません。",
    ),
    "asn": Limit(
        "No providers (ASN): networks are compared by address alone.",
        "事業者番号(ASN)がなく、アドレスだけで比較しました。",
    ),
}
_LEAKED = Limit(
    "No breach list was consulted when these attempts were made.",
    "漏えいリストとの照合結果が記録されていません。",
)
_UNKNOWN = Limit(
    "The log does not say which names exist: tries on names that do not exist count as tries on members.",
    "存在しないIDの区別がないため、すべて会員への試行として数えました。",
)


def limits_of(table: pa.Table) -> list[Limit]:
    """Return what the columns of a table of `logs.record.SCHEMA` leave unsaid."""
    found = [limit for name, limit in _COLUMNS.items() if not _recorded(table, name)]
    if pc.max(table["leaked"]).as_py() == -1:
        found.append(_LEAKED)
    if (
        pc.max(table["known"]).as_py() == -1
        and not pc.any(pc.equal(table["outcome"], "no_such_member")).as_py()
    ):
        found.append(_UNKNOWN)
    return found


def _recorded(table: pa.Table, name: str) -> bool:
    empty: object = 0 if name == "asn" else ""
    return bool(pc.any(pc.not_equal(table[name], empty)).as_py())
