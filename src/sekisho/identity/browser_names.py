"""A browser in words that its owner recognises: "Chrome (Windows)", read off the user agent.

It is for people to read and decides nothing: anybody can send any text.
"""

# Browsers carry the names of those that they are built on, so the particular ones come first.
_PROGRAMS = (
    ("Line/", "LINE"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("CriOS", "Chrome"),
    ("FxiOS", "Firefox"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_in_words(user_agent: str) -> str:
    """Return program and system, as far as the text names any that we know; empty where it names none."""
    program = next((name for sign, name in _PROGRAMS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if program and system:
        return f"{program} ({system})"
    return program or system
