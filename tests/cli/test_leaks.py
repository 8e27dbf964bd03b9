"""`sekisho leaks`: lists of what has leaked, made from what is found."""

import hashlib

import pytest
from click.testing import CliRunner

from sekisho.cli.main import main
from sekisho.identity.leaked_lists import leaks_in
from sekisho.kernel.posture import Posture


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
