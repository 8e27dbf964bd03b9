"""The pages open to everybody: the simulator by the published figures, the diagnosis with its two answers."""

from html import unescape

import pytest
from tests.web.lender_site import play
from tests.web.member_site import found

from sekisho.kernel.yen import Yen
from sekisho.lender.rates import Rate
from sekisho.lender.repayment import monthly_plan
from sekisho.web.lender.plan_drawing import HEIGHT, WIDTH, drawn


def test_the_published_plan(tmp_path):
    """100,000 yen at 18 % and 4,000 a month: 32 payments, 126,260 yen, drawn and in a table."""

    async def scene(site):
        page = (await site.browser().get("/simulator?amount=100,000&rate=18.0&payment=")).text
        assert found(r'data-payments="(\d+)"', page) == "32"
        assert found(r'data-total="(\d+)"', page) == "126260"
        assert page.count('<th scope="row">') == 32
        assert "counts days, so the real figures differ by some yen" in page
        assert "<polygon" in page

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("amount=9999", "choose an amount from"),
        ("amount=abc", "whole amount"),
        ("amount=1000000&rate=18", "law does not allow"),
        ("amount=100000&rate=18.1", "law does not allow"),
        ("amount=100000&rate=x", "rate like 17.8"),
        ("amount=100000&rate=0", "law does not allow"),
        ("amount=100000&rate=18&payment=1500", "does not cover the interest"),
        ("amount=<script>", "whole amount"),
    ],
)
def test_what_cannot_be_worked_out_is_told(tmp_path, query, told):
    """Beside its field, with status 422, and never as markup."""

    async def scene(site):
        page = await site.browser().get(f"/simulator?{query}")
        assert page.status_code == 422
        assert told in page.text
        assert "<script>" not in page.text

    play(tmp_path, scene)


def test_a_plan_of_centuries_stays_a_small_page(tmp_path):
    """The table stops after ten years and says how many payments follow."""

    async def scene(site):
        page = await site.browser().get("/simulator?amount=100000&rate=18&payment=1501")
        assert page.status_code == 200
        assert page.text.count('<th scope="row">') == 120
        assert "more payments" in page.text
        assert len(page.content) < 60_000

    play(tmp_path, scene)


async def diagnosed(site, **typed):
    browser = site.browser()
    await browser.get("/diagnosis")
    return await browser.submit("/diagnosis", **({"birth_date": "1990-04-01", "owed": ""} | typed))


def test_the_diagnosis_says_yes_with_an_amount(tmp_path):
    """A third of three million, less what is owed."""

    async def scene(site):
        page = await diagnosed(site, income="300", owed="40")
        assert 'data-diagnosis="yes"' in page.text
        assert "¥600,000" in page.text

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"income": "0"}, "income of their own"),
        ({"income": "300", "owed": "100"}, "a third of your income"),
        ({"income": "300", "birth_date": "2015-01-01"}, "Your age is outside"),
        ({"income": "2"}, "less than our smallest line"),
    ],
)
def test_the_diagnosis_says_no_with_a_reason(tmp_path, typed, told):
    """And whom to talk to."""

    async def scene(site):
        page = await diagnosed(site, **typed)
        assert page.status_code == 200
        assert 'data-diagnosis="no"' in page.text
        assert told in unescape(page.text)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "typed", [{"income": "x"}, {"income": "-5"}, {"income": "1", "birth_date": "yesterday"}, {}]
)
def test_what_cannot_be_read_is_asked_again(tmp_path, typed):
    """With what is wrong at its field."""

    async def scene(site):
        page = await diagnosed(site, **({"income": ""} | typed))
        assert page.status_code == 422
        assert 'aria-invalid="true"' in page.text

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("yen", "payment"), [(100_000, 4_000), (10_000, 1_000), (8_000_000, 160_000), (10_000, 10_000)]
)
def test_a_drawing_begins_with_what_is_borrowed_and_ends_with_nothing(yen, payment):
    """The area falls to the ground at the last payment, and the lines across are round amounts."""
    plan = monthly_plan(Yen(yen), Rate.parse("15.0"), Yen(payment))
    drawing = drawn(Yen(yen), plan)
    points = [tuple(map(float, point.split(","))) for point in drawing.balance.split()]
    assert points[0] == (0, HEIGHT)
    assert points[-1] == (WIDTH, HEIGHT)
    assert [y for _, y in points[1:]] == sorted(y for _, y in points[1:])
    assert 2 <= len(drawing.ticks) <= 5
