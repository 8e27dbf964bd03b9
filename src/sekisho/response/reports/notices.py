"""The other papers: the report to the police, the notice to a partner bank, the notice to the public."""

from sqlalchemy import Connection

from sekisho.response.case_stages import Basis
from sekisho.response.reports import wording
from sekisho.response.reports.evidence import Evidence
from sekisho.response.reports.figures import Figures
from sekisho.response.reports.sheets import Section, Sheet, in_cases, kept, without_queries


def police_report(connection: Connection, of: Evidence) -> Sheet:
    """Return the report of an attack to the police: what happened when, what was lost, what is kept."""
    figures = Figures(connection, of.campaign, of.as_of_us)
    rows = [
        ("攻撃の種別", "他社から流出したとみられるIDとパスワードを用いた不正ログイン"),
        ("最初の不正ログイン", wording.when(of.first_entered_us)),
        ("最後の不正ログイン", wording.when(of.last_entered_us)),
        ("当社が措置を始めた時点", wording.when(of.begun_at_us)),
        ("不正ログインの対象となった会員", in_cases(figures.count("members"), "名")),
    ]
    for name, label, unit in (
        ("hostile_attempts", "不正なログインの試行", "回"),
        ("members_tried", "試行の対象となったID", "件"),
        ("addresses", "接続元のIPアドレス", "件"),
        ("providers", "接続元の事業者（AS番号）", "件"),  # noqa: RUF001 - brackets of Japanese text
        ("countries", "接続元の国・地域", "か国"),
    ):
        if name in of.hunt:
            found = of.hunt[name]
            rows.append((label, in_cases(figures.keep(round(found.value), found.query), unit)))
    lost = (
        ("申告のあった被害", wording.cases_and_yen(figures.damage(Basis.DECLARED))),
        ("当社が確認した被害", wording.cases_and_yen(figures.damage(Basis.CONFIRMED))),
        ("当社が補償した被害", wording.cases_and_yen(figures.compensated())),
    )
    return Sheet(
        title="不正アクセス被害に関する届出書",
        subtitle=f"基準時点　{wording.when(of.as_of_us)}",
        mark=wording.DRAFT,
        day=wording.today(of),
        to=f"{of.details.police or '○○警察署'}　御中",
        sender=wording.sender(of),
        opening=(
            (
                "当社の会員サイトに対し、次のとおり不正アクセスがありましたので、届け出ます。"
                "捜査に必要な資料は、下記の担当者からお渡しします。"
            ),
        ),
        sections=(
            Section(
                heading="1　被害の概要",
                rows=tuple(rows),
                paragraphs=(of.details.outline,) if of.details.outline else (),
            ),
            Section(heading="2　財産上の被害", rows=lost),
            Section(heading="3　当社の措置", paragraphs=("\n".join(_deeds(of)),)),
            Section(heading="4　保全している証拠", rows=_evidence(of)),
        ),
        closing=(of.details.other,) if of.details.other else (),
        figures=kept(figures.kept),
        made=wording.made(of),
    )


def partner_notice(connection: Connection, of: Evidence, partner: str, name: str) -> Sheet:
    """Return the notice to a partner bank or service: what concerns it, and what we ask it to do."""
    figures = Figures(connection, of.campaign, of.as_of_us)
    rows = (
        ("申告のあった被害", wording.cases_and_yen(figures.damage(Basis.DECLARED, partner=partner))),
        ("当社が疑っている被害", wording.cases_and_yen(figures.damage(Basis.SUSPECTED, partner=partner))),
        ("当社が確認した被害", wording.cases_and_yen(figures.damage(Basis.CONFIRMED, partner=partner))),
    )
    switched = wording.switch_lines(of) or ["貴行に関わる機能は停止していません。"]
    sheet = Sheet(
        title="不正なお取引に関するご連絡",
        subtitle=f"基準時点　{wording.when(of.as_of_us)}",
        mark=wording.DRAFT,
        day=wording.today(of),
        to=f"{name or partner}　御中",
        sender=wording.sender(of),
        opening=(
            (
                "平素より格別のお引き立てをいただき、ありがとうございます。"
                "当社のサービスを通じ、貴行の口座に関わる不正なお取引のおそれがありますので、ご連絡します。"
            ),
        ),
        sections=(
            Section(heading="1　貴行に関わる被害", rows=rows),
            Section(heading="2　当社の措置", paragraphs=("\n".join(switched),)),
            Section(
                heading="3　お願いしたいこと",
                paragraphs=(
                    (
                        "対象となる口座の名義人さまへのご確認と、貴行で把握されている被害のご連絡をお願いします。"
                        "対象となる口座の一覧は、個人データを含むため、この書面には載せず、お取り決めの方法でお渡しします。"
                    ),
                    (
                        "名義人さまからのお問い合わせは、当社にご契約のない方も含め、下記の窓口で承ります。"
                        f"\n電話 {of.parts.institution.telephone}"
                    ),
                ),
            ),
        ),
        figures=kept(figures.kept),
        made=wording.made(of),
    )
    return without_queries(sheet)


