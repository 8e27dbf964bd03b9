"""A call of ours, from the desk's program to the member's screen, and a stranger who poses as staff."""

import httpx
import pytest
from playwright.sync_api import expect
from tests.end_to_end.running_sekisho import run

pytestmark = pytest.mark.server


def test_the_member_sees_what_our_caller_must_say(running, device, member, handset):
    """The desk writes the call down with its key; the code is used up once it was said."""
    home = device()
    member.open_account(home, handset)
    key = run("keys", "--data", running.data / "lender", "add", "desk", "--scope", "calls")
    with httpx.Client(
        base_url=f"http://127.0.0.1:{running.port}", headers={"host": "lender.localhost"}
    ) as desk:
        order = {"member": member.number, "purpose": "ご利用の確認", "staff": "tanaka"}
        # A running service follows a new key within a second: ask as a program that was told so would.
        for _ in range(100):
            answer = desk.post("/v1/calls", json=order, headers={"authorization": f"Bearer {key}"})
            if answer.status_code != httpx.codes.UNAUTHORIZED:
                break
            home.page.wait_for_timeout(50)
        assert desk.post("/v1/calls", json=order).status_code == httpx.codes.UNAUTHORIZED
    assert answer.status_code == httpx.codes.CREATED
    code = answer.json()["code"]

    page = home.open("/security/calls")
    assert code in page.inner_text("main").replace(" ", "")
    assert "ご利用の確認" in page.inner_text("main")
    said = "form[action='/security/calls/check']"
    page.fill(f"{said} input[name=said]", "000000" if code != "000000" else "111111")
    page.click(f"{said} button")
    expect(page.locator("main")).to_contain_text("電話を切")
