"""`sekisho leaks`: lists of what has leaked, made from what is found."""

import asyncio
import hashlib

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from tests.identity.login_house import HOME, PASSWORD, TARO, code_in
from tests.identity.member_at_hand import NOON_US

from sekisho.cli.around import Around
from sekisho.cli.guard_options import GuardOptions
from sekisho.cli.institutions import LENDER, Machine, open_institution
from sekisho.cli.main import main
from sekisho.identity.leaked_lists import leaks_in
from sekisho.identity.password_rules import PasswordFault, PasswordUnfit
from sekisho.identity.sign_up import SignUpForm, SignUpStep
from sekisho.identity.welcomes import Welcome
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.posture import Posture
from sekisho.messages.queue import unseal
from sekisho.storage.tables.messages import message
from sekisho.web.proxies import ProxyTrust


def _made(*arguments):
    return CliRunner().invoke(main, ["leaks", *map(str, arguments)])


def test_pairs_are_found_again_however_the_id_is_written(tmp_path):
    dump = tmp_path / "combo.txt"
    dump.write_bytes(
        b"Taro@Example.jp:kumo:37\r\nhanako@example.jp;tori\n\nno pair\ntaro@example.jp:kumo:37\n"
    )
    made = _made(dump, "--out", tmp_path / "found.pairs")
    assert made.exit_code == 0
    assert "2 entries" in made.stdout
    assert f"{dump}, line 4" in made.stderr
    assert "no pair" not in made.output
    leaks = leaks_in(tmp_path)
    for name, password in (("taro@example.jp", "kumo:37"), ("HANAKO@example.jp ", "tori")):
        assert leaks.has_pair([name], password, on_outage=Posture.OPEN)
    assert not leaks.has_pair(["taro@example.jp"], "tori", on_outage=Posture.OPEN)
    assert not leaks.has_password("tori", on_outage=Posture.OPEN)


def test_passwords_are_taken_in_the_clear_and_as_published_hashes(tmp_path):
    dump = tmp_path / "pwned.txt"
    dump.write_text(f"{hashlib.sha1(b'kumo 37', usedforsecurity=False).hexdigest().upper()}:12\ntori\n")
    assert _made(dump, "--out", tmp_path / "found.passwords").exit_code == 0
    leaks = leaks_in(tmp_path)
    assert leaks.has_password("kumo 37", on_outage=Posture.OPEN)
    assert leaks.has_password("tori", on_outage=Posture.OPEN)
    assert not leaks.has_password("Tori", on_outage=Posture.OPEN)


def test_octets_that_are_no_text_stop_nothing(tmp_path):
    dump = tmp_path / "combo.txt"
    dump.write_bytes(b"a:\xff\xfe\nb:c\n")
    assert "2 entries" in _made(dump, "--out", tmp_path / "x.pairs").stdout


@pytest.mark.parametrize("name", ["list", "list.txt", "folder/list.pairs"])
def test_what_cannot_be_written_is_said(tmp_path, name):
    dump = tmp_path / "combo.txt"
    dump.write_text("a:b\n")
    assert _made(dump, "--out", tmp_path / name).exit_code != 0


@pytest.mark.parametrize("folder", ["lender/leaks", "elsewhere"])
def test_an_institution_takes_no_password_that_stands_on_its_lists(tmp_path, monkeypatch, folder):
    """The folder beside its data, or the one that a setting names, reaches the desk of the sign-up."""
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "dump.txt").write_text(f"{PASSWORD}\n")
    assert _made(tmp_path / "dump.txt", "--out", tmp_path / folder / "found.passwords").exit_code == 0
    if folder == "elsewhere":
        monkeypatch.setenv("SEKISHO_LEAKS_FOLDER", str(tmp_path / folder))
    clock, chance = SetClock(NOON_US), SeededChance(1)
    machine = Machine(clock, chance, GuardOptions(), Posture.CLOSED, ProxyTrust())
    opened = open_institution(LENDER.on_port(8470), LENDER.make, Around(tmp_path / "lender"), machine)

    async def sign_up(password):
        """Open an account as people do."""
        desk, form = opened.desks.sign_up, SignUpForm("taro@example.jp", "09012345678")
        step = await desk.begin(form, HOME)
        assert isinstance(step, SignUpStep)
        with opened.parts.store.read() as connection:
            rows = connection.execute(select(message)).all()
        codes = {row.channel: code_in(unseal(opened.parts.keyring, row.id, row.sealed)) for row in rows}
        await desk.enter(step.token, codes["email"], codes["sms"], HOME)
        with pytest.raises(PasswordUnfit) as refused:
            await desk.finish(step.token, TARO, password, HOME)
        assert refused.value.fault is PasswordFault.LEAKED
        assert isinstance(await desk.finish(step.token, TARO, f"{password} and more", HOME), Welcome)

    try:
        asyncio.run(sign_up(PASSWORD))
    finally:
        opened.desks.hasher.close()
        opened.close()
