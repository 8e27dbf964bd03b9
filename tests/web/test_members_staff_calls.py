"""Staff write a call down before they make it; the member sees what the caller must say."""

import msgspec
from tests.web.member_site import play

from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.response import audit
from sekisho.web.guard_api.api_keys import ApiKeys, Scope


def staff_keys():
    """Return the keys of a desk, one that may write calls down and one that may not."""
    keys, chance = ApiKeys(clock=SetClock()), SeededChance(5)
    return keys, keys.add("desk", (Scope.CALLS,), chance), keys.add("other", (Scope.METRICS,), chance)


async def order(browser, key, **changes):
    """Ask for a call as the desk's program does."""
    body = {"member": "", "purpose": "ご利用の確認", "staff": "tanaka", **changes}
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return await browser.client.post("/v1/calls", content=msgspec.json.encode(body), headers=headers)


def test_a_call_that_was_written_down_is_seen_by_the_member(tmp_path):
    keys, key, _ = staff_keys()

    async def scene(site):
        member, desk = site.browser(), site.browser("198.51.100.9")
        number, _ = await site.sign_up(member)
        answer = await order(desk, key, member=number)
        assert answer.status_code == 201
        code = answer.json()["code"]
        page = (await member.get("/security/calls")).text
        assert code in page.replace(" ", "")
        assert "ご利用の確認" in page
        with site.site.parts.store.read() as connection:
            (act,) = audit.all_acts(connection)
        assert (act.actor, act.act, act.reason) == ("desk:tanaka", "call:announced", "ご利用の確認")
        assert act.details == {"call": answer.json()["id"]}

    play(tmp_path, scene, staff_keys=keys)


def test_nobody_else_writes_a_call_down(tmp_path):
    """No key, another scope, no member, no purpose or no sense: refused, and nothing shows."""
    keys, key, other = staff_keys()

    async def scene(site):
        member, desk = site.browser(), site.browser("198.51.100.9")
        number, _ = await site.sign_up(member)
        for sent, changes, status, code in (
            ("", {}, 401, "no_key"),
            (key[:-1] + ("a" if key[-1] != "a" else "b"), {}, 401, "no_key"),
            (other, {}, 403, "wrong_scope"),
            (key, {"member": "000000000000"}, 422, "call_unrecordable"),
            (key, {"purpose": " "}, 422, "call_unrecordable"),
            (key, {"staff": " "}, 422, "call_unrecordable"),
            (key, {"more": 1}, 400, "malformed"),
            (key, {"purpose": "a\0b"}, 400, "malformed"),
        ):
            answer = await order(desk, sent, **{"member": number, **changes})
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "ご利用の確認" not in (await member.get("/security/calls")).text
        with site.site.parts.store.read() as connection:
            assert audit.count(connection) == 0

    play(tmp_path, scene, staff_keys=keys)


def test_without_keys_nobody_is_let_in(tmp_path):
    _, key, _ = staff_keys()

    async def scene(site):
        assert (await order(site.browser(), key)).status_code == 401

    play(tmp_path, scene)
