"""Logs of other programs become the attempt record."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs.whole_log import read_logs

from sekisho.campaigns.logs.faults import UnusableLog
from sekisho.campaigns.logs.gathering import secret_token
from sekisho.campaigns.logs.ocsf import to_ocsf
from sekisho.campaigns.logs.web_access import read_rules
from sekisho.guard.attempts import ChallengeResult, Gate, Outcome
from sekisho.kernel.clock import rfc3339

KEY = b"k" * 32


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "log"
        path.write_text(text)
        log = read_logs([path], key=KEY, **options)
        return log, log.table.to_pylist()

    return read


def sshd(said, stamp="Dec 31 23:59:58", pid=7):
    return f"{stamp} host sshd[{pid}]: {said}\n"


FAILED = "Failed password for root from 192.0.2.1 port 22 ssh2"


def test_openssh_tells_success_failure_and_unknown_names(read):
    log, found = read(
        sshd("Accepted publickey for mika from 192.0.2.9 port 54259 ssh2: RSA SHA256:abc")
        + sshd("Invalid user  from 192.0.2.2")
        + sshd("Failed password for invalid user  from 192.0.2.2 port 1 ssh2")
        + sshd(FAILED)
        + sshd("pam_unix(sshd:auth): authentication failure; rhost=192.0.2.1  user=root")
        + sshd("Disconnecting: Too many authentication failures [preauth]"),
        year=2016,
    )
    said = [(record["member"], record["ip"], record["outcome"], record["known"]) for record in found]
    assert said == [
        ("mika", "192.0.2.9", "success", 1),
        ("(empty)", "192.0.2.2", "no_such_member", 0),
        ("root", "192.0.2.1", "wrong_secret", 1),
    ]
    assert log.broken == []
    assert rfc3339(found[0]["time_us"]) == "2016-12-31T23:59:58Z"


def test_openssh_repeated_messages_are_as_many_records(read):
    log, found = read(sshd(FAILED) + sshd(f"message repeated 4 times: [ {FAILED}]"), year=2016)
    assert len(found) == 5
    assert log.table["row"].to_pylist() == [0, 1, 2, 3, 4]


def test_openssh_counts_an_unknown_name_once(read):
    """`Invalid user` is a record of its own only where no proof followed on that connection."""
    _, found = read(
        sshd("Invalid user a from 192.0.2.2 port 5", pid=1)
        + sshd("Invalid user b from 192.0.2.3 port 5", pid=2)
        + sshd("Failed password for invalid user b from 192.0.2.3 port 5 ssh2", pid=2)
        + sshd("Connection closed by invalid user a 192.0.2.2 port 5 [preauth]", pid=1),
        year=2016,
    )
    assert sorted(record["member"] for record in found) == ["a", "b"]


def test_openssh_years_go_on_at_new_year(read):
    lines = (
        sshd(FAILED, "Dec 31 23:59:58") + sshd(FAILED, "Jan  1 00:00:03") + sshd(FAILED, "Dec 31 23:59:59")
    )
    _, found = read(lines, year=2016)
    assert [rfc3339(record["time_us"])[:10] for record in found] == ["2016-12-31", "2017-01-01", "2016-12-31"]


def test_openssh_names_may_not_forge_an_address(read):
    """Only the last address of the line is the connection's."""
    _, (record,) = read(
        sshd("Failed password for invalid user x from 8.8.8.8 port 22 ssh2 from 192.0.2.1 port 5 ssh2"),
        year=2016,
    )
    assert record["ip"] == "192.0.2.1"


def test_openssh_times_may_be_rfc3339(read):
    _, (record,) = read(sshd(FAILED, "2024-05-06T07:08:09.123456+09:00"))
    assert rfc3339(record["time_us"]) == "2024-05-05T22:08:09.123456Z"


