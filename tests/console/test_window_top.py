"""The largest keys of a sliding window, within bounded memory."""

from sekisho.console.window_top import WindowTop


def window(keys_max=3):
    return WindowTop(minutes=2, keys_max=keys_max, columns=2, rest="rest")


def test_counts_are_added_over_the_minutes_of_the_window():
    """Two minutes are kept, the third is gone."""
    top = window()
    for at_s in (0, 60, 120):
        top.add("a", 1, at_s)
    assert top.largest(120, 5, by_columns=slice(1, None)) == [("a", (0, 2))]


def test_invented_keys_share_one_place():
    """A flood of new keys costs no memory and hides no count."""
    top = window()
    for number in range(1_000):
        top.add(f"key{number}", 0, 0)
    rows = dict(top.largest(0, 10, by_columns=slice(0, None)))
    assert rows == {"rest": (997, 0), "key0": (1, 0), "key1": (1, 0), "key2": (1, 0)}


def test_the_largest_comes_first_by_the_columns_that_were_asked_for():
    """Ties go to the larger sum over all columns, then to the name."""
    top = window()
    for key, column in (("busy", 0), ("busy", 0), ("bad", 1), ("idle", 0)):
        top.add(key, column, 0)
    assert [key for key, _ in top.largest(0, 3, by_columns=slice(1, None))] == ["bad", "busy", "idle"]
