"""A member with an authenticator: what the tests of passkeys stand on."""

import asyncio
from typing import Any

from tests.identity.member_at_hand import CHROME, LENDER, Entered
from tests.identity.software_authenticator import Authenticator

from sekisho.identity.arrivals import Arrival
from sekisho.identity.passkey_desk import PasskeyDesk
from sekisho.identity.passkey_proofs import PasskeyProofs
from sekisho.identity.passkeys import Passkey, Used
from sekisho.identity.purposes import Purpose
from sekisho.identity.sessions import Opened

HERE = Arrival(ip="192.0.2.7", user_agent=CHROME, country="JP")
ATM = Purpose(action="atm_withdrawal", amount_yen=30_000, place="ATM 0042")


def authenticator(**wrong: Any) -> Authenticator:
    """Make an authenticator that is right but for what is said."""
    return Authenticator(**{"origin": LENDER.origin, "rp_id": LENDER.host} | wrong)


def add(
    desk: PasskeyDesk, entered: Entered, made_by: Authenticator, name: str = "", **changed: Any
) -> Passkey:
    """Add a passkey from the beginning to the end."""

    async def adding() -> Passkey:
        begun = await desk.begin_adding(entered.session, entered.device)
        body = made_by.make(begun.options, **changed)
        return await desk.add(entered.session, begun.token, body, HERE, name=name)

    return asyncio.run(adding())


def log_in(proofs: PasskeyProofs, made_by: Authenticator, **changed: Any) -> Used:
    """Log in from the beginning to the end."""
    begun = proofs.begin_login()
    return asyncio.run(proofs.login(begun.token, made_by.get(begun.options, **changed), HERE))


def approve(
    proofs: PasskeyProofs, entered: Entered, made_by: Authenticator, purpose: Purpose | None = None
) -> Opened:
    """Approve from the beginning to the end."""

    async def approving() -> Opened:
        begun = await proofs.begin_approval(entered.session, purpose)
        body = made_by.get(begun.options)
        return await proofs.approve(entered.session, begun.token, body, HERE, purpose=purpose)

    return asyncio.run(approving())
