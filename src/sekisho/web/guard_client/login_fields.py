"""Read the member and the secret out of a login's body, or refuse: what cannot be read cannot be judged.

A field that is sent twice is refused, because the application behind might read the other one.
"""

import json
from typing import NamedTuple
from urllib.parse import parse_qsl

from sekisho.web.problems import Malformed, UnsupportedMediaType

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
FORM_FIELDS_MAX = 100


class LoginFields(NamedTuple):
    """What a login claims."""

    member: str
    secret: str


def read_login_fields(body: bytes, content_type: str, member_field: str, secret_field: str) -> LoginFields:
    """Return the claimed member and the secret, which may be empty.

    Refuses with `unsupported_media_type` where the body is neither an urlencoded form nor JSON, and with
    `malformed` where the member is missing, is empty, or stands there twice.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in {FORM, JSON}:
        raise UnsupportedMediaType(told=f"A login is {FORM} or {JSON}.")
    try:
        pairs = _form(body) if media_type == FORM else _json(body)
    except (ValueError, RecursionError) as failure:
        raise Malformed(known=str(failure)) from None
    member = _one(pairs, member_field)
    if not member:
        raise Malformed(told=f"The field {member_field} is missing.")
    return LoginFields(member, _one(pairs, secret_field))


def _form(body: bytes) -> list[tuple[str, object]]:
    return [*parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX)]


def _json(body: bytes) -> list[tuple[str, object]]:
    outermost: list[tuple[str, object]] = []

    def keep(pairs: list[tuple[str, object]]) -> dict[str, object]:
        # Called from the inside out: the last call is the object that holds all others.
        outermost[:] = pairs
        return dict(pairs)

    if not isinstance(json.loads(body.decode(), object_pairs_hook=keep), dict):
        raise ValueError("not an object")  # noqa: TRY004 - a wrong value in the body, not a wrong argument
    return outermost


def _one(pairs: list[tuple[str, object]], name: str) -> str:
    values = [value for key, value in pairs if key == name]
    if len(values) > 1:
        raise Malformed(told=f"The field {name} stands there twice.")
    if not values or values[0] is None:
        return ""
    if not isinstance(values[0], str):
        raise Malformed(told=f"The field {name} is not a text.")
    return values[0]
