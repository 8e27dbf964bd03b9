"""Members' ids as the console shows them."""

import pytest

from sekisho.console.masks import masked_member


@pytest.mark.parametrize(
    ("member", "shown"),
    [("mem_0192ab42", "mem…42"), ("hanako.sato83", "han…83"), ("short", "…t"), ("", "…")],
)
def test_a_member_is_shown_so_far_that_a_colleague_recognises_them(member, shown):
    """Too little to write down, enough to find again."""
    assert masked_member(member) == shown
