"""docs/window.md names a file and a test for every promise; here both must exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "window.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| promise", "| ---"))
]
NAMED = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def names_in(file: Path) -> set[str]:
    """The names of a file's tests."""
    tree = ast.parse(file.read_text("utf-8"))
    found = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    return {name for name in found if name.startswith("test_")}


def test_every_promise_names_a_file_and_a_test_that_exist() -> None:
    assert len(ROWS) > 70
    for promise, kept, shown in ROWS:
        files, tests = NAMED.findall(kept), NAMED.findall(shown)
        assert files and tests, promise
        for file, _ in files:
            assert (ROOT / file).is_file(), f"{promise}: there is no {file}"
        for file, test in tests:
            assert test in names_in(ROOT / "tests" / file), f"{promise}: no {file}::{test}"


def test_no_promise_stands_there_twice() -> None:
    promises = [promise for promise, *_ in ROWS]
    assert len(set(promises)) == len(promises)
