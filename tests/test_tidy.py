"""The house rules that a reader would otherwise have to check by eye."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from tests.project_files import ROOT, module_name, project_files, python_files, source_files, tree

LINES_PER_FILE_MAX = 500
LINES_PER_FUNCTION_MAX = 70
FORBIDDEN_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "service",
    "services",
    "manager",
    "base",
}
LEFTOVERS = re.compile(r"\b(FIXME|TODO|XXX|HACK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.$}~])/(work|root|home|Users|opt|tmp)/\w")
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|registry\.yarnpkg|deb\.debian\.org|crates\.io"
)
# The institutions here carry invented names; only the documents about the two incidents name real companies.
REAL_COMPANIES = re.compile("プロミス|ドコモ|七十七銀行|三井住友")


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _lines_matching(pattern: re.Pattern[str], *, outside: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{_named(path)}:{number}: {line.strip()[:120]}"
        for path in project_files()
        if path != Path(__file__) and not _named(path).startswith(outside or ("\0",))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_files_are_short():
    """A file that needs more than 500 lines holds more than one noun."""
    long = {_named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {name: lines for name, lines in long.items() if lines > LINES_PER_FILE_MAX} == {}


def test_functions_are_short():
    """A function fits on a screen."""
    long = [
        f"{_named(path)}: {node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LINES_PER_FUNCTION_MAX
    ]
    assert long == []


def test_files_are_named_for_their_noun():
    """A name that fits everything says nothing."""
    assert [_named(path) for path in python_files() if path.stem in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize(
    ("pattern", "outside"),
    [
        pytest.param(LEFTOVERS, (), id="leftovers"),
        pytest.param(MACHINE_PATHS, (), id="machine paths"),
        pytest.param(REGISTRIES, (), id="registry hosts"),
        pytest.param(REAL_COMPANIES, ("docs/incidents/",), id="real companies"),
    ],
)
def test_nothing_is_written_that_does_not_belong(pattern, outside):
    """No leftovers, no path of one machine, no registry, no real company outside the incidents."""
    assert _lines_matching(pattern, outside=outside) == []


def test_locks_name_no_registry():
    """A lock holds names, versions and hashes: where they come from is the installer's business."""
    locks = sorted((ROOT / "requirements").glob("*.lock"))
    assert [lock.name for lock in locks] == ["build.lock", "dev.lock", "runtime.lock"]
    assert [lock.name for lock in locks if "://" in lock.read_text(encoding="utf-8")] == []


def test_exceptions_from_the_linter_say_why():
    """A silenced rule carries its reason on the same line."""
    bare = re.compile(r"#\s*noqa(?!: ?[A-Z]+\d+(, ?[A-Z]+\d+)* +\S)|#\s*type: ignore(?!\[[\w, -]+\] +\S)")
    assert _lines_matching(bare, outside=("docs/",)) == []


def _imported(path: Path) -> Iterator[str]:
    """Yield what a file imports, and the modules that it names in strings to load when they are needed."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith("sekisho.")
        ):
            yield node.value.partition(":")[0]


def _distributions(requirements: list[str]) -> set[str]:
    return {_normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


@pytest.mark.parametrize("folder", ["src", "tests"])
def test_what_is_imported_is_in_the_lock(folder):
    """A package that happens to be installed here is missing on the next machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = _distributions(project["dependencies"] + project["optional-dependencies"]["postgres"])
    if folder == "tests":
        declared |= _distributions(project["optional-dependencies"]["dev"])
    owners = packages_distributions()
    undeclared = {
        f"{_named(path)}: {package}"
        for path in python_files()
        if _named(path).startswith(folder)
        for name in _imported(path)
        if (package := name.partition(".")[0]) in owners
        and package != "sekisho"
        and not declared & {_normal(owner) for owner in owners[package]}
    }
    assert undeclared == set()


def test_no_module_is_dead():
    """Every module is imported by another file, or is a command, a process of its own or a migration."""
    used = {name for path in python_files() for name in _imported(path)}
    entry_points = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    dead = [
        module_name(path)
        for path in source_files()
        if path.name not in {"__init__.py", "__main__.py"}
        and "migrations" not in path.parts
        and module_name(path) not in used
        and '__name__ == "__main__"' not in path.read_text(encoding="utf-8")
        and f"{module_name(path)}:" not in entry_points
    ]
    assert dead == []
