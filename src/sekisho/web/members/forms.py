"""Read a posted form within limits."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request

from sekisho.web.problems import Malformed, UnsupportedMediaType

BODY_OCTETS_MAX = 65_536
FIELDS_MAX = 64
FIELD_LENGTH_MAX = 32_768
FORM_TYPE = "application/x-www-form-urlencoded"


class Form:
    """A posted form: each field once, as text. What was not sent is empty."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = dict(fields)

    def __getitem__(self, name: str) -> str:
        """Return a field exactly as it was typed."""
        return self._fields.get(name, "")

    def trimmed(self, name: str) -> str:
        """Return a field without the spaces around it."""
        return self[name].strip()

    def only(self, *names: str) -> dict[str, str]:
        """Return these fields, to fill a form in again."""
        return {name: self[name] for name in names}


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """Return the form of a request. Refuses with `malformed`, `too_large` or `unsupported_media_type`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise UnsupportedMediaType(told=f"The body must be {FORM_TYPE}.")
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError as error:
        raise Malformed(known=f"{type(error).__name__} in a form of {len(body)} octets") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed(known="a field stands in the form twice")
    if any(len(value) > FIELD_LENGTH_MAX for value in fields.values()):
        raise Malformed(known="a field is too long")
    if any("\0" in value for value in fields.values()):
        raise Malformed(known="a field holds what is no text")
    return Form(fields)
