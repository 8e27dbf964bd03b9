"""Scopes: what a client may learn about a member, each with the claims that it opens."""

from enum import StrEnum


class Scope(StrEnum):
    """What is asked for. A scope that is not here is ignored, as OpenID Connect Core 3.1.2.1 has it."""

    OPENID = "openid"
    """That a member logged in, when and how, and a subject that means nothing elsewhere."""

    PROFILE = "profile"
    """The member's name, in kanji and kana, and language."""

    EMAIL = "email"
    """The verified e-mail address."""

    PHONE = "phone"
    """The verified mobile number."""


CLAIMS: dict[Scope, tuple[str, ...]] = {
    Scope.OPENID: ("sub",),
    Scope.PROFILE: ("name", "name#ja-Kana-JP", "locale"),
    Scope.EMAIL: ("email", "email_verified"),
    Scope.PHONE: ("phone_number", "phone_number_verified"),
}


def in_order(scopes: set[Scope]) -> tuple[Scope, ...]:
    """Return scopes in the order in which they are shown, stored and sent."""
    return tuple(scope for scope in Scope if scope in scopes)


def parse(text: str) -> set[Scope]:
    """Return the scopes that we know out of a scope parameter."""
    asked = set(text.split(" "))
    return {scope for scope in Scope if scope in asked}


def write(scopes: tuple[Scope, ...]) -> str:
    """Return scopes as the scope parameter has them."""
    return " ".join(scopes)
