"""No path around a switch: whoever is within its scope meets it, whatever is left unsaid."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.response.functions import EVERY, direction_of, functions, is_switchable
from sekisho.response.switches import AppliesTo, Scope, Usage, meets

NAMES = sorted(name for name in functions() if is_switchable(name))
NOW_US = 1_000_000
CHANNELS = ("web", "app", "atm")
PARTNERS = ("0125", "0001", "kamome")
MEMBERS = ("mem_1", "mem_2", "mem_3")

RISK = st.floats(0, 1)
AGE_US = st.integers(1, NOW_US)

scopes = st.builds(
    Scope,
    function=st.sampled_from([EVERY, *NAMES]),
    direction=st.sampled_from(["", "out", "in", "none"]),
    channel=st.sampled_from(["", *CHANNELS]),
    partner=st.sampled_from(["", *PARTNERS]),
    applies_to=st.sampled_from(AppliesTo),
    risk_from=st.none() | RISK,
    device_younger_us=st.none() | AGE_US,
)


def mostly(value, others):
    """Draw a value as a rule, so that most usages are nearly within the scope; else one of the others."""
    return st.sampled_from([value] * 4 + list(others)) if value else st.sampled_from(others)


@st.composite
def pairs(draw):
    """Draw a scope, and a usage that is within it but for a fact or two."""
    scope = draw(scopes)
    fits = [
        name
        for name in NAMES
        if scope.function in {EVERY, name} and scope.direction in {"", direction_of(name)}
    ]
    risk = draw(RISK)
    if scope.risk_from is not None and draw(st.booleans()):
        risk = max(risk, scope.risk_from)
    since_us = draw(st.integers(0, NOW_US))
    if scope.device_younger_us is not None and draw(st.booleans()):
        since_us = NOW_US - draw(st.integers(0, scope.device_younger_us - 1))
    usage = Usage(
        function=draw(st.sampled_from(fits or NAMES)),
        member_id=draw(st.sampled_from(MEMBERS)),
        partner=draw(mostly(scope.partner, PARTNERS)),
        channel=draw(mostly(scope.channel, CHANNELS)),
        is_new=draw(st.booleans()),
        risk=risk,
        device_since_us=since_us,
    )
    return scope, usage


named = st.sets(st.sampled_from(MEMBERS))
UNSAID = {
    "member_id": "",
    "partner": "",
    "channel": "",
    "is_new": None,
    "risk": None,
    "device_since_us": None,
}


def within(scope, usage, members):
    """Say in other words whether a usage, of which everything is known, is one that a switch is for."""
    return all(
        (
            scope.function in {EVERY, usage.function},
            scope.direction in {"", direction_of(usage.function)},
            scope.channel in {"", usage.channel},
            scope.partner in {"", usage.partner},
            scope.applies_to in {"new" if usage.is_new else "existing", "all"},
            not members or usage.member_id in members,
            scope.risk_from is None or usage.risk >= scope.risk_from,
            scope.device_younger_us is None or usage.device_since_us > NOW_US - scope.device_younger_us,
        )
    )


def asked(scope, usage, members):
    scope = Scope(
        **{name: getattr(scope, name) for name in scope.__struct_fields__} | {"names_members": len(members)}
    )
    return meets(scope, usage, NOW_US, is_named=usage.member_id in members)


@settings(max_examples=300)
@given(pairs(), named)
def test_a_switch_meets_exactly_those_whom_it_is_for(pair, members):
    """With everything known, a switch stops whom it is for, and nobody else."""
    scope, usage = pair
    assert asked(scope, usage, members) is within(scope, usage, members)


@settings(max_examples=300)
@given(pairs(), named, st.sets(st.sampled_from(sorted(UNSAID))))
def test_leaving_something_unsaid_opens_nothing(pair, members, unsaid):
    """Whoever is within a switch's scope is stopped, however little is told of the usage."""
    scope, usage = pair
    less = usage._replace(**{name: UNSAID[name] for name in unsaid})
    if within(scope, usage, members):
        assert asked(scope, less, members)


@settings(max_examples=300)
@given(pairs(), named)
def test_a_narrower_switch_meets_nobody_whom_the_wider_one_lets_pass(pair, members):
    """What asks for more stops less."""
    scope, usage = pair
    wider = Scope(function=scope.function, direction=scope.direction)
    if not asked(wider, usage, set()):
        assert not asked(scope, usage, members)
