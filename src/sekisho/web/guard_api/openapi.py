"""The service described in OpenAPI 3.1, made of the very types that parse and answer."""

from typing import Any

import msgspec

import sekisho
from sekisho.kernel.refusals import Refusal
from sekisho.web import problems
from sekisho.web.guard_api import refusals
from sekisho.web.guard_api.messages import AnswerMessage, AttemptMessage, OutcomeMessage, SettledMessage
from sekisho.web.problems import CONTENT_TYPE, Problem

Json = dict[str, Any]

STATUS = {
    "type": "object",
    "properties": {"status": {"type": "string"}},
    "required": ["status"],
}
ATTEMPT_ID: Json = {
    "name": "attempt_id",
    "in": "path",
    "required": True,
    "description": "The id that the decision carried.",
    "schema": {"type": "string", "pattern": "^att_[0-9a-f]{32}$"},
}
PREFER: Json = {
    "name": "Prefer",
    "in": "header",
    "description": "handling=strict refuses names that are not known; they are ignored otherwise (RFC 7240).",
    "schema": {"type": "string"},
}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key gets the same decision for ten minutes.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
EVERY_BODY = (
    problems.Malformed,
    refusals.NoKey,
    refusals.WrongScope,
    problems.TooSlow,
    problems.TooLarge,
    problems.UnsupportedMediaType,
    problems.HeadersTooLarge,
    problems.Internal,
    problems.Overloaded,
    refusals.RecordUnavailable,
)


def openapi_document() -> Json:
    """Return the whole description, ready to be written as JSON."""
    (attempt, answer, outcome, settled, problem), components = msgspec.json.schema_components(
        (AttemptMessage, AnswerMessage, OutcomeMessage, SettledMessage, Problem),
        ref_template="#/components/schemas/{name}",
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sekisho guard",
            "version": sekisho.__version__,
            "summary": "Decides whether a login attempt is the member's, before the password is verified.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "paths": {
            "/v1/attempts": {"post": _assess(attempt, answer, problem)},
            "/v1/attempts/{attempt_id}/outcome": {"post": _settle(outcome, settled, problem)},
            "/v1/forward-auth": {
                "get": _forward_auth("forwardAuth", problem),
                "post": _forward_auth("forwardAuthPost", problem),
            },
            "/healthz": {"get": _health("health", "Whether the process runs.", {})},
            "/readyz": {
                "get": _health(
                    "readiness",
                    "Whether the service may be sent traffic.",
                    {"503": _json("Not now.", STATUS)},
                ),
            },
            "/metrics": {"get": _metrics(problem)},
            "/openapi.json": {"get": _description()},
        },
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key made with `sekisho keys add NAME`.",
                },
            },
        },
    }


def _assess(attempt: Json, answer: Json, problem: Json) -> Json:
    return {
        "operationId": "assessAttempt",
        "summary": "Decide an attempt",
        "description": "Ask before the password is verified; tell the outcome afterwards.",
        "parameters": [IDEMPOTENCY_KEY, PREFER],
        "requestBody": {"required": True, "content": {"application/json": {"schema": attempt}}},
        "responses": {
            "200": _json("The decision; its record is durable.", answer),
            **_refused(problem, refusals.ImpossibleTime, refusals.IdempotencyKeyReused, *EVERY_BODY),
        },
    }


def _settle(outcome: Json, settled: Json, problem: Json) -> Json:
    return {
        "operationId": "settleAttempt",
        "summary": "Tell what came of an attempt",
        "description": "The same outcome may be told again; another one is refused.",
        "parameters": [ATTEMPT_ID, PREFER],
        "requestBody": {"required": True, "content": {"application/json": {"schema": outcome}}},
        "responses": {
            "200": _json("The outcome as it is kept.", settled),
            **_refused(problem, refusals.UnknownAttempt, refusals.OutcomeConflict, *EVERY_BODY),
        },
    }


def _forward_auth(operation_id: str, problem: Json) -> Json:
    headers = {
        "X-Sekisho-Attempt": _header("The attempt's id, under which its outcome is told."),
        "X-Sekisho-Action": _header("allow, puzzle, challenge or deny."),
        "X-Sekisho-Reasons": _header("The named reasons, separated by commas."),
        "X-Sekisho-Probability": _header("The chance that the attempt is hostile, 0 to 1."),
        "X-Sekisho-Campaign": _header("The campaign that the attempt belongs to, or empty."),
    }
    refused = _refused(
        problem,
        refusals.NoKey,
        refusals.WrongScope,
        refusals.UntrustedProxy,
        refusals.UnreadableLogin,
        problems.HeadersTooLarge,
        problems.Internal,
        problems.Overloaded,
        refusals.RecordUnavailable,
    )
    refused["401"] = {**refused["401"], "headers": headers, "description": "An additional proof, or: no_key."}
    refused["403"] = {
        **refused["403"],
        "headers": headers,
        "description": "Denied, or: wrong_scope, untrusted_proxy, unreadable_login.",
    }
    return {
        "operationId": operation_id,
        "summary": "Decide a request that a reverse proxy holds back",
        "parameters": [
            _asked("X-Original-Method", "The held request's method; GET, HEAD and OPTIONS pass undecided."),
            _asked("X-Forwarded-For", "The chain of addresses, as the proxy writes it."),
            _asked("X-Sekisho-Member", "The claimed member."),
            _asked("X-Sekisho-Member-Form", "The same as it stood in an urlencoded form."),
            _asked("X-Sekisho-Secret", "The typed secret, hashed on arrival; ignored without a secret_key."),
            _asked("X-Sekisho-Secret-Form", "The same as it stood in an urlencoded form."),
            _asked("X-Sekisho-Gate", "The gate; login where it is absent."),
        ],
        "responses": {"204": {"description": "Go on.", "headers": headers}, **refused},
    }


def _health(operation_id: str, summary: str, more: Json) -> Json:
    return {
        "operationId": operation_id,
        "summary": summary,
        "security": [],
        "responses": {"200": _json("Yes.", STATUS), **more},
    }


def _metrics(problem: Json) -> Json:
    return {
        "operationId": "metrics",
        "summary": "What the service counts, in the Prometheus text format",
        "responses": {
            "200": {"description": "The metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}},
            **_refused(problem, refusals.NoKey, refusals.WrongScope),
        },
    }


def _description() -> Json:
    return {
        "operationId": "openapi",
        "summary": "This description",
        "security": [],
        "responses": {"200": _json("OpenAPI 3.1.", {"type": "object"})},
    }


def _json(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _header(description: str) -> Json:
    return {"description": description, "schema": {"type": "string"}}


def _asked(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _refused(problem: Json, *kinds: type[Refusal]) -> Json:
    """Group refusals by status: one response a status, its codes in the description."""
    codes: dict[int, list[str]] = {}
    for kind in kinds:
        codes.setdefault(kind.status, []).append(kind.code)
    return {
        str(status): {"description": ", ".join(names), "content": {CONTENT_TYPE: {"schema": problem}}}
        for status, names in sorted(codes.items())
    }