def test_cowrie_csv_secrets_are_hashed_with_the_runs_key(read):
    log, found = read(
        "timestamp,src_ip,session,username,password,result\n"
        "2018-05-06T17:44:51.165980Z,192.0.2.1,s1,root,hunter2,success\n"
        "2018-05-06T17:44:52.165980Z,192.0.2.1,s2,,hunter2,failed\n"
    )
    assert [record["member"] for record in found] == ["root", "(empty)"]
    assert [record["outcome"] for record in found] == ["success", "wrong_secret"]
    assert {record["secret"] for record in found} == {secret_token("hunter2", KEY)}
    assert secret_token("hunter2", KEY) != secret_token("hunter2", b"another run's key")
    assert "hunter2" not in str(log.table.to_pylist())


def test_cowrie_json_joins_the_client_to_the_login(read):
    events = [
        {"eventid": "cowrie.client.version", "session": "s", "version": "SSH-2.0-Go"},
        {"eventid": "cowrie.client.kex", "session": "s", "hassh": "f00d"},
        {
            "eventid": "cowrie.login.failed",
            "session": "s",
            "username": "root",
            "password": "a",
            "src_ip": "192.0.2.1",
            "timestamp": "2018-05-06T17:44:51Z",
        },
        {"eventid": "cowrie.session.closed", "session": "s"},
    ]
    _, (record,) = read("\n".join(map(json.dumps, events)))
    assert (record["row"], record["user_agent"], record["tls"]) == (0, "SSH-2.0-Go", "f00d")
    assert record["secret"] == secret_token("a", KEY)


def test_the_rba_data_sets_labels_are_set_aside(read):
    log, (record,) = read(
        "index,Login Timestamp,User ID,Round-Trip Time [ms],IP Address,Country,Region,City,ASN,"
        "User Agent String,Browser Name and Version,OS Name and Version,Device Type,Login Successful,"
        "Is Attack IP,Is Account Takeover\n"
        "0,2020-02-03 12:43:30.772,-4324,,10.0.65.171,NO,-,-,29695,"
        '"Mozilla, like Gecko",F 1,iOS 13,mobile,False,False,False\n'
    )
    assert rfc3339(record["time_us"]) == "2020-02-03T12:43:30.772000Z"
    assert (record["member"], record["asn"], record["country"]) == ("-4324", 29_695, "NO")
    assert (record["outcome"], record["user_agent"]) == ("wrong_secret", "Mozilla, like Gecko")
    assert {"Is Attack IP", "Is Account Takeover"} <= set(log.aside)


RULES = """
path = "/login"
member = "query:name"
[success]
status = [302]
[wrong_secret]
status = [200, 401]
[refused]
status = [429]
"""


def access(path, status, method="POST"):
    return (
        f'192.0.2.1 - - [02/Jan/2026:03:04:05 +0900] "{method} {path} HTTP/1.1" {status} 5 "-" "UA \\"x\\""\n'
    )


@pytest.fixture
def rules(tmp_path):
    def rules(text):
        path = tmp_path / "rules.toml"
        path.write_text(text)
        return read_rules(path)

    return rules


def test_a_web_access_log_is_read_by_rules(read, rules):
    log, found = read(
        access("/login?name=mika%20k", 302)
        + access("/login?name=ken", 401)
        + access("/login?name=ken", 429)
        + access("/login?name=ken", 500)
        + access("/login", 200, method="GET")
        + access("/logout", 302)
        + "what is this\n",
        web_access=rules(RULES),
    )
    assert [record["member"] for record in found] == ["mika k", "ken", "ken", "ken"]
    assert [record["outcome"] for record in found] == ["success", "wrong_secret", "refused", ""]
    assert rfc3339(found[0]["time_us"]) == "2026-01-01T18:04:05Z"
    assert found[0]["user_agent"] == 'UA \\"x\\"'
    assert log.broken_by_reason == {"line_not_understood": 1}


