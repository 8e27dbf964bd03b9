"""The report of a breach of personal data: nine items, preliminary and final, with their deadlines.

The preliminary one says what is known so far; the final one says all of it. Not legal advice: a person reads
it, completes what only people know, and sends it.
"""

from enum import StrEnum

from sqlalchemy import Connection

from sekisho.identity.purposes import item_in_words
from sekisho.response.case_stages import Basis
from sekisho.response.reports import wording
from sekisho.response.reports.deadlines import Deadlines, deadlines
from sekisho.response.reports.evidence import Evidence
from sekisho.response.reports.figures import Figures
from sekisho.response.reports.sheets import Section, Sheet, in_cases, kept


class Kind(StrEnum):
    """Which of the two reports it is."""

    PRELIMINARY = "preliminary"
    """速報: promptly, what is known."""

    FINAL = "final"
    """確報: all of it."""


_TITLES = {Kind.PRELIMINARY: "速報", Kind.FINAL: "確報"}


def breach_report(connection: Connection, of: Evidence, kind: Kind) -> Sheet:
    """Return the report of a campaign's breach."""
    figures = Figures(connection, of.campaign, of.as_of_us)
    # Whoever logs in with another one's password means no good; that is the longer span of the two.
    due = deadlines(wording.known_on(of), is_improper=True)
    return Sheet(
        title=f"個人データの漏えい等の報告（{_TITLES[kind]}）",  # noqa: RUF001 - brackets of Japanese text
        subtitle=f"基準時点　{wording.when(of.as_of_us)}",
        mark=wording.DRAFT,
        day=wording.today(of),
        to=f"{of.details.authority}　御中",
        sender=wording.sender(of),
        opening=("個人情報の保護に関する法律第26条第1項の規定により、次のとおり報告します。",),
        sections=(
            _deadlines(due, kind),
            *_nine_items(of, figures, kind),
        ),
        figures=kept(figures.kept),
        made=wording.made(of),
    )


def _deadlines(due: Deadlines, kind: Kind) -> Section:
    span = f"{wording.day_in_words(due.preliminary_from)}から{wording.day_in_words(due.preliminary_by)}まで"
    return Section(
        heading="報告の期限",
        rows=(
            ("事態を知った日", wording.day_in_words(due.known_on)),
            ("速報の期限の目安", span),
            ("確報の期限", wording.day_in_words(due.final_by)),
            ("今回の報告", _TITLES[kind]),
        ),
    )


def _nine_items(of: Evidence, figures: Figures, kind: Kind) -> tuple[Section, ...]:
    unknown = wording.UNKNOWN if kind is Kind.PRELIMINARY else "特にありません。"
    said = of.details
    return (
        Section(heading="1　概要", paragraphs=_outline(of, figures)),
        Section(
            heading="2　漏えい等が発生し、又は発生したおそれがある個人データの項目", rows=_items(figures)
        ),
        Section(heading="3　本人の数", rows=_persons(figures)),
        Section(heading="4　原因", paragraphs=(said.cause or _cause(of),)),
        Section(heading="5　二次被害又はそのおそれの有無及びその内容", rows=_secondary(of, figures)),
        Section(heading="6　本人への対応の実施状況", rows=_towards_persons(of, figures)),
        Section(heading="7　公表の実施状況", paragraphs=(_publication(of),)),
        Section(heading="8　再発防止のための措置", paragraphs=_measures(of, unknown)),
        Section(heading="9　その他参考となる事項", paragraphs=(said.other or _other(of),)),
    )


