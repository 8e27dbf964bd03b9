"""Mail by SMTP (RFC 5321): one conversation a mail, encrypted, bounded in time.

SMTP knows no idempotency key. A mail whose last answer was lost is sent again with the same Message-ID, by
which mail programs recognise it.
"""

import asyncio
import os
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple

from sekisho.kernel.clock import SECOND_US
from sekisho.messages.carriers import PATIENCE_S, Declined, Handover, Later, Parcel, Taken

THREADS = 8
STEP_S_MAX = 5.0
"""How long a single answer of the server may take."""

_ACCEPTED = frozenset({250, 251})
_PERMANENT = range(500, 600)
_ENHANCED_STATUS = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?= |$)")


class MailServer(NamedTuple):
    """Where mail is handed over. `tls` is `implicit` (from the first octet), `starttls`, or empty: none."""

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = ""
    ca_file: str = ""


class Sender(NamedTuple):
    """Who writes: an address, and the name beside it by language."""

    address: str
    names: Mapping[str, str]


class SmtpCarrier:
    """Carries mail to one server, each conversation in a thread of its own pool. Close it at the end."""

    def __init__(self, server: MailServer, sender: Sender, *, patience_s: float = PATIENCE_S) -> None:
        self._server = server
        self._sender = sender
        self._patience_s = patience_s
        self._tls = ssl.create_default_context(cafile=server.ca_file or None) if server.tls else None
        # Its own threads: a mail server that hangs must not take those with which the store is read.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="smtp")

    async def carry(self, parcel: Parcel) -> Handover:
        """Hand one mail to the server."""
        deadline_s = time.monotonic() + self._patience_s
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._converse, parcel, deadline_s
        )

    def close(self) -> None:
        """Take no more mail; conversations that go on end within their patience."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _converse(self, parcel: Parcel, deadline_s: float) -> Handover:
        try:
            with self._connected() as smtp, _cut_off(smtp, deadline_s):
                return self._hand_over(smtp, parcel)
        except smtplib.SMTPResponseException as error:
            return Later(_status(error.smtp_code, error.smtp_error))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return Later(type(error).__name__)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        if server.tls == "implicit":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=STEP_S_MAX, context=self._tls
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=STEP_S_MAX)
        try:
            yield smtp
            with suppress(smtplib.SMTPException, OSError, ValueError):
                smtp.quit()
        finally:
            smtp.close()

    def _hand_over(self, smtp: smtplib.SMTP, parcel: Parcel) -> Handover:
        if self._server.tls == "starttls":
            # Raises where the server does not offer it: a mail never goes in the clear.
            smtp.starttls(context=self._tls)
        if self._server.user:
            smtp.login(self._server.user, self._server.password)
        message = mail(parcel, self._sender)
        smtp.ehlo_or_helo_if_needed()
        code, answer = smtp.mail(self._sender.address)
        if code not in _ACCEPTED:
            # It is our own address that was refused: somebody can set that right.
            return Later(_status(code, answer))
        code, answer = smtp.rcpt(parcel.to)
        if code in _ACCEPTED:
            code, answer = _data(smtp, message.as_bytes(policy=SMTP))
        if code in _ACCEPTED:
            return Taken(str(message["Message-ID"]))
        return Declined(_status(code, answer)) if code in _PERMANENT else Later(_status(code, answer))


def mail(parcel: Parcel, sender: Sender) -> EmailMessage:
    """Write a mail. The same parcel gives the same mail, octet by octet."""
    message = EmailMessage(policy=SMTP)
    name = sender.names.get(parcel.language) or sender.names.get("ja", "")
    message["From"] = Address(name, addr_spec=sender.address)
    message["To"] = Address(addr_spec=parcel.to)
    message["Subject"] = parcel.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(parcel.made_at_us // SECOND_US, UTC))
    message["Message-ID"] = f"<{parcel.message_id}@{sender.address.rpartition('@')[2]}>"
    # RFC 3834: nobody's automatic answer should come back.
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = parcel.language
    message.set_content(parcel.text, charset="utf-8", cte="base64")
    return message


@contextmanager
def _cut_off(smtp: smtplib.SMTP, deadline_s: float) -> Iterator[None]:
    """End the conversation at the deadline, though the server sends an octet now and then."""
    left_s = deadline_s - time.monotonic()
    if left_s <= 0 or smtp.sock is None:
        raise TimeoutError
    # A second handle on the connection, because STARTTLS puts another socket in the place of the first.
    handle = socket.socket(fileno=os.dup(smtp.sock.fileno()))

    def shut() -> None:
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(left_s, shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def _data(smtp: smtplib.SMTP, octets: bytes) -> tuple[int, bytes]:
    """Send the mail itself and return the answer, also where the server does not want it to begin with."""
    try:
        return smtp.data(octets)
    except smtplib.SMTPDataError as refused:
        return refused.smtp_code, _octets(refused.smtp_error)


def _octets(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode("ascii", "replace")


def _status(code: int, answer: bytes | str) -> str:
    """Return the reply code and the enhanced one (RFC 3463); the rest of an answer may name the recipient."""
    enhanced = _ENHANCED_STATUS.match(_octets(answer))
    return f"SMTP {code} {enhanced[0].decode() if enhanced else ''}".rstrip()
