"""One running program and one browser for the tests of a file; new people and devices for each test."""

import itertools

import pytest
from playwright.sync_api import sync_playwright
from tests.end_to_end.people import Handset, Member, devices
from tests.end_to_end.running_sekisho import running as run_sekisho

NUMBERS = itertools.count(1)


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory):
    with run_sekisho(tmp_path_factory.mktemp("up") / "data") as running:
        yield running


@pytest.fixture(name="chromium", scope="module")
def _chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(name="handset", scope="module")
def _handset(chromium, running):
    return Handset(chromium, running)


@pytest.fixture(name="device")
def _device(chromium, running):
    """Give out devices that know the lender."""
    with devices(chromium, running) as device:
        yield device


@pytest.fixture(name="member")
def _member():
    return Member(next(NUMBERS))


@pytest.fixture(name="other")
def _other():
    """Give somebody else who may become a member."""
    return Member(next(NUMBERS))
