"""A courier in a process of its own, to be killed. Arguments: the URLs of the store and the gateway."""

import asyncio
import sys

import httpx
from tests.messages.gateway import KEY
from tests.messages.post_office import parts_of

from sekisho.messages.courier import Courier
from sekisho.messages.message import Channel
from sekisho.messages.sms_gateway import SmsGateway
from sekisho.storage.engine import open_store


async def carry(store_url: str, gateway_url: str) -> None:
    """Carry what is due, once."""
    parts = parts_of(open_store(store_url), seed=2)
    async with httpx.AsyncClient() as client:
        gateway = SmsGateway(client, gateway_url, KEY, parts.clock)
        await Courier(parts, {Channel.SMS: gateway}).deliver_due()


if __name__ == "__main__":
    asyncio.run(carry(*sys.argv[1:3]))
