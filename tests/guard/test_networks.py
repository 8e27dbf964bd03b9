import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.guard.networks import BadAddress, read_source

V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address).filter(lambda ip: ip.ipv4_mapped is None)


def _shared(one, other):
    """Return which parts of two places are equal, the widest first: provider, region, prefix, address."""
    apart = one.place ^ other.place
    return [not apart >> shift & 0xFFFF for shift in (48, 32, 16, 0)]


@given(V4)
def test_an_ipv4_address_counts_with_its_24_and_its_16(ip):
    source = read_source(str(ip), 0)
    assert (source.address, source.prefix, source.region) == (int(ip), int(ip) >> 8, int(ip) >> 16)
    assert not source.v6


@given(V4)
def test_a_mapped_address_is_the_ipv4_address(ip):
    assert read_source(f"::ffff:{ip}", 7) == read_source(str(ip), 7)
    assert read_source(f"::ffff:{int(ip) >> 16:x}:{int(ip) & 0xFFFF:x}", 7) == read_source(str(ip), 7)


@given(V6, st.integers(0, 2**64 - 1))
def test_an_ipv6_line_is_its_64_whatever_the_interface(ip, interface):
    """Privacy extensions change the last 64 bits every day: they tell no two people apart."""
    line = int(ip) >> 64 << 64
    neighbour = str(ipaddress.IPv6Address(line | interface))
    if ipaddress.IPv6Address(neighbour).ipv4_mapped is None:
        assert read_source(neighbour, 1) == read_source(str(ip), 1)


def test_ipv6_prefixes_are_a_48_and_a_32():
    home, site, region, far = (
        read_source(ip, 1)
        for ip in ("2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:2:1::1", "2001:db9:1:1::1")
    )
    assert home.v6
    assert home.address != site.address
    assert home.prefix == site.prefix != region.prefix
    assert home.region == region.region != far.region


@given(V4, V6)
def test_an_ipv6_line_is_never_an_ipv4_address(four, six):
    one, other = read_source(str(four), 0), read_source(str(six), 0)
    assert one.address != other.address
    assert one.prefix != other.prefix
    assert one.region != other.region


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        pytest.param(("10.1.2.3", 5), ("10.1.2.3", 5), [True, True, True, True], id="address"),
        pytest.param(("10.1.2.3", 5), ("10.1.2.4", 5), [True, True, True, False], id="prefix"),
        pytest.param(("10.1.2.3", 5), ("10.1.3.3", 5), [True, True, False, False], id="region"),
        pytest.param(("10.1.2.3", 5), ("11.1.3.3", 5), [True, False, False, False], id="provider"),
        pytest.param(("10.1.2.3", 5), ("11.1.3.3", 6), [False, False, False, False], id="nothing"),
        pytest.param(("2400:1:2:3::", 5), ("2400:1:2:4::", 5), [True, True, True, False], id="v6 48"),
        pytest.param(("2400:1:2:3::", 5), ("2400:1:3:3::", 5), [True, True, False, True], id="v6 32"),
    ],
)
def test_places_tell_how_near_two_addresses_are(one, other, shared):
    assert _shared(read_source(*one), read_source(*other)) == shared


@given(st.one_of(V4, V6), st.integers(-(2**40), 2**40))
def test_a_place_fits_64_bits_whatever_the_provider_s_number(ip, asn):
    """A wrong number in a log must not stop the guard: a profile holds 64 bits a place."""
    assert 0 <= read_source(str(ip), asn).place < 1 << 64


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "localhost", "1.2.3", "10.1", "1", "0x7f.1", "010.1.1.1", "1.2.3.256", "1.2.3.4 or so"),
        *(
            "1.2.3.4\n",
            "1.2.3.4\0",
            "①.1.1.1",
            ":",
            ":::",
            "fe80::1%eth0",
            "2001:db8::1/64",
            "[::1]",
            "\ud800",
        ),
    ],
)
def test_other_text_is_refused(text):
    with pytest.raises(BadAddress):
        read_source(text, 0)


def test_a_refusal_does_not_repeat_a_long_text():
    with pytest.raises(BadAddress) as refused:
        read_source("9" * 100_000, 0)
    assert len(str(refused.value)) <= 64


@given(st.text())
def test_no_text_does_anything_but_parse_or_be_refused(text):
    try:
        read_source(text, 0)
    except BadAddress:
        return
    ipaddress.ip_address(text)
