"""A partner makes, reads, changes and takes away its own stream, and nobody else's."""

from typing import Any

import pytest
from tests.sharing.partner_client import EAR, PARTNER, POLL, played

from sekisho.kernel.clock import SECOND_US
from sekisho.sharing import partners, streams
from sekisho.sharing.events import SHAREABLE
from sekisho.sharing.stream_status import Change, change_within
from sekisho.sharing.streams import Status
from sekisho.storage.tables.signals import signal_outgoing, signal_subject

SUBJECT = {"format": "iss_sub", "iss": "https://id.example", "sub": "s"}
REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"


def test_discovery_says_where_everything_is(tmp_path):
    async def play(ask):
        said = (await ask("GET", "/.well-known/ssf-configuration", authorization="")).json()
        origin = ask.house.origin
        assert said["spec_version"] == "1_0"
        assert said["issuer"] == origin
        assert said["delivery_methods_supported"] == ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"]
        assert said["authorization_schemes"] == [{"spec_urn": "urn:ietf:rfc:6750"}]
        assert said["default_subjects"] == "ALL"
        assert all(url.startswith(f"{origin}/ssf/") for name, url in said.items() if "endpoint" in name)
        keys = (await ask("GET", said["jwks_uri"].removeprefix(origin), authorization="")).json()["keys"]
        assert {key["alg"] for key in keys} == {"RS256", "ES256"}
        assert not any("d" in key for key in keys)

    played(tmp_path, play)


def test_a_stream_is_made_read_and_taken_away(tmp_path):
    async def play(ask):
        made = await ask.stream(delivery=EAR, events_requested=[REVOKED, "urn:new"], description="ours")
        assert made == {
            "stream_id": made["stream_id"],
            "iss": ask.house.origin,
            "aud": PARTNER,
            "events_supported": list(SHAREABLE),
            "events_requested": [REVOKED, "urn:new"],
            "events_delivered": [REVOKED],
            # The header that it is to bring is told to nobody again.
            "delivery": {"method": EAR["method"], "endpoint_url": EAR["endpoint_url"]},
            "min_verification_interval": 60,
            "description": "ours",
        }
        one = f"/ssf/streams?stream_id={made['stream_id']}"
        assert (await ask("GET", one)).json() == made
        assert (await ask("GET", "/ssf/streams")).json() == [made]
        assert (await ask("POST", "/ssf/streams", {})).status_code == 409
        assert (await ask("DELETE", one)).status_code == 204
        assert (await ask("GET", one)).status_code == 404
        assert (await ask("GET", "/ssf/streams")).json() == []

    played(tmp_path, play)


def test_without_a_word_on_delivery_a_receiver_polls(tmp_path):
    async def play(ask):
        made = await ask.stream()
        poll = f"{ask.house.origin}/ssf/poll/{made['stream_id']}"
        assert made["delivery"] == {"method": POLL, "endpoint_url": poll}
        assert made["events_requested"] == list(SHAREABLE)

    played(tmp_path, play)


def test_update_leaves_what_it_does_not_name_and_replace_sets_it_back(tmp_path):
    async def play(ask):
        made = await ask.stream(delivery=EAR, events_requested=[REVOKED], description="ours")
        which = {"stream_id": made["stream_id"]}
        updated = (await ask("PATCH", "/ssf/streams", which | {"description": "other"})).json()
        assert updated == made | {"description": "other"}
        # What the transmitter says may be sent back unchanged.
        again = await ask("PATCH", "/ssf/streams", updated | {"delivery": EAR})
        assert (again.status_code, again.json()) == (200, updated)
        replaced = (await ask("PUT", "/ssf/streams", which | {"events_requested": []})).json()
        assert replaced["delivery"]["method"] == POLL
        assert "description" not in replaced
        assert replaced["events_delivered"] == []
        for name in ("iss", "aud", "stream_id"):
            lie = replaced | {"delivery": EAR, name: "https://other.example"}
            answer = await ask("PATCH", "/ssf/streams", lie)
            assert answer.status_code == (404 if name == "stream_id" else 400), name

    played(tmp_path, play)


