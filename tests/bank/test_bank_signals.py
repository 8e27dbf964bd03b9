"""A disowned mandate stops the link at the wallet, and a wallet's word stops its user's debits."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest
import uvicorn
from tests.bank.mandate_at_hand import WALLET, open_bank
from tests.sharing.two_houses import NOON_US, QUICK, House, open_house, serving

from sekisho.bank import signals
from sekisho.bank.link_gate import actor_of
from sekisho.bank.mandate_states import Deed, MandateState, Who
from sekisho.identity.holds import HoldKind, HoldScope, place
from sekisho.kernel.clock import SECOND_US
from sekisho.sharing.actions import Action
from sekisho.sharing.agreed_subjects import MEMBER, About
from sekisho.sharing.evidence import ACTOR
from sekisho.sharing.exchange import open_exchange
from sekisho.sharing.introducing import Introduction, introduce
from sekisho.sharing.subjects import Opaque
from sekisho.storage.tables.signals import agreed_subject
from sekisho.web.server import listening_socket
from sekisho.web.signals.app import create_signals_app

LINK = About("bank_link", "lnk-1")
OVER_LINKS = (Action.SUSPEND_LINK, Action.END_LINK)


def _played(tmp_path, play):
    async def playing():
        async with _both(tmp_path) as both:
            await play(*both)

    asyncio.run(playing())


@asynccontextmanager
async def _both(tmp_path):
    """Serve a bank with a mandate and a wallet with its link, which hear each other."""
    at_hand = open_bank(tmp_path)
    listener = listening_socket("127.0.0.1", 0)
    origin = f"http://bank.localhost:{listener.getsockname()[1]}"
    institution = msgspec.structs.replace(at_hand.bank.parts.institution, origin=origin)
    parts = at_hand.bank.parts._replace(institution=institution)
    exchange = open_exchange(
        parts,
        settings=QUICK,
        handlers=signals.handlers(at_hand.bank),
        learners=signals.LEARNERS,
    )
    config = uvicorn.Config(create_signals_app(exchange), log_config=None, lifespan="off")
    bank = House(exchange, at_hand.clock, uvicorn.Server(config), listener)
    at_hand.clock.set(max(at_hand.clock.now_us(), NOON_US))
    owners: dict[str, str] = {}
    done: list[tuple[Action, str]] = []

    def do(_, __, deed):
        done.append((deed.action, deed.about.id))

    async with AsyncExitStack() as ending:
        await ending.enter_async_context(serving(bank))
        wallet = await ending.enter_async_context(
            serving(
                await open_house(
                    tmp_path,
                    "wallet",
                    at_hand.clock,
                    handlers={(action, LINK.kind): do for action in OVER_LINKS},
                    leads_to={LINK.kind: lambda _, link_id: About(MEMBER, owners[link_id])},
                )
            )
        )
        await introduce(Introduction(bank.exchange, wallet.exchange, other_at_one=WALLET))
        mandate = at_hand.mandate()
        user = wallet.add_member()
        owners[LINK.id] = user
        wallet.agree(origin, Opaque(mandate.id), LINK)
        wallet.agree(origin, Opaque(mandate.user_ref), About(MEMBER, user))
        await bank.go_on()
        await wallet.go_on()
        yield at_hand, bank, wallet, mandate, user, done


def test_the_bank_learns_by_which_names_the_wallet_knows_a_mandate(tmp_path):
    async def play(at_hand, bank, wallet, mandate, user, done):
        del at_hand, user, done
        names = {(row.kind, row.about) for row in bank.rows(agreed_subject) if row.issuer == wallet.origin}
        assert names == {("mandate", mandate.id), ("actor", actor_of(WALLET, mandate.user_ref))}

    _played(tmp_path, play)


def test_a_disowned_mandate_stops_the_link_and_keeps_its_owner_s_money(tmp_path):
    async def play(at_hand, bank, wallet, mandate, user, done):
        at_hand.deed(mandate, Deed.DISPUTE)
        await bank.go_on()
        assert done == [(Action.SUSPEND_LINK, LINK.id)]
        assert len(wallet.holds_of(user)) == 1
        assert wallet.signs_on(MEMBER, user) == ["partner_risk_high"]
        await wallet.go_on()
        assert wallet.queue() == []

    _played(tmp_path, play)


def test_debits_that_the_depositor_stopped_are_weak_evidence_at_the_wallet(tmp_path):
    async def play(at_hand, bank, wallet, mandate, user, done):
        at_hand.deed(mandate, Deed.STOP, Who.PARTNER)
        await bank.go_on()
        assert wallet.outcomes() == []
        at_hand.deed(mandate, Deed.STOP)
        await bank.go_on()
        assert wallet.signs_on(MEMBER, user) == ["partner_risk_medium"]
        assert (done, wallet.holds_of(user)) == ([], [])

    _played(tmp_path, play)


@pytest.mark.parametrize("who", [Who.DEPOSITOR, Who.BANK])
def test_a_mandate_that_ended_at_the_bank_ends_the_link_and_leaves_its_owner_alone(tmp_path, who):
    async def play(at_hand, bank, wallet, mandate, user, done):
        wallet.log_in(user)
        at_hand.revoke(mandate, who)
        await bank.go_on()
        assert done == [(Action.END_LINK, LINK.id)]
        assert (wallet.holds_of(user), wallet.signs_on(MEMBER, user)) == ([], [])
        assert len(wallet.sessions_of(user)) == 1

    _played(tmp_path, play)


@pytest.mark.parametrize(("who", "why"), [(Who.PARTNER, "token_revoked"), (Who.DEPOSITOR, "replaced")])
def test_what_the_wallet_ended_or_made_anew_it_is_not_told(tmp_path, who, why):
    async def play(at_hand, bank, wallet, mandate, user, done):
        del user
        at_hand.deed(mandate, Deed.REVOKE, who, why)
        at_hand.mandate(deposit_id=at_hand.open().id, user_ref=mandate.user_ref)
        await bank.go_on()
        assert (done, wallet.outcomes()) == ([], [])

    _played(tmp_path, play)


def test_what_the_depositor_allows_again_is_an_all_clear_at_the_wallet(tmp_path):
    """The bank found that it was the depositor's own after all, and the depositor said so as well."""

    async def play(at_hand, bank, wallet, mandate, user, done):
        del done
        at_hand.deed(mandate, Deed.DISPUTE)
        await bank.go_on()
        at_hand.clock.advance(SECOND_US)
        at_hand.deed(mandate, Deed.CLEAR, Who.BANK)
        await bank.go_on()
        assert len(wallet.holds_of(user)) == 1
        at_hand.clock.advance(SECOND_US)
        at_hand.deed(mandate, Deed.ALLOW)
        await bank.go_on()
        assert (wallet.holds_of(user), wallet.signs_on(MEMBER, user)) == ([], [])

    _played(tmp_path, play)


