"""A real SMTP server on loopback, with a certificate of its own authority where TLS is wanted."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER = "lender"
PASSWORD = "mail-password"  # noqa: S105 - of the server in this test


class Mailbox:
    """What reached the server. `answers` are given to the commands of that name instead of a yes."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], bytes, bool]] = []
        self.logins: list[bytes] = []
        self.answers: dict[str, str] = {}

    async def handle_MAIL(self, _server, _session, envelope, address, options):  # noqa: N802 - the name that the server calls
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - the name that the server calls
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - the name that the server calls
        secure = session.ssl is not None
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, secure))
        return self.answers.get("DATA", "250 OK queued")

    def authenticate(self, _server, _session, _envelope, mechanism, data):
        self.logins.append(data.login)
        return AuthResult(success=mechanism != "none" and data.password == PASSWORD.encode())


@contextmanager
def serving(factory: Any, *, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve a protocol on a free port of the loopback, in a thread, and give the port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0, ssl=tls))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def stop() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def running_mail_server(mailbox: Mailbox, *, certificate=None, implicit=False) -> Iterator[int]:
    """Take mail: in the clear, or by STARTTLS, or encrypted from the first octet."""
    starttls = certificate if certificate and not implicit else None

    def protocol() -> SMTP:
        return SMTP(
            mailbox,
            hostname="mail.test",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=mailbox.authenticate if certificate else None,
            auth_require_tls=starttls is not None,
            loop=asyncio.get_event_loop(),
        )

    with serving(protocol, tls=certificate if implicit else None) as port:
        yield port


def certificate_in(folder) -> tuple[ssl.SSLContext, str]:
    """Make a certificate for the loopback that signs itself; return a server's context and the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.fromtimestamp(1_790_000_000, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(now + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, str(path)
