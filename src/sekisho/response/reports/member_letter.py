"""The letter to one member: what happened, which of their data may have been seen, and what to do."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import item_in_words
from sekisho.identity.reveals import Form, Seen
from sekisho.response import cases, containment_rows
from sekisho.response.containment_rows import Contained, Standing
from sekisho.response.reports import wording
from sekisho.response.reports.evidence import Evidence
from sekisho.response.reports.sheets import Section, Sheet


class Addressee(NamedTuple):
    """To whom it goes: name and address, as they are kept."""

    name: str
    address: str


def contained_of(connection: Connection, campaign: str, member_id: str) -> Contained | None:
    """Return where a member stands in a campaign's containment, where the account was shut."""
    begun = containment_rows.of_campaign(connection, campaign)
    found = None if begun is None else containment_rows.member(connection, begun.id, member_id)
    return found if found is not None and found.standing is Standing.DONE else None


def member_letter(connection: Connection, of: Evidence, contained: Contained, to: Addressee) -> Sheet:
    """Return the letter to a member whose account was shut."""
    seen = cases.exposed(
        connection, contained.member_id, from_us=contained.entered_at_us, until_us=contained.at_us
    )
    own = of.parts.institution
    return Sheet(
        title="お客さまの情報が見られた可能性についてのお知らせ",
        subtitle="",
        mark="",
        day=wording.today(of),
        to=f"{to.address}\n{to.name} 様",
        sender=wording.sender(of),
        opening=(
            (
                "お客さまのIDとパスワードを使って、第三者が当社の会員サイトにログインした可能性があります。"
                "ご心配とご迷惑をおかけしますことを、深くおわび申し上げます。"
            ),
        ),
        sections=(
            Section(
                heading="1　起きたこと",
                rows=(
                    ("ログインされた日時", wording.when(contained.entered_at_us)),
                    ("ご利用を止めた日時", wording.when(contained.at_us)),
                    ("原因", of.details.cause or "他社から流出したとみられるIDとパスワードが使われました。"),
                ),
            ),
            Section(heading="2　見られた可能性のある情報", rows=_items(seen)),
            Section(
                heading="3　当社が行ったこと",
                paragraphs=(
                    (
                        "ログイン中の画面をすべて終了し、パスワードを無効にし、お金が出ていくお取引を止めました。"
                        "ログインのあとに登録された端末とパスキーは、使えないようにしました。"
                    ),
                ),
            ),
            Section(
                heading="4　お客さまにお願いしたいこと",
                paragraphs=(
                    (
                        "パスキーをお持ちの方は、いつもの方法でサイトを開き、パスキーでログインして、"
                        "新しいパスワードをお決めください。パスキーをお持ちでない方には、再設定キーを別にお送りします。"
                    ),
                    (
                        "ほかのサービスで同じパスワードをお使いの場合は、そちらも変更してください。"
                        "お心当たりのないお取引がありましたら、お知らせください。お客さまに責任のない被害は、当社が補償します。"
                    ),
                ),
            ),
        ),
        closing=(
            "電話やメールなどで、パスワードや確認コード、再設定キーをおたずねすることはありません。",
            f"お問い合わせ　電話 {own.telephone}　{own.desk_hours.get('ja', '')}",
            f"受付番号　{contained.case_id}",
        ),
        appendix=False,
        made=wording.made(of),
    )


def _items(seen: Iterable[Seen]) -> tuple[tuple[str, str], ...]:
    forms: dict[Item, bool] = {}
    for look in seen:
        forms[look.item] = forms.get(look.item, False) or look.form is not Form.MASKED
    rows = tuple(
        (item_in_words(item, "ja"), "全体が表示されました" if forms[item] else "一部を伏せて表示されました")
        for item in Item
        if item in forms
    )
    return rows or (("表示された情報", "記録の上では、表示された情報はありません"),)
