"""Sessions under any order of events: what was rotated or ended never works again, no proof stays young."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from tests.identity.member_at_hand import AtHand, open_at_hand

from sekisho.identity import devices, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import FRESH_US, Granted, Level, Need, Standing, Way, demand
from sekisho.identity.sessions import AGE_US_MAX, IDLE_US_MAX, Birth, Ended
from sekisho.kernel.clock import HOUR_US, MINUTE_US

HERE = Arrival(ip="192.0.2.7", user_agent="Chrome")
REVEAL = "reveal:purpose"
STRONG = (Need.REVEAL, Need.CHANGE, Need.PAY_OUT)


class _Known:
    """What the machine itself knows of one session, by rules of its own."""

    def __init__(self, session_id, token, standing, now_us):
        self.id, self.token, self.standing = session_id, token, standing
        self.opened_us = self.seen_us = now_us
        self.ended = False
        self.passkey_us = None
        self.code_us = None

    def is_live(self, now_us):
        idles = now_us - self.seen_us >= IDLE_US_MAX
        return not self.ended and not idles and now_us - self.opened_us < AGE_US_MAX

    def may(self, now_us):
        by_passkey = self.passkey_us is not None and now_us - self.passkey_us < FRESH_US
        by_code = self.code_us is not None and now_us - self.code_us < FRESH_US
        return by_passkey or (by_code and self.standing is Standing.TRUSTED)


class SessionMachine(RuleBasedStateMachine):
    """Opens, uses, rotates and ends the sessions of two members."""

    open_ones = Bundle("open_ones")
    here: AtHand

    def __init__(self):
        super().__init__()
        self.members = [self.here.add_member() for _ in range(2)]
        self.known = {}
        self.dead = set()

    @property
    def now_us(self):
        return self.here.clock.now_us()

    def write(self, work):
        return self.here.store.write(work).result()

    def find(self, token):
        with self.here.store.read() as connection:
            return sessions.current(connection, token, self.now_us)

    @rule(
        target=open_ones,
        member=st.integers(0, 1),
        level=st.sampled_from(Level),
        standing=st.sampled_from([Standing.UNCONFIRMED, Standing.TRUSTED]),
    )
    def open(self, member, level, standing):
        def work(connection):
            device = devices.enrol(connection, self.here.parts, self.members[member], HERE, standing).device
            birth = Birth(
                member_id=self.members[member],
                device_id=device.id,
                level=level,
                arrival=HERE,
                purpose="login",
            )
            return sessions.open_session(connection, self.here.parts, birth)

        opened = self.write(work)
        known = _Known(opened.session.id, opened.token, standing, self.now_us)
        if level is Level.PASSKEY:
            known.passkey_us = self.now_us
        self.known[opened.session.id] = (member, known)
        return opened.session.id

    @rule(session_id=open_ones)
    def use(self, session_id):
        _, known = self.known[session_id]
        found = self.find(known.token)
        if found is not None:
            self.write(lambda connection: sessions.seen(connection, found.id, self.now_us))
            known.seen_us = self.now_us

    @rule(session_id=open_ones, by_passkey=st.booleans())
    def step_up(self, session_id, by_passkey):
        _, known = self.known[session_id]
        found = self.find(known.token)
        if found is None:
            return
        way = Way.PASSKEY if by_passkey else Way.CODE
        purpose = "" if by_passkey else REVEAL
        opened = self.write(
            lambda connection: sessions.prove(connection, self.here.parts, found, way, purpose=purpose)
        )
        self.dead.add(known.token)
        known.token = opened.token
        if by_passkey:
            known.passkey_us = self.now_us
        else:
            known.code_us = self.now_us

    @rule(session_id=consumes(open_ones))
    def end_one(self, session_id):
        _, known = self.known[session_id]
        self.write(lambda connection: sessions.end(connection, self.here.parts, session_id, Ended.LOGOUT))
        known.ended = True

    @rule(member=st.integers(0, 1), spare=open_ones)
    def end_the_others(self, member, spare):
        member_id = self.members[member]
        self.write(
            lambda connection: sessions.end_all(
                connection, self.here.parts, member_id, Ended.BY_MEMBER, but=spare
            )
        )
        for owner, known in self.known.values():
            if owner == member and known.id != spare:
                known.ended = True

    @rule(member=st.integers(0, 1))
    def freeze(self, member):
        member_id = self.members[member]
        self.write(lambda connection: sessions.end_all(connection, self.here.parts, member_id, Ended.FROZEN))
        for owner, known in self.known.values():
            known.ended = known.ended or owner == member

    @rule(session_id=open_ones, us=st.sampled_from([0, IDLE_US_MAX, AGE_US_MAX]))
    def revive(self, session_id, us):
        """Use and prove what has ended: it must not come back."""
        self.here.clock.advance(us)
        _, known = self.known[session_id]
        with self.here.store.read() as connection:
            stored = sessions.find(connection, session_id)
        assert stored is not None
        if known.is_live(self.now_us):
            return
        self.write(lambda connection: sessions.seen(connection, session_id, self.now_us))
        assert self.find(known.token) is None
        if known.ended:
            opened = self.write(
                lambda connection: sessions.prove(connection, self.here.parts, stored, Way.PASSKEY)
            )
            assert self.find(opened.token) is None

    @rule(
        us=st.sampled_from(
            [1, MINUTE_US, FRESH_US - 1, FRESH_US, IDLE_US_MAX - 1, IDLE_US_MAX, HOUR_US, AGE_US_MAX]
        )
    )
    def wait(self, us):
        self.here.clock.advance(us)

    @invariant()
    def only_the_newest_token_of_a_live_session_opens_it(self):
        for token in self.dead:
            assert self.find(token) is None
        for member, known in self.known.values():
            found = self.find(known.token)
            assert (found is not None) == known.is_live(self.now_us)
            if found is not None:
                assert (found.id, found.member_id) == (known.id, self.members[member])

    @invariant()
    def only_a_young_proof_grants(self):
        for _, known in self.known.values():
            with self.here.store.read() as connection:
                found = sessions.current(connection, known.token, self.now_us)
                device = None if found is None else devices.find(connection, found.device_id)
            if found is None:
                continue
            for need in STRONG:
                answer = demand(found, device, need, self.now_us, purpose=REVEAL)
                assert isinstance(answer, Granted) == known.may(self.now_us)
                if isinstance(answer, Granted):
                    assert self.now_us < answer.until_us <= self.now_us + FRESH_US


@pytest.fixture(scope="module", autouse=True)
def here(tmp_path_factory):
    """Open one store for all plays; each play has members of its own."""
    SessionMachine.here = open_at_hand(tmp_path_factory.mktemp("sessions"))
    yield
    SessionMachine.here.store.close()


TestSessions = SessionMachine.TestCase
TestSessions.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
