"""Attempts and decisions as tests need them."""

from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.clock import DAY_US, SECOND_US

NOON_US = 1_600_000_000 * SECOND_US
assert NOON_US % DAY_US

FULL = Attempt(
    time_us=NOON_US,
    member="member-1",
    ip="2001:db8::1",
    gate="atm_withdrawal",
    actor="staff-2",
    client="aggregator",
    known=True,
    asn=64_500,
    country="JP",
    user_agent="Mozilla/5.0 日本",
    tls="t13d1516h2",
    device="token",
    device_valid=False,
    secret="a1b2",  # noqa: S106 - an opaque token, as the record has it
    leaked=True,
    amount_yen=30_000,
    target="atm-7",
    session="ses_1",
)
PLAIN = Attempt(time_us=NOON_US + 1, member="member-2", ip="192.0.2.1")

CHALLENGED = Decision(
    action=Action.CHALLENGE,
    probability=0.75,
    before_hash=True,
    reasons=("address_fails_often", "leaked_pair"),
    policy="default",
    policy_revision=3,
    campaign="cmp_1",
    shadow={"stricter": "deny"},
)
ALLOWED = Decision(
    action=Action.ALLOW, probability=0.001, before_hash=False, reasons=(), policy="default", policy_revision=3
)