def _outline(of: Evidence, figures: Figures) -> tuple[str, ...]:
    if of.details.outline:
        return (of.details.outline,)
    hunted = {
        name: figures.keep(round(found.value), found.query)
        for name, found in of.hunt.items()
        if name in {"hostile_attempts", "members_tried", "addresses"}
    }
    attempts = ""
    if len(hunted) == len({"hostile_attempts", "members_tried", "addresses"}):
        attempts = (
            f"不正なログインの試行は{in_cases(hunted['hostile_attempts'], '回')}、"
            f"試行の対象となったIDは{in_cases(hunted['members_tried'], '件')}、"
            f"接続元のIPアドレスは{in_cases(hunted['addresses'], '件')}です。"
        )
    entered = figures.count("members")
    return (
        (
            "他社から流出したとみられるIDとパスワードを用いて、当社の会員サイトに第三者が繰り返しログインを試みる"
            f"リスト型攻撃を受けました。{attempts}"
        ),
        (
            f"第三者がログインした可能性のある会員は{in_cases(entered, '名')}です。"
            f"最初のログインは{wording.when(of.first_entered_us)}、"
            f"最後のログインは{wording.when(of.last_entered_us)}です。"
            f"当社は{wording.when(of.begun_at_us)}に、対象となる会員のご利用を止める措置を始めました。"
        ),
    )


def _items(figures: Figures) -> tuple[tuple[str, str], ...]:
    shown, masked = figures.items(masked=False), figures.items(masked=True)
    rows = [(item_in_words(item, "ja"), f"全体を表示　{in_cases(count, '名')}") for item, count in shown]
    rows += [
        (item_in_words(item, "ja"), f"一部を伏せて表示　{in_cases(count, '名')}") for item, count in masked
    ]
    return tuple(rows) or (("表示された項目", "記録上、表示された項目はありません。"),)


def _persons(figures: Figures) -> tuple[tuple[str, str], ...]:
    return (
        ("ログインされた可能性のある本人", in_cases(figures.count("members"), "名")),
        ("個人データの全体が表示された本人", in_cases(figures.count("seen"), "名")),
        ("本人のログインと確認できた者（上の数に含まない）", in_cases(figures.count("undone"), "名")),  # noqa: RUF001 - brackets of Japanese text
    )


def _cause(of: Evidence) -> str:
    known = "記録からは、当社からIDやパスワードが流出した形跡は見つかっていません。" if of.seal else ""
    return (
        "第三者が、他社のサービスから流出したとみられるIDとパスワードの組合せを用いたことによるものです。"
        + known
    )


def _secondary(of: Evidence, figures: Figures) -> tuple[tuple[str, str], ...]:
    rows = [
        ("申告のあった被害", wording.cases_and_yen(figures.damage(Basis.DECLARED))),
        ("確認した被害", wording.cases_and_yen(figures.damage(Basis.CONFIRMED))),
        ("補償した被害", wording.cases_and_yen(figures.compensated())),
    ]
    if of.details.secondary:
        rows.append(("そのほか", of.details.secondary))
    return tuple(rows)


def _towards_persons(of: Evidence, figures: Figures) -> tuple[tuple[str, str], ...]:
    contained, queued, told = (figures.count(name) for name in ("contained", "queued", "told"))
    return (
        ("ログインの終了、パスワードの無効化、出金の停止", in_cases(contained, "名")),
        ("個別の通知を作成した本人", in_cases(queued, "名")),
        ("うち送信が完了した本人", in_cases(told, "名")),
        ("お問い合わせ窓口", f"電話 {of.parts.institution.telephone}"),
    )


def _publication(of: Evidence) -> str:
    if not of.published_us:
        return "公表していません。公表の要否と時期を検討しています。"
    days = "、".join(wording.when(at_us) for at_us in of.published_us)
    return f"当社のウェブサイトで公表しました（{days}）。"  # noqa: RUF001 - brackets of Japanese text


def _measures(of: Evidence, unknown: str) -> tuple[str, ...]:
    lines = wording.switch_lines(of)
    own = of.details.measures or (
        "ログインの試行を、パスワードを照合する前に判定して止める仕組みを常時動かしています。"
        "パスキーによるログインを標準とし、出金など重要な操作では、そのつど本人の承認を求めます。"
    )
    switched = ("次の機能を停止しました。\n" + "\n".join(lines),) if lines else ()
    return (own, *switched) if own or switched else (unknown,)


def _other(of: Evidence) -> str:
    police = f"{of.details.police}に相談しています。" if of.details.police else ""
    chain = (
        f"記録は改ざんを検知できる形で封印しています（最新の封印 {of.seal[:16]}…）。" if of.seal else ""  # noqa: RUF001 - brackets of Japanese text
    )
    return f"{police}{chain}" or "特にありません。"
