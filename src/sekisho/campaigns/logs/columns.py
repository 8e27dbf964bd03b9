"""Conversions of one raw column: texts, yes-or-no marks, whole numbers, words from a fixed list."""

from collections.abc import Mapping
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from sekisho.campaigns.logs.faults import Faults

TEXT_CHARS_MAX = 4_096
FEW = pa.dictionary(pa.int32(), pa.string())
_YES = {"1", "true", "1.0"}
_NO = {"0", "false", "0.0"}


def distinct_text(column: pa.Array | None, length: int) -> pa.StringArray:
    """Return a text column for values that mostly differ; absent is ''."""
    if column is None:
        return pa.repeat(pa.scalar("", pa.string()), length)
    return pc.fill_null(_as_text(column), "")


def repeating_text(column: pa.Array | None, length: int) -> pa.DictionaryArray:
    """Return a text column for values that repeat, each text held once; absent is ''."""
    if column is None:
        return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), length), pa.array([""]))
    if pa.types.is_dictionary(column.type) and column.dictionary.null_count == 0:
        return _nulls_as_empty(column.cast(FEW))
    return pc.dictionary_encode(pc.fill_null(_as_text(column), ""))


def _as_text(column: pa.Array) -> pa.StringArray:
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # nested values, or bytes that are not UTF-8
        return pa.array(
            [None if value is None else _spelled(value) for value in column.to_pylist()], pa.string()
        )


def _spelled(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _nulls_as_empty(column: pa.DictionaryArray) -> pa.DictionaryArray:
    if column.null_count == 0:
        return column
    values = column.dictionary
    empty = pc.index(values, "").as_py()
    if empty < 0:
        empty = len(values)
        values = pa.concat_arrays([values, pa.array([""], values.type)])
    return pa.DictionaryArray.from_arrays(pc.fill_null(column.indices, empty), values)


def cut_text(column: pa.Array, name: str, faults: Faults) -> pa.Array:
    """Cut texts at `TEXT_CHARS_MAX` characters, so that one huge header cannot fill the memory; counted."""
    values = column.dictionary if pa.types.is_dictionary(column.type) else column
    longest = pc.max(pc.binary_length(values)).as_py() or 0
    if longest <= TEXT_CHARS_MAX:
        return column
    short = pc.utf8_slice_codeunits(values, 0, TEXT_CHARS_MAX)
    cut = pc.utf8_length(values.take(column.indices) if values is not column else values)
    faults.note(f"{name}_cut", pc.sum(pc.greater(cut, TEXT_CHARS_MAX)).as_py())
    return short if values is column else pc.dictionary_encode(short.take(column.indices))


def words(column: pa.DictionaryArray, known: type[StrEnum], *, empty: StrEnum) -> pa.DictionaryArray:
    """Keep the words of a fixed list, whatever their case; '' becomes `empty`, null marks any other text."""
    positions = {word.value: position for position, word in enumerate(known)}
    positions[""] = positions[empty.value]
    found = [positions.get(text.strip().lower()) for text in column.dictionary.to_pylist()]
    codes = pa.array(found, pa.int32()).take(column.indices)
    return pa.DictionaryArray.from_arrays(codes, pa.array([word.value for word in known]))


def translated(column: pa.Array | None, length: int, words: Mapping[str, str]) -> pa.DictionaryArray:
    """Return another vocabulary's words in ours; keys are in lower case, an unknown word is ''."""
    texts = repeating_text(column, length)
    ours = [words.get(text.strip().lower(), "") for text in texts.dictionary.to_pylist()]
    return pc.dictionary_encode(pa.array(ours, pa.string()).take(texts.indices))


def flags(column: pa.Array | None, length: int, name: str, faults: Faults) -> pa.Int8Array:
    """Return 1 for yes, 0 for no, -1 for not recorded; anything else is counted and not recorded."""
    if column is None:
        return pa.repeat(pa.scalar(-1, pa.int8()), length)
    if pa.types.is_boolean(column.type):
        return pc.fill_null(column.cast(pa.int8()), -1)
    if pa.types.is_integer(column.type) and _within_flags(column):
        return pc.fill_null(column.cast(pa.int8()), -1)
    texts = repeating_text(column, length)
    codes, odd = [], []
    for text in texts.dictionary.to_pylist():
        word = text.strip().lower()
        codes.append(1 if word in _YES else 0 if word in _NO else -1)
        odd.append(word not in _YES and word not in _NO and word != "")
    faults.note(f"{name}_unknown", _count(pa.array(odd, pa.bool_()), texts))
    return pa.array(codes, pa.int8()).take(texts.indices)


def _within_flags(column: pa.Array) -> bool:
    lowest, highest = pc.min_max(column).values()
    return not lowest.is_valid or (lowest.as_py() >= 0 and highest.as_py() <= 1)


def _count(odd: pa.BooleanArray, texts: pa.DictionaryArray) -> int:
    if not pc.any(odd).as_py():
        return 0
    return int(pc.sum(odd.take(texts.indices)).as_py())


def whole_numbers(column: pa.Array | None, length: int, name: str, faults: Faults) -> pa.Int64Array:
    """Return whole numbers of 0 or more, null if absent; `AS12` is 12; anything else is counted."""
    if column is None:
        return pa.nulls(length, pa.int64())
    if pa.types.is_integer(column.type):
        try:
            numbers = column.cast(pa.int64())
        except pa.ArrowInvalid:
            pass
        else:
            return _none_negative(numbers, name, faults)
    texts = repeating_text(column, length)
    parsed = [_whole_number(text) for text in texts.dictionary.to_pylist()]
    odd = [
        number is None and text.strip() != ""
        for number, text in zip(parsed, texts.dictionary.to_pylist(), strict=True)
    ]
    faults.note(f"{name}_unknown", _count(pa.array(odd, pa.bool_()), texts))
    return pa.array(parsed, pa.int64()).take(texts.indices)


def _none_negative(numbers: pa.Int64Array, name: str, faults: Faults) -> pa.Int64Array:
    negative = pc.fill_null(pc.less(numbers, 0), False)
    if not pc.any(negative).as_py():
        return numbers
    faults.note(f"{name}_unknown", pc.sum(negative).as_py())
    return pc.if_else(negative, pa.scalar(None, pa.int64()), numbers)


def _whole_number(text: str) -> int | None:
    bare = text.strip().upper().removeprefix("AS").removesuffix(".0")
    if not bare.isascii() or not bare.isdigit() or len(bare) > len("9000000000000000000") - 1:
        return None
    return int(bare)
