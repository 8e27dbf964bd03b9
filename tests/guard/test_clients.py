import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.guard import clients
from sekisho.guard.clients import code16, read_client

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_{} like Mac OS X) AppleWebKit/605.1.15 Version/17.{} Safari/604.1"
)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/{}.0.0.0 Safari/537.36"


def test_an_update_changes_the_text_and_not_the_program():
    old, new = (read_client(CHROME.format(version)) for version in (125, 126))
    assert old.exact != new.exact
    assert (old.family, old.system) == (new.family, new.system)


@pytest.mark.parametrize(
    "inside",
    ["Line/14.0", "[FBAN/FBIOS]", "CriOS/126", "GSA/300", "Edg/126", "OPR/99", "FxiOS/120", "YJApp-IOS"],
)
def test_a_program_built_on_a_browser_is_not_that_browser(inside):
    plain = IPHONE.format(1, 1)
    assert read_client(f"{plain} {inside}").family != read_client(plain).family


@pytest.mark.parametrize(
    ("text", "system"),
    [
        pytest.param(IPHONE.format(1, 1), 1, id="iPhone"),
        pytest.param("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Safari/604.1", 2, id="iPad"),
        pytest.param("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126 Mobile", 3, id="Android"),
        pytest.param(CHROME.format(126), 4, id="Windows"),
        pytest.param("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/17.1 Safari/605", 5, id="Mac"),
        pytest.param("Mozilla/5.0 (X11; CrOS x86_64) Chrome/126", 6, id="Chromebook"),
        pytest.param("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Firefox/127.0", 7, id="Linux"),
        pytest.param("curl/8.5.0", 0, id="not told"),
        pytest.param("", 0, id="empty"),
    ],
)
def test_the_system_is_read(text, system):
    assert read_client(text).system == system


def test_one_program_on_two_systems_is_two_families():
    assert read_client("Member/2.1 (iPhone)").family != read_client("Member/2.1 (Android)").family


def test_a_program_of_one_s_own_is_known_by_its_first_word():
    assert read_client("Member/2.1 (iPhone)").family == read_client("Member/3.0 (iPhone)").family
    assert read_client("Member/2.1 (iPhone)").family != read_client("Robot/2.1 (iPhone)").family


def test_the_end_of_an_endless_text_is_not_read():
    assert read_client("x" * 600) == read_client("x" * 512)


def test_an_attacker_s_endless_texts_are_not_kept():
    """A new text with every attempt costs no memory that grows."""
    for number in range(2 * clients._CACHE_MAX + 5):  # noqa: SLF001 - the bound is the point
        read_client(f"robot {number}")
        code16(f"hello {number}")
    assert len(clients._cache) <= clients._CACHE_MAX  # noqa: SLF001 - likewise
    assert len(clients._codes) <= clients._CACHE_MAX  # noqa: SLF001 - likewise
    read_client("y" * 10_000)
    code16("y" * 10_000)
    assert max(map(len, clients._codes)) < 10_000  # noqa: SLF001 - likewise
    assert max(map(len, clients._cache)) < 10_000  # noqa: SLF001 - likewise


@given(st.text())
def test_a_code_has_16_bits_and_is_the_same_again(text):
    """The second answer comes from a cache."""
    assert 0 <= code16(text) <= 0xFFFF
    assert code16(text) == code16(text)
    assert code16("") == 0
    client = read_client(text)
    assert client == read_client(text)
    assert all(0 <= part <= 0xFFFF for part in client)
