import pytest
from mmdb_writer import IPSet, MMDBWriter  # type: ignore[attr-defined] # passed on, though not by name
from tests.guard.small_world import START_S, visit

from sekisho.guard.geography import BadGeography, Geography


def written(path, records):
    """Write an MMDB file: networks and what is known of them."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def providers(tmp_path):
    return written(
        tmp_path / "asn.mmdb",
        {
            "192.0.2.0/24": {
                "autonomous_system_number": 64_500,
                "autonomous_system_organization": "A provider",
            },
            "2001:db8::/32": {"autonomous_system_number": 4_200_000_001},
            "198.51.100.0/24": {"autonomous_system_number": "64500", "country": "JP"},
        },
    )


@pytest.fixture
def countries(tmp_path):
    return written(
        tmp_path / "country.mmdb",
        {
            "192.0.2.0/25": {"country": {"iso_code": "JP", "names": {"en": "Japan"}}},
            "2001:db8:1::/48": {"country": {"iso_code": "KR"}, "city": {"names": {"en": "Seoul"}}},
            "198.51.100.0/24": {"country": {"names": {"en": "Nowhere"}}},
        },
    )


@pytest.mark.parametrize(
    ("ip", "asn", "country"),
    [
        ("192.0.2.9", 64_500, "JP"),
        ("192.0.2.200", 64_500, ""),
        ("2001:db8:1::9", 4_200_000_001, "KR"),
        ("203.0.113.9", 0, ""),
        ("198.51.100.9", 0, ""),
    ],
)
def test_what_the_files_know_is_filled_in(providers, countries, ip, asn, country):
    geography = Geography([providers, countries])
    found = geography.locate(visit(1, START_S, ip=ip, asn=0, country=""))
    assert (found.asn, found.country) == (asn, country)
    assert geography.failed_count == 0
    geography.close()


def test_what_the_attempt_says_itself_stands(providers, countries):
    geography = Geography([providers, countries])
    whole = visit(1, START_S, ip="192.0.2.9", asn=7, country="US")
    assert geography.locate(whole) is whole
    half = geography.locate(visit(1, START_S, ip="192.0.2.9", asn=7, country=""))
    assert (half.asn, half.country) == (7, "JP")
    geography.close()


def test_a_look_up_that_fails_is_counted_and_the_attempt_goes_on(tmp_path, providers, countries):
    octets = bytearray(providers.read_bytes())
    data = octets.index(b"autonomous_system_number") - 30
    octets[data : data + 60] = b"\xff" * 60
    damaged = tmp_path / "damaged.mmdb"
    damaged.write_bytes(octets)
    geography = Geography([damaged, countries])
    found = geography.locate(visit(1, START_S, ip="192.0.2.9", asn=0, country=""))
    assert (found.asn, found.country, geography.failed_count) == (0, "JP", 1)
    no_address = visit(1, START_S, ip="nowhere", asn=0, country="")
    assert geography.locate(no_address) is no_address
    geography.close()


def test_a_file_that_is_none_is_refused(tmp_path, providers):
    with pytest.raises(FileNotFoundError):
        Geography([tmp_path / "none.mmdb"])
    text = tmp_path / "text.mmdb"
    text.write_text("a,b,c\n" * 100)
    with pytest.raises(BadGeography, match=r"text\.mmdb is no MMDB file"):
        Geography([text])
    cut = tmp_path / "cut.mmdb"
    cut.write_bytes(providers.read_bytes()[:-120])
    with pytest.raises(BadGeography, match=r"cut\.mmdb"):
        Geography([providers, cut])
