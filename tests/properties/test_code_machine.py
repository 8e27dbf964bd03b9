"""Whatever people do with codes, in whatever order and with whatever clock: a code opens at most once, only
its purpose and its subject, never after ten minutes, never after five tries.
"""

import itertools
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.identity.code_desk import HOME, LOGIN, REVEAL, Desk, at, code_desk
from tests.identity.member_at_hand import NOON_US

from sekisho.identity.code_limits import CodeLimits, Limit, TooMany
from sekisho.identity.codes import CodeAsked, Over, Right, Wrong
from sekisho.identity.purposes import Purpose
from sekisho.identity.relay import Asked
from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US

# Limits have tests of their own; here they would hide what the machine looks for.
NONE = CodeLimits(*[(Limit(10**9, MINUTE_US),)] * len(CodeLimits._fields))
PURPOSES = (LOGIN, REVEAL, Purpose(action="atm_withdrawal", amount_yen=10_000, place="駅前店"))
LANES = (HOME, at(HOME, session_id="ses_1"))


@dataclass
class Known:
    """What must be true of a code, told by what was done with it and by nothing of the program's own."""

    id: str
    digits: str
    subject: str
    purpose: Purpose
    where: Asked
    issued_at_us: int
    failures: int = 0
    over: bool = False

    def opens(self, subject: str, purpose: Purpose, digits: str, now_us: int) -> bool:
        age_us = now_us - self.issued_at_us
        if not -5 * SECOND_US <= age_us < 10 * MINUTE_US - 5 * SECOND_US:
            self.over = True
        return (
            (subject, purpose, digits) == (self.subject, self.purpose, self.digits)
            and not self.over
            and self.failures < 5
        )


class CodeMachine(RuleBasedStateMachine):
    """Two members, three purposes, a clock that goes where it wants."""

    codes = Bundle("codes")

    def __init__(self, desk: Desk, month: int) -> None:
        """Take two new members, in a month of their own: the store is the same for all runs."""
        super().__init__()
        self.desk = desk
        desk.here.clock.set(NOON_US + month * 30 * DAY_US)
        self.members = [desk.here.add_member() for _ in range(2)]
        self.known: list[Known] = []

    @rule(
        target=codes,
        member=st.integers(0, 1),
        purpose=st.sampled_from(PURPOSES),
        where=st.sampled_from(LANES),
    )
    def ask(self, member, purpose, where):
        subject = self.members[member]
        answer = self.desk.ask(purpose, where, subject=subject)
        if isinstance(answer, TooMany):
            assert where.session_id
            return multiple()
        assert isinstance(answer, CodeAsked)
        if any(code.id == answer.code_id for code in self.known):
            return multiple()  # sent again too soon: the code that is there goes on counting
        sent = self.desk.digits_sent(answer)
        now_us = self.desk.here.clock.now_us()
        code = Known(answer.code_id, sent, subject, purpose, where, now_us)
        for older in self.known:
            # A decoy, for somebody who asked too often from elsewhere, takes nobody's code away.
            same = (older.subject, older.purpose) == (subject, purpose)
            older.over |= same and bool(older.digits) is bool(sent)
        self.known.append(code)
        return code

    def _enter(self, code, subject, purpose, digits):
        now_us = self.desk.here.clock.now_us()
        expected = code.opens(subject, purpose, digits, now_us)
        was_over = code.over or code.failures >= 5
        answer = self.desk.enter(code.id, digits, purpose, code.where, subject=subject)
        assert isinstance(answer, Right) is expected
        if expected:
            code.over = True
        elif subject != code.subject or was_over:
            assert isinstance(answer, Over)
        else:
            code.failures += 1
            assert answer == Wrong(5 - code.failures)

    @rule(code=codes)
    def enter_right(self, code):
        self._enter(code, code.subject, code.purpose, code.digits or "000000")

    @rule(code=consumes(codes))
    def enter_right_twice(self, code):
        self.enter_right(code)
        self.enter_right(code)

    @rule(code=codes, off=st.integers(1, 999_999))
    def enter_wrong(self, code, off):
        self._enter(code, code.subject, code.purpose, f"{(int(code.digits or 0) + off) % 1_000_000:06d}")

    @rule(code=codes, purpose=st.sampled_from(PURPOSES))
    def enter_for_a_purpose(self, code, purpose):
        self._enter(code, code.subject, purpose, code.digits or "000000")

    @rule(code=codes, member=st.integers(0, 1))
    def enter_as_a_member(self, code, member):
        self._enter(code, self.members[member], code.purpose, code.digits or "000000")

    @rule(code=codes, other=codes)
    def enter_the_digits_of_another(self, code, other):
        self._enter(code, code.subject, code.purpose, other.digits or "000000")

    @rule(seconds=st.integers(0, 200) | st.sampled_from([30, 594, 595, 596, 600, 86_400]))
    def time_passes(self, seconds):
        self.desk.wait(seconds)

    @rule(seconds=st.integers(1, 10) | st.sampled_from([60, 590, 600, 3_600, 86_400]))
    def clock_is_set_back(self, seconds):
        self.desk.wait(-seconds)


def test_codes_keep_their_promises(tmp_path):
    desk, months = code_desk(tmp_path, strangers=NONE, members=NONE), itertools.count(1)

    class OnThisStore(CodeMachine):
        def __init__(self) -> None:
            super().__init__(desk, next(months))

    try:
        run_state_machine_as_test(OnThisStore, settings=settings(max_examples=50, stateful_step_count=25))
    finally:
        desk.here.store.close()
