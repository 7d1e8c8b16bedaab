"""Engram: a desktop application that remembers notes in a small language model.

Hands the arguments to the command line, or opens the window.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.cli import command_line


def _open_window(home: Path) -> int:
    from app.application import run
    from engine.service import EngineService

    return run(EngineService, home)


def _take_screenshots(directory: Path) -> int:
    from app.screenshots import make
    from engine.service import EngineService

    make(directory, EngineService)
    return 0


def main() -> int:
    """Run the command line of this process; returns the exit code."""
    windows = command_line.Windows(_open_window, _take_screenshots)
    return command_line.run(sys.argv[1:], windows)


if __name__ == "__main__":
    sys.exit(main())
