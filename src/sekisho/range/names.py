"""Login names and passwords as people choose them: many alike, some the same."""

from sekisho.kernel.chance import Chance

FAMILY = (
    "sato", "suzuki", "takahashi", "tanaka", "watanabe", "ito", "yamamoto", "nakamura", "kobayashi", "kato",
    "yoshida", "yamada", "sasaki", "yamaguchi", "matsumoto", "inoue", "kimura", "hayashi", "shimizu",
    "yamazaki", "mori", "abe", "ikeda", "hashimoto", "yamashita", "ishikawa", "nakajima", "maeda", "fujita",
    "ogawa", "goto", "okada", "hasegawa", "murakami", "kondo", "ishii", "saito", "sakamoto", "endo", "aoki",
    "fujii", "nishimura", "fukuda", "ota", "miura",
)  # fmt: skip
GIVEN = (
    "hana", "yui", "rin", "aoi", "mei", "sakura", "yuna", "himari", "akari", "riko", "haruto", "sota",
    "yuto", "minato", "ren", "riku", "asahi", "kenji", "makoto", "takashi", "hiroshi", "kazuya", "naoki",
    "shota", "daiki", "tsubasa", "emi", "kana", "mika", "naomi", "yuko", "keiko", "tomoko", "ai", "mai",
    "ayaka", "misaki", "chihiro",
)  # fmt: skip
WORDS = (
    "sakura", "momiji", "hikari", "dragon", "soccer", "pokapoka", "neko", "inu", "fuji", "tokyo", "osaka",
    "love", "ichigo", "natsu", "umi", "sora",
)  # fmt: skip
POPULAR = 0.18
"""Share of passwords that many people have in common."""


def login_name(chance: Chance) -> str:
    """Draw a login name: people of the same name take a number."""
    family, given = chance.choose(FAMILY), chance.choose(GIVEN)
    shape = chance.below(4)
    if shape == 0:
        return f"{given}.{family}{chance.below(100):02d}"
    if shape == 1:
        return f"{given[0]}{family}{chance.below(10_000):04d}"
    if shape == 2:  # noqa: PLR2004 - the third of four shapes
        return f"{family}-{given}{1950 + chance.below(60)}"
    return f"{given}{chance.below(10_000):04d}"


def password(chance: Chance) -> str:
    """Draw a password: a popular one, or a word and a number of one's own."""
    if chance.fraction() < POPULAR:
        return f"{chance.choose(WORDS)}{chance.choose(('', '1', '123', '1234', '2020'))}"
    return f"{chance.choose(WORDS)}{chance.choose(GIVEN)}{chance.below(1_000_000)}"


def mistyped(text: str, chance: Chance) -> str:
    """Return the text as a hurried thumb types it: two letters swapped, or one left out."""
    at = chance.below(max(1, len(text) - 1))
    if chance.below(2) and text[at : at + 1] != text[at + 1 : at + 2]:
        return text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :]
