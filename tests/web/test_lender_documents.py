"""What a member keeps: documents as they were issued, and what pays everything back on a day."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.web.lender_site import house_of, line_of, play
from tests.web.member_site import found

from sekisho.kernel.yen import Yen
from sekisho.lender.documents import archive
from sekisho.lender.documents.archive import About, Kind
from sekisho.lender.documents.typesetting import Typeset
from sekisho.lender.interest import interest
from sekisho.lender.rates import Rate
from sekisho.storage.tables.lender import loan_event
from sekisho.web.lender.desks import STATE


async def ready(site, browser, yen=100_000, *, days_ago=0):
    """Make a member with a passkey and a loan, and figures on the screen."""
    number, _ = await site.sign_up(browser)
    authenticator = await site.make_passkey(browser)
    line = line_of(house_of(site), number)
    line.borrow("first", yen, line.house.today() - timedelta(days=days_ago))
    await browser.get("/step-up?wish=loan")
    await site.approve(browser, authenticator)
    return line


def keep(line, kind, subject, pdf):
    """Issue a document."""
    parts = line.house.parts
    made = Typeset(pdf, 1, hashlib.sha256(pdf).hexdigest())
    return line.house.store.write(
        lambda at: archive.keep(at, parts, line.member_id, About(kind, subject), made)
    ).result()


def test_documents_are_listed_and_given_out_as_issued(tmp_path):
    """The newest first; octet by octet; a receipt that was issued for a repayment among them."""

    async def scene(site):
        browser = site.browser()
        line = await ready(site, browser)
        keep(line, Kind.CONTRACT, "con_1", b"%PDF-contract")
        site.wait(1)
        line.repay("second", 4_000)
        with line.house.store.read() as connection:
            paid = connection.execute(
                select(loan_event.c.id).where(loan_event.c.kind == "repaid")
            ).scalar_one()
        await site.app.state[STATE].documents.of_event(line.member_id, paid)
        page = (await browser.get("/loan/documents")).text
        assert page.index('data-document="receipt"') < page.index('data-document="contract"')
        path = found(r'data-document="contract">.*?href="(/loan/documents/[^"]+)"', page.replace("\n", " "))
        answer = await browser.get(path)
        assert answer.content == b"%PDF-contract"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"].startswith("attachment")

    play(tmp_path, scene)


def test_nobody_reads_the_document_of_another_member(tmp_path):
    """Neither is it told that there is one."""

    async def scene(site):
        first, second = site.browser(), site.browser("192.0.2.11")
        document = keep(await ready(site, first), Kind.CONTRACT, "con_1", b"%PDF-contract")
        await ready(site, second)
        path = f"/loan/documents/{document.id}"
        assert (await second.get(path)).status_code == 404
        assert document.id not in (await second.get("/loan/documents")).text
        foreign = await first.get(path, **{"Sec-Fetch-Site": "cross-site"})
        assert foreign.url.path == "/loan/documents"

    play(tmp_path, scene)


@pytest.mark.parametrize("ahead", [0, 1, 9])
def test_the_last_payment_of_a_day_is_principal_and_interest_until_then(tmp_path, ahead):
    """To the yen, by the ledger's method."""

    async def scene(site):
        browser = site.browser()
        line = await ready(site, browser, 123_000, days_ago=3)
        today = line.house.today()
        day = today + timedelta(days=ahead)
        page = (await browser.get(f"/loan/settle?day={day}")).text
        owed = interest(Yen(123_000), Rate.parse("17.8"), today - timedelta(days=3), day)
        assert found(r'data-settle="(\d+)"', page) == str(123_000 + owed.amount)

    play(tmp_path, scene)


@pytest.mark.parametrize("day", ["2026-11-20", "2027-06-01", "soon", "2026-02-30"])
def test_a_day_outside_is_told_and_today_s_figure_stays(tmp_path, day):
    """Before today, after the next due date, or none at all."""

    async def scene(site):
        browser = site.browser()
        await ready(site, browser)
        answer = await browser.get(f"/loan/settle?day={day}")
        assert answer.status_code == 422
        assert "choose a day in this time" in answer.text
        assert 'data-settle="100000"' in answer.text

    play(tmp_path, scene)
