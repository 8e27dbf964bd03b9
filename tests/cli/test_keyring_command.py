"""`sekisho keyring`, on the folder of an institution that nobody has open."""

import base64
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, update
from tests.conformance.test_sealed_columns import value_of

from sekisho.cli.main import main
from sekisho.identity.personal_data import Item, read_for_use, store
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.ids import MEMBER
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import Unsealable
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.bank_links import link_client_key
from sekisho.storage.tables.members import member, password
from sekisho.storage.tables.personal_data import personal_item

CLOCK, CHANCE = SystemClock(), SystemChance()
FIRST = "first:" + base64.urlsafe_b64encode(bytes(32)).decode()
SECOND = "second:" + base64.urlsafe_b64encode(bytes(range(32))).decode()


@pytest.fixture(name="sekisho")
def _sekisho(tmp_path, monkeypatch):
    monkeypatch.setenv("SEKISHO_KEYS", FIRST)

    def run(*arguments):
        return CliRunner().invoke(main, ["keyring", "--data", str(tmp_path), *arguments])

    return run


@pytest.fixture(name="read")
def _read(tmp_path, sekisho):  # noqa: ARG001 - it sets the environment
    """Keep a member's data and a password; give what reads them back with the keys as they then are."""
    member_id = MEMBER.new(CLOCK, CHANCE)

    def opened():
        opened = open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")
        keys = {"SEKISHO_KEYS": f"{FIRST},{SECOND}"}
        return opened, open_keyring(tmp_path, key_wrapper(tmp_path, keys, CHANCE), clock=CLOCK, chance=CHANCE)

    def fill(connection, keyring):
        row = {"id": member_id, "number": "1", "state": "open", "language": "ja", "opened_at_us": 0}
        connection.execute(insert(member).values(row))
        store(
            connection, keyring, member_id, {item: f"{item} of mine" for item in (Item.NAME, Item.EMAIL)}, 1
        )
        row = {column.name: None if column.nullable else 0 for column in password.columns}
        texts = {"hash": "", "invalidated_for": "", "pepper": keyring.pepper(b"x")[1]}
        connection.execute(insert(password).values(row | texts | {"member_id": member_id}))

    def read(work=None):
        opened_store, keyring = opened()
        try:
            if work:
                opened_store.write(lambda connection: work(connection, keyring)).result()
            with opened_store.read() as connection:
                return read_for_use(connection, keyring, member_id, Item)
        finally:
            opened_store.close()

    read(fill)
    return read


def _names(sekisho, use):
    rows = [line.split("\t") for line in sekisho("list").output.splitlines()]
    return [name for name, its_use, *_ in rows if its_use == use]


def test_a_sealing_key_is_changed_from_the_first_step_to_the_last(sekisho, read):
    before = read()
    [old] = _names(sekisho, "seal")
    new = sekisho("rotate").output.strip()
    assert _names(sekisho, "seal") == [old, new]
    refused = sekisho("retire", old)
    assert (refused.exit_code, "personal_item.sealed (2)" in refused.output) == (1, True)
    assert sekisho("reseal").output == "2 sealed anew\n"
    assert sekisho("reseal").output == "0 sealed anew\n"
    assert sekisho("retire", old).exit_code == 0
    assert _names(sekisho, "seal") == [new]
    assert read() == before != {}


def test_a_process_of_its_own_knows_what_every_room_has_sealed(sekisho, read, tmp_path):
    """The command imports few rooms: it must not take a key away under which another one's data stand."""
    read()
    [old] = _names(sekisho, "seal")

    def put(connection, keyring):
        row = {column.name: value_of(column) for column in link_client_key.columns}
        context = context_of(link_client_key.c.sealed, **row)
        connection.execute(insert(link_client_key), row | {"sealed": keyring.seal(b"x", context=context)})

    read(put)
    sekisho("rotate")

    def alone(*words):
        call = ("from sekisho.cli.main import main; main()", "keyring", "--data", str(tmp_path), *words)
        return subprocess.run([sys.executable, "-c", *call], capture_output=True, text=True, check=False)

    refused = alone("retire", old)
    assert (refused.returncode, "link_client_key.sealed (1)" in refused.stderr) == (1, True)
    assert alone("reseal").stdout == "3 sealed anew\n"
    assert alone("retire", old).returncode == 0


def test_a_pepper_is_kept_while_a_password_needs_it(sekisho, read):
    read()
    [old] = _names(sekisho, "pepper")
    sekisho("rotate", "--use", "pepper")
    refused = sekisho("retire", old)
    assert (refused.exit_code, "password.pepper (1)" in refused.output) == (1, True)


def test_a_row_that_does_not_open_is_named(sekisho, read):
    sekisho("rotate")
    bad = update(personal_item).where(personal_item.c.item == "email").values(sealed=b"\x01\x04none")
    with pytest.raises(Unsealable):
        read(lambda connection, _keyring: connection.execute(bad))
    done = sekisho("reseal")
    assert done.exit_code == 1
    assert re.search("does not open: personal_item.sealed mem_[0-9a-f]{32} email", done.output)
    assert "1 sealed anew" in done.output


def test_the_keys_move_to_another_master_key(sekisho, read, monkeypatch):
    before = read()
    monkeypatch.setenv("SEKISHO_KEYS", f"{SECOND},{FIRST}")
    assert sekisho("rewrap").exit_code == 0
    assert {line.split("\t")[3] for line in sekisho("list").output.splitlines()} == {"second"}
    monkeypatch.setenv("SEKISHO_KEYS", SECOND)
    assert sekisho("rotate").exit_code == 0
    assert read() == before


def test_a_folder_without_a_keyring_is_named(sekisho, tmp_path):
    listed = sekisho("list")
    assert (listed.exit_code, f"There is no keyring in {tmp_path}" in listed.output) == (1, True)


def test_what_cannot_be_opened_is_said(sekisho, read, monkeypatch):
    read()
    newest = _names(sekisho, "digest")[0]
    assert "newest key of its use" in sekisho("retire", newest).output
    monkeypatch.setenv("SEKISHO_KEYS", "what?")
    refused = sekisho("rotate")
    assert (refused.exit_code, "NAME:KEY" in refused.output) == (1, True)
    monkeypatch.setenv("SEKISHO_KEYS", SECOND)
    assert "no master key is named 'first'" in sekisho("reseal").output
