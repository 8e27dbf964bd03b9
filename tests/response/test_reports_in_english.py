"""The papers in English: the same sections and figures as in Japanese, and no Japanese but names."""

import re
from datetime import date

import msgspec
import pytest
from tests.response.cohort_at_hand import CAMPAIGN
from tests.response.incident_at_hand import open_incident

from sekisho.identity.personal_data import Item
from sekisho.response.reports import versions
from sekisho.response.reports.breach import Kind, breach_report
from sekisho.response.reports.drawing_up import Order, Paper, draw_up
from sekisho.response.reports.evidence import Details, gather
from sekisho.response.reports.figures import Figure
from sekisho.response.reports.member_letter import Addressee, contained_of, member_letter
from sekisho.response.reports.notices import partner_notice, police_report, public_notice
from sekisho.response.reports.phrases import APPENDIX_MARK, LANGUAGES, Say, phrases
from sekisho.response.reports.typesetting import typeset

JAPANESE = re.compile(r"[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef○]")
NAME, ADDRESS, BANK = "山田 花子", "宮城県仙台市青葉区1-1", "みさき銀行"
DIGITS = re.compile(r"[\d,]*\d")


@pytest.fixture
def incident(tmp_path):
    hand, _ = open_incident(tmp_path)
    yield hand, tmp_path / "hunt" / "report.json"
    hand.at_hand.store.close()


def letter(hand):
    def make(connection, of):
        contained = contained_of(connection, CAMPAIGN, hand.members[0])
        assert contained is not None
        return member_letter(connection, of, contained, Addressee(NAME, ADDRESS))

    return make


def papers(incident, language):
    hand, hunt = incident
    makes = (
        lambda at, of: breach_report(at, of, Kind.PRELIMINARY),
        lambda at, of: breach_report(at, of, Kind.FINAL),
        police_report,
        lambda at, of: partner_notice(at, of, "9901", BANK),
        lambda at, of: public_notice(at, of, 1),
        letter(hand),
    )
    with hand.at_hand.store.read() as connection:
        of = gather(connection, hand.parts, CAMPAIGN, hunt=hunt, details=Details(), language=language)
        return [make(connection, of) for make in makes]


def test_both_languages_have_the_same_sections_and_figures(incident):
    """Section by section, row by row; number by number, with the same query."""
    for ja, en in zip(papers(incident, "ja"), papers(incident, "en"), strict=True):
        shape = [[(len(each.rows), len(each.paragraphs)) for each in sheet.sections] for sheet in (ja, en)]
        assert shape[0] == shape[1]
        assert [(one.number, one.value) for one in ja.figures] == [
            (one.number, one.value) for one in en.figures
        ]
        asked = [[one.query for one in sheet.figures if one.query.startswith("SELECT")] for sheet in (ja, en)]
        assert asked[0] == asked[1]
        assert (ja.appendix, ja.made) == (en.appendix, en.made)


def test_each_figure_stands_beside_the_same_words_in_both(incident):
    """The same marks in the same rows, and where a row counts something, the same numbers."""
    breach = [papers(incident, language)[0] for language in ("ja", "en")]
    for ja, en in zip(*(sheet.sections for sheet in breach), strict=True):
        for (_, said), (_, told) in zip(ja.rows, en.rows, strict=True):
            if APPENDIX_MARK.search(said):
                assert DIGITS.findall(said) == DIGITS.findall(told)
    assert "2,400,000 attempts [1]" in breach[1].sections[1].paragraphs[0]


def test_nothing_japanese_is_left_on_an_english_page_but_names(incident):
    """The whole sheet, as it is typeset; and it can be."""
    for sheet in papers(incident, "en"):
        written = msgspec.json.encode(sheet).decode()
        for name in (NAME, ADDRESS, BANK):
            written = written.replace(name, "")
        assert not (found := JAPANESE.findall(written)), found
        assert typeset(sheet).pages >= 1
    for name, phrase in phrases().items():
        assert not JAPANESE.search(phrase.en), name


def test_both_languages_put_in_the_same_values():
    """A phrase that forgets a figure in one language would be another statement."""
    values = re.compile(r"{\w+}")
    for name, phrase in phrases().items():
        put_in = set(values.findall(phrase.ja))
        assert put_in == set(values.findall(phrase.en)), name
        assert not phrase.en_one or put_in == set(values.findall(phrase.en_one)), name


def test_every_personal_datum_has_its_name_in_both_languages():
    """Towards an authority it is a name, towards its member it is theirs."""
    for language in LANGUAGES:
        assert all(Say(language)(f"item_{item}") for item in Item)


def test_a_letter_begins_its_rows_in_capitals(incident):
    """The member's own data, as a row's beginning."""
    rows = papers(incident, "en")[-1].sections[1].rows
    assert rows == (("Your name", "Shown in full"), ("Your home address", "Shown in full"))


def test_days_sums_and_counts_are_written_as_english_readers_expect():
    """The day before the month, the yen before the sum, one of a thing as one."""
    say = Say("en")
    assert say.day(date(2026, 11, 16)) == "16 November 2026"
    assert say.yen(Figure(3, 100_000, "")) == "¥100,000 [3]"
    assert say.counted(Figure(1, 1, ""), "cases") == "1 case [1]"
    assert say.counted(Figure(2, 1_200, ""), "members") == "1,200 members [2]"
    assert say.when(None) == "Under investigation"
    assert Say("ja").counted(Figure(1, 1, ""), "cases") == "1件〔1〕"  # noqa: RUF001 - Japanese brackets


def test_each_language_counts_its_own_versions(incident):
    """The first English notice is version 1 beside a Japanese one; published in either is published."""
    hand, hunt = incident
    orders = [Order(paper=Paper.PUBLIC, campaign=CAMPAIGN, language=language) for language in ("ja", "en")]
    drawn = [draw_up(hand.parts, order, by="sato", hunt=hunt).version for order in orders]
    assert [(one.kind, one.version) for one in drawn] == [("public", 1), ("public.en", 1)]
    assert drawn[1].sheet.subtitle.startswith("Version 1, as of ")
    hand.at_hand.store.write(
        lambda at: versions.mark_sent(at, hand.parts, "public.en", CAMPAIGN, 1, by="ito")
    ).result()
    assert papers(incident, "en")[0].sections[7].paragraphs[0].startswith("Published on our website")
    assert "公表しました" in papers(incident, "ja")[0].sections[7].paragraphs[0]
