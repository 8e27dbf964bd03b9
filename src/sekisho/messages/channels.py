"""Which carrier each channel has: the one that is set, or the embedded handset, mailbox or letter box."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import httpx
import structlog

from sekisho.messages.carriers import PATIENCE_S, Carrier
from sekisho.messages.courier import CourierParts
from sekisho.messages.handset import Handset
from sekisho.messages.message import Channel
from sekisho.messages.settings import MessageSettings, gateway_url, letters_folder, mailing
from sekisho.messages.sms_gateway import SmsGateway
from sekisho.messages.smtp import Sender, SmtpCarrier

log = structlog.get_logger(__name__)


class Carriers:
    """A carrier for each channel. `embedded` holds the channels whose messages never leave this store."""

    def __init__(self, parts: CourierParts, names: Mapping[str, str], settings: MessageSettings) -> None:
        """Open what is set. `names` is the institution's by language.

        Raises ChannelMisconfigured, LetterFontMissing, and OSError where the letters'
        folder can't be made or a certificate not be read.
        """
        handset = Handset(parts.store, parts.keyring, parts.clock)
        self.by_channel: dict[Channel, Carrier] = dict.fromkeys(Channel, handset)
        self._closing: list[Callable[[], Awaitable[None] | None]] = []
        if settings.sms_url:
            client = httpx.AsyncClient(timeout=PATIENCE_S)
            self._closing.append(client.aclose)
            self.by_channel[Channel.SMS] = SmsGateway(
                client, gateway_url(settings.sms_url), settings.sms_key, parts.clock
            )
        if settings.smtp_url:
            server, sender = mailing(settings.smtp_url)
            smtp = SmtpCarrier(server, Sender(sender, names))
            self._closing.append(smtp.close)
            self.by_channel[Channel.EMAIL] = smtp
        if settings.letters_folder:
            self.by_channel[Channel.LETTER] = self._letters(letters_folder(settings.letters_folder), names)
        self.embedded = frozenset(
            channel for channel, carrier in self.by_channel.items() if carrier is handset
        )
        log.info("message:channels:opened", embedded=sorted(self.embedded))

    async def close(self) -> None:
        """Let go of connections and threads, after the courier has ended."""
        for close in self._closing:
            if (closing := close()) is not None:
                await closing

    def _letters(self, folder: Path, names: Mapping[str, str]) -> Carrier:
        from sekisho.messages.letters import LetterFolder  # noqa: PLC0415 - the typesetter is 80 MB: only where used

        letters = LetterFolder(folder, names)
        self._closing.append(letters.close)
        return letters
