"""The till of a shop: it calls the wallet with the merchant's API key, and keeps what was sold today."""

from typing import Any, NamedTuple

import httpx

from sekisho.kernel.chance import Chance

SOLD_MAX = 20
KEY_BITS = 128
REQUESTS, PAYMENTS = "/v1/till/requests", "/v1/till/payments"
ANSWER_S_MAX = 10.0


class Sale(NamedTuple):
    """Something sold: how much, and what the wallet calls the payment."""

    payment_id: str
    amount_yen: int
    refunded_yen: int


class Asking(NamedTuple):
    """A purchase for which the till shows a code."""

    request_id: str
    payload: str
    amount_yen: int


class Till:
    """One till. What it asks for once it asks for under one key, however often the line fails."""

    def __init__(self, client: httpx.AsyncClient, api_key: str, chance: Chance) -> None:
        """Take a client whose base URL is the wallet's."""
        self._client = client
        self._headers = {"Authorization": f"Bearer {api_key}", "Accept": "application/json"}
        self._chance = chance
        self._key = ""
        self.asking: Asking | None = None
        self.sold: list[Sale] = []
        self.trouble = ""

    async def ask(self, amount_yen: int) -> None:
        """Ask for a payment, and show a code for it."""
        told = await self._post(REQUESTS, {"amount_yen": amount_yen})
        if told is not None:
            self.asking = Asking(told["request_id"], told["payload"], amount_yen)

    async def look(self) -> None:
        """See whether the purchase was paid for which a code is shown."""
        if self.asking is None:
            return
        told = await self._get(f"{REQUESTS}/{self.asking.request_id}")
        if told is not None and told["state"] == "paid":
            self._keep(told["payment"])
            self.asking = None
        elif told is not None and told["state"] == "over":
            self.trouble, self.asking = "payment_request_over", None

    async def take(self, code: str, amount_yen: int) -> None:
        """Take a payment with the code that a member shows."""
        told = await self._post(PAYMENTS, {"code": code, "amount_yen": amount_yen})
        if told is not None:
            self._keep(told)

    async def give_back(self, payment_id: str) -> None:
        """Give back what is left of a payment."""
        sale = next((one for one in self.sold if one.payment_id == payment_id), None)
        if sale is None or sale.refunded_yen >= sale.amount_yen:
            return
        left = sale.amount_yen - sale.refunded_yen
        told = await self._post(f"{PAYMENTS}/{payment_id}/refunds", {"amount_yen": left})
        if told is not None:
            self._keep(told)

    def leave(self) -> None:
        """Show no code any more."""
        self.asking = None

    def _keep(self, payment: dict[str, Any]) -> None:
        sale = Sale(payment["payment_id"], payment["amount_yen"], payment["refunded_yen"])
        others = [one for one in self.sold if one.payment_id != sale.payment_id]
        self.sold = [sale, *others][:SOLD_MAX]

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        # A key lives until there is an answer: asked again after a broken line, it is the same request.
        self._key = self._key or f"{self._chance.bits(KEY_BITS):032x}"
        headers = self._headers | {"Idempotency-Key": self._key}
        return await self._told(self._client.build_request("POST", path, json=body, headers=headers))

    async def _get(self, path: str) -> dict[str, Any] | None:
        return await self._told(self._client.build_request("GET", path, headers=self._headers))

    async def _told(self, request: httpx.Request) -> dict[str, Any] | None:
        self.trouble = ""
        try:
            answer = await self._client.send(request)
        except httpx.HTTPError:
            self.trouble = "line"
            return None
        if request.method == "POST":
            self._key = ""
        told: dict[str, Any] = answer.json()
        if answer.is_error:
            self.trouble = told.get("code", "refused")
            return None
        return told
