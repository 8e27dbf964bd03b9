"""Mail against a real SMTP server: encrypted, in Japanese, and with its refusals understood."""

import asyncio
import email
import email.policy

import pytest
from tests.messages.mail_server import (
    PASSWORD,
    USER,
    Mailbox,
    certificate_in,
    running_mail_server,
    serving,
)
from tests.messages.post_office import ADDRESS, NOW_US

from sekisho.kernel.ids import MessageId
from sekisho.messages.carriers import Declined, Later, Parcel, Taken
from sekisho.messages.message import Channel
from sekisho.messages.smtp import MailServer, Sender, SmtpCarrier, mail

SENDER = Sender("notice@lender.example", {"ja": "あさぎりローン", "en": "Asagiri Loan"})
SUBJECT = (
    "【あさぎりローン】新しい端末からログインがありました。お心当たりがない場合は、ご利用を止めてください"
)
TEXT = "これまでお使いになっていない端末から、ログインがありました。\n\n.\n場所、𠮷野(奈良県)\n"
PARCEL = Parcel(
    MessageId("msg_" + "2" * 32), Channel.EMAIL, "notice:x:1", ADDRESS, SUBJECT, TEXT, "ja", NOW_US
)


def carried(server, parcel=PARCEL, **patience):
    async def play():
        carrier = SmtpCarrier(server, SENDER, **patience)
        try:
            return await carrier.carry(parcel)
        finally:
            carrier.close()

    return asyncio.run(play())


def plain(port, **more):
    return MailServer("127.0.0.1", port, "", **more)


def test_a_mail_arrives_in_japanese_with_a_name_of_its_own():
    mailbox = Mailbox()
    with running_mail_server(mailbox) as port:
        assert carried(plain(port)) == Taken(f"<{PARCEL.message_id}@lender.example>")
    [(sender, recipients, content, _)] = mailbox.mails
    read = email.message_from_bytes(content, policy=email.policy.default)
    assert (sender, recipients) == (SENDER.address, [ADDRESS])
    assert read["Subject"] == SUBJECT
    assert read["From"].addresses[0].display_name == "あさぎりローン"
    assert read["To"] == ADDRESS
    assert read["Message-ID"] == f"<{PARCEL.message_id}@lender.example>"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Date"].datetime.timestamp() == NOW_US // 1_000_000
    assert read.get_content().replace("\r\n", "\n") == TEXT
    assert read.get_content_charset() == "utf-8"
    assert max(len(line) for line in content.splitlines()) <= 78
    assert content.isascii()


def test_a_mail_that_goes_again_is_the_same_mail():
    """Mail programs know the second one by its Message-ID; no octet differs."""
    assert mail(PARCEL, SENDER).as_bytes() == mail(PARCEL, SENDER).as_bytes()


@pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "TLS from the first octet"])
def test_a_mail_goes_encrypted_and_with_a_password(tmp_path, implicit):
    context, authority = certificate_in(tmp_path)
    mailbox = Mailbox()
    tls = "implicit" if implicit else "starttls"
    with running_mail_server(mailbox, certificate=context, implicit=implicit) as port:
        server = MailServer("127.0.0.1", port, tls, USER, PASSWORD, authority)
        assert isinstance(carried(server), Taken)
        assert isinstance(carried(server._replace(password=PASSWORD[1:])), Later)
    assert len(mailbox.mails) == 1
    assert mailbox.mails[0][3] or implicit
    assert mailbox.logins[0] == USER.encode()


def test_a_server_with_a_strange_certificate_gets_nothing(tmp_path):
    context, _ = certificate_in(tmp_path)
    mailbox = Mailbox()
    with running_mail_server(mailbox, certificate=context) as port:
        answer = carried(MailServer("127.0.0.1", port, "starttls", USER, PASSWORD))
    assert answer == Later("SSLCertVerificationError")
    assert (mailbox.mails, mailbox.logins) == ([], [])


def test_a_server_without_starttls_gets_nothing():
    """Somebody on the way may have cut the offer out."""
    mailbox = Mailbox()
    with running_mail_server(mailbox) as port:
        assert carried(MailServer("127.0.0.1", port, "starttls")) == Later("SMTPNotSupportedError")
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("command", "answer", "expected"),
    [
        ("RCPT", f"550 5.1.1 <{ADDRESS}> no such user", Declined("SMTP 550 5.1.1")),
        ("RCPT", f"450 4.2.1 {ADDRESS} is busy", Later("SMTP 450 4.2.1")),
        ("RCPT", "452 try later", Later("SMTP 452")),
        ("DATA", "554 5.7.1 looks like spam", Declined("SMTP 554 5.7.1")),
        ("DATA", "451 4.3.0 try later", Later("SMTP 451 4.3.0")),
        ("MAIL", "553 5.1.8 your domain is unknown", Later("SMTP 553 5.1.8")),
    ],
)
def test_what_a_server_refuses_for_good_is_not_tried_again(command, answer, expected):
    """Of its answer only the numbers are kept: the words may name the recipient."""
    mailbox = Mailbox()
    mailbox.answers[command] = answer
    with running_mail_server(mailbox) as port:
        assert carried(plain(port)) == expected


def test_a_server_that_is_not_there_is_tried_again():
    assert carried(plain(9)) == Later("ConnectionRefusedError")


class _Dripping(asyncio.Protocol):
    """Greets, and then sends a line now and then that never ends the answer."""

    def connection_made(self, transport):
        self.transport = transport
        transport.write(b"220 mail.test\r\n")
        self.drip()

    def drip(self):
        if not self.transport.is_closing():
            self.transport.write(b"250-still busy\r\n")
            self.again = asyncio.get_event_loop().call_later(0.05, self.drip)

    def connection_lost(self, _error):
        self.again.cancel()


def test_a_server_that_never_comes_to_an_end_is_cut_off():
    """Each answer comes in time, and the whole does not: the patience counts the whole."""
    with serving(_Dripping) as port:
        assert isinstance(carried(plain(port), patience_s=0.4), Later)


def test_headers_can_not_be_smuggled_in():
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        mail(PARCEL._replace(subject="a\r\nBcc: everybody@example.com"), SENDER)