UNFIT = {
    "a third place": {"delivery": EAR | {"endpoint_url": "https://third.example/ear"}},
    "a neighbour by name": {"delivery": EAR | {"endpoint_url": "https://partner.example.evil/ear"}},
    "a user in it": {"delivery": EAR | {"endpoint_url": "https://partner.example@evil.example/ear"}},
    "in the clear": {"delivery": EAR | {"endpoint_url": "http://partner.example/ear"}},
    "another port": {"delivery": EAR | {"endpoint_url": "https://partner.example:8443/ear"}},
    "no place": {"delivery": {"method": EAR["method"]}},
    "a header of two lines": {"delivery": EAR | {"authorization_header": "Bearer a\r\nx: y"}},
    "an unknown method": {"delivery": {"method": "urn:carrier-pigeon"}},
    "a type of event that is none": {"events_requested": [1]},
    "too many types of events": {"events_requested": ["urn:x"] * 65},
    "an id of its own": {"stream_id": "mine"},
    "an audience of its own": {"aud": "https://other.example"},
}


def test_what_a_stream_cannot_be_is_refused(tmp_path):
    """Above all, nobody can have us send anything to a place that the operator did not agree to."""

    async def play(ask):
        for name, said in UNFIT.items():
            answer = await ask("POST", "/ssf/streams", said)
            assert answer.status_code == 400, name
            assert answer.headers["content-type"] == "application/problem+json"
        for body in (b"", b"[]", b"{", b'{"delivery": 1}', b"[" * 50_000):
            assert (await ask("POST", "/ssf/streams", body)).status_code == 400
        assert (await ask("POST", "/ssf/streams", b" " * 300_000)).status_code == 413
        assert (await ask("GET", "/ssf/streams")).json() == []

    played(tmp_path, play)


ROUTES: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("POST", "/ssf/streams", {}),
    ("GET", "/ssf/streams", None),
    ("PATCH", "/ssf/streams", {"stream_id": "x"}),
    ("PUT", "/ssf/streams", {"stream_id": "x"}),
    ("DELETE", "/ssf/streams?stream_id=x", None),
    ("GET", "/ssf/status?stream_id=x", None),
    ("POST", "/ssf/status", {"stream_id": "x", "status": "paused"}),
    ("POST", "/ssf/subjects/add", {"stream_id": "x", "subject": SUBJECT}),
    ("POST", "/ssf/subjects/remove", {"stream_id": "x", "subject": SUBJECT}),
    ("POST", "/ssf/verification", {"stream_id": "x"}),
    ("POST", "/ssf/poll/x", {}),
)


@pytest.mark.parametrize("token", ["none", "wrong", "ssf_" + "A" * 43])
def test_nothing_answers_without_the_agreed_token(tmp_path, token):
    async def play(ask):
        ask.token = token
        for method, path, body in ROUTES:
            answer = await ask(method, path, body)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
            # A token in the address is none: addresses are written into logs.
            assert (await ask(method, path, body, authorization="")).status_code == 401

    played(tmp_path, play)


def test_another_partner_s_stream_is_none(tmp_path):
    """With a token of its own a partner finds its own stream, and for every other id nothing."""

    async def play(ask):
        made = await ask.stream(delivery=EAR)
        issuer = "https://other.example"
        ask.token = ask.house.write(lambda at: partners.admit(at, ask.house.parts, issuer))
        for method, path, body in ROUTES[2:]:
            mine = None if body is None else {**body, "stream_id": made["stream_id"]}
            named = path.replace("=x", f"={made['stream_id']}").replace("/x", f"/{made['stream_id']}")
            assert (await ask(method, named, mine)).status_code == 404, path
        assert (await ask("GET", "/ssf/streams")).json() == []

    played(tmp_path, play)


def test_a_renewed_agreement_makes_the_old_token_worthless(tmp_path):
    async def play(ask):
        renewed = ask.house.write(lambda at: partners.admit(at, ask.house.parts, PARTNER))
        assert (await ask("GET", "/ssf/streams")).status_code == 401
        ask.token = renewed
        assert (await ask("GET", "/ssf/streams")).status_code == 200
        assert ask.house.write(lambda at: partners.part_with(at, PARTNER))
        assert (await ask("GET", "/ssf/streams")).status_code == 401

    played(tmp_path, play)


