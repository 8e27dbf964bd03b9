"""The guides' Python can be typed in: every block parses, and every name that it imports exists."""

import ast
import re
from pathlib import Path

import pytest

GUIDES = Path(__file__).parents[2] / "docs" / "guides"


def blocks() -> list[str]:
    """Return the Python of the guides about asking the guard."""
    texts = [(GUIDES / name).read_text() for name in ("python-client.md", "asgi-middleware.md")]
    return [
        code
        for text in texts
        for code in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ]


@pytest.mark.parametrize("code", blocks())
def test_a_block_parses_and_its_imports_exist(code: str) -> None:
    tree = ast.parse(code.replace("await request", "request"))
    imports: list[ast.stmt] = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), "guide", "exec"), {})  # noqa: S102 - our own text
