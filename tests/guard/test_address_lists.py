import gzip
import ipaddress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.guard.small_world import START_S, new_guard, visit
from tests.project_files import ROOT

from sekisho.guard.address_lists import (
    AddressLists,
    BadAddressList,
    load_address_list,
    read_address_list,
)
from sekisho.guard.decisions import Action
from sekisho.guard.networks import read_source
from sekisho.guard.policy import RuleSetting, default_policy

REAL = ROOT.parent / "shared" / "data" / "ip"


def lists(*texts):
    return AddressLists(
        read_address_list(str(number), text.splitlines()) for number, text in enumerate(texts)
    )


def count(found, ip):
    return found.count(read_source(ip, 0))


@pytest.mark.parametrize(
    ("line", "inside", "outside"),
    [
        ("192.0.2.0/24", ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.9"], ["192.0.1.255", "192.0.3.0"]),
        ("192.0.2.77/24", ["192.0.2.0"], ["192.0.3.0"]),
        ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
        ("  192.0.2.7  ", ["192.0.2.7"], ["192.0.2.8"]),
        ("0.0.0.0/0", ["0.0.0.1", "255.255.255.255"], ["2001:db8::1"]),
        ("192.0.2.9,192.0.3.1,An owner,https://a.example/,b", ["192.0.2.9", "192.0.3.1"], ["192.0.3.2"]),
        ("::ffff:192.0.2.7", ["192.0.2.7"], ["192.0.2.8"]),
        ("2001:db8::/32", ["2001:db8::1", "2001:db8:ffff::1"], ["2001:db9::1", "0.0.0.1"]),
        ("2001:db8:0:7::9", ["2001:db8:0:7::9", "2001:db8:0:7::1"], ["2001:db8:0:8::9"]),
        ("2001:db8::,2001:db8:1::,An owner", ["2001:db8::5", "2001:db8:1::1"], ["2001:db8:1:1::"]),
        ("::/0", ["::", "ffff:ffff:ffff:ffff::1"], ["192.0.2.1"]),
    ],
)
def test_each_kind_of_entry_carries_its_addresses_and_no_others(line, inside, outside):
    found = lists(line)
    assert [count(found, ip) for ip in inside] == [1] * len(inside)
    assert [count(found, ip) for ip in outside] == [0] * len(outside)


def test_lists_add_up_and_entries_of_one_list_do_not():
    found = lists("192.0.2.0/24\n192.0.2.0/25\n192.0.2.7", "192.0.2.7\t3\n192.0.2.7\t2", "198.51.100.0/24")
    assert [count(found, f"192.0.2.{last}") for last in (7, 8, 200)] == [4, 1, 1]
    assert count(lists(), "192.0.2.7") == 0


NETWORKS = st.tuples(st.integers(0, 255), st.integers(24, 32), st.integers(1, 4))


@given(st.lists(st.lists(NETWORKS, max_size=8), max_size=4), st.integers(0, 255))
def test_the_count_is_that_of_asking_each_list_in_turn(tables, last):
    """The row of ranges answers like a search through all networks: the largest of each list, added up."""
    found = lists(
        *("\n".join(f"192.0.2.{at}/{bits}\t{weight}" for at, bits, weight in table) for table in tables)
    )
    address = ipaddress.ip_address(f"192.0.2.{last}")
    expected = sum(
        max(
            (
                weight
                for at, bits, weight in table
                if address in ipaddress.ip_network(f"192.0.2.{at}/{bits}", strict=False)
            ),
            default=0,
        )
        for table in tables
    )
    assert count(found, str(address)) == expected


def test_broken_lines_are_counted_and_named():
    broken = [
        *("nobody", "192.0.2.0/33", "192.0.2.9,192.0.2.1,back", "192.0.2.9,2001:db8::1", "192.0.2.7\tmany"),
        *("192.0.2.7\t0", "192.0.2/24", "192.0.2.0/-1", "\x00", "192.0.2.9,"),
    ]
    found = read_address_list("n", ["\ufeff# a comment", "", "192.0.2.1 # with one", *broken, "x" * 5_000])
    assert len(found.ranges) == 1
    assert found.broken_count == len(broken) + 1
    assert [line.text for line in found.broken[:-1]] == broken
    assert (found.broken[0].number, len(found.broken[-1].text)) == (4, 80)
    assert len(read_address_list("n", ["x"] * 500).broken) == 20


def test_a_list_may_be_gzipped(tmp_path):
    plain, zipped = tmp_path / "list.txt", tmp_path / "list"
    plain.write_text("192.0.2.0/24\r\n")
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    assert load_address_list("n", zipped) == load_address_list("n", plain)
    zipped.write_bytes(zipped.read_bytes()[:-6])
    with pytest.raises(BadAddressList, match="is damaged"):
        load_address_list("n", zipped)
    plain.write_bytes(b"\x00\xff\xfe not a list\n")
    with pytest.raises(BadAddressList, match="names no address"):
        load_address_list("n", plain)
    with pytest.raises(FileNotFoundError):
        load_address_list("n", tmp_path / "none")


@pytest.mark.parametrize("action", [Action.ALLOW, Action.PUZZLE, Action.CHALLENGE])
def test_the_rule_acts_as_the_policy_says_where_enough_lists_carry_the_address(action):
    policy = default_policy()
    rules = {**policy.default.rules, "listed_address": RuleSetting(action=action, limit=2)}
    policy = msgspec.structs.replace(policy, default=msgspec.structs.replace(policy.default, rules=rules))
    guard = new_guard(policy)
    guard.recollection.lists = lists("192.0.2.0/24", "192.0.2.7")
    once, twice = (guard.assess(visit(1, START_S, token=False, ip=ip)) for ip in ("192.0.2.1", "192.0.2.7"))
    assert once.action is Action.ALLOW
    assert (twice.action, "listed_address" in twice.reasons) == (action, action is not Action.ALLOW)


def test_the_rule_is_off_by_default():
    assert default_policy().default.rules["listed_address"].action is Action.ALLOW


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here")
@pytest.mark.parametrize(
    ("file", "entries", "inside", "outside", "carried"),
    [
        ("datacenter_ipv4.txt.gz", 42_566, "1.12.0.1", "1.16.0.1", 1),
        ("vpn_ipv4.txt.gz", 10_862, "2.26.157.255", "2.26.158.0", 1),
        ("datacenter_owners.csv.gz", 4_668, "1.178.11.255", "1.178.12.0", 1),
    ],
)
def test_real_lists_are_read_without_a_broken_line(file, entries, inside, outside, carried):
    found = load_address_list(file, REAL / file)
    assert (len(found.ranges), found.broken_count) == (entries, 0)
    asked = AddressLists([found])
    assert (count(asked, inside), count(asked, outside)) == (carried, 0)


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here")
def test_a_real_list_with_counts_speaks_for_as_many_lists():
    lines = gzip.decompress((REAL / "threat_ips.txt.gz").read_bytes()).decode().splitlines()
    entries = [line.split() for line in lines if not line.startswith("#")]
    found = load_address_list("threats", REAL / "threat_ips.txt.gz")
    assert (len(found.ranges), found.broken_count, len(entries)) == (120_430, 0, 120_430)
    asked = AddressLists([found])
    assert all(count(asked, ip) == int(weight) for ip, weight in entries[::97])
