"""Takes a command line apart and hands it to its command. Imports of a command only what it needs.

`--home DIR` and `--json` may stand before or after the command.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from engine.api import EngramError
from engine.cli.context import Context, ModelFactory

USAGE = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class Windows:
    """What needs Qt, which the engine does not know.

    Attributes:
        open: opens the window on a home folder; returns the exit code.
        take_screenshots: makes pictures of every screen in a folder.
    """

    open: Callable[[Path], int]
    take_screenshots: Callable[[Path], int]


@dataclass(frozen=True)
class _Command:
    """Where a command is; its module has `add_arguments(parser)` and `run(context, args)`."""

    module: str
    help: str


_COMMANDS = {
    "remember": _Command("remember", "write files or folders now"),
    "ask": _Command("ask", "ask one question, or a file of them"),
    "chat": _Command("chat", "ask in the terminal, one question after the other"),
    "watch": _Command("watch", "watch a folder without a window"),
    "notes": _Command("notes", "list what is remembered"),
    "forget": _Command("forget", "free the cells of notes"),
    "verify": _Command("verify", "ask every note's probes again"),
    "snapshot": _Command("snapshot", "take, list, restore, compare, export, import, delete"),
    "grow": _Command("grow", "give the memory more cells"),
    "rebuild": _Command("rebuild", "write every note anew; shows the cost first"),
    "info": _Command("info", "device, model, memory, versions, paths"),
    "bench": _Command("bench", "measure the memory"),
    "train": _Command("train", "train tokenizer, words, prose, memory"),
    "screenshots": _Command("screenshots", "make pictures of every screen"),
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """End with the exit code for a wrong command line."""
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


@dataclass(frozen=True)
class _Common:
    home: Path | None
    as_json: bool
    rest: list[str]


def run(
    argv: Sequence[str], windows: Windows, model_factory: ModelFactory | None = None
) -> int:
    """Carry out a command line.

    Args:
        argv: without the program's name.
        windows: what needs Qt.
        model_factory: opens the base model; the embedded one if not given.

    Returns:
        The exit code: 0, 2 (wrong command line), 3 (bad input), 4 (memory corrupt or locked).
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # whatever the terminal can show
    try:
        common = _take_common(argv)
        return _carry_out(common, windows, model_factory)
    except EngramError as error:
        sys.stdout.flush()
        print(f"engram: {_one_line(str(error))}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has enough. Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED


def _carry_out(common: _Common, windows: Windows, model_factory: ModelFactory | None) -> int:
    name = next((word for word in common.rest if not word.startswith("-")), "")
    command = _COMMANDS.get(name)
    module: ModuleType | None = None
    parser = _Parser(
        prog="engram",
        description="Remembers notes in a small language model. Without a command: the window.",
        epilog="--home DIR (where memory and settings live) and --json may stand anywhere.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and end")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", parser_class=_Parser)
    for each, about in _COMMANDS.items():
        sub = commands.add_parser(each, help=about.help, description=about.help)
        if command is about:
            module = importlib.import_module(f"engine.cli.{about.module}")
            module.add_arguments(sub)
    args = parser.parse_args(_with_json(common, name))
    context = Context(common.home or _default_home(), common.as_json, model_factory)
    if args.version:
        print(f"engram {_version()}")
        return 0
    if module is None:
        return windows.open(context.home)
    if name == "screenshots":
        return windows.take_screenshots(args.directory)
    code: int = module.run(context, args)
    return code


def _with_json(common: _Common, name: str) -> list[str]:
    """The benches print their own JSON, so they see the option that everyone else is spared."""
    return [*common.rest, "--json"] if common.as_json and name == "bench" else common.rest


def _take_common(argv: Sequence[str]) -> _Common:
    """Take `--home` and `--json` out, wherever they stand before a `--`."""
    home: Path | None = None
    as_json = False
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--json":
            as_json = True
        elif word == "--home" or word.startswith("--home="):
            given = word.partition("=")[2] if "=" in word else next(words, "")
            if not given:
                _Parser(prog="engram").error("--home needs a folder")
            home = Path(given).expanduser().absolute()
        else:
            rest.append(word)
    return _Common(home, as_json, rest)


def _default_home() -> Path:
    import platformdirs  # as engine.store.home does, without SQLite and all the rest

    return Path(platformdirs.user_data_dir("engram", appauthor=False))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("engram")
    except PackageNotFoundError:  # run from a checkout
        import tomllib

        project = Path(__file__).parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])


def _one_line(text: str) -> str:
    from engine.cli.console import printable

    return printable(" ".join(text.split()))
