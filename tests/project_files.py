"""What the tests about the project itself look at: its files, without what was built or vendored."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "sekisho"
NOT_OURS = {"var", "dist", "build", "node_modules", "vendor", "__pycache__"}
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".sh",
    ".html",
    ".css",
    ".js",
    ".json",
    ".sql",
    ".conf",
    ".yaml",
    ".yml",
    ".txt",
    "",
}


def project_files() -> Iterator[Path]:
    """Yield every text file that belongs to the project and was written by hand."""
    for entry in sorted(ROOT.iterdir()):
        if entry.name.startswith(".") and entry.name not in {".ci", ".gitignore"}:
            continue
        yield from _files_under(entry)


def _files_under(entry: Path) -> Iterator[Path]:
    if entry.name in NOT_OURS or entry.name.endswith(".egg-info"):
        return
    if entry.is_dir():
        for child in sorted(entry.iterdir()):
            yield from _files_under(child)
    elif entry.suffix in TEXT:
        yield entry


def python_files() -> list[Path]:
    """Return the Python files of the source, the tests and the tools."""
    return [path for path in project_files() if path.suffix == ".py"]


def source_files() -> list[Path]:
    """Return the Python files that are installed."""
    return [path for path in python_files() if path.is_relative_to(SOURCE)]


@cache
def tree(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def module_name(path: Path) -> str:
    """Return the dotted name under which a source file is imported."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
