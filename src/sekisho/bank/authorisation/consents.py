"""What a depositor allowed a partner: the consent under which a mandate and its tokens stand."""

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.bank import deposits, holders
from sekisho.bank.authorisation.pushed_requests import Visit
from sekisho.bank.deposits import Deposit
from sekisho.bank.holders import Depositor
from sekisho.bank.house import BankParts
from sekisho.kernel.ids import LINK_CONSENT, DepositId, LinkConsentId, MandateId
from sekisho.linking.link_details import TYPE, LinkedAccount, LinkedHolder, LinkGranted, LinkRequest
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.deposits import link_consent, link_token

_REF_OCTETS = 16


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """A consent. `way` is how the depositor was authenticated."""

    id: LinkConsentId
    client_id: str
    deposit_id: DepositId
    mandate_id: MandateId
    link: LinkRequest
    way: str
    given_at_us: int
    revoked_at_us: int | None


def give(connection: Connection, bank: BankParts, visit: Visit, mandate_id: MandateId) -> LinkConsentId:
    """Write down what the depositor agreed to."""
    consent_id, now_us = LINK_CONSENT.new(bank.clock, bank.chance), bank.clock.now_us()
    sealed = bank.keyring.seal(msgspec.json.encode(visit.asked.link), context=_context(consent_id))
    connection.execute(
        insert(link_consent),
        {
            "id": consent_id,
            "client_id": visit.client_id,
            "deposit_id": visit.deposit_id,
            "mandate_id": mandate_id,
            "sealed": sealed,
            "way": visit.way,
            "given_at_us": now_us,
            "revoked_at_us": None,
        },
    )
    body = msgspec.json.encode({"client": visit.client_id, "mandate": mandate_id, "way": visit.way})
    outbox.append(connection, [outbox.Entry("bank:link:consented", consent_id, now_us, body)])
    return consent_id


def find(connection: Connection, bank: BankParts, consent_id: str) -> Consent | None:
    """Return a consent, None where there is none. Raises Unsealable."""
    row = connection.execute(select(link_consent).where(link_consent.c.id == consent_id)).one_or_none()
    return None if row is None else _read(bank, row)


def revoke(connection: Connection, consent_id: str, why: str, now_us: int) -> bool:
    """End a consent with all its tokens, and tell whether that changed anything. The mandate is apart."""
    its = update(link_consent).where(link_consent.c.id == consent_id, link_consent.c.revoked_at_us.is_(None))
    changed = connection.execute(its.values(revoked_at_us=now_us)).rowcount == 1
    tokens = update(link_token).where(
        link_token.c.consent_id == consent_id, link_token.c.revoked_at_us.is_(None)
    )
    connection.execute(tokens.values(revoked_at_us=now_us))
    if changed:
        body = msgspec.json.encode({"why": why})
        outbox.append(connection, [outbox.Entry("bank:link:tokens_revoked", consent_id, now_us, body)])
    return changed


def granted(connection: Connection, bank: BankParts, consent: Consent) -> LinkGranted:
    """Return what the partner is told of a link. Raises LookupError and Unsealable."""
    one = deposits.find(connection, consent.deposit_id)
    depositor = None if one is None else holders.find(connection, bank, one.depositor_id)
    if one is None or depositor is None:
        raise LookupError(f"no account or holder behind {consent.id}")
    link = consent.link
    return LinkGranted(
        type=TYPE,
        actions=link.actions,
        ceiling_yen=link.ceiling_yen,
        month_ceiling_yen=link.month_ceiling_yen,
        user_ref=link.user_ref,
        mandate_id=consent.mandate_id,
        account=_account(bank, consent.client_id, one),
        holder=_holder(depositor, link.holder.phone),
    )


def _account(bank: BankParts, client_id: str, one: Deposit) -> LinkedAccount:
    ref = bank.keyring.digest(f"{client_id}\n{one.id}", context="link:account_ref")[:_REF_OCTETS].hex()
    return LinkedAccount(
        bank=bank.profile.code, branch=one.branch, kind=one.kind.value, last4=one.last_digits, ref=ref
    )


def _holder(depositor: Depositor, phone: str) -> LinkedHolder:
    on_file = depositor.holder
    return LinkedHolder(
        name_kana=on_file.name_kana,
        birth_date=on_file.birth_date,
        phone_matches=phone == on_file.phone if phone else None,
    )


def _read(bank: BankParts, row: Row[tuple[object, ...]]) -> Consent:
    plain = bank.keyring.open(row.sealed, context=_context(row.id))
    return Consent(
        id=row.id,
        client_id=row.client_id,
        deposit_id=row.deposit_id,
        mandate_id=row.mandate_id,
        link=msgspec.json.decode(plain, type=LinkRequest),
        way=row.way,
        given_at_us=row.given_at_us,
        revoked_at_us=row.revoked_at_us,
    )


def _context(consent_id: str) -> str:
    return context_of(link_consent.c.sealed, id=consent_id)
