"""The house rules that a machine can hold: which way imports go, and how long things may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    file
    for place in ("main.py", "engine", "app")
    for file in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
)
MOST_LINES = 400
MOST_FUNCTION_LINES = 50
LONGER = {
    "main.py": 40,
    "engine/api.py": 700,  # the whole contract, to be read from top to bottom
}
# A pair of sockets inside of the process, by which Python wakes Qt when a signal comes.
NO_NETWORK = {("app/signals.py", "socket")}
BORDERS = {
    "engine/announcer.py",
    "engine/errands.py",
    "engine/service.py",
    "engine/tasks/writing.py",
    "engine/notes/child.py",
}

# What a part may import of Engram, the first entry that is a prefix of its name counts.
MAY_IMPORT = {
    "main": ("app", "engine.cli", "engine.service"),
    "app": ("app", "engine.api"),
    "engine.api": (),
    "engine.store": ("engine.api", "engine.store"),
    "engine.notes": ("engine.api", "engine.notes"),
    "engine.model": ("engine.api", "engine.model"),
    "engine.memory": ("engine.api", "engine.memory", "engine.model", "engine.notes.text"),
}
FORBIDDEN = {
    "main": ("torch", "PySide6"),
    "app": ("torch", "sqlite3", "safetensors", "tokenizers"),
    "engine.store": ("torch", "PySide6", "tokenizers"),
    "engine.notes": ("torch", "PySide6", "tokenizers", "safetensors"),
    "engine.tasks": ("torch", "PySide6", "engine.model", "engine.memory.memory"),
    "engine.cli": ("torch", "PySide6", "engine.model", "engine.memory.memory"),
    "engine.service": ("torch", "PySide6"),
    "engine": ("PySide6", "app"),
}


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


TREES = {file: tree_of(file) for file in SOURCES}


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path) -> Iterator[str]:
    """Names of all modules that a file imports, also inside of functions."""
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_in(name: str, *packages: str) -> bool:
    return any(name == each or name.startswith(each + ".") for each in packages)


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def test_the_sources_are_found() -> None:
    assert {"main.py", "engine/api.py", "app/bridge.py"} <= {name_of(file) for file in SOURCES}


def test_arrows_run_one_way() -> None:
    strays = [
        f"{module_of(file)} imports {name}"
        for file in SOURCES
        for part, allowed in MAY_IMPORT.items()
        if is_in(module_of(file), part)
        for name in imports_of(file)
        if is_in(name, "app", "engine", "main") and not is_in(name, *allowed)
    ]
    assert not strays


def test_parts_do_without_what_is_not_theirs() -> None:
    strays = [
        f"{module_of(file)} imports {name}"
        for file in SOURCES
        for part, forbidden in FORBIDDEN.items()
        if is_in(module_of(file), part)
        for name in imports_of(file)
        if is_in(name, *forbidden)
    ]
    assert not strays


def test_imports_are_absolute() -> None:
    relative = [
        name_of(file)
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_files_are_short() -> None:
    lengths = {name_of(file): file.read_text("utf-8").count("\n") for file in SOURCES}
    long = {
        name: lines for name, lines in lengths.items() if lines > LONGER.get(name, MOST_LINES)
    }
    assert not long


def test_functions_are_short() -> None:
    long = [
        f"{name_of(file)}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
        if node.end_lineno - node.lineno + 1 > MOST_FUNCTION_LINES
    ]
    assert not long


def test_no_file_is_a_drawer_for_everything() -> None:
    names = {file.stem for file in SOURCES}
    assert not names & {"utils", "util", "helpers", "helper", "misc", "common", "manager"}


def test_nothing_opens_a_connection() -> None:
    """Engram never speaks to a network; Qt's local sockets are another thing."""
    network = ("socket", "urllib.request", "http", "ftplib", "smtplib", "requests", "httpx")
    strays = [
        f"{module_of(file)} imports {name}"
        for file in SOURCES
        for name in imports_of(file)
        if is_in(name, *network) and (name_of(file), name) not in NO_NETWORK
    ]
    assert not strays


def test_everything_is_caught_only_at_borders() -> None:
    """`except Exception` is for borders of threads and processes, and for Qt slots."""
    broad = {
        name_of(file)
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    }
    assert not {name for name in broad if name not in BORDERS and not name.startswith("app/")}
