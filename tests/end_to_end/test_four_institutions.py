"""Four institutions in one program: each answers for itself, and they know each other by their protocols."""

from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select
from tests.end_to_end.borrower import until
from tests.end_to_end.http_browser import HttpBrowser
from tests.end_to_end.running_sekisho import column

from sekisho.storage.tables.signals import signal_feed

pytestmark = pytest.mark.server

HEARS = {"wallet": {"id", "bank"}, "bank": {"wallet"}, "id": {"wallet", "lender"}, "lender": {"id"}}


def asked(running, host, path):
    """Ask a host of the program for a path."""
    headers = {"Host": f"{host}.localhost:{running.port}"}
    return httpx.get(f"http://127.0.0.1:{running.port}{path}", headers=headers, timeout=30)


@pytest.mark.parametrize("host", ["lender", "id", "wallet", "bank"])
def test_each_answers_under_its_own_name(running, host):
    """Its front page, and what it says of its signals; nobody answers for somebody else."""
    assert asked(running, host, "/").status_code == 200
    said = asked(running, host, "/.well-known/ssf-configuration").json()
    assert said["issuer"] == running.origin(host)


def test_signals_are_exchanged_between_those_who_know_each_other(running):
    """Introduced over HTTP after the start, both ways, and nobody else is heard."""

    def heard():
        """Say whether everybody hears everybody that they should."""
        for host, others in HEARS.items():
            issuers = set(running.read(column(select(signal_feed.c.issuer)), institution=host))
            if issuers != {running.origin(other) for other in others}:
                return False
        return True

    until(heard)


def test_the_wallet_sends_whoever_logs_in_to_the_id_as_its_client(running):
    """The ID knows the wallet and asks for a login of its own; for a strange client it does not."""
    browser = HttpBrowser(running, host="wallet")
    visitor = HttpBrowser(running, host="id")
    try:
        sent = browser.get("/login/id")
        there = urlsplit(sent.headers["location"])
        assert f"{there.scheme}://{there.netloc}" == running.origin("id")
        assert visitor.get(f"{there.path}?{there.query}").status_code == 200
        assert visitor.path.startswith("/login"), visitor.path
        strange = there.query.replace("client_id=kamome-wallet", "client_id=stranger")
        assert strange != there.query
        assert visitor.get(f"{there.path}?{strange}").status_code == 400
    finally:
        browser.close()
        visitor.close()


def test_the_bank_says_how_accounts_are_linked(running):
    """Under its own issuer, and as the wallet agreed with it."""
    said = asked(running, "bank", "/.well-known/oauth-authorization-server").json()
    assert said["issuer"] == running.origin("bank")
    assert (said["sekisho_bank_code"], said["sekisho_link_strength"]) == ("9901", 2)
