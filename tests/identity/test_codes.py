"""One-time codes at a desk: one use, one purpose, one subject, ten minutes, five tries."""

import asyncio

import pytest
from sqlalchemy import select
from tests.identity.code_desk import HOME, LAPTOP, LOGIN, MOBILE, PHONE, REVEAL, at, code_desk

from sekisho.identity.code_limits import STRANGERS, Limit, TooMany
from sekisho.identity.code_rows import End
from sekisho.identity.codes import CodeAsked, Contact, Over, Right, Wrong
from sekisho.identity.personal_data import Item, store
from sekisho.identity.purposes import Purpose
from sekisho.identity.recipients import NumberNotServed
from sekisho.identity.relay import Strength
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from sekisho.messages.message import Channel
from sekisho.storage.tables.codes import code_failure, one_time_code

IN_SESSION = at(HOME, session_id="ses_1")


@pytest.fixture
def desk(tmp_path):
    opened = code_desk(tmp_path)
    yield opened
    opened.here.store.close()


def other(code):
    """Return six digits that are not the code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_code_opens_what_it_was_asked_for_once(desk):
    asked, code = desk.asked()
    assert desk.enter(asked.code_id, code).relay.strength is Strength.NONE
    assert desk.enter(asked.code_id, code) == Over(End.USED)


def test_a_code_is_read_as_people_type_it(desk):
    asked, code = desk.asked()
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    assert isinstance(desk.enter(asked.code_id, f" {wide[:3]} {wide[3:]} "), Right)


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "٣٣٣٣٣٣", "1" * 100_000, "\ud800", "12345\0"]
)
def test_what_can_be_no_code_costs_no_try(desk, typed):
    asked, code = desk.asked()
    assert desk.enter(asked.code_id, typed) == Wrong(5)
    assert isinstance(desk.enter(asked.code_id, code), Right)


def test_after_five_tries_the_right_code_comes_too_late(desk):
    asked, code = desk.asked()
    assert [desk.enter(asked.code_id, other(code)) for _ in range(5)] == [
        Wrong(left) for left in (4, 3, 2, 1, 0)
    ]
    assert desk.enter(asked.code_id, code) == Over(End.SPENT)


@pytest.mark.parametrize("seconds", [9 * 60 + 30])
def test_a_slow_typist_has_the_time_that_was_promised(desk, seconds):
    asked = desk.ask()
    desk.wait(seconds)
    assert isinstance(desk.enter(asked.code_id, desk.code_of(asked)), Right)


def test_an_expired_code_stays_expired_when_the_clock_is_set_back(desk):
    asked = desk.ask()
    code = desk.code_of(asked)
    desk.wait(600)
    assert desk.enter(asked.code_id, code) == Over(End.EXPIRED)
    desk.wait(-500)
    assert desk.enter(asked.code_id, code) == Over(End.EXPIRED)


def test_a_code_from_the_future_is_none(desk):
    """Where the clock was an hour ahead, the code of then does not live for an hour more."""
    desk.wait(3_600)
    asked = desk.ask()
    code = desk.code_of(asked)
    desk.wait(-3_600)
    assert desk.enter(asked.code_id, code) == Over(End.EXPIRED)
    desk.wait(3_610)
    assert desk.enter(asked.code_id, code) == Over(End.EXPIRED)


def test_two_servers_clocks_may_differ_a_little(desk):
    asked = desk.ask()
    code = desk.code_of(asked)
    desk.wait(-3)
    assert isinstance(desk.enter(asked.code_id, code), Right)


def test_a_code_opens_no_other_purpose(desk):
    asked, code = desk.asked(REVEAL, IN_SESSION)
    for purpose in (LOGIN, Purpose(action="reveal", item="home_address"), Purpose(action="reveal")):
        assert isinstance(desk.enter(asked.code_id, code, purpose, IN_SESSION), Wrong)
    assert isinstance(desk.enter(asked.code_id, code, REVEAL, IN_SESSION), Right)


def test_each_part_of_a_purpose_binds(desk):
    cash = Purpose(action="atm_withdrawal", amount_yen=10_000, place="本店", details={"nonce": "a"})
    asked, code = desk.asked(cash, IN_SESSION)
    changes = [
        Purpose(action="atm_withdrawal", amount_yen=100_000, place="本店", details={"nonce": "a"}),
        Purpose(action="atm_withdrawal", amount_yen=10_000, place="駅前", details={"nonce": "a"}),
        Purpose(action="atm_withdrawal", amount_yen=10_000, place="本店", details={"nonce": "b"}),
    ]
    for changed in changes:
        assert isinstance(desk.enter(asked.code_id, code, changed, IN_SESSION), Wrong)
    assert isinstance(desk.enter(asked.code_id, code, cash, IN_SESSION), Right)


def test_a_code_opens_nothing_for_another_member(desk):
    """And whoever tries does not use up the tries of the code's owner."""
    asked, code = desk.asked()
    stranger = desk.here.add_member()
    for _ in range(6):
        assert desk.enter(asked.code_id, code, subject=stranger) == Over(End.EXPIRED)
    assert isinstance(desk.enter(asked.code_id, code), Right)


