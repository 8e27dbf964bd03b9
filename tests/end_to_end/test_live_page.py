"""`sekisho up --demo` as a newcomer sees it: an attack arrives and is stopped, live in the browser."""

import queue
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

pytestmark = pytest.mark.server

SEKISHO = Path(sys.executable).with_name("sekisho")
LINE_S_MAX = 50.0
END_S_MAX = 15.0
PAGE_MS_MAX = 40_000


class Terminal:
    """What a running program has written, line by line."""

    def __init__(self, process):
        self.process = process
        self.text = ""
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, words):
        """Read on until words appear, and return everything so far."""
        while words not in self.text:
            self.text += self._lines.get(timeout=LINE_S_MAX)
        return self.text


@contextmanager
def sekisho(*arguments):
    """Run a command; whatever happens in the block, the process is ended."""
    process = subprocess.Popen(
        [SEKISHO, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield Terminal(process)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def watched(url):
    """Open a page in Chromium; fail afterwards where the browser complained of anything."""
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(locale="en")
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        yield page
        browser.close()
    assert complaints == []


def found(pattern, text):
    """Return what a pattern finds, and say where it finds nothing."""
    match = re.search(pattern, text)
    assert match is not None, f"{pattern} is not in:\n{text}"
    return match


def figure(page, name):
    """Return one of the four figures as a number."""
    text = page.locator(f"#figures div:has(dt:text-is('{name}')) .amount").inner_text()
    return float(text.replace(",", "").rstrip("%"))


def test_an_attack_arrives_and_is_stopped_before_a_newcomer_s_eyes(tmp_path):
    """One command, one page: calm, then a campaign with its span, stopped attempts, and the scoreboard."""
    options = ("--demo", "--scale", "small", "--seed", "3", "--port", "0", "--data", str(tmp_path))
    with sekisho("up", *options) as terminal:
        welcome = terminal.until("Ctrl-C ends it.")
        url = found(r"http://console\.localhost:\d+", welcome).group()
        assert found(r"sk_[0-9a-f]{12}_\S{43}", welcome)
        with watched(url) as page:
            page.wait_for_selector("html[data-state=calm]", timeout=PAGE_MS_MAX)
            page.wait_for_selector("html[data-state^=attack]", timeout=PAGE_MS_MAX)
            page.wait_for_selector("#campaigns .campaign.live")
            page.wait_for_selector("#latest .verdict:not(.allow)")
            assert figure(page, "Attempts a second") > 0
            assert figure(page, "Stopped in 15 minutes") > 0
        board = terminal.until("Ctrl-C ends Sekisho")
        stopped = found(r"stopped +([\d,]+) \(([\d.]+) %\)", board)
        assert float(stopped.group(2)) > 50
        assert (tmp_path / "demo" / "logins.ndjson").read_text().count("\n") > 540
        terminal.process.send_signal(signal.SIGINT)
        terminal.until("Sekisho has ended")
        assert terminal.process.wait(END_S_MAX) == 0
        assert "Traceback" not in terminal.text


def test_an_attack_can_be_left_in_the_middle(tmp_path):
    """Ctrl-C while people stand at the door: no traceback, nothing lost."""
    with sekisho("up", "--demo", "--scale", "small", "--port", "0", "--data", str(tmp_path)) as terminal:
        terminal.until("a list-type attack")
        terminal.process.send_signal(signal.SIGINT)
        terminal.until("Sekisho has ended")
        assert terminal.process.wait(END_S_MAX) == 0
        assert "Traceback" not in terminal.text


def test_keys_and_record_are_for_their_owner_alone(tmp_path):
    """Others on the machine can read nothing; the API key is shown once and kept as a hash."""
    with sekisho("up", "--port", "0", "--data", str(tmp_path)) as terminal:
        key = found(r"sk_\S+", terminal.until("Ctrl-C ends it.")).group()
        terminal.process.send_signal(signal.SIGTERM)
        terminal.until("Sekisho has ended")
        assert terminal.process.wait(END_S_MAX) == 0
    kept = {path.name: path for path in tmp_path.iterdir()}
    assert {"guard.key", "api-keys.json", "sekisho.db"} <= set(kept)
    assert {path.stat().st_mode & 0o077 for path in kept.values()} == {0}
    assert key not in kept["api-keys.json"].read_text()
    with sekisho("up", "--port", "0", "--data", str(tmp_path)) as terminal:
        assert "sk_" not in terminal.until("Ctrl-C ends it.")


def test_what_is_in_use_is_said_in_a_sentence(tmp_path):
    """A port, or a data folder with another process on it: what happened, what to do, no traceback."""
    with sekisho("up", "--port", "0", "--data", str(tmp_path / "first")) as terminal:
        port = found(r"localhost:(\d+)", terminal.until("Ctrl-C ends it.")).group(1)
        for options, words in (
            (["--port", port, "--data", str(tmp_path / "second")], f"Port {port} cannot be used"),
            (
                ["--port", "0", "--data", str(tmp_path / "first")],
                "Another Sekisho process is using this store",
            ),
        ):
            with sekisho("up", *options) as second:
                said = second.until(words)
                assert second.process.wait(END_S_MAX) == 1
                assert "Traceback" not in said