def test_a_receiver_pauses_its_stream_and_goes_on(tmp_path):
    async def play(ask):
        made = await ask.stream()
        which = {"stream_id": made["stream_id"]}
        status = f"/ssf/status?stream_id={made['stream_id']}"
        assert (await ask("GET", status)).json() == which | {"status": "enabled"}
        said = which | {"status": "paused", "reason": "works"}
        assert (await ask("POST", "/ssf/status", said)).json() == said
        assert (await ask("GET", status)).json() == said
        assert (await ask("POST", "/ssf/status", which | {"status": "asleep"})).status_code == 400
        await ask("POST", "/ssf/verification", which)
        polled = await ask("POST", f"/ssf/poll/{made['stream_id']}", {"returnImmediately": True})
        assert polled.json() == {"sets": {}, "moreAvailable": False}
        await ask("POST", "/ssf/status", which | {"status": "enabled"})
        polled = await ask("POST", f"/ssf/poll/{made['stream_id']}", {"returnImmediately": True})
        assert len(polled.json()["sets"]) == 1

    played(tmp_path, play)


def test_what_the_operator_does_to_a_stream_is_told_over_it(tmp_path):
    """A pause is told although the stream is paused; a stop ends what waits, and is told as well."""

    async def play(ask):
        made = await ask.stream()
        await ask("POST", "/ssf/verification", {"stream_id": made["stream_id"]})
        house = ask.house

        def change(status):
            return house.write(
                lambda at: change_within(at, house.parts, house.stream(), Change(status, "maintenance"))
            )

        assert change(Status.PAUSED).status is Status.PAUSED
        assert change(Status.DISABLED).status is Status.DISABLED
        assert change(Status.DISABLED).status is Status.DISABLED
        rows = {(row.event_type.rpartition("/")[2], row.state) for row in house.rows(signal_outgoing)}
        assert rows == {("verification", "expired"), ("stream-updated", "waiting")}
        assert len(house.rows(signal_outgoing)) == 3

    played(tmp_path, play)


def test_a_verification_is_asked_for_once_a_minute(tmp_path):
    async def play(ask):
        made = await ask.stream()
        which = {"stream_id": made["stream_id"], "state": "s"}
        assert (await ask("POST", "/ssf/verification", which)).status_code == 204
        answer = await ask("POST", "/ssf/verification", which)
        assert (answer.status_code, answer.json()["code"]) == (429, "asked_too_often")
        ask.house.clock.advance(60 * SECOND_US)
        assert (await ask("POST", "/ssf/verification", which)).status_code == 204
        assert (await ask("POST", "/ssf/verification", which | {"state": "s" * 1_025})).status_code == 400

    played(tmp_path, play)


def test_subjects_come_and_go_in_silence(tmp_path):
    """Whether we know somebody shows in no answer; what is no subject is refused."""

    async def play(ask):
        which = {"stream_id": (await ask.stream())["stream_id"]}
        for subject in (SUBJECT, {"format": "email", "email": "a@b.example"}):
            said = which | {"subject": subject, "verified": True}
            assert (await ask("POST", "/ssf/subjects/remove", said)).status_code == 204
            assert (await ask("POST", "/ssf/subjects/add", said)).status_code == 200
        for subject in ({}, {"format": "iss_sub", "iss": "x"}, {"format": "?"}, {"sub": "x"}):
            assert (await ask("POST", "/ssf/subjects/add", which | {"subject": subject})).status_code == 400
        assert [row.wanted for row in ask.house.rows(signal_subject)] == [True]

    played(tmp_path, play)


def test_subjects_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "SUBJECTS_MAX", 2)

    async def play(ask):
        which = {"stream_id": (await ask.stream())["stream_id"]}
        said = [which | {"subject": SUBJECT | {"sub": str(n)}} for n in range(3)]
        statuses = [(await ask("POST", "/ssf/subjects/remove", each)).status_code for each in said]
        assert statuses == [204, 204, 429]
        assert len(ask.house.rows(signal_subject)) == 2

    played(tmp_path, play)


def test_other_paths_and_methods_are_none(tmp_path):
    async def play(ask):
        assert (await ask("GET", "/ssf/nothing")).status_code == 404
        answer = await ask("DELETE", "/ssf/verification")
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]

    played(tmp_path, play)
