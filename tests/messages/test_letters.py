"""Letters as PDF, typeset for real."""

import asyncio
import hashlib
import json
import re

import pytest
from tests.messages.post_office import NOW_US

from sekisho.kernel.ids import MessageId
from sekisho.messages import letters
from sekisho.messages.carriers import Declined, Later, Parcel, Taken
from sekisho.messages.letters import ADDRESS_TOO_LONG, LetterFolder, LetterFontMissing, typeset
from sekisho.messages.message import Channel

NAMES = {"ja": "あさぎりローン", "en": "Asagiri Loan"}
TO = "〒150-0002\n東京都渋谷区渋谷二丁目二十一番一号 渋谷ひかりの丘ビルディング千五百三号室\n𠮷田 髙太郎 様"
PARCEL = Parcel(
    MessageId("msg_" + "3" * 32),
    Channel.LETTER,
    "notice:x:1",
    TO,
    "パスワードを無効にしました",
    "新しいパスワードを決めてください。\n\n#panic() $x$ <not> *markup*\n",
    "ja",
    NOW_US,
)


def posted(folder, *parcels):
    async def play():
        carrier = LetterFolder(folder, NAMES)
        answers = [await carrier.carry(parcel) for parcel in parcels]
        carrier.close()
        return answers

    return asyncio.run(play())


def test_a_letter_lies_in_the_folder_of_its_day_with_a_line_in_the_manifest(tmp_path):
    [answer] = posted(tmp_path, PARCEL)
    assert answer == Taken(f"2026-11-21/{PARCEL.message_id}.pdf")
    pdf = tmp_path / answer.reference
    octets = pdf.read_bytes()
    assert octets.startswith(b"%PDF-")
    assert re.search(rb"NotoSansCJK", octets)
    [line] = (tmp_path / "2026-11-21" / "manifest.ndjson").read_text().splitlines()
    assert json.loads(line) == {
        "file": pdf.name,
        "letter": PARCEL.message_id,
        "kind": "notice:x:1",
        "made_at": "2026-11-21T05:05:00Z",
        "pages": 1,
        "sha256": hashlib.sha256(octets).hexdigest(),
    }
    assert pdf.stat().st_mode & 0o777 == 0o600


def test_a_letter_that_comes_again_is_the_same_letter(tmp_path):
    """Octet by octet, and once in the manifest: a printing house that has it prints nothing new."""
    first, again = posted(tmp_path, PARCEL, PARCEL)
    octets = (tmp_path / first.reference).read_bytes()
    assert again == first
    assert posted(tmp_path, PARCEL) == [first]
    assert (tmp_path / first.reference).read_bytes() == octets
    assert len((tmp_path / "2026-11-21" / "manifest.ndjson").read_text().splitlines()) == 1


def test_a_line_that_was_torn_by_a_crash_is_written_anew(tmp_path):
    posted(tmp_path, PARCEL)
    manifest = tmp_path / "2026-11-21" / "manifest.ndjson"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:-20])
    posted(tmp_path, PARCEL)
    assert manifest.read_bytes().splitlines()[-1] == whole.strip()


def test_a_long_letter_has_pages():
    _, pages = typeset(PARCEL._replace(text="長い文章です。\n" * 120), NAMES["ja"])
    assert pages == 4


def test_an_address_that_no_window_shows_is_not_sent(tmp_path):
    """A letter whose address is cut off goes to nobody, or to somebody else."""
    endless = PARCEL._replace(to="\n".join(["とても長い住所" * 12] * 8))
    assert posted(tmp_path, endless) == [Declined(ADDRESS_TOO_LONG)]
    assert list(tmp_path.rglob("*.pdf")) == []


def test_a_folder_that_is_full_or_gone_is_tried_again(tmp_path):
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "2026-11-21").write_text("not a folder")
    assert posted(folder, PARCEL) == [Later("the folder: FileExistsError")]


def test_a_missing_font_is_said_before_any_letter_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(letters, "FONT", "A Font That Is Nowhere")
    with pytest.raises(LetterFontMissing, match="fonts-noto-cjk"):
        LetterFolder(tmp_path, NAMES)


def test_an_english_letter_has_an_english_date_and_sender():
    ours = PARCEL._replace(language="en", text="Choose a new password.", subject="Your password")
    assert typeset(ours, NAMES["en"])[0] != typeset(ours._replace(language="ja"), NAMES["en"])[0]
