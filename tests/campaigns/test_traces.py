"""What a campaign left in the log: counted over time and by source, in bounded size."""

import json

import msgspec
import numpy as np
import polars as pl
import pytest

from sekisho.campaigns.coded import DAY_US, HOUR_US
from sekisho.campaigns.hunt import hunt
from sekisho.campaigns.traces import PARTS_MAX, SOURCES_SHOWN, STEPS_US, _parts
from sekisho.campaigns.writing import attempts_table, write_findings


@pytest.fixture(name="found")
def _found(made_log):
    """Hunt through twelve days with one attack, and return its one trace beside the findings."""
    log = made_log(tries=3000)
    for number, row in enumerate(log.rows):
        row["country"] = "JP" if number % 3 else "VN"
    findings = hunt(log.table(), lambda _: None)
    (campaign,) = findings.campaigns
    return findings, campaign, findings.traces[str(campaign.campaign)]


def rows_of(findings):
    return pl.DataFrame(attempts_table(findings)).with_columns(pl.col("campaign").cast(pl.String))


def within(rows, trace):
    """Return the attempts of the time that a trace shows."""
    end_us = trace.first_us + trace.step_us * len(trace.honest)
    return rows.filter(pl.col("time_us").is_between(trace.first_us, end_us, closed="left"))


def test_every_attempt_of_the_campaign_stands_in_one_part(found):
    """What is counted part by part is what stands in the table of attempts, to the last one."""
    findings, campaign, trace = found
    own = rows_of(findings).filter(pl.col("campaign") == campaign.campaign)
    place = (own["time_us"] - trace.first_us) // trace.step_us
    assert list(trace.reached) == np.bincount(place.to_numpy(), minlength=len(trace.reached)).tolist()
    failed = own.filter(pl.col("outcome").is_in(["wrong_secret", "no_such_member"]))
    assert sum(trace.failed) == failed.height > 0
    assert sum(trace.stopped) == 0
    assert sum(trace.entered) == len(findings.entered) > 0


def test_honest_attempts_of_the_same_time_stand_beside_it(found):
    """Also those of the hours before and after, so that it is seen what is usual."""
    findings, campaign, trace = found
    honest = within(rows_of(findings), trace).filter(pl.col("campaign").is_null())
    assert sum(trace.honest) == honest.height > 0
    assert trace.first_us < campaign.first_seen_us - 5 * HOUR_US
    end_us = trace.first_us + trace.step_us * len(trace.honest)
    assert end_us > campaign.last_seen_us + 5 * HOUR_US


def test_each_attempt_was_stopped_reached_the_secret_or_is_honest(made_log):
    """What was stopped early is nobody's for certain, and is not counted as honest."""
    log = made_log(tries=3000)
    refused = 0
    for row, bad in zip(log.rows, log.hostile, strict=True):
        if bad and row["outcome"] == "no_such_member" and refused < 500:
            row["outcome"], refused = "challenged" if refused % 2 else "refused", refused + 1
    findings = hunt(log.table(), lambda _: None)
    (trace,) = findings.traces.values()
    rows = within(rows_of(findings), trace)
    assert sum(trace.stopped) == 500
    assert sum(trace.stopped) + sum(trace.reached) + sum(trace.honest) == rows.height
    assert sum(trace.failed) < sum(trace.reached)


def test_networks_are_providers_where_the_log_has_them(found):
    """Each with its attempts, the members that it entered, and the honest members that it brings."""
    findings, campaign, trace = found
    rows, networks = rows_of(findings), trace.sources["network"]
    own = rows.filter(pl.col("campaign") == campaign.campaign)
    counted = dict(own.group_by("asn").len().iter_rows())
    assert {one.label: one.attempts for one in networks.largest}.items() <= {
        f"AS{asn}": count for asn, count in counted.items()
    }.items()
    assert [one.attempts for one in networks.largest] == sorted(counted.values(), reverse=True)[:8]
    assert networks.others == len(counted) - SOURCES_SHOWN > 0
    assert networks.others_attempts + sum(one.attempts for one in networks.largest) == own.height
    entered = networks.others_entered + sum(one.entered for one in networks.largest)
    assert entered == len(findings.entered)


def test_without_providers_networks_are_address_blocks(made_log):
    log = made_log(tries=3000)
    for number, row in enumerate(log.rows):
        row["asn"] = 0
        if log.hostile[number]:
            row["ip"] = f"2001:db8:{number % 2:x}::{number:x}" if number % 3 else f"203.0.{number % 9}.7"
    findings = hunt(log.table(), lambda _: None)
    (campaign,) = findings.campaigns
    networks = findings.traces[campaign.campaign].sources["network"]
    labels = [one.label for one in networks.largest]
    assert {"203.0.0.0/16", "2001:db8::/48", "2001:db8:1::/48"} <= set(labels)
    assert len(set(labels)) == len(labels)


def test_a_client_that_members_use_as_well_is_told_from_one_that_nobody_else_has(found):
    """The copied user agent brings honest members too, the tool's TLS fingerprint next to none."""
    _, _, trace = found
    (agent,), (tls,) = trace.sources["agent"].largest, trace.sources["tls"].largest
    assert (agent.label, tls.label) == ("phone 3", "tool")
    assert agent.honest > 400
    assert tls.honest < 10
    assert agent.attempts == tls.attempts == sum(trace.reached)


def test_attempts_are_told_apart_by_their_device_token(made_log):
    log = made_log(tries=3000)
    for number, row in enumerate(log.rows):
        if log.hostile[number] and number % 4 < 2:
            row["device"], row["device_valid"] = "stolen", -(number % 4)
    findings = hunt(log.table(), lambda _: None)
    (campaign,) = findings.campaigns
    devices = {one.label: one for one in findings.traces[campaign.campaign].sources["device"].largest}
    assert devices["not_valid"].attempts > 500
    assert devices["unproven"].attempts > 500
    assert devices[""].attempts > devices["not_valid"].attempts
    assert devices["not_valid"].honest < 5


def test_what_the_log_never_says_is_no_kind_of_source(made_log):
    log = made_log(tries=3000)
    for row in log.rows:
        row["user_agent"] = row["tls"] = row["device"] = ""
    findings = hunt(log.table(), lambda _: None)
    (trace,) = findings.traces.values()
    assert set(trace.sources) == {"network"}


@pytest.mark.parametrize("length_us", [1, HOUR_US, 3 * DAY_US, 200 * DAY_US, 40_000 * DAY_US])
def test_a_trace_has_a_bounded_number_of_parts_that_begin_with_japan_s_hours(length_us):
    start_us = 1_795_000_000_123_456
    first_us, step_us, parts = _parts(start_us, start_us + length_us)
    assert parts <= PARTS_MAX
    assert parts > PARTS_MAX // 4 or step_us == STEPS_US[0]
    assert first_us <= start_us
    assert first_us + parts * step_us > start_us + length_us
    assert (first_us + 9 * HOUR_US) % min(step_us, DAY_US) == 0
    assert step_us in STEPS_US or step_us % STEPS_US[-1] == 0


def test_the_traces_are_written_by_campaign(found, tmp_path):
    findings, campaign, trace = found
    write_findings(findings, tmp_path, logs=["logins.csv"], broken=0)
    written = json.loads((tmp_path / "traces.json").read_text(encoding="utf-8"))
    assert list(written) == [campaign.campaign]
    assert written[campaign.campaign] == json.loads(msgspec.json.encode(trace))
    assert len(json.dumps(written)) < 20_000
