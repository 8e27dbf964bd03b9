"""Which carrier a channel gets, from the environment."""

import asyncio

import pytest
from tests.messages.gateway import KEY, running_gateway
from tests.messages.mail_server import Mailbox, running_mail_server
from tests.messages.post_office import ADDRESS, code_message, parts_of, queued, rows, text_message

from sekisho.messages.channels import Carriers
from sekisho.messages.courier import Courier
from sekisho.messages.message import Channel
from sekisho.messages.settings import (
    ChannelMisconfigured,
    MessageSettings,
    gateway_url,
    letters_folder,
    mailing,
)
from sekisho.storage.engine import open_store

NAMES = {"ja": "あさぎりローン", "en": "Asagiri Loan"}


@pytest.fixture
def parts(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/messages.db")
    yield parts_of(store)
    store.close()


def test_with_nothing_set_every_channel_ends_in_the_house(parts):
    carriers = Carriers(parts, NAMES, MessageSettings.from_environment({}))
    assert carriers.embedded == frozenset(Channel)
    asyncio.run(carriers.close())


def test_every_channel_leaves_the_house_by_the_adapter_that_is_set(parts, tmp_path):
    """One message by each: a text at the gateway, a mail at the server, a PDF in the folder."""
    mailbox = Mailbox()
    with running_gateway() as gateway, running_mail_server(mailbox) as port:
        settings = MessageSettings.from_environment(
            {
                "SEKISHO_SMTP_URL": f"smtp://127.0.0.1:{port}?from=notice@lender.example&tls=none",
                "SEKISHO_SMS_URL": gateway.url,
                "SEKISHO_SMS_KEY": KEY,
                "SEKISHO_LETTERS_FOLDER": str(tmp_path / "letters"),
            }
        )
        queued(
            parts,
            code_message(),
            text_message("mail", channel=Channel.EMAIL, to=ADDRESS, subject="お知らせ"),
            text_message("letter", channel=Channel.LETTER, to="〒100-0001\n山田 花子 様", subject="お知らせ"),
        )

        async def day():
            carriers = Carriers(parts, NAMES, settings)
            assert carriers.embedded == frozenset()
            await Courier(parts, carriers.by_channel).deliver_due()
            await carriers.close()

        asyncio.run(day())
        assert {row.state for row in rows(parts.store)} == {"sent"}
        assert len(gateway.texts) == len(mailbox.mails) == 1
        assert len(list((tmp_path / "letters").rglob("*.pdf"))) == 1


def test_settings_do_not_show_their_passwords():
    settings = MessageSettings(smtp_url="smtps://u:hunter2@mail.example?from=a@b.example", sms_key="key-7")
    assert "hunter2" not in repr(settings)
    assert "key-7" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtp://mail.example?from=a@b.example", "mail.example", 587, "starttls"),
        ("smtps://mail.example?from=a@b.example", "mail.example", 465, "implicit"),
        ("smtp://mail.example:2525/?from=a@b.example", "mail.example", 2525, "starttls"),
        ("smtp://localhost:25?from=a@b.example&tls=none", "localhost", 25, ""),
    ],
)
def test_the_url_of_a_mail_server_says_how_to_get_there(url, host, port, tls):
    server, sender = mailing(url)
    assert (server.host, server.port, server.tls, sender) == (host, port, tls, "a@b.example")


def test_a_password_may_hold_any_character():
    server, _ = mailing("smtps://us%40er:p%2Fw%3A@mail.example?from=a@b.example")
    assert (server.user, server.password) == ("us@er", "p/w:")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example?from=a@b.example",
        "smtp://?from=a@b.example",
        "smtp://mail.example",
        "smtp://mail.example?from=nobody",
        "smtp://mail.example:port?from=a@b.example",
        "smtp://mail.example?from=a@b.example&tls=none",
        "smtp://u:hunter2@localhost?from=a@b.example&tls=none",
    ],
)
def test_a_mail_server_that_can_not_be_used_is_refused_at_the_start(url):
    """In particular, nothing goes in the clear beyond the loopback, and a password not even there."""
    with pytest.raises(ChannelMisconfigured) as refused:
        mailing(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://sms.example/", "https://u:p@sms.example/", "https://", "sms.example"]
)
def test_a_gateway_that_codes_would_reach_in_the_clear_is_refused(url):
    with pytest.raises(ChannelMisconfigured):
        gateway_url(url)


def test_a_gateway_is_reached_by_https_or_on_the_loopback():
    for url in ("https://sms.example/texts", "http://127.0.0.1:9/", "http://[::1]/", "http://localhost/"):
        assert gateway_url(url) == url


def test_a_folder_for_letters_does_not_depend_on_where_one_stands():
    with pytest.raises(ChannelMisconfigured):
        letters_folder("letters")