def test_web_access_rules_may_describe_any_line(read, rules):
    """Named groups fill the record's columns; the redirect tells success from failure; a secret is hashed."""
    pattern = (
        r"(?P<time>\S+) (?P<ip>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\d+) (?P<location>\S+) "
        r"(?P<tls>\S+) (?P<name>\S+) (?P<secret>\S+)"
    )
    chosen = rules(
        f"""
        line = '{pattern}'
        time = "epoch"
        path = "/signin"
        member = "name"
        [success]
        status = [303]
        location = "^/home"
        [wrong_secret]
        status = [303]
        """
    )
    line = "1767323045.5 192.0.2.1 POST /signin 303 {} t13d mika pw\n"
    _, found = read(
        line.format("/home?x") + line.format("/signin"), web_access=chosen, log_format="web-access"
    )
    assert [record["outcome"] for record in found] == ["success", "wrong_secret"]
    assert (found[0]["time_us"], found[0]["tls"]) == (1_767_323_045_500_000, "t13d")
    assert found[0]["secret"] == secret_token("pw", KEY)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("path = '/login'", "missing required field `success`"),
        ("colour = 1\n" + RULES, "unknown field `colour`"),
        (RULES.replace('"/login"', '"("'), "missing \\)"),
        ("line = '(?P<ip>x)'\n" + RULES, "lacks the groups method, path, status, time"),
    ],
)
def test_unusable_rules_are_refused_with_the_reason(rules, text, why):
    with pytest.raises(UnusableLog, match=why):
        rules(text)


def test_a_web_access_log_without_rules_says_what_is_missing(read):
    with pytest.raises(UnusableLog, match=r"--web-access RULES\.toml"):
        read(access("/login", 302))


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
RECORDS = st.fixed_dictionaries(
    {
        "row": st.just(0),
        "time_us": st.integers(0, 4_000_000_000_000_000),
        "gate": st.sampled_from(Gate).map(str),
        "member": TEXT.filter(bool),
        "actor": TEXT,
        "client": TEXT,
        "known": st.sampled_from([1, -1]),
        "ip": st.sampled_from(["192.0.2.1", "2001:db8::1"]),
        "asn": st.integers(0, 2**32),
        "country": TEXT,
        "user_agent": TEXT,
        "tls": TEXT,
        "device": TEXT,
        "device_valid": st.sampled_from([0, 1, -1]),
        "secret": TEXT,
        "leaked": st.sampled_from([0, 1, -1]),
        "outcome": st.sampled_from(Outcome).map(str),
        "challenge": st.sampled_from(ChallengeResult).map(str),
        "session": TEXT,
        "amount_yen": st.none() | st.integers(0, 2**40),
        "target": TEXT,
    }
)


@settings(deadline=None)  # the first example waits for imports
@given(RECORDS)
def test_a_record_survives_ocsf_and_back(tmp_path_factory, record):
    """Every field returns; only a name that does not exist is known from the outcome too."""
    if record["outcome"] == Outcome.NO_SUCH_MEMBER:
        record["known"] = 0
    path = tmp_path_factory.mktemp("ocsf") / "events.json"
    path.write_text(json.dumps(to_ocsf(record)))
    (back,) = read_logs([path], key=KEY).table.to_pylist()
    if record["outcome"] == Outcome.SUCCESS and record["challenge"] == ChallengeResult.NONE:
        assert "is_mfa" not in to_ocsf(record)
    assert back == record


def test_foreign_ocsf_events_are_read_by_their_meaning(read):
    """Other classes and logoffs are no records; a failure without a known detail is a wrong secret."""
    event = {
        "class_uid": 3002,
        "activity_id": 1,
        "time": 1_767_323_045_678,
        "user": {"uid": "u-1"},
        "src_endpoint": {"ip": "::ffff:192.0.2.1"},
        "status_id": 2,
    }
    events = [
        {"class_uid": 3001},
        event,
        event | {"activity_id": 2},
        event | {"status_id": 1, "is_mfa": True},
        event | {"status_detail": "USER_DOES_NOT_EXIST"},
    ]
    _, found = read("\n".join(map(json.dumps, events)))
    said = [(record["row"], record["outcome"], record["challenge"], record["known"]) for record in found]
    assert said == [(0, "wrong_secret", "", -1), (1, "success", "passed", -1), (2, "no_such_member", "", 0)]
    assert (found[0]["member"], found[0]["ip"]) == ("u-1", "192.0.2.1")
