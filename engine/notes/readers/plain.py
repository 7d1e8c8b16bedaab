"""Plain text: one section, blank lines as paragraph breaks, perhaps a title on top."""

from __future__ import annotations

import re

from engine.notes.readers.encoding import decode
from engine.notes.readers.format import Format
from engine.notes.readers.outline import Outline, tidy
from engine.notes.text import NoteText

_BULLET = re.compile(r"[*+•‣◦▪●○·]\s+(?=\S)|-\s{2,}(?=\S)|-\t+(?=\S)")
_NUMBER = re.compile(r"(\d{1,3})\)\s+(?=\S)|(\d{1,3})\.(?:\t|\s{2,})\s*(?=\S)")
_BOX = re.compile(r"(?:- )?\[([ xX-]?)\]\s+(?=\S)")
_RULE = re.compile(r"([-=_*~#+.])(?:\s*\1){2,}$")
_BOX_WORDS = {"x": "done", "X": "done", "-": "cancelled"}
_BOX_SIGNS = {"☐": "to do", "☑": "done", "☒": "done", "✓": "done", "✔": "done", "✅": "done"}


def list_line(line: str) -> str:
    """Give a stripped line that is a list item or a tick box its one form, "- " or "1. "."""
    first = line[:1]
    if first in "*+•‣◦▪●○·-" and (bullet := _BULLET.match(line)):
        line = "- " + line[bullet.end() :]
    elif first.isdigit() and (number := _NUMBER.match(line)):
        line = f"{number[1] or number[2]}. {line[number.end() :]}"
    if "[" in line[:3] and (box := _BOX.match(line)):
        line = f"- {_BOX_WORDS.get(box[1], 'to do')}: {line[box.end() :]}"
    start = 2 if line.startswith("- ") else 0
    if line[start : start + 1] in _BOX_SIGNS and line[start + 1 : start + 2] in " \ufe0f":
        words = line[start + 1 :].lstrip(" \ufe0f")
        line = f"- {_BOX_SIGNS[line[start]]}: {words}"
    return line


def read_text(text: str, name: str) -> NoteText:
    """Read plain text that was already decoded."""
    outline = Outline()
    for raw in tidy(text).split("\n"):
        line = raw.strip().replace("\t", " ")
        outline.add("" if line and _RULE.match(line) else list_line(line))
    return outline.note(name)


def read(data: bytes, name: str) -> NoteText:
    """Read a text file."""
    return read_text(decode(data), name)


FORMAT = Format("text file", (".txt", ".text"), read)
