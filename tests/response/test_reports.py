"""The paperwork: nine items, deadlines by the calendar, figures that can be computed again, versions."""

from datetime import date

import msgspec
import pytest
from sqlalchemy import text
from tests.response.cohort_at_hand import CAMPAIGN
from tests.response.incident_at_hand import open_incident
from tests.response.recoveries_at_hand import RecoveriesAtHand

from sekisho.response.reports import versions
from sekisho.response.reports.breach import Kind, breach_report
from sekisho.response.reports.deadlines import deadlines
from sekisho.response.reports.evidence import Details, DetailsUnreadable, gather, read_details, read_hunt
from sekisho.response.reports.member_letter import Addressee, contained_of, member_letter
from sekisho.response.reports.notices import partner_notice, police_report, public_notice
from sekisho.response.reports.sheets import differences
from sekisho.response.reports.typesetting import ReportNotMade, typeset


@pytest.fixture
def incident(tmp_path):
    hand, begun = open_incident(tmp_path)
    yield hand, begun, tmp_path / "hunt" / "report.json"
    hand.at_hand.store.close()


def read(incident, make, details=None):
    hand, _, hunt = incident
    with hand.at_hand.store.read() as connection:
        of = gather(connection, hand.parts, CAMPAIGN, hunt=hunt, details=details or Details())
        return make(connection, of)


def breach(incident, kind=Kind.PRELIMINARY, details=None):
    return read(incident, lambda at, of: breach_report(at, of, kind), details)


def section(sheet, number):
    return next(each for each in sheet.sections if each.heading.startswith(str(number)))


@pytest.mark.parametrize(
    ("known", "early", "late", "final"),
    [
        # The day of knowledge is the first day; closed days count, but for the last one of the final report.
        ("2026-11-20", "2026-11-22", "2026-11-24", "2027-01-18"),
        ("2026-09-18", "2026-09-20", "2026-09-22", "2026-11-16"),
        ("2026-11-05", "2026-11-07", "2026-11-09", "2027-01-04"),
    ],
)
def test_the_deadlines_follow_from_the_day_of_knowledge(known, early, late, final):
    """Three to five days, and sixty; a last day in the New Year's holidays moves behind them."""
    due = deadlines(date.fromisoformat(known), is_improper=True)
    found = [day.isoformat() for day in (due.preliminary_from, due.preliminary_by, due.final_by)]
    assert found == [early, late, final]
    thirty = deadlines(date.fromisoformat(known), is_improper=False)
    assert thirty.final_by < due.final_by


def test_the_breach_report_has_its_nine_items(incident):
    """In the order of the rule, with what the record knows."""
    sheet = breach(incident)
    assert [each.heading[0] for each in sheet.sections[1:]] == list("123456789")
    items = {name: value[:-3] for name, value in section(sheet, 2).rows}
    assert items == {"お名前": "全体を表示　1名", "ご自宅の住所": "全体を表示　1名"}
    assert section(sheet, 3).rows[0][1][:-3] == "3名"
    assert "100,000円" in section(sheet, 5).rows[1][1]
    assert "公表していません" in section(sheet, 7).paragraphs[0]
    assert "確報" in breach(incident, Kind.FINAL).title


def test_each_figure_is_what_its_query_gives(incident):
    """Run against the record, the queries of the appendix give the numbers of the pages."""
    hand, _, _ = incident
    sheet = breach(incident)
    queries = {figure.number: figure.query for figure in sheet.figures}
    hunted = {"SELECT 1", "SELECT 2", "SELECT 3"}
    checked = 0
    with hand.at_hand.store.read() as connection:
        for figure in sheet.figures:
            if figure.query in hunted:
                continue
            query, _, column = figure.query.partition(" -- ")
            if query.startswith("番号"):
                query = queries[int(query.removeprefix("番号").partition("と")[0])].partition(" -- ")[0]
            result = connection.execute(text(query.replace(":", "\\:")))
            rows = result.all()
            keyed = {row[0]: row[1] for row in rows if len(row) == 2 and isinstance(row[0], str)}
            named = dict(zip(result.keys(), rows[0], strict=True)) if rows else {}
            value = keyed.get(column, named.get(column, rows[0][0] if rows else 0))
            assert value == figure.value, figure
            checked += 1
    assert checked > 10


def test_a_later_report_counts_anew_and_says_what_changed(incident):
    """One was the member after all: the number goes down, and the versions show where."""
    hand, begun, _ = incident
    first = breach(incident)
    hand.at_hand.store.write(
        lambda at: hand.desk()._undo(at, begun.id, hand.members[1], "called back", "ito")  # noqa: SLF001 - within one unit of work
    ).result()
    second = breach(incident)
    assert section(second, 3).rows[0][1].startswith("2名")
    assert "3　本人の数 / ログインされた可能性のある本人" in [each[0] for each in differences(first, second)]
    assert differences(first, first) == []


def test_what_people_know_stands_in_the_place_of_what_follows(incident, tmp_path):
    """The cause that somebody found, the police that was told, the day of knowledge."""
    file = tmp_path / "details.toml"
    file.write_text(
        'known_on = "2026-09-18"\ncause = "原因の本文"\npolice = "仙台中央警察署"\n', encoding="utf-8"
    )
    sheet = breach(incident, details=read_details(file))
    assert section(sheet, 4).paragraphs == ("原因の本文",)
    assert dict(sheet.sections[0].rows)["確報の期限"] == "2026年11月16日"
    file.write_text("nothing = 1\n", encoding="utf-8")
    with pytest.raises(DetailsUnreadable):
        read_details(file)