def test_swapped_codes_open_nothing(desk):
    """Two tabs that ask for different things: each code fits its own."""
    email, first = desk.asked(REVEAL, IN_SESSION)
    address = Purpose(action="reveal", item="home_address")
    home, second = desk.asked(address, IN_SESSION)
    assert desk.enter(email.code_id, second, REVEAL, IN_SESSION) == Wrong(4)
    assert desk.enter(home.code_id, first, address, IN_SESSION) == Wrong(4)
    assert isinstance(desk.enter(email.code_id, first, REVEAL, IN_SESSION), Right)
    assert isinstance(desk.enter(home.code_id, second, address, IN_SESSION), Right)


def test_a_new_code_voids_the_older_one_of_a_second_tab(desk):
    first, old = desk.asked()
    desk.wait(30)
    second, new = desk.asked()
    assert desk.enter(first.code_id, old) == Over(End.SUPERSEDED)
    assert desk.enter(first.code_id, new) == Over(End.SUPERSEDED)
    assert isinstance(desk.enter(second.code_id, new), Right)


def test_a_code_that_was_never_made_is_answered_like_an_old_one(desk):
    assert desk.enter("otc_" + "0" * 32, "123456") == Over(End.EXPIRED)
    assert desk.enter("'; DROP TABLE one_time_code; --" * 9, "123456") == Over(End.EXPIRED)


def test_no_code_and_no_number_is_kept_in_the_clear(desk):
    _, code = desk.asked()
    with desk.here.store.read() as connection:
        row = connection.execute(select(one_time_code)).one()
    kept = repr(row._asdict())
    assert code not in kept
    assert MOBILE.value not in kept
    assert MOBILE.value[3:] not in kept


def test_the_same_digits_leave_different_digests(desk):
    """So that nobody who reads the table sees when two codes were equal."""
    first, second = (code_digest(desk, code_id) for code_id in ("otc_a", "otc_b"))
    assert first != second


def code_digest(desk, code_id):
    return desk.here.parts.keyring.digest("123456", context=f"code:{code_id}")


def test_the_message_says_what_the_code_approves_and_ends_with_our_host(desk):
    cash = Purpose(action="atm_withdrawal", amount_yen=30_000, place="駅前店")
    _, code = desk.asked(cash, IN_SESSION)
    (sms,) = desk.sent()
    assert sms.to == MOBILE.value
    assert sms.text.startswith(f"【あさぎりローン】確認コード\uff1a{code}\n")
    assert "「スマホATMでの出金(30,000円、場所\uff1a駅前店)」" in sms.text
    assert "聞かれることはありません" in sms.text
    assert "有効期限\uff1a10分" in sms.text
    assert sms.text.endswith(f"\n\n@lender.localhost #{code}")


def test_the_message_is_in_the_reader_s_language(desk):
    _, code = desk.asked(language="en")
    (sms,) = desk.sent()
    assert sms.text.startswith(f"Asagiri Loan code: {code}\nIt is for one thing only: log in.")
    assert sms.text.endswith(f"\n\n@lender.localhost #{code}")


def test_a_code_by_mail_confirms_an_address_and_is_no_factor(desk):
    mail = Contact(Channel.EMAIL, "hanako@example.jp")
    _, code = desk.asked(Purpose(action="sign_up"), subject="applicant", to=mail)
    (sent,) = desk.sent()
    assert (sent.subject, code in sent.text, "#" in sent.text) == ("確認コードのお知らせ", True, False)
    for factor in (LOGIN, REVEAL, Purpose(action="recovery")):
        with pytest.raises(ValueError, match="no code for"):
            desk.ask(factor, to=mail)


