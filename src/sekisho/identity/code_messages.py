"""The message that brings a one-time code: who sends it, what it approves, that nobody will ask for it."""

from typing import NamedTuple

from sekisho.identity.institution import Institution
from sekisho.identity.purposes import Purpose, in_words
from sekisho.kernel.ids import MEMBER, CodeId
from sekisho.messages.message import CODE_KIND, Channel, Message

_SUBJECTS = {"ja": "確認コードのお知らせ", "en": "Your code"}
_BODIES = {
    "ja": (
        "【{name}】確認コード: {code}\n"
        "「{words}」のためのコードです。お心当たりがない場合は、入力しないでください。\n"
        "このコードを人に聞かれることはありません。電話でも、ほかの画面でも、教えないでください。\n"
        "有効期限: {minutes}分"
    ),
    "en": (
        "{name} code: {code}\n"
        "It is for one thing only: {words}. If that was not you, do not use it.\n"
        "Nobody will ever ask you for this code. Tell it to no one, on the phone or on another page.\n"
        "Valid for {minutes} minutes"
    ),
}


class NewCode(NamedTuple):
    """A code on its way: what it is, for what, to whom, and how long it is worth something."""

    id: CodeId
    code: str
    purpose: Purpose
    subject: str
    channel: Channel
    to: str
    language: str
    expires_at_us: int
    minutes: int


def code_message(institution: Institution, new: NewCode) -> Message:
    """Return the message that brings a code. It is not sent any more once the code has expired."""
    language = "ja" if new.language == "ja" else "en"
    text = _BODIES[language].format(
        name=institution.name(language),
        code=new.code,
        words=in_words(new.purpose, language),
        minutes=new.minutes,
    )
    if new.channel is Channel.SMS:
        # Browsers offer a code to the site that it names here, and to no other:
        # https://wicg.github.io/sms-one-time-codes/
        text = f"{text}\n\n@{institution.host} #{new.code}"
    return Message(
        dedupe=f"code:{new.id}",
        member_id=new.subject if new.subject.startswith(MEMBER.prefix) else "",
        channel=new.channel,
        kind=f"{CODE_KIND}:{new.purpose.action}",
        to=new.to,
        subject="" if new.channel is Channel.SMS else _SUBJECTS[language],
        text=text,
        language=language,
        not_after_us=new.expires_at_us,
    )
