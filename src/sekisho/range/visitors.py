"""Those who come to the login over HTTP: members with their slips, and the attacker with his list."""

from typing import Protocol

import httpx
import msgspec

from sekisho.kernel.chance import SeededChance
from sekisho.range.arrivals import Arrival
from sekisho.range.attackers.list_attack import Try
from sekisho.range.login_house import Reply, solve
from sekisho.range.login_site import COOKIE, MARK
from sekisho.range.members import Visit
from sekisho.range.past import arrival_of

HAS_THE_PROOF_AT_HAND = 0.95
COMES_BACK_AFTER_A_REFUSAL = 1


class Door(Protocol):
    """A login that can be visited."""

    async def log_in(self, arrival: Arrival, mark: str) -> Reply:
        """Fill in the form."""
        ...

    async def take_step(self, token: str, given: str) -> Reply:
        """Give what was asked for."""
        ...


class HttpDoor:
    """The login's door over HTTP. Cookies are the visitor's to keep: nothing is remembered here."""

    def __init__(self, url: str, host: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._host = host
        self._transport = transport or httpx.AsyncHTTPTransport()

    async def log_in(self, arrival: Arrival, mark: str) -> Reply:
        """Post the form with everything that a server would see of this client."""
        headers = {
            "x-forwarded-for": arrival.ip,
            "x-client-tls": arrival.tls,
            "user-agent": arrival.user_agent,
            MARK.decode(): mark,
        }
        if arrival.cookie:
            headers["cookie"] = f"{COOKIE}={arrival.cookie}"
        return await self._post("/login", {"name": arrival.name, "password": arrival.password}, headers)

    async def take_step(self, token: str, given: str) -> Reply:
        """Post the step."""
        return await self._post("/login/step", {"token": token, "given": given}, {})

    async def aclose(self) -> None:
        """Go home."""
        await self._transport.aclose()

    async def _post(self, path: str, form: dict[str, str], headers: dict[str, str]) -> Reply:
        request = httpx.Request(
            "POST",
            self._url + path,
            headers={"host": self._host, "content-type": "application/json", **headers},
            content=msgspec.json.encode(form),
        )
        response = await self._transport.handle_async_request(request)
        reply = msgspec.json.decode(await response.aread(), type=Reply)
        cookie = response.headers.get("set-cookie", "").partition(";")[0].partition("=")[2]
        return msgspec.structs.replace(reply, cookie=cookie)


class Stay(msgspec.Struct, kw_only=True):
    """How a member's visit went: was the member let in, and how often was more asked for."""

    entered: bool = False
    asked: int = 0
    refused: int = 0


async def come(visit: Visit, door: Door, mark: str, now_us: int) -> Stay:
    """Log in as a member does: type, give the proof that is asked for, come back once after a refusal."""
    chance = SeededChance(visit.at_us)
    stay = Stay()
    for number in range(len(visit.typed)):
        right = visit.typed[number] == (visit.member.name, visit.member.password)
        for _ in range(1 + (COMES_BACK_AFTER_A_REFUSAL if right else 0)):
            reply = await door.log_in(arrival_of(visit, number, now_us), f"{mark}:{right:d}")
            if reply.next == "puzzle":
                reply = await door.take_step(reply.token, solve(reply.token))
            if reply.next == "confirm":
                stay.asked += right
                if chance.fraction() >= HAS_THE_PROOF_AT_HAND:
                    return stay
                reply = await door.take_step(reply.token, visit.member.prove(reply.token))
            if reply.next == "welcome":
                if visit.keeps_cookies and reply.cookie:
                    visit.device.cookie = reply.cookie
                stay.entered = True
                return stay
            stay.refused += right
    return stay


async def attack(one: Try, door: Door, mark: str, *, solves_puzzles: bool) -> bool:
    """Try one pair and move on: say whether it opened the account."""
    arrival = Arrival(
        at_us=one.at_us,
        name=one.name,
        password=one.password,
        ip=one.ip,
        user_agent=one.user_agent,
        tls=one.tls,
        cookie="",
    )
    reply = await door.log_in(arrival, mark)
    if reply.next == "puzzle" and solves_puzzles:
        reply = await door.take_step(reply.token, solve(reply.token))
    return reply.next == "welcome"
