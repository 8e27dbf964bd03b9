"""A cohort of 200,000: nobody in it is looked for by walking through all the others."""

import pytest
from sqlalchemy import event
from tests.response.cohort_at_hand import CAMPAIGN, CohortAtHand

from sekisho.response import containment_rows

LOOKS = {
    "by the name of the list": lambda at: containment_rows.member(at, "ctm_1", "mem_1"),
    "who is not contained": lambda at: containment_rows.not_contained(at, [CAMPAIGN], 0.5),
    "who was done": lambda at: containment_rows.is_done(at, "ctm_1", "mem_1"),
    "who is next": lambda at: containment_rows.next_waiting(at, "ctm_1", 8),
}
NARROW = ("named=?", "member_id=?", "standing=?")


@pytest.mark.parametrize("look", LOOKS)
def test_an_index_leads_to_whom_is_looked_for(tmp_path, look):
    asked = []

    def note(*told):
        asked.append((told[2], told[3]))

    with CohortAtHand(tmp_path, count=1).parts.store.read() as connection:
        event.listen(connection, "before_cursor_execute", note)
        LOOKS[look](connection)
        event.remove(connection, "before_cursor_execute", note)
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values) for one, values in asked]
        steps = [row[-1] for plan in plans for row in plan if "contained_member" in row[-1]]
    assert steps
    assert all(any(column in step for column in NARROW) for step in steps), steps