def test_outsiders_see_no_query(incident):
    """A bank and the public get the numbers; how they were counted stays with the version."""
    for make in (
        lambda at, of: partner_notice(at, of, "9901", "みさき銀行"),
        lambda at, of: public_notice(at, of, 1),
    ):
        sheet = read(incident, make)
        assert not sheet.appendix
        assert sheet.figures
        assert "〔" not in msgspec.json.encode([sheet.opening, sheet.sections]).decode()  # noqa: RUF001 - Japanese


def test_a_partner_is_told_of_its_own_damage(incident):
    """Nothing of other banks stands in its notice."""
    ours = read(incident, lambda at, of: partner_notice(at, of, "9901", "みさき銀行"))
    other = read(incident, lambda at, of: partner_notice(at, of, "0125", ""))
    assert ours.sections[0].rows[0][1] == "1件、100,000円"
    assert other.sections[0].rows[0][1] == "0件、0円"


def test_a_partner_that_was_asked_to_bear_is_told_what_is_open(tmp_path):
    """Each sum with its query, kept with the version; who was asked for nothing reads nothing of it."""
    at_hand = RecoveriesAtHand(tmp_path)
    at_hand.pay(100_000)
    at_hand.pay(100_000, partner="0125")
    at_hand.ask(share=60)
    at_hand.book(at_hand.enter(at_hand.came(20_000)))
    with at_hand.parts.store.read() as at:
        of = gather(at, at_hand.parts, "cmp_1", hunt=None, details=Details())
        ours, other = (partner_notice(at, of, partner, "") for partner in ("9901", "0125"))
    told = dict(ours.sections[0].rows)
    assert told["当社が補償した額のうち、貴行にご負担をお願いしている額"] == "60,000円"
    assert (told["うち入金済みの額"], told["うち未収の額"]) == ("20,000円", "40,000円")
    assert [figure.value for figure in ours.figures[-3:]] == [60_000, 20_000, 40_000]
    assert "うち未収の額" not in dict(other.sections[0].rows)
    at_hand.parts.store.close()


def test_each_paper_becomes_a_pdf_and_the_same_one_each_time(incident):
    """PDF/A, with the same octets for the same sheet."""
    for make in (
        lambda at, of: breach_report(at, of, Kind.FINAL),
        police_report,
        lambda at, of: public_notice(at, of, 2),
    ):
        sheet = read(incident, make)
        made = typeset(sheet)
        assert made.pdf.startswith(b"%PDF-")
        assert made.pages >= 1
        assert typeset(sheet) == made
    with pytest.raises(ReportNotMade):
        typeset(sheet, "No Such Font")
    with pytest.raises(ReportNotMade):
        typeset(msgspec.structs.replace(sheet, title="\U000e0100\ue000"))


def test_the_letter_to_a_member_names_what_was_seen_of_them(incident):
    """Item by item, in full or masked; who was not seen is told that as well."""
    hand, _, _ = incident
    to = Addressee("山田 花子", "宮城県仙台市青葉区1-1")

    def letter(member_id):
        def make(connection, of):
            contained = contained_of(connection, CAMPAIGN, member_id)
            assert contained is not None
            return member_letter(connection, of, contained, to)

        return read(incident, make)

    seen = letter(hand.members[0])
    assert seen.to.endswith("山田 花子 様")
    assert section(seen, 2).rows == (
        ("お名前", "全体が表示されました"),
        ("ご自宅の住所", "全体が表示されました"),
    )
    assert "表示された情報はありません" in section(letter(hand.members[1]), 2).rows[0][1]
    with hand.at_hand.store.read() as connection:
        assert contained_of(connection, CAMPAIGN, "mem_other") is None
    assert typeset(seen).pages == 1


def test_versions_are_kept_and_what_was_sent_stays(incident):
    """The next version is another one; a version is sent once."""
    hand, _, _ = incident
    sheet = read(incident, lambda at, of: public_notice(at, of, 1))

    def keep(connection):
        return versions.keep(connection, hand.parts, "public", CAMPAIGN, (sheet, b"pdf"), by="sato")

    write = hand.at_hand.store.write
    assert [write(keep).result().version for _ in range(2)] == [1, 2]
    write(lambda at: versions.mark_sent(at, hand.parts, "public", CAMPAIGN, 1, by="ito")).result()
    with pytest.raises(versions.VersionUnknown):
        write(lambda at: versions.mark_sent(at, hand.parts, "public", CAMPAIGN, 1, by="ito")).result()
    with hand.at_hand.store.read() as connection:
        kept = versions.of(connection, hand.parts, "public", CAMPAIGN)
    assert [(one.version, one.sheet, one.sent_at_us is None) for one in kept] == [
        (1, sheet, False),
        (2, sheet, True),
    ]
    assert "公表しました" in section(breach(incident), 7).paragraphs[0]


def test_a_hunt_that_cannot_be_read_gives_no_figures(tmp_path):
    """A report is made all the same, with what the record knows."""
    file = tmp_path / "report.json"
    file.write_text("{", encoding="utf-8")
    assert read_hunt(file) == {}
    assert read_hunt(tmp_path / "none.json") == {}