def test_a_user_whom_the_wallet_contains_is_debited_nowhere_and_warned_of_at_the_gate(tmp_path):
    """The depositor's own account is left alone, and the depositor may allow the debits again."""

    async def play(at_hand, bank, wallet, mandate, user, done):
        del done
        kind, scope = HoldKind.CONTAINMENT, HoldScope.ALL
        wallet.write(lambda at: place(at, wallet.parts, user, kind, scope, reason="x", until_us=None))
        await wallet.go_on()
        now = at_hand.now(mandate)
        assert now.state is MandateState.SUSPENDED
        assert now.standing.stops == {Who.WATCH}
        assert bank.signs_on(ACTOR, actor_of(WALLET, mandate.user_ref)) == ["partner_risk_high"]
        at_hand.clock.advance(SECOND_US)
        await bank.go_on()
        assert wallet.outcomes() == []

    _played(tmp_path, play)


def test_what_a_partner_says_of_its_user_touches_no_other_partner_s_user_of_that_name(tmp_path):
    """Two wallets may number their users alike: the word of one is not about the other's."""

    async def play(at_hand, bank, wallet, mandate, user, done):
        del bank, done
        other = at_hand.mandate(
            partner="other-wallet", deposit_id=at_hand.open().id, user_ref=mandate.user_ref
        )
        kind, scope = HoldKind.CONTAINMENT, HoldScope.ALL
        wallet.write(lambda at: place(at, wallet.parts, user, kind, scope, reason="x", until_us=None))
        await wallet.go_on()
        assert at_hand.now(mandate).state is MandateState.SUSPENDED
        assert at_hand.now(other).state is MandateState.ACTIVE

    _played(tmp_path, play)
