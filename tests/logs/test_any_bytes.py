"""No log is fatal: whatever stands in it, every data record is either read or counted as broken."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs.whole_log import read_logs

from sekisho.campaigns.logs.faults import UnusableLog
from sekisho.campaigns.logs.ocsf import to_ocsf
from sekisho.campaigns.logs.record import SCHEMA
from sekisho.campaigns.logs.web_access import Answer, WebAccessRules

RULES = WebAccessRules(path="/login", member="query:name", success=Answer(status=(302,)))
RECORD = {
    "time": "2026-01-02T03:04:05Z",
    "member": "mika",
    "ip": "2001:db8::1",
    "known": "1",
    "user_agent": 'a "b"',
}


def parquet():
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([RECORD] * 5), file)
    return file.getvalue()


def ocsf():
    absent = dict.fromkeys(SCHEMA.names, "") | dict.fromkeys(("known", "leaked", "device_valid"), -1)
    event = to_ocsf(
        absent | {"time_us": 5, "gate": "login", "member": "m", "ip": "::1", "outcome": "success"}
    )
    return "\n".join([json.dumps(event)] * 3).encode()


WHOLE = {
    "parquet": parquet(),
    "csv": b'time,member,ip,user_agent\n2026-01-02T03:04:05Z,mika,192.0.2.1,"a ""b"""\n' * 2,
    "ndjson": (json.dumps(RECORD) + "\n").encode() * 3,
    "ocsf": ocsf(),
    "openssh": b"Dec 31 23:59:58 h sshd[7]: Failed password for invalid user x from 192.0.2.1 port 22 ssh2\n"
    * 3,
    "cowrie-csv": b"timestamp,src_ip,username,password,result\n2018-05-06T17:44:51Z,192.0.2.1,u,p,failed\n",
    "cowrie-json": b'{"eventid":"cowrie.login.failed","session":"s","username":"u","src_ip":"192.0.2.1"}\n'
    * 3,
    "web-access": b'192.0.2.1 - - [02/Jan/2026:03:04:05 +0900] "POST /login?name=m HTTP/1.1" 302 5\n' * 3,
    "rba": b"Login Timestamp,User ID,IP Address,Login Successful\n2020-02-03 12:43:30.772,5,10.0.0.1,True\n"
    * 2,
}
CUTS = st.lists(
    st.tuples(
        st.floats(0, 1), st.integers(0, 30), st.binary(max_size=6) | st.sampled_from([b'"', b"\r", b"9" * 30])
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(WHOLE)), CUTS, st.booleans())
def test_every_record_is_read_or_counted(tmp_path_factory, log_format, cuts, told):
    """Bytes are taken out and put in at any place, and the format is told or found out."""
    data = WHOLE[log_format]
    for place, length, inserted in cuts:
        at = int(place * len(data))
        data = data[:at] + inserted + data[at + length :]
    path = tmp_path_factory.getbasetemp() / "any_bytes"
    path.write_bytes(data)
    try:
        log = read_logs(
            [path], log_format=log_format if told else "auto", key=b"k", year=2016, web_access=RULES
        )
    except UnusableLog:
        return
    rows = log.table["row"].to_pylist()
    assert len(set(rows)) + log.faults.broken_count == log.faults.rows
    assert all(log.table[name].null_count == 0 for name in SCHEMA.names if name != "amount_yen")
    assert set(rows).isdisjoint(record.row for record in log.broken)