def test_both_ways_of_a_sign_up_have_codes_at_once(desk):
    sign_up = Purpose(action="sign_up")
    mail, mailed = desk.asked(sign_up, subject="applicant", to=Contact(Channel.EMAIL, "hanako@example.jp"))
    text, texted = desk.asked(sign_up, subject="applicant")
    assert isinstance(desk.enter(mail.code_id, mailed, sign_up, subject="applicant"), Right)
    assert isinstance(desk.enter(text.code_id, texted, sign_up, subject="applicant"), Right)


@pytest.mark.parametrize(
    "number",
    [
        "+14155550123",
        "+88213100123",
        "0312345678",
        "05012345678",
        "0120000000",
        "090123",
        "",
        "090-1234-5678;ext=1",
    ],
)
def test_numbers_that_are_no_japanese_mobiles_get_nothing(desk, number):
    with pytest.raises(NumberNotServed) as refusal:
        desk.ask(to=Contact(Channel.SMS, number))
    assert not number or number not in str(refusal.value)
    assert desk.sent() == []


def test_an_operator_may_serve_other_countries(tmp_path):
    desk = code_desk(tmp_path, served=("+8190", "+49151"))
    try:
        assert isinstance(desk.ask(to=Contact(Channel.SMS, "+4915112345678")), CodeAsked)
        with pytest.raises(NumberNotServed):
            desk.ask(to=Contact(Channel.SMS, "08012345678"))
    finally:
        desk.here.store.close()


def test_a_decoy_looks_like_a_code_and_nothing_fits_it(desk):
    real, _ = desk.asked()
    decoy = desk.decoy()
    assert isinstance(decoy, CodeAsked)
    assert [type(part) for part in decoy] == [type(part) for part in real]
    assert len(desk.sent()) == 1
    answers = [desk.enter(decoy.code_id, f"{number:06d}", subject="nobody") for number in range(6)]
    assert answers == [*(Wrong(left) for left in (4, 3, 2, 1, 0)), Over(End.SPENT)]


def test_a_stranger_who_sends_again_too_soon_keeps_the_code(desk):
    """Nothing more is sent, nothing is said, and the first code goes on counting."""
    asked = desk.ask()
    again = desk.ask()
    assert again.code_id == asked.code_id
    assert len(desk.sent()) == 1
    desk.wait(31)
    third = desk.ask()
    assert third.code_id != asked.code_id
    assert len(desk.sent()) == 2


def test_a_stranger_elsewhere_who_asks_too_soon_takes_nobody_s_code_away(desk):
    asked, code = desk.asked()
    elsewhere = desk.ask(asked=at(HOME, ip="203.0.113.9"))
    assert isinstance(elsewhere, CodeAsked)
    assert len(desk.sent()) == 1
    assert isinstance(desk.enter(elsewhere.code_id, code, entered=at(HOME, ip="203.0.113.9")), Wrong)
    assert isinstance(desk.enter(asked.code_id, code), Right)


