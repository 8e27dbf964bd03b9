"""Every column of sealed data is known as one, and moves to a new key under its own name."""

from concurrent.futures import TimeoutError as NotYet

import pytest
from sqlalchemy import LargeBinary, insert, select, update
from tests.conformance.busy import hold_up

from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.storage.engine import open_store
from sekisho.storage.key_holders import held_by
from sekisho.storage.keyring import HeldKeyring, KeyUse, new_key, new_keys
from sekisho.storage.sealed_columns import context_of, reseal, reseal_all, sealed_columns
from sekisho.storage.tables import every_table

CHANCE = SeededChance(5)
KEYS = new_keys(SetClock(1), CHANCE)
RING = HeldKeyring.of(KEYS, CHANCE)
OLD = next(key.name for key in KEYS if key.use is KeyUse.SEAL)
NEW = new_key(KeyUse.SEAL, SetClock(2), CHANCE)
ROTATED = HeldKeyring.of((*KEYS, NEW), CHANCE)
PLAIN = b"plain"

# Digests, public keys, links of chains, and JSON that names nobody: what is stored as octets and not sealed.
NOT_SEALED = {
    "agreed_subject": {"digest", "subject"},
    "bank_file": {"result_digest"},
    "bank_link": {"state_digest"},
    "ceremony": {"answer", "credential_id", "nonce"},
    "contact": {"digest"},
    "contained_member": {"outcome"},
    "containment": {"policy"},
    "delivered": {"recipient"},
    "device": {"token_digest"},
    "federated_client_key": {"public"},
    "federated_logout": {"digest"},
    "identity_challenge": {"digest"},
    "ledger_checkpoint": {"link", "totals"},
    "ledger_journal": {"link"},
    "ledger_transfer": {"details", "request"},
    "link_client_key": {"public"},
    "link_code": {"bound", "digest"},
    "link_partner": {"settings"},
    "link_proof": {"digest"},
    "link_request": {"uri_digest", "visit_digest"},
    "link_token": {"digest"},
    "linked_phone": {"digest"},
    "loan_event": {"request"},
    "mandate": {"stop_digest"},
    "mandate_order": {"request"},
    "one_time_code": {"asked", "block_digest", "digest", "recipient_digest"},
    "openid_assertion": {"digest"},
    "openid_client": {"secret_digest", "settings"},
    "openid_code": {"digest", "request"},
    "openid_token": {"code_digest", "digest"},
    "outbox": {"body"},
    "passkey": {"credential_id", "public_key"},
    "passkey_holder": {"user_handle"},
    "payment_code": {"digest"},
    "payout_account": {"digest"},
    "seal": {"entry", "link"},
    "send": {"phone_digest"},
    "session": {"form_key", "token_digest"},
    "sign_up": {"token_digest"},
    "signal_action": {"deed"},
    "signal_feed": {"header_digest", "metadata"},
    "signal_outgoing": {"claims"},
    "signal_partner": {"token_digest"},
    "signal_stream": {"events_requested"},
    "signal_subject": {"digest"},
    "signing_key": {"public"},
    "source_digest": {"digest"},
    "staff_act": {"details", "link"},
    "staff_enrolment": {"digest"},
    "taken_file": {"digest"},
    "waiting_login": {"token_digest"},
    "wallet_identity_challenge": {"digest"},
    "wallet_person": {"digest"},
}


def value_of(column):
    """Return a value for a column; all texts are one, so that each row finds the rows that it names."""
    return {bytes: b"x", bool: False, str: "x"}.get(column.type.python_type, 1)


def row_of(table):
    row = {column.name: value_of(column) for column in table.columns if column.identity is None}
    for column in sealed_columns():
        if column.table is table:
            row[column.name] = RING.seal(PLAIN, context=context_of(column, **row))
    return row


def filled(store):
    """Put one row into every table."""

    def work(connection):
        for table in every_table():
            if connection.execute(select(table)).first() is None:
                connection.execute(insert(table), row_of(table))

    store.write(work).result()


def opened(store, ring):
    """Open every sealed datum."""
    with store.read() as connection:
        found = {}
        for column in sealed_columns():
            (row,) = connection.execute(select(column.table)).mappings()
            found[str(column)] = ring.open(row[column.name], context=context_of(column, **row))
    return found


def test_all_that_is_sealed_moves_to_the_new_key(store):
    """Then the old one is needed by nothing, and opens nothing."""
    filled(store)
    done = list(reseal_all(store, ROTATED))
    assert sum(batch.resealed for batch in done) == len(sealed_columns()) > 30
    assert [batch.unsealable for batch in done if batch.unsealable] == []
    with store.read() as connection:
        assert held_by(connection, OLD) == {}
    alone = HeldKeyring.of((*(key for key in KEYS if key.use is not KeyUse.SEAL), NEW), CHANCE)
    assert set(opened(store, alone).values()) == {PLAIN}
    assert sum(batch.resealed for batch in reseal_all(store, ROTATED)) == 0


def test_what_was_wiped_or_never_was_is_passed_by(store):
    filled(store)

    def wipe(connection):
        for column in sealed_columns():
            connection.execute(update(column.table).values({column: None if column.nullable else b""}))

    store.write(wipe).result()
    assert [batch for batch in reseal_all(store, ROTATED) if batch.resealed or batch.unsealable] == []


@pytest.mark.server
def test_what_another_process_writes_meanwhile_stays_as_it_was_written(server_store_url):
    """A token that was renewed while its row was moved is not put back; the next run moves it."""
    one, other = open_store(server_store_url), open_store(server_store_url)
    filled(one)
    (column,) = (each for each in sealed_columns() if each.table.name == "bank_link")
    with one.read() as connection:
        (row,) = connection.execute(select(column.table)).mappings()
    context = context_of(column, **row)
    newer = update(column.table).values({column: RING.seal(b"newer", context=context)})
    go_on = hold_up(one, before=lambda at: at.execute(newer))
    moving = other.write(lambda at: reseal(at, ROTATED, column))
    with pytest.raises(NotYet):
        moving.result(timeout=0.3)
    go_on.set()
    assert moving.result().resealed == 0
    assert opened(one, ROTATED)[str(column)] == b"newer"
    assert other.write(lambda at: reseal(at, ROTATED, column)).result().resealed == 1
    assert opened(one, ROTATED)[str(column)] == b"newer"
    one.close()
    other.close()


def test_octets_are_sealed_or_are_known_not_to_be():
    """Whoever adds a column of octets says here, or in its table, which it is."""
    octets = {
        str(column)
        for table in every_table()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert octets - {str(column) for column in sealed_columns()} == {
        f"{table}.{column}" for table, columns in NOT_SEALED.items() for column in columns
    }
