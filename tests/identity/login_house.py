"""An institution whose members can log in: its desks, the guard, and the handset on which codes arrive."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from sqlalchemy import select
from tests.identity.member_at_hand import LENDER, NOON_US

from sekisho.guard.answers import GuardAnswer, Told
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.identity import devices, members, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.claims import LoginForm
from sekisho.identity.codes import CodeDesk
from sekisho.identity.hashing import Hasher
from sekisho.identity.institution import Parts
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.login_codes import CodeForm
from sekisho.identity.logins import LoginDesk, NextStep
from sekisho.identity.people import Person
from sekisho.identity.recipients import mobile_number
from sekisho.identity.session_desk import Present, SessionDesk
from sekisho.identity.sign_up import SignUpDesk, SignUpForm, SignUpStep
from sekisho.identity.welcomes import Welcome
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.kernel.posture import Posture
from sekisho.messages.queue import Contents, unseal
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, Key, new_keys
from sekisho.storage.outbox import StoredEntry, read_after
from sekisho.storage.tables.messages import message

PASSWORD = "kumo-to-niwatori 37"  # noqa: S105 - an example's
WRONG = "another-guess entirely"
HOME = Arrival(
    ip="192.0.2.10", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0", country="JP", asn=64500
)
AWAY = Arrival(
    ip="198.51.100.7", user_agent="Mozilla/5.0 (iPhone) Version/17 Safari/604", country="JP", asn=64501
)
TARO = Person(
    name="山田 太郎", kana="ヤマダ タロウ", birth_date="1990-04-01", home_address="東京都千代田区1-1-1"
)


@dataclass
class SaidGuard:
    """A guard that says what it was told to say, at the login and elsewhere, and keeps what it hears."""

    action: Action = Action.ALLOW
    elsewhere: Action = Action.ALLOW
    before_hash: bool = False
    label_wanted: bool = False
    asked: list[Attempt] = field(default_factory=list)
    settled: list[tuple[str, Outcome, ChallengeResult]] = field(default_factory=list)

    async def assess(self, attempt: Attempt) -> GuardAnswer:
        self.asked.append(attempt)
        decision = Decision(
            action=self.action if attempt.gate == "login" else self.elsewhere,
            probability=0.25,
            before_hash=self.before_hash,
            reasons=(),
            policy="said",
            policy_revision=1,
            campaign="cmp_x",
            label_wanted=self.label_wanted,
        )
        return GuardAnswer(attempt_id=f"att_{len(self.asked)}", decision=decision)

    async def settle(
        self,
        attempt_id: str,
        outcome: Outcome,
        challenge: ChallengeResult = ChallengeResult.NONE,
        *,
        issue_device: bool = False,  # noqa: ARG002 - the protocol's
    ) -> Told:
        self.settled.append((attempt_id, outcome, challenge))
        return Told(heard=True)


@dataclass
class House:
    """One institution and its desks. Its hashes are cheap, so that tests are fast."""

    parts: Parts
    clock: SetClock
    guard: SaidGuard
    hasher: Hasher
    codes: CodeDesk
    logins: LoginDesk
    sign_ups: SignUpDesk
    sessions: SessionDesk
    keys: tuple[Key, ...]
    opened: int = 0

    def wait(self, seconds: float) -> None:
        self.clock.advance(int(seconds * SECOND_US))

    async def open_account(self, arrival: Arrival = HOME, password: str = PASSWORD) -> Welcome:
        """Open an account as people do, and return its first session."""
        self.opened += 1
        form = SignUpForm(f"taro{self.opened}@example.jp", f"0901234{self.opened:04d}")
        step = await self.sign_ups.begin(form, arrival)
        assert isinstance(step, SignUpStep)
        self.wait(20)
        await self.sign_ups.enter(step.token, *self.codes_to(form), arrival)
        welcomed = await self.sign_ups.finish(step.token, TARO, password, arrival)
        assert isinstance(welcomed, Welcome)
        return welcomed

    def name_of(self, welcomed: Welcome) -> str:
        """Return the member's number, by which to log in."""
        with self.parts.store.read() as connection:
            found = members.find(connection, welcomed.session.member_id)
        assert found is not None
        return found.number

    async def as_stranger(self, name: str, password: str = PASSWORD, arrival: Arrival = AWAY) -> NextStep:
        """Log in where nothing vouches for anybody, and wait until all is done behind it."""
        step = await self.logins.begin(LoginForm(name, password), arrival)
        assert isinstance(step, NextStep)
        await self.logins.quiet()
        return step

    async def enter(self, step: NextStep, typed: str, arrival: Arrival = AWAY):
        return await self.logins.take_code(CodeForm(step.step_token, typed), arrival)

    async def log_in_away(self, name: str, arrival: Arrival = AWAY) -> Welcome:
        """Log in on a new browser, with the code that comes."""
        step = await self.as_stranger(name, arrival=arrival)
        self.wait(20)
        welcomed = await self.enter(step, code_in(self.sent()[-1]), arrival)
        assert isinstance(welcomed, Welcome)
        return welcomed

    def sent(self) -> list[Contents]:
        """Return the messages that were queued, the oldest first."""
        with self.parts.store.read() as connection:
            rows = connection.execute(select(message).order_by(message.c.made_at_us, message.c.id)).all()
        return [unseal(self.parts.keyring, row.id, row.sealed) for row in rows]

    def codes_to(self, form: SignUpForm) -> tuple[str, str]:
        """Return the newest codes that were sent to an e-mail address and to a mobile number."""
        newest = {sent.to: sent for sent in self.sent()}
        return code_in(newest[form.email]), code_in(newest[mobile_number(form.mobile)])

    def notices(self) -> list[str]:
        """Return the kinds of the messages that were queued, the oldest first."""
        with self.parts.store.read() as connection:
            kinds = select(message.c.kind).order_by(message.c.made_at_us, message.c.id)
            return list(connection.execute(kinds).scalars())

    def all_events(self) -> list[StoredEntry]:
        """Return what happened."""
        with self.parts.store.read() as connection:
            return read_after(connection, 0, limit=100_000)

    def events(self, kind: str) -> list[StoredEntry]:
        """Return what happened of one kind."""
        return [entry for entry in self.all_events() if entry.kind == kind]

    def now(self, welcomed: Welcome) -> Present:
        """Read a session and its device as they are now, live or not."""
        with self.parts.store.read() as connection:
            session = sessions.find(connection, welcomed.session.id)
            device = devices.find(connection, welcomed.device.id)
        assert session is not None
        assert device is not None
        return Present(session, device)


