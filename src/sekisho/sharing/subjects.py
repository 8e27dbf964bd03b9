"""Subject identifiers (RFC 9493): whom an event is about, in words that two institutions have agreed on.

We name members by `iss_sub` and mandates or links by `opaque`. Other formats are read, so that nobody's event
is refused for them, and never match one of ours: an address or a number is no agreed identifier.
"""

import hashlib
from typing import Annotated, Any

import msgspec

from sekisho.kernel.chain import canonical
from sekisho.kernel.refusals import Refusal

NAME_MAX = 512
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]
_PARTS = frozenset({"user", "device", "session", "application", "tenant", "org_unit", "group"})
_MEMBERS = {
    "account": ("uri",),
    "aliases": ("identifiers",),
    "did": ("url",),
    "email": ("email",),
    "ip-addresses": ("ip-addresses",),
    "jwt_id": ("iss", "jti"),
    "phone_number": ("phone_number",),
    "saml_assertion_id": ("issuer", "assertion_id"),
    "uri": ("uri",),
}


class SubjectUnreadable(Refusal):
    """A subject identifier that is none: no format that is known, or a member of it is missing."""

    code = "subject_unreadable"
    status = 400
    told = "The subject is not a subject identifier."


class IssSub(msgspec.Struct, frozen=True, tag="iss_sub", tag_field="format"):
    """A member, by the name that an issuer gave it towards one partner."""

    iss: _Name
    sub: _Name


class Opaque(msgspec.Struct, frozen=True, tag="opaque", tag_field="format"):
    """A stream, a mandate or a link, by a name that says nothing by itself."""

    id: _Name


class Foreign(msgspec.Struct, frozen=True):
    """A subject in a format that names nobody here."""

    format: str


Subject = IssSub | Opaque
AnySubject = IssSub | Opaque | Foreign


def read_subject(value: object) -> AnySubject:
    """Read a subject identifier. Of a complex one (SSF 1.0) the user counts. Raises SubjectUnreadable."""
    if not isinstance(value, dict):
        raise SubjectUnreadable(known="no object")
    given = value.get("format", "complex" if _PARTS & value.keys() else None)
    if not isinstance(given, str):
        raise SubjectUnreadable(known="no format")
    if given in {"iss_sub", "opaque"}:
        return _convert(value)
    if given == "complex":
        return _of_complex(value)
    if given not in _MEMBERS:
        raise SubjectUnreadable(known="the format is not known")
    if not all(value.get(member) for member in _MEMBERS[given]):
        raise SubjectUnreadable(known=f"a {given} lacks a member")
    return Foreign(given)


def digest_of(subject: Subject) -> bytes:
    """Return what an agreed subject is found by: equal for equal subjects."""
    return hashlib.sha256(canonical(subject)).digest()


def _of_complex(value: dict[str, Any]) -> AnySubject:
    named = {part: value[part] for part in _PARTS & value.keys()}
    if not named:
        raise SubjectUnreadable(known="a complex subject without a part")
    for part in named.values():
        if not isinstance(part, dict) or part.get("format") == "complex":
            raise SubjectUnreadable(known="a part of a complex subject is no simple subject")
    read = {name: read_subject(part) for name, part in sorted(named.items())}
    return read.get("user", Foreign("complex"))


def _convert(value: dict[str, Any]) -> Subject:
    try:
        return msgspec.convert(value, IssSub | Opaque)
    except msgspec.ValidationError as error:
        raise SubjectUnreadable(known=str(error)) from error
