"""The message that brings a one-time code: who sends it, what it approves, that nobody will ask for it."""

import tomllib
from pathlib import Path
from typing import NamedTuple

from sekisho.identity.institution import Institution
from sekisho.identity.purposes import Purpose, in_words
from sekisho.kernel.ids import MEMBER, CodeId
from sekisho.messages.message import CODE_KIND, Channel, Message

_WORDS: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)


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
    text = _WORDS[language]["text"].format(
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
        subject="" if new.channel is Channel.SMS else _WORDS[language]["subject"],
        text=text,
        language=language,
        not_after_us=new.expires_at_us,
    )
