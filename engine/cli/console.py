"""Printing: tables, JSON, times, and progress on a terminal."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from typing import Any

_BAR = 20


def printable(text: str) -> str:
    """The text with everything a terminal might act on, or cannot show, written as an escape."""
    return "".join(each if each.isprintable() else _escape(each) for each in text)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def print_json(value: Any) -> None:
    """One JSON object on one line of standard output, in plain ASCII."""
    print(json.dumps(value, allow_nan=False), flush=True)


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be; the last one is free."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *shown, strict=True)]
    for row in (list(heads), *shown):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def percent(share: float | None) -> str:
    """A share as "96 %", "-" where there is none."""
    return "-" if share is None else f"{share:.0%}".replace("%", " %")


def moment(seconds: float | None) -> str:
    """A time in the local zone, "-" where there is none."""
    if seconds is None:
        return "-"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def note_line(text: str) -> None:
    """A remark on standard error."""
    print(printable(text), file=sys.stderr, flush=True)


class ProgressLine:
    """One line on standard error that is written over; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()
        self._shown = ""

    def show(self, done: int, total: int, text: str) -> None:
        """Show a bar and a text, cut to the terminal's width."""
        if not self._shows:
            return
        filled = _BAR * done // max(1, total)
        line = f"[{'#' * filled}{'.' * (_BAR - filled)}] {printable(text)}"
        width = shutil.get_terminal_size().columns - 1
        line = line[:width]
        if line != self._shown:
            sys.stderr.write("\r" + line.ljust(min(len(self._shown), width)))
            sys.stderr.flush()
            self._shown = line

    def clear(self) -> None:
        """Take the line away, for what is printed next."""
        if self._shown:
            sys.stderr.write("\r" + " " * len(self._shown) + "\r")
            sys.stderr.flush()
            self._shown = ""
