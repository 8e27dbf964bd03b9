"""Where messages leave the house, read from the environment."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import msgspec

from sekisho.kernel.refusals import Refusal
from sekisho.messages.message import email_fault
from sekisho.messages.smtp import MailServer

SMTPS_PORT = 465
SUBMISSION_PORT = 587


class ChannelMisconfigured(Refusal):
    """A setting of a channel can't be used, or would send in the clear what must not be read on the way."""

    code = "channel_misconfigured"
    status = 500
    told = "A message channel is not set up as it must be."


class Mailing(NamedTuple):
    """A mail server, and the address that mail comes from."""

    server: MailServer
    sender: str


class MessageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where each channel leads; what is empty leads to the embedded handset, mailbox or letter box.

    `smtp_url`: `smtps://user:password@host?from=ADDRESS` (encrypted from the first octet) or `smtp://...`
    (STARTTLS, which must be there); `&ca=FILE` names a certificate authority of one's own. `sms_url`: the
    gateway's https address; `sms_key`: its bearer key. `letters_folder`: where PDFs are put.
    """

    smtp_url: str = ""
    sms_url: str = ""
    sms_key: str = ""
    letters_folder: str = ""

    def __repr__(self) -> str:
        """Say which are set: the values hold passwords."""
        return f"MessageSettings(set={[name for name in self.__struct_fields__ if getattr(self, name)]})"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "MessageSettings":
        """Read SEKISHO_SMTP_URL, SEKISHO_SMS_URL, SEKISHO_SMS_KEY and SEKISHO_LETTERS_FOLDER."""
        return cls(
            smtp_url=environment.get("SEKISHO_SMTP_URL", ""),
            sms_url=environment.get("SEKISHO_SMS_URL", ""),
            sms_key=environment.get("SEKISHO_SMS_KEY", ""),
            letters_folder=environment.get("SEKISHO_LETTERS_FOLDER", ""),
        )


def mailing(smtp_url: str) -> Mailing:
    """Read the URL of a mail server. Raises ChannelMisconfigured, which names no part of the URL."""
    url = _split(smtp_url, "SEKISHO_SMTP_URL")
    query = parse_qs(url.query)
    sender = query.get("from", [""])[-1]
    if url.scheme not in {"smtp", "smtps"} or not url.hostname:
        raise ChannelMisconfigured(known="SEKISHO_SMTP_URL is not smtp://HOST or smtps://HOST")
    if email_fault(sender):
        raise ChannelMisconfigured(known="SEKISHO_SMTP_URL has no ?from=ADDRESS that mail can come from")
    implicit = url.scheme == "smtps"
    server = MailServer(
        host=url.hostname,
        port=url.port or (SMTPS_PORT if implicit else SUBMISSION_PORT),
        tls="implicit" if implicit else _starttls_unless_loopback(url.hostname, query),
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        ca_file=query.get("ca", [""])[-1],
    )
    if server.user and not server.tls:
        raise ChannelMisconfigured(known="SEKISHO_SMTP_URL would send a password in the clear")
    return Mailing(server, sender)


def gateway_url(sms_url: str) -> str:
    """Return the gateway's URL. Raises ChannelMisconfigured where codes would go in the clear."""
    url = _split(sms_url, "SEKISHO_SMS_URL")
    if not url.hostname or url.username or not (url.scheme == "https" or _is_loopback(url.hostname)):
        raise ChannelMisconfigured(known="SEKISHO_SMS_URL is not https://HOST, or names a user")
    return sms_url


def letters_folder(folder: str) -> Path:
    """Return the folder for letters. Raises ChannelMisconfigured where it is not an absolute path."""
    path = Path(folder)
    if not path.is_absolute():
        raise ChannelMisconfigured(known="SEKISHO_LETTERS_FOLDER is not an absolute path")
    return path


def _split(url: str, name: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ChannelMisconfigured(known=f"{name} is not a URL") from error
    return parts


def _starttls_unless_loopback(host: str, query: Mapping[str, list[str]]) -> str:
    plain = query.get("tls", [""])[-1] == "none"
    if plain and not _is_loopback(host):
        raise ChannelMisconfigured(known="SEKISHO_SMTP_URL has tls=none and is not on the loopback")
    return "" if plain else "starttls"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
