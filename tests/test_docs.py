"""What a user can meet is named in docs/reference: settings, rules, codes, commands, routes and metrics."""

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache

import click
import pytest
from tests.project_files import ROOT, SOURCE, source_files, tree

from sekisho.cli.main import COMMANDS
from sekisho.kernel.refusals import Refusal

SETTING_NAME = re.compile(r"\bSEKISHO_[A-Z0-9_]+\b")
METRIC_NAME = re.compile(r"^sekisho_[a-z0-9_]+$")
ROUTE_DECORATORS = {"get", "post", "put", "patch", "delete", "route", "asgi", "websocket", "HTTPRoute"}


@cache
def reference() -> str:
    """Return the whole reference as one text."""
    pages = sorted((ROOT / "docs" / "reference").rglob("*.md"))
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def undocumented(names: Iterator[str] | set[str]) -> list[str]:
    """Return the names that the reference does not mention as code."""
    return sorted(
        name for name in set(names) if not re.search(rf"[`\s]{re.escape(name)}[`\s=(]", reference())
    )


def _constants() -> Iterator[str]:
    for path in source_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_setting_is_documented():
    """A setting is an environment variable or a field of a class whose name ends in Settings."""
    variables = {name for text in _constants() for name in SETTING_NAME.findall(text)}
    fields = {
        statement.target.id
        for path in source_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Settings")
        for statement in node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    }
    assert undocumented(variables | fields) == []


def test_every_rule_is_documented():
    """A rule is a file in guard/rules, and carries its name in every decision's reasons."""
    rules = {path.stem for path in (SOURCE / "guard" / "rules").glob("*.py") if path.stem != "__init__"}
    assert undocumented(rules) == []


def _refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _refusals(subclass)


def test_every_refusal_is_documented():
    """A refusal's code is stable, and callers program against it."""
    for path in source_files():
        if any(
            isinstance(node, ast.ClassDef) and _derives_from_refusal(node) for node in ast.walk(tree(path))
        ):
            importlib.import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
    codes = {refusal.code for refusal in _refusals(Refusal) if refusal.__module__.startswith("sekisho.")}
    assert undocumented(codes) == []


def _derives_from_refusal(node: ast.ClassDef) -> bool:
    return any(isinstance(parent, ast.Name) and parent.id == "Refusal" for parent in node.bases)


def test_every_problem_code_is_documented():
    """The `code` of a problem answer is stable as well."""
    codes = {
        keyword.value.value
        for path in source_files()
        if path.is_relative_to(SOURCE / "web")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "code"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }
    assert undocumented(codes) == []


@pytest.mark.parametrize(
    "name", sorted(name for name in COMMANDS if (SOURCE / "cli" / f"{name}.py").exists())
)
def test_every_command_and_option_is_documented(name):
    """`sekisho --help` and the reference agree."""
    command = importlib.import_module(COMMANDS[name]).command
    options = {option for param in command.params if isinstance(param, click.Option) for option in param.opts}
    assert undocumented({f"sekisho {name}"} | {option for option in options if option.startswith("--")}) == []


def _routes() -> Iterator[str]:
    for path in source_files():
        if not path.is_relative_to(SOURCE / "web"):
            continue
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ROUTE_DECORATORS
            ):
                yield from _paths_named_in(node)


def _paths_named_in(call: ast.Call) -> Iterator[str]:
    for argument in [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "path")]:
        for node in ast.walk(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/"):
                yield node.value


def test_every_route_is_documented():
    """Each HTTP route stands in the reference with its path; a parameter is written without its type."""
    paths = {re.sub(r":\w+}", "}", route) for route in _routes()}
    assert undocumented(paths - {"/"}) == []


def test_every_metric_is_documented():
    """A metric's name is part of somebody's dashboard."""
    assert undocumented({text for text in _constants() if METRIC_NAME.match(text)}) == []
