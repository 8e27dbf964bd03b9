"""One contact is one member's, also where two processes share a server and decide at the same moment."""

import asyncio

import pytest
from sqlalchemy import create_engine, insert, text
from tests.identity.login_house import HOME, PASSWORD, TARO, house

from sekisho.identity import contacts
from sekisho.identity.contacts import ContactKind
from sekisho.identity.sign_up import SignUpCodes, SignUpForm, SignUpOver, SignUpStep
from sekisho.storage.tables.members import contact

FORM = SignUpForm("hanako@example.jp", "09011112222")


@pytest.mark.server
def test_who_is_slower_by_less_than_a_transaction_is_told_so(server_store_url, tmp_path):
    """Another process holds the contact in a transaction that commits while this one waits for it."""

    async def scene():
        async with house(tmp_path, url=server_store_url) as opened:
            other_member = (await opened.open_account()).session.member_id
            step = await opened.sign_ups.begin(FORM, HOME)
            assert isinstance(step, SignUpStep)
            opened.wait(20)
            entered = await opened.sign_ups.enter(step.token, *opened.codes_to(FORM), HOME)
            assert entered == SignUpCodes(email=True, mobile=True)
            engine = create_engine(server_store_url.replace("postgresql://", "postgresql+psycopg://"))
            digest = contacts.digest_of(opened.parts.keyring, ContactKind.EMAIL, FORM.email)
            row = {"member_id": other_member, "kind": "email", "digest": digest, "verified_at_us": 1}
            with engine.connect() as rival, rival.begin():
                rival.execute(text("DELETE FROM contact WHERE kind = 'email'"))
                rival.execute(insert(contact).values(row))
                finishing = asyncio.create_task(opened.sign_ups.finish(step.token, TARO, PASSWORD, HOME))
                done, _ = await asyncio.wait({finishing}, timeout=0.5)
                assert not done
            assert await finishing == SignUpOver()
            engine.dispose()

    asyncio.run(scene())
