"""Attempts as integer codes in time order: the form in which the hunt calculates."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int32]
Cells = npt.NDArray[np.int16]
Whole = npt.NDArray[np.int64]
Small = npt.NDArray[np.int8]
Marks = npt.NDArray[np.bool_]
Weights = npt.NDArray[np.float64]

ABSENT = -1
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedAttempts:
    """One gate's attempts in time order. Equal codes are equal values; -1 means not recorded.

    `place` is each attempt's position in the table that was read. `prefix` is the /24 of an IPv4 or the /64
    of an IPv6 address, `block` its /16 or /48. `client` is the pair of user agent and TLS fingerprint,
    `spot` the pair of member and address. `stopped` marks what was refused or asked for more, `partner`
    attempts of an authenticated partner. `agents` and `fingerprints` hold the texts that the codes of `agent`
    and `tls` stand for.
    """

    place: Whole
    time_us: Whole
    member: Codes
    address: Codes
    prefix: Codes
    block: Codes
    asn: Codes
    country: Codes
    agent: Codes
    tls: Codes
    client: Codes
    spot: Codes
    device: Codes
    secret: Codes
    success: Marks
    failure: Marks
    stopped: Marks
    unknown_name: Marks
    known: Small
    leaked: Small
    device_valid: Small
    passed: Marks
    partner: Marks
    agents: pa.StringArray
    fingerprints: pa.StringArray

    def __len__(self) -> int:
        """Return the number of attempts."""
        return len(self.time_us)


def code_attempts(table: pa.Table) -> dict[str, CodedAttempts]:
    """Code a table of `logs.record.SCHEMA`, one part for each gate in it."""
    time_us: Whole = table["time_us"].to_numpy()
    gates, names = _codes(table["gate"])
    order = np.argsort(time_us, kind="stable")
    agent, agents = _present(table["user_agent"], "")
    tls, fingerprints = _present(table["tls"], "")
    texts = {
        "member": _codes(table["member"])[0],
        "asn": _present(table["asn"], 0)[0],
        "country": _present(table["country"], "")[0],
        "agent": agent,
        "tls": tls,
        "device": _present(table["device"], "")[0],
        "secret": _present(table["secret"], "")[0],
    }
    address, addresses = _codes(table["ip"])
    prefix, block = _networks(addresses)
    texts |= {"address": address, "prefix": prefix[address], "block": block[address]}
    small = {name: _numbers(table[name]) for name in ("known", "leaked", "device_valid")}
    marks = _marks(table)
    parts = {}
    for code, gate in enumerate(names.to_pylist()):
        rows = order[gates[order] == code]
        if not len(rows):
            continue
        here = {name: column[rows] for name, column in texts.items()}
        parts[str(gate)] = CodedAttempts(
            place=rows,
            time_us=time_us[rows],
            client=pair_codes(here["agent"], here["tls"]),
            spot=pair_codes(here["member"], here["address"]),
            agents=agents,
            fingerprints=fingerprints,
            **here,
            **{name: column[rows] for name, column in small.items()},
            **{name: column[rows] for name, column in marks.items()},
        )
    return parts


def pair_codes(one: Codes, other: Codes) -> Codes:
    """Return one code for each pair of codes that occurs; -1 where either part is absent."""
    if not len(one):
        return one.copy()
    joined = one.astype(np.int64) * (int(other.max()) + 2) + other
    encoded = pc.dictionary_encode(pa.array(joined))
    codes: Codes = encoded.indices.to_numpy().astype(np.int32)
    codes[(one == ABSENT) | (other == ABSENT)] = ABSENT
    return codes


def _marks(table: pa.Table) -> dict[str, Marks]:
    outcome, outcomes = _codes(table["outcome"])
    challenge, challenges = _codes(table["challenge"])
    return {
        "success": _is(outcome, outcomes, "success"),
        "failure": _is(outcome, outcomes, "wrong_secret", "no_such_member"),
        "stopped": _is(outcome, outcomes, "refused", "challenged"),
        "unknown_name": _is(outcome, outcomes, "no_such_member") | (_numbers(table["known"]) == 0),
        "passed": _is(challenge, challenges, "passed"),
        "partner": _present(table["client"], "")[0] != ABSENT,
    }


def _codes(column: pa.ChunkedArray) -> tuple[Codes, pa.StringArray]:
    """Return each value's code and the distinct values; chunks are joined first, which is much faster."""
    if pa.types.is_dictionary(column.type):
        whole = column.unify_dictionaries().combine_chunks()
    else:
        whole = pc.dictionary_encode(column.combine_chunks())
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0)
    codes: Codes = whole.indices.to_numpy().astype(np.int32)
    return codes, whole.dictionary


def _present(column: pa.ChunkedArray, empty: object) -> tuple[Codes, pa.StringArray]:
    """Return the codes, absent where a value is the empty one, and the distinct values."""
    codes, values = _codes(column)
    place = pc.index(values, empty).as_py()
    if place >= 0:
        codes[codes == place] = ABSENT
    return codes, values


def _is(codes: Codes, values: pa.StringArray, *wanted: str) -> Marks:
    return np.isin(codes, [pc.index(values, word).as_py() for word in wanted])


def _numbers(column: pa.ChunkedArray) -> Small:
    numbers: Small = column.to_numpy().astype(np.int8)
    return numbers


def _networks(addresses: pa.StringArray) -> tuple[Codes, Codes]:
    """Return the prefix and the block of each distinct address."""
    frame = pl.DataFrame({"ip": pl.Series(addresses)}).with_columns(
        four=pl.col("ip").str.contains(":", literal=True).not_(),
        head=pl.col("ip").str.replace(r"::.*$", ":0:0:0:0"),
    )
    names = frame.select(
        prefix=pl.when("four")
        .then(pl.col("ip").str.replace(r"\.\d+$", ""))
        .otherwise(pl.col("head").str.extract(r"^((?:[^:]*:){3}[^:]*)")),
        block=pl.when("four")
        .then(pl.col("ip").str.replace(r"\.\d+\.\d+$", ""))
        .otherwise(pl.col("head").str.extract(r"^((?:[^:]*:){2}[^:]*)")),
    )
    return _text_codes(names["prefix"]), _text_codes(names["block"])


def _text_codes(texts: pl.Series) -> Codes:
    codes: Codes = pc.dictionary_encode(texts.fill_null("").to_arrow()).indices.to_numpy().astype(np.int32)
    return codes