def code_in(sent: Contents) -> str:
    """Return the six digits in a message."""
    found = re.search(r"(?<![0-9])[0-9]{6}(?![0-9])", sent.text)
    assert found, sent.text
    return found[0]


def returning(welcomed: Welcome, arrival: Arrival = HOME) -> Arrival:
    """Return an arrival of the browser that was welcomed."""
    return msgspec.structs.replace(arrival, device_token=welcomed.device_cookie)


@asynccontextmanager
async def house(
    folder: Path, *, url: str = "", floor_s: float = 0.0, leaks: Leaks | None = None, memory_kib: int = 64
) -> AsyncIterator[House]:
    """Open an institution for the time of a test."""
    clock, chance, guard = SetClock(NOON_US), SeededChance(5), SaidGuard()
    keys = new_keys(clock, chance)
    keyring = HeldKeyring.of(keys, chance)
    store = open_store(url or f"sqlite:///{folder}/lender.db")
    parts = Parts(LENDER, store, keyring, clock, chance)
    hasher = Hasher(chance, threads=2, memory_kib=memory_kib, passes=1 if memory_kib == 64 else 2)
    codes = CodeDesk(parts)
    leaks = leaks or Leaks()
    logins = LoginDesk(parts, guard, hasher, codes, leaks, leaks_down=Posture.OPEN, answer_floor_s=floor_s)
    sign_ups = SignUpDesk(parts, hasher, codes, leaks, leaks_down=Posture.OPEN)
    try:
        yield House(parts, clock, guard, hasher, codes, logins, sign_ups, SessionDesk(parts), keys)
    finally:
        await logins.close()
        hasher.close()
        store.close()


def run(folder: Path, play, **options) -> None:
    """Play a scene in an institution of its own."""

    async def scene() -> None:
        async with house(folder, **options) as opened:
            await play(opened)

    asyncio.run(scene())
