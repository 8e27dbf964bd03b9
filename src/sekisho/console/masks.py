"""Names shown so far that a colleague recognises them, and no further."""

SHOWN_AT_THE_START = 3
SHOWN_AT_THE_END = 2


def masked_member(member: str) -> str:
    """Return a member's id as `mem…42`: enough to find it again in the record, too little to use."""
    if len(member) <= SHOWN_AT_THE_START + SHOWN_AT_THE_END:
        return f"…{member[-1:]}"
    return f"{member[:SHOWN_AT_THE_START]}…{member[-SHOWN_AT_THE_END:]}"