def public_notice(connection: Connection, of: Evidence, version: int) -> Sheet:
    """Return the notice to the public. Its figures and their queries are kept with the version."""
    figures = Figures(connection, of.campaign, of.as_of_us)
    entered, confirmed = figures.count("members"), figures.damage(Basis.CONFIRMED)
    lines, own = wording.switch_lines(of), of.parts.institution
    what = (
        "他社のサービスから流出したとみられるIDとパスワードを使って、第三者が当社の会員サイトにログインした"
        f"可能性があることがわかりました。対象となるお客さまは{in_cases(entered, '名')}です。"
        f"金銭の被害は、{in_cases(confirmed[0], '件')}を確認しています。"
        "お客さまとご関係の皆さまに、深くおわび申し上げます。"
    )
    sheet = Sheet(
        title="会員サイトへの不正ログインについて",
        subtitle=f"第{version}版　{wording.when(of.as_of_us)}現在",
        mark=wording.DRAFT,
        day=wording.today(of),
        to="お客さま各位",
        sender=wording.sender(of),
        opening=(what,),
        sections=(
            Section(
                heading="対象となるお客さまへ",
                paragraphs=(
                    (
                        "お一人ずつ、ご登録の連絡先にお知らせしています。お知らせに、リンクは載せていません。"
                        "いつもの方法でサイトを開いてご確認ください。"
                        "電話やメールなどで、パスワードや確認コードをおたずねすることはありません。"
                    ),
                ),
            ),
            Section(
                heading="止めている機能",
                paragraphs=("\n".join(lines) if lines else "止めている機能はありません。",),
            ),
            Section(
                heading="お金の被害について",
                paragraphs=(
                    (
                        "お客さまに責任のない被害は、当社が全額を補償します。"
                        "お心当たりのないお取引がある方は、当社にご契約のない方も、下記の窓口にお知らせください。"
                        f"\n電話 {own.telephone}　{own.desk_hours.get('ja', '')}"
                        "\nサイトからのご利用の停止は、24時間承ります。"
                    ),
                ),
            ),
            Section(
                heading="ほかのサービスで同じパスワードをお使いの方へ",
                paragraphs=(
                    "同じパスワードは、ほかのサービスでも悪用されるおそれがあります。変更をお願いします。",
                ),
            ),
        ),
        figures=kept(figures.kept),
        made=wording.made(of),
    )
    return without_queries(sheet)


def _deeds(of: Evidence) -> list[str]:
    contained = (
        f"{wording.when(of.begun_at_us)}から、対象となる会員のログインを終了し、パスワードを無効にしました。"
    )
    return [contained, *wording.switch_lines(of)]


def _evidence(of: Evidence) -> tuple[tuple[str, str], ...]:
    return (
        ("ログインの試行の記録", "試行ごとの時刻、接続元、判定とその理由、結果"),
        ("会員情報の表示の記録", "表示された項目、時刻、そのセッション"),
        ("取引の記録", "複式簿記による、取り消しのできない記帳"),
        ("記録の封印", of.seal or "次の封印で確定します。"),
    )
