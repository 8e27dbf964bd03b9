"""Hosts that want to be taken for ours are known, and others are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.identity.lookalikes import Likeness, likeness

OURS = "member.asagiri-loan.example.jp"
NAMES = ("AsagiriLoan",)


def puny(label):
    return "xn--" + label.encode("punycode").decode()


@pytest.mark.parametrize("host", [OURS, OURS.upper(), f"{OURS}.", f"www.{OURS}"])
def test_our_host_and_what_lies_below_it_is_ours(host):
    assert likeness(host, OURS, NAMES) is Likeness.OURS


@pytest.mark.parametrize(
    "host",
    [
        "member.asagiri-loan.example.jp.evil.example",
        "asagiri-loan.example.com",
        "asagiriloan.com",
        "asagiri-loan-login.com",
        "secure-asagiri-loan.co.jp",
        "asagiri.loan.evil.example",
        "asagiri-1oan.com",
        "asagirl-loan.com",
        "asaqiri-loan.com",
        "asagri-loan.com",
        "asagiir-loan.com",
        "asagirii-loan.com",
        "asagiri-loan.jp.com",
        "member-asagiri-loan-example.jp",
        "ａｓａｇｉｒｉ-loan.com",  # noqa: RUF001 - full-width on purpose
        "áságiri-loan.com",
        f"{puny('аsagiri-loan')}.com",  # noqa: RUF001 - the first letter is Cyrillic on purpose
        f"{puny('asagiri-ⅼoan')}.com",  # noqa: RUF001 - a Roman numeral on purpose
        "аѕаɡігі-ⅼоап.com",  # noqa: RUF001 - not one letter of it is Latin, on purpose
    ],
)
def test_a_lookalike_is_one(host):
    assert likeness(host, OURS, NAMES) is Likeness.LOOKALIKE


@pytest.mark.parametrize(
    "host",
    [
        "",
        "www.google.com",
        "news.example.jp",
        "example.jp",
        "member.example.jp",
        "loan.example.com",
        "yahoo.co.jp",
        "another-bank.co.jp",
        "xn--",
        "xn--\u00ff",
        "192.0.2.7",
        "asahi.com",
        "localhost",
        "a" * 5_000,
    ],
)
def test_others_are_left_alone(host):
    assert likeness(host, OURS, NAMES) is Likeness.OTHER


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("lender.localhost", Likeness.OURS),
        ("1ender.localhost", Likeness.LOOKALIKE),
        ("ledner.example", Likeness.LOOKALIKE),
        ("lender.localhost.evil.example", Likeness.LOOKALIKE),
        ("lender-localhost.example", Likeness.LOOKALIKE),
        ("id.localhost", Likeness.OTHER),
        ("console.localhost", Likeness.OTHER),
    ],
)
def test_the_hosts_of_the_demo(host, expected):
    assert likeness(host, "lender.localhost", ("AsagiriLoan",)) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("id.localhost", Likeness.OURS),
        ("1d.localhost", Likeness.LOOKALIKE),
        ("wallet.localhost", Likeness.OTHER),
    ],
)
def test_a_short_name_is_compared_as_a_whole(host, expected):
    assert likeness(host, "id.localhost", ("KasasagiID",)) is expected


@given(st.text(max_size=300))
def test_no_text_breaks_it(host):
    assert likeness(host, OURS, NAMES) in Likeness
