"""Links a second at a bank, beside bare verifications of PINs. Run as a module; prints a JSON object.

A link is all that a bank does for one: the pushed request with the partner's statement, the browser's token,
the guard on record, the PIN's hash, the consent with mandate, notice and code, and the exchange for tokens.
What the partner signs for it is in it, too; HTTP and pages are not.
"""

import asyncio
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import date
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from sekisho.bank import deposits, holders, pins
from sekisho.bank.authorisation import partners
from sekisho.bank.authorisation.metadata import TOKEN_PATH
from sekisho.bank.authorisation.partners import PartnerSettings
from sekisho.bank.authorisation.settings import LinkPolicy, LinkSettings
from sekisho.bank.deposits import Deposit, Opening
from sekisho.bank.holders import NewHolder
from sekisho.bank.house import open_house
from sekisho.bank.link_authentication import Came, Next
from sekisho.bank.link_gate import LinkForm
from sekisho.bank.switch_book import BankSwitches
from sekisho.cli.bench_parts.figures import Links
from sekisho.guard.guard import Guard
from sekisho.identity.arrivals import Arrival
from sekisho.identity.hashing import Hasher
from sekisho.identity.institution import Institution, Parts
from sekisho.identity.openid.parameters import Parameters
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.posture import Posture
from sekisho.linking.client_statements import ASSERTION_TYPE, client_statement, new_client_key
from sekisho.linking.dpop import Demand, ProofKey, new_key
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.unit_of_work import Connection
from sekisho.web.bank.desks import LinkDesks, open_link_desks
from sekisho.web.guard_api.desk import GuardDesk
from sekisho.web.guard_client.local_guard import LocalGuard
from sekisho.web.members.desks import open_desks

CLIENTS = 8
CLIENT_ID, BACK = "bench-wallet", "https://wallet.example/back"
VERIFIER, PIN = "v" * 43, "3817"
NAME, BORN = "ベンチ タロウ", date(1980, 1, 1)
_BANK = Institution(
    key="bank",
    names={"ja": "みさき銀行", "en": "Misaki Bank"},
    host="bank.localhost",
    origin="http://bank.localhost",
    telephone="",
    desk_hours={"ja": "", "en": ""},
)


class Partner(NamedTuple):
    """A partner's keys, and the bank that it links at."""

    links: LinkDesks
    private: bytes
    dpop: ProofKey

    def signed(self, **fields: str) -> Parameters:
        """Return a form with a statement of who sends it."""
        bank = self.links.bank
        statement = client_statement(
            self.private, CLIENT_ID, _BANK.origin, now_us=bank.clock.now_us(), chance=bank.chance
        )
        return Parameters({"client_assertion_type": ASSERTION_TYPE, "client_assertion": statement} | fields)

    async def link(self, one: Deposit, number: int) -> None:
        """Link an account. Raises RuntimeError where the way is not that of an honest depositor."""
        links, arrival = self.links, Arrival(ip=f"10.1.{number >> 8}.{number & 255}", user_agent="bench")
        pushed = await links.exchange.push(self.signed(**_asked(number)), [])
        token = await links.authentication.open(CLIENT_ID, pushed.request_uri)
        came, form = Came(token, ""), LinkForm(one.branch, one.number, NAME, BORN.isoformat(), PIN)
        step = await links.authentication.identify(came, form, arrival)
        if step is not Next.CONSENT:
            raise RuntimeError(f"a depositor was asked for {step}")
        back = await links.consents.agree(came, one.id)
        code = parse_qs(urlsplit(back.uri).query)["code"][0]
        demand, bank = Demand("POST", _BANK.origin + TOKEN_PATH), links.bank
        proof = self.dpop.prove(demand, clock=bank.clock, chance=bank.chance, nonce=links.prover.nonce())
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        await links.exchange.exchange(self.signed(code_verifier=VERIFIER, **fields), [proof])


async def measure(count: int, folder: Path) -> Links:
    """Make so many links by eight clients, and verify as many PINs alone."""
    clock, chance = SystemClock(), SystemChance()
    store = open_store(f"sqlite:///{folder}/links.db")
    parts = Parts(_BANK, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
    desks = open_desks(parts, LocalGuard(_guard_desk(parts), on_outage=Posture.CLOSED))
    try:
        bank, settings = open_house(parts), LinkSettings(policy=LinkPolicy.ACCOUNT_PIN)
        links = open_link_desks(bank, desks, settings, BankSwitches(parts), answer_floor_s=0.0)
        key = new_client_key()
        public = f'{{"keys":[{key.public.decode()}]}}'
        registered = PartnerSettings(names={"ja": "ベンチ"}, redirect_uris=(BACK,), key_set=public)
        store.write(lambda at: partners.register(at, bank, CLIENT_ID, registered)).result()
        partner = Partner(links, key.private, ProofKey(new_key()))
        accounts = [await _open(links, desks.hasher, number) for number in range(count)]
        linked_s = await _timed(count, lambda number: partner.link(accounts[number], number))
        verified_s = await _timed(count, lambda number: _verify(links, desks.hasher, accounts[number]))
    finally:
        await desks.logins.close()
        desks.hasher.close()
        store.close()
    return Links(
        links_per_second=count / linked_s, verifications_per_second=count / verified_s, clients=CLIENTS
    )


async def _open(links: LinkDesks, hasher: Hasher, number: int) -> Deposit:
    bank = links.bank

    def opened(connection: Connection) -> Deposit:
        depositor_id = holders.take_on(connection, bank, NewHolder(NAME, BORN, "090-1234-0001"))
        return deposits.open_deposit(connection, bank, Opening(depositor_id, "001", number=f"{number:07d}"))

    one = await bank.written(opened)
    made = await pins.hashed(bank, hasher, one.id, PIN)
    await bank.written(lambda at: pins.keep(at, bank, one.id, made))
    return one


async def _verify(links: LinkDesks, hasher: Hasher, one: Deposit) -> None:
    kept = await links.bank.read(lambda at: pins.find(at, one.id))
    if not await pins.is_right(links.bank, hasher, one.id, kept, PIN):
        raise RuntimeError("a right PIN was wrong")


async def _timed(count: int, work: Callable[[int], Awaitable[None]]) -> float:
    numbers = iter(range(count))

    async def client() -> None:
        for number in numbers:
            await work(number)

    began_s = perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return perf_counter() - began_s


def _asked(number: int) -> dict[str, str]:
    holder = {"name_kana": NAME, "birth_date": BORN.isoformat()}
    details = {
        "type": "account_link",
        "actions": ["debit"],
        "ceiling_yen": 100_000,
        "month_ceiling_yen": 300_000,
        "holder": holder,
        "user_ref": f"user-{number:08d}",
    }
    return {
        "response_type": "code",
        "redirect_uri": BACK,
        "code_challenge": urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "authorization_details": msgspec.json.encode([details]).decode(),
    }


def _guard_desk(parts: Parts) -> GuardDesk:
    return GuardDesk(
        Guard(key=parts.chance.octets(32)),
        clock=parts.clock,
        chance=parts.chance,
        recorder=AttemptStore(parts.store, clock=parts.clock),
        on_outage=Posture.CLOSED,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as place:
        measured = asyncio.run(measure(int(sys.argv[1]), Path(place)))
        sys.stdout.write(msgspec.json.encode(measured).decode())
