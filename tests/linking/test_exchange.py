"""Folders in which institutions leave files for each other."""

from sekisho.linking.exchange import REFUSED, TAKEN, FolderTray, InTray


def test_a_file_is_taken_once_and_never_comes_again(tmp_path):
    """Who puts it again, after a crash, changes nothing: not while it waits, nor when it was dealt with."""
    out, here = FolderTray(tmp_path), InTray(tmp_path)
    out.put("a.txt", b"one")
    out.put("b.txt", b"two")
    out.put("a.txt", b"one")
    assert here.waiting() == ["a.txt", "b.txt"]
    assert here.read("a.txt") == b"one"
    here.put_away("a.txt")
    here.put_away("b.txt", taken=False)
    out.put("a.txt", b"one")
    out.put("b.txt", b"two")
    assert here.waiting() == []
    assert [each.name for each in (tmp_path / TAKEN).iterdir()] == ["a.txt"]
    assert [each.name for each in (tmp_path / REFUSED).iterdir()] == ["b.txt"]


def test_what_is_half_written_or_leads_elsewhere_is_not_taken(tmp_path):
    """A file that begins with a dot is still being written; a link could lead anywhere."""
    here = InTray(tmp_path / "in")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "in" / ".a.txt.part").write_text("half")
    (tmp_path / "in" / "b.txt").symlink_to(tmp_path / "secret")
    assert here.waiting() == []
