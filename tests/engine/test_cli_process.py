"""The program as a process: what it loads, and how it ends."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "PySide6", "tokenizers")


def python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def engram(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "main.py", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


_LOADED = f"""
import sys
import main
try:
    code = main.main()
except SystemExit as ended:
    code = ended.code
heavy = [name for name in {HEAVY!r} if name in sys.modules]
print("LOADED", heavy, "CODE", code)
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--help",), 0),
        (("notes",), 3),
        (("snapshot", "list"), 3),
        (("snapshot", "--help"), 0),
        (("ask", "Where is it?"), 3),
        (("remember", "none.md"), 3),
        (("ask", "x" * 10_000), 3),
        (("grow",), 2),
    ],
)
def test_what_needs_no_model_loads_none(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    done = python(_LOADED, "--home", str(tmp_path / "home"), *words)
    assert done.stdout.splitlines()[-1] == f"LOADED [] CODE {code}", done.stderr
    assert not (tmp_path / "home").exists()


def test_the_ledger_is_read_without_a_model(tmp_path: Path) -> None:
    from engine.store.store import Store

    Store.open(tmp_path / "home", "any").close()
    for words in (("notes",), ("snapshot", "list")):
        done = python(_LOADED, "--home", str(tmp_path / "home"), *words)
        assert done.stdout.splitlines()[-1] == "LOADED [] CODE 0", done.stderr


def test_a_wrong_command_line_is_one_line() -> None:
    for words in (("bogus",), ("ask",), ("notes", "--bogus"), ("snapshot", "bogus")):
        done = engram(*words)
        assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1


def test_a_reader_that_has_enough(tmp_path: Path) -> None:
    done = subprocess.run(
        f'"{sys.executable}" main.py --help | head -1',
        cwd=ROOT, shell=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == "" and done.stdout.startswith("usage: engram")


def test_the_version_is_known_without_an_installation() -> None:
    hide = """
import importlib.metadata as metadata, sys
def missing(name):
    raise metadata.PackageNotFoundError(name)
metadata.version = missing
import main
sys.argv = ["engram", "--version"]
sys.exit(main.main())
"""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert python(hide).stdout == f"engram {project['version']}\n"
