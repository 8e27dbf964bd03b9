"""Whoever speaks HTTP to the running program without a browser: an attacker's tool, at its own address."""

from typing import Any

import httpx
from tests.end_to_end.running_sekisho import Running
from tests.identity.member_at_hand import CHROME
from tests.web.member_site import Forms


class HttpBrowser:
    """Keeps cookies, follows redirects within one host, and fills in forms; each header can be another."""

    def __init__(self, running: Running, *, host: str = "lender", ip: str = "198.51.100.7") -> None:
        self.origin = running.origin(host)
        self.cookies: dict[str, str] = {}
        self.path = ""
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{running.port}",
            headers={
                "Host": self.origin.removeprefix("http://"),
                "X-Forwarded-For": ip,
                "User-Agent": CHROME,
                "Accept": "text/html",
                "Accept-Language": "ja",
            },
            timeout=30,
            trust_env=False,
        )
        self.page: httpx.Response

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a path."""
        return self._follow("GET", path, headers={"Sec-Fetch-Site": "none"} | headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form, as a page of this origin does unless the headers say otherwise."""
        own = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        return self._follow("POST", path, headers=own | headers, data=fields)

    def post_once(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Send a form of this origin, and stay with what is answered first."""
        own = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        return self._ask("POST", path, headers=own, data=fields)

    def submit(self, action: str, **typed: str) -> httpx.Response:
        """Send the page's first form to a path, with what was typed."""
        return self.post(action, self.fields(action) | typed)

    def fields(self, action: str) -> dict[str, str]:
        """Return the fields of the page's first form to a path."""
        forms = Forms(self.page.text).fields
        assert action in forms, f"no form to {action} on {self.path}, only to {sorted(forms)}"
        return forms[action][0]

    def token_for(self, action: str, page: str) -> dict[str, str]:
        """Open a page, and return the fields of its first form to a path."""
        self.get(page)
        return self.fields(action)

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _follow(self, method: str, path: str, headers: dict[str, str], **sent: Any) -> httpx.Response:
        answer = self._ask(method, path, headers, **sent)
        if answer.is_redirect and (onward := answer.headers["location"]).startswith("/"):
            return self._follow("GET", onward, headers={"Sec-Fetch-Site": "same-origin"})
        return answer

    def _ask(self, method: str, path: str, headers: dict[str, str], **sent: Any) -> httpx.Response:
        self.path = path
        jar = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        self.page = self._http.request(method, path, headers=headers | jar, **sent)
        for cookie in self.page.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return self.page
