"""Whatever a log holds, the hunt ends, and what it says is a probability for each attempt."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.campaigns.hunt import hunt
from sekisho.campaigns.writing import write_findings

FEW_TIMES = st.sampled_from(
    [-(10**15), 0, 1_700_000_000_000_000, 1_700_000_001_000_000, 250_000_000_000_000_000]
)
ATTEMPT = st.fixed_dictionaries(
    {
        "time_us": st.one_of(FEW_TIMES, st.integers(1_700_000_000_000_000, 1_700_600_000_000_000)),
        "gate": st.sampled_from(["login", "bank_link"]),
        "member": st.sampled_from(["a", "b", "c", "=d"]),
        "ip": st.sampled_from(["10.0.0.1", "10.0.0.2", "203.0.113.9", "2001:db8::1", "::1"]),
        "device": st.sampled_from(["", "", "d", "e"]),
        "secret": st.sampled_from(["", "s", "t"]),
        "user_agent": st.sampled_from(["", "x"]),
        "asn": st.sampled_from([0, 64500]),
        "known": st.sampled_from([-1, 0, 1]),
        "device_valid": st.sampled_from([-1, 0, 1]),
        "leaked": st.sampled_from([-1, 0, 1]),
        "challenge": st.sampled_from(["", "passed", "failed"]),
        "client": st.sampled_from(["", "", "partner"]),
        "outcome": st.sampled_from(
            ["", "success", "wrong_secret", "no_such_member", "refused", "challenged"]
        ),
    }
)


# The maker keeps nothing between calls, so it may serve every example.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(ATTEMPT, st.integers(1, 60)), min_size=1, max_size=12))
def test_any_log_is_hunted_and_reported(tmp_path_factory, made_log, rows):
    log = made_log(days=0)
    for row, times in rows:
        for _ in range(times):
            log.add(**row)
    table = log.table()
    found = hunt(table, lambda _: None)
    assert len(found.probability) == table.num_rows
    assert np.isfinite(found.probability).all()
    assert ((found.probability >= 0) & (found.probability <= 1)).all()
    assert all((found.campaign[found.probability == 0] == -1).tolist())
    write_findings(found, tmp_path_factory.mktemp("out"), logs=["any"], broken=0)