def test_pauses_between_messages_grow(desk):
    pauses = []
    for _ in range(4):
        answer = desk.ask(REVEAL, IN_SESSION)
        pauses.append((answer.may_resend_at_us - desk.here.clock.now_us()) // SECOND_US)
        assert desk.ask(REVEAL, IN_SESSION) == TooMany(answer.may_resend_at_us, "resend")
        desk.here.clock.set(answer.may_resend_at_us)
    assert pauses == [30, 60, 120, 300]


def flood(desk, count, where=None, **options):
    """Ask so many times, each a quarter of an hour after the last, and return how many messages went out."""
    for number in range(count):
        desk.ask(LOGIN, where(number) if where else HOME, **options)
        desk.wait(900)
    return len(desk.sent())


def test_strangers_can_neither_flood_a_member_nor_see_the_limit(desk):
    assert flood(desk, 60, lambda number: at(HOME, ip=f"198.51.{number}.7")) == 10


def test_a_flood_of_strangers_takes_nothing_from_the_member_s_own_session(desk):
    for _ in range(5):
        again = desk.ask()
        desk.here.clock.set(again.may_resend_at_us + 300 * SECOND_US)
    assert len(desk.sent()) == 5
    answers = [desk.ask(Purpose(action="transfer", amount_yen=yen), IN_SESSION) for yen in range(13)]
    assert [isinstance(answer, CodeAsked) for answer in answers] == [True] * 12 + [False]
    assert answers[-1].why == "recipient"


def test_many_subjects_cannot_flood_one_number(desk):
    """One number that is typed at sign-up again and again, each time under another name."""
    for number in range(20):
        desk.ask(Purpose(action="sign_up"), at(HOME, ip=f"198.51.{number}.7"), subject=f"applicant {number}")
    assert len(desk.sent()) == 5


def test_a_block_of_numbers_cannot_be_pumped(desk):
    for number in range(60):
        desk.ask(
            Purpose(action="sign_up"),
            at(HOME, ip=f"198.51.{number}.7"),
            subject=f"applicant {number}",
            to=Contact(Channel.SMS, f"+81901234{number:04d}"),
        )
    assert len(desk.sent()) == 30


def applicants(desk, count, where):
    """Let so many people ask, each once, for a number of their own in a block of its own."""
    return [
        desk.ask(
            Purpose(action="sign_up"),
            where(number),
            subject=f"applicant {number}",
            to=Contact(Channel.SMS, f"+8190{1000 + number}5678"),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("where", "most", "why"),
    [
        (lambda _: HOME, 30, "address"),
        (lambda number: at(HOME, ip=f"2001:db8:0:1::{number:x}"), 30, "address"),
        (lambda number: at(HOME, ip=f"198.51.100.{number % 250}"), 200, "prefix"),
        (lambda number: at(HOME, ip=f"2001:db8:0:{number:x}::1"), 200, "prefix"),
        (lambda number: at(HOME, ip=f"198.{number // 250}.{number % 250}.7"), 300, "everybody"),
    ],
)
def test_sources_are_limited_by_address_by_prefix_and_in_all(desk, where, most, why):
    answers = applicants(desk, most + 5, where)
    assert [isinstance(answer, CodeAsked) for answer in answers] == [True] * most + [False] * 5
    assert answers[-1].why == why
    assert answers[-1].again_at_us > desk.here.clock.now_us()


def test_a_decoy_is_limited_by_its_source_as_a_code_is(desk):
    for number in range(30):
        assert isinstance(desk.decoy(subject=f"nobody {number}"), CodeAsked)
    assert isinstance(desk.decoy(subject="somebody"), TooMany)
    assert isinstance(desk.ask(), TooMany)


def test_a_limit_ends_with_its_span_and_a_clock_that_jumped_does_not_stretch_it(tmp_path):
    strict = STRANGERS._replace(address=(Limit(2, HOUR_US),))
    desk = code_desk(tmp_path, strangers=strict)
    try:
        applicants(desk, 2, lambda _: HOME)
        refused = desk.decoy()
        assert refused == TooMany(desk.here.clock.now_us() + HOUR_US, "address")
        desk.here.clock.set(refused.again_at_us)
        applicants(desk, 2, lambda _: HOME)
        desk.here.clock.advance(-DAY_US)
        assert isinstance(desk.decoy(), CodeAsked)
    finally:
        desk.here.store.close()


def test_wrong_tries_are_counted_over_all_codes_of_a_subject(desk):
    """Asking for new codes does not bring new tries without end."""
    wrong = 0
    for _ in range(5):
        asked, code = desk.asked()
        for _ in range(4):
            wrong += isinstance(desk.enter(asked.code_id, other(code)), Wrong)
        desk.wait(301)
    assert wrong == 15
    assert isinstance(desk.ask(REVEAL, IN_SESSION), CodeAsked)


def test_failures_are_on_record(desk):
    asked, code = desk.asked()
    desk.enter(asked.code_id, other(code))
    with desk.here.store.read() as connection:
        row = connection.execute(select(code_failure)).one()
    assert (row.code_id, row.subject, row.ip) == (asked.code_id, desk.someone, HOME.ip)


def test_a_code_that_two_enter_at_once_opens_once(desk):
    asked, code = desk.asked()

    async def both():
        entering = [desk.codes.enter(asked.code_id, desk.someone, LOGIN, code, HOME) for _ in range(8)]
        return await asyncio.gather(*entering)

    answers = asyncio.run(both())
    assert [type(answer) for answer in answers].count(Right) == 1


STOLEN = at(HOME, ip="203.0.113.9", user_agent=PHONE, asn=64999, country="RO", device_id="dev_x")


def test_a_relayed_code_is_answered_as_a_wrong_one_and_is_worth_nothing_afterwards(desk):
    asked, code = desk.asked(asked=at(HOME, device_id=desk.trust()))
    assert desk.enter(asked.code_id, code, entered=STOLEN) == Wrong(4)
    assert desk.enter(asked.code_id, code, entered=STOLEN) == Wrong(3)
    assert desk.enter(asked.code_id, code) == Wrong(2)
    (told,) = desk.told("code:relay:stopped")
    assert told["subject"] == desk.someone
    assert {"other_country", "other_device", "other_browser"} <= set(told["signs"])


def test_the_member_hears_of_a_relayed_code_on_every_channel(desk):
    contacts = {Item.MOBILE_PHONE: MOBILE.value, Item.EMAIL: "hanako@example.jp"}
    keyring, now_us = desk.here.parts.keyring, desk.here.clock.now_us()
    desk.here.store.write(
        lambda connection: store(connection, keyring, desk.someone, contacts, now_us)
    ).result()
    asked, code = desk.asked(asked=at(HOME, device_id=desk.trust()))
    desk.enter(asked.code_id, code, entered=STOLEN)
    _, *notices = desk.sent()
    assert sorted(notice.to for notice in notices) == sorted(contacts.values())
    assert all("ルーマニア" in notice.text and code not in notice.text for notice in notices)


def test_a_wrong_code_tells_nothing_of_the_relay_test(desk):
    asked, code = desk.asked(asked=at(HOME, device_id=desk.trust()))
    assert desk.enter(asked.code_id, other(code), entered=STOLEN) == Wrong(4)
    assert desk.told("code:relay:stopped") == []
    assert isinstance(desk.enter(asked.code_id, code, entered=at(HOME, device_id=desk.someone)), Wrong)


def test_what_the_guard_stops_is_answered_as_a_wrong_code(desk):
    asked, code = desk.asked()
    assert desk.enter(asked.code_id, code, stopped=True) == Wrong(4)
    assert desk.enter(asked.code_id, code) == Wrong(3)


def test_the_guard_gets_the_signs_before_the_code_is_looked_at(desk):
    asked, _ = desk.asked()
    evidence = asyncio.run(desk.codes.relay_evidence(asked.code_id, desk.someone, at(HOME, user_agent=PHONE)))
    assert evidence.names == ("other_browser",)
    nothing = asyncio.run(desk.codes.relay_evidence(asked.code_id, "somebody else", STOLEN))
    assert nothing.names == ()


def test_a_stranger_with_the_password_gets_in_with_little(desk):
    """Another machine than the member's: a new laptop, or somebody else's. It can't be told, so it may do
    little.
    """
    desk.trust()
    elsewhere = at(HOME, ip="203.0.113.9", user_agent=LAPTOP, asn=64999)
    asked, code = desk.asked(asked=elsewhere)
    answer = desk.enter(asked.code_id, code, entered=elsewhere)
    assert answer.relay.names == ("strange_device", "strange_network")
    assert answer.relay.strength is Strength.WEAK


def test_what_is_old_is_forgotten(desk):
    """Where somebody was when a code was asked for is kept as evidence, and not for ever."""
    old, code = desk.asked()
    desk.enter(old.code_id, other(code))
    desk.wait(89 * 86_400)
    recent = desk.ask()
    assert asyncio.run(desk.codes.sweep()) == 0
    desk.wait(86_401)
    assert asyncio.run(desk.codes.sweep()) == 2
    with desk.here.store.read() as connection:
        assert connection.execute(select(one_time_code.c.id)).scalars().all() == [recent.code_id]
        assert connection.execute(select(code_failure)).all() == []


def test_ten_minutes_are_the_most(desk):
    asked = desk.ask()
    assert asked.expires_at_us - desk.here.clock.now_us() <= 10 * MINUTE_US
