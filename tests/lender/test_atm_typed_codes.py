"""The code of a machine, typed by somebody who has no camera: as good as the picture, and no better."""

import asyncio

import pytest
from tests.lender.atm_at_hand import MACHINE, OTHER

from sekisho.kernel.clock import MINUTE_US
from sekisho.lender.atm_sessions import AtmSessionOver, SessionState


def claim(atm, present, code):
    return asyncio.run(atm.app.claim(present, code))


def test_it_names_the_machine_and_has_ten_digits(atm):
    """Two codes of one machine differ, and nothing of the nonce stands in it."""
    first, second = atm.show(), atm.show()
    for shown in (first, second):
        machine, head, tail = shown.typed.split("-")
        assert (machine, len(head), len(tail)) == (MACHINE, 5, 5)
        assert head not in shown.qr
    assert first.typed != second.typed


@pytest.mark.parametrize(
    "typed",
    [
        "{typed}",
        "  {typed} ",
        "{plain}",
        "{spaced}",
        "{wide}",
        "{japanese}",
    ],
)
def test_it_may_be_typed_in_every_usual_way(atm, typed):
    """Without dashes, with spaces, and as Japanese keyboards write digits and dashes."""
    shown = atm.show()
    ways = {
        "typed": shown.typed,
        "plain": shown.typed.replace("-", ""),
        "spaced": shown.typed.replace("-", " "),
        "wide": "".join(chr(ord(char) + 0xFEE0) if char.isdigit() else char for char in shown.typed),
        "japanese": shown.typed.replace("-", "\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}"),
    }
    claimed = claim(atm, atm.entered(atm.member()), typed.format(**ways))
    assert claimed.session.id == shown.session_id
    assert claimed.session.state is SessionState.CLAIMED


def test_picture_and_digits_are_one_session(atm):
    """Who has claimed one has claimed the other, and nobody else gets either."""
    owner, other, shown = atm.entered(atm.member()), atm.entered(atm.member()), atm.show()
    claim(atm, owner, shown.typed)
    assert claim(atm, owner, shown.qr).session.id == shown.session_id
    for code in (shown.typed, shown.qr):
        with pytest.raises(AtmSessionOver):
            claim(atm, other, code)


def test_digits_of_another_machine_or_time_are_nothing(atm):
    """All failures are told alike."""
    present, shown = atm.entered(atm.member()), atm.show()
    head, last = shown.typed[:-1], int(shown.typed[-1])
    wrong = [
        shown.typed.replace(MACHINE, OTHER, 1),
        f"{head}{(last + 1) % 10}",
        "",
        "0042",
        "x" * 300,
        "0042-1234a-67890",
    ]
    for code in wrong:
        with pytest.raises(AtmSessionOver):
            claim(atm, present, code)
    atm.at.clock.advance(2 * MINUTE_US)
    with pytest.raises(AtmSessionOver):
        claim(atm, present, shown.typed)
