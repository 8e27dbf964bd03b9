"""Every page of the wallet's on the way through it: readable for everybody, on phones and wide screens."""

import pytest
from tests.end_to_end.people import devices
from tests.end_to_end.wallet_pages import WalletUser
from tests.web.test_lender_looks import faults_of

pytestmark = pytest.mark.server

LOOKS = [
    pytest.param((390, 844), "dark", "en", id="phone-dark-en"),
    pytest.param((1_440, 900), "light", "ja", id="wide-light-ja"),
]


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
def test_every_page_is_for_everybody(chromium, running, handset, member, size, scheme, language):
    """Axe finds nothing serious, nothing is cut off, one question a page; state by state."""
    look = {"viewport": {"width": size[0], "height": size[1]}, "color_scheme": scheme}
    with devices(chromium, running, "id") as device:
        user = WalletUser(running, device(**look), handset, member)
        user.page.context.add_cookies([{"name": "lang", "value": language, "url": running.origin("wallet")}])
        user.join_id()
        wrong, seen, complaints = {}, [], []
        user.page.on("pageerror", lambda error: complaints.append(str(error)))
        user.page.on("console", lambda said: complaints.extend([said.text] if "policy" in said.text else []))
        for part in _way(user):
            for name in part:
                seen.append(name)
                if faults := [*faults_of(user.page, size[0], language), *complaints]:
                    wrong[name] = faults
                complaints.clear()
    assert wrong == {}
    assert len(seen) == len(set(seen))


def _way(user):
    """Go the whole way, part after part."""
    for part in (user.opening, user.phone, user.identity, user.passkey):
        yield part()
    user.open_bank_account()
    yield user.link()
    yield user.charge(5_000)
    yield user.pay_out(1_200)
    yield user.pay(by_scan=500, by_showing=300)
    yield user.send("090-8765-4321", 400)
    yield user.afterwards()
    yield user.closing(left=3_000)
