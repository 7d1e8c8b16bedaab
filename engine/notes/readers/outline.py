"""Puts a note together from headings and lines, the same way for every format."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePath

from engine.notes.text import NoteText, Section

TITLE_LENGTH = 80
"""A first line longer than this many characters is a sentence, not a title."""

WRAP_WIDTH = (56, 110)
"""Editors' margins, in characters; other lines were broken on purpose."""

_INVISIBLE = {0x00AD: None, 0x200B: None, 0x2060: None, 0xFEFF: None}
_SPACES = {0x00A0: " ", 0x2007: " ", 0x202F: " ", 0x2028: "\n", 0x2029: "\n", 0x0085: "\n"}
_LIGATURES = dict(zip(range(0xFB00, 0xFB07), "ff fi fl ffi ffl st st".split(), strict=True))
_ODD = {**_INVISIBLE, **_SPACES, **_LIGATURES}
_LISTED = re.compile(r"- |\d{1,9}\. ")
_KEYED = re.compile(r"[^\W\d_][^:.;,!?|\n]{0,39}:(?: |$)")
_NUMBERED_NAME = re.compile(r"\A0\d{1,2}[-_. ]+(?=\S)")


def tidy(text: str) -> str:
    """Return `text` with one kind of line end and of space, without invisible characters, NFC."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\f" in text or "\v" in text:
        text = text.replace("\f", "\n").replace("\v", "\n")
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text.translate(_ODD))


def name_in_words(name: str) -> str:
    """Return a file's name as a title: no folder, no ending, no ordering number, spaces."""
    stem = PurePath(name.replace("\\", "/")).stem
    stem = stem.encode("utf-8", "replace").decode("utf-8")
    words = _NUMBERED_NAME.sub("", stem)
    words = re.sub(r"(?<!\d)-|-(?!\d)|_", " ", words)
    words = "".join(c if c.isprintable() else " " for c in words)
    return " ".join(words.split()) or "untitled"


def is_listed(line: str) -> bool:
    """Tell whether a line of a section is a list item."""
    return _LISTED.match(line) is not None


def is_keyed(line: str) -> bool:
    """Tell whether a line looks like ``key: value``."""
    return _KEYED.match(line) is not None


def looks_like_title(line: str) -> bool:
    """Tell whether a note's first line, followed by a blank one, is its title."""
    return (
        len(line) <= TITLE_LENGTH
        and line[-1:] not in ".!?:;,"
        and " | " not in line
        and not is_listed(line)
        and any(c.isalpha() for c in line)
    )


def split_title(lines: list[str]) -> tuple[str, list[str]]:
    """Take a title off the top of `lines`: the first line, if it looks like one and more follows.

    Returns:
        The title ("" for none) and the remaining lines.
    """
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None or first + 1 >= len(lines) or lines[first + 1].strip():
        return "", lines
    rest = lines[first + 2 :]
    title = lines[first].strip()
    if not looks_like_title(title) or not any(line.strip() for line in rest):
        return "", lines
    return title, rest


def unwrap(lines: list[str]) -> list[str]:
    """Join the lines of a paragraph that an editor broke at its right margin.

    A paragraph counts as wrapped when every line but the last is so full that the next line's
    first word would not have fitted, and most of them stop in the middle of a sentence; verses,
    lists, rows and ``key: value`` lines stay as they are.
    """
    if len(lines) < 2:
        return lines
    width = max(map(len, lines))
    if not WRAP_WIDTH[0] <= width <= WRAP_WIDTH[1]:
        return lines
    if any(is_listed(line) or is_keyed(line) for line in lines[1:]):
        return lines
    broken = 0
    for line, following in zip(lines, lines[1:], strict=False):
        if " | " in line or len(line) + 1 + len(following.split(" ", 1)[0]) <= width:
            return lines
        broken += line[-1] not in ".!?:;)" and not following[0].isupper()
    return [" ".join(lines)] if 2 * broken >= len(lines) - 1 else lines


def paragraphs(lines: Iterable[str]) -> str:
    """Join lines, one blank line between paragraphs, none at the ends; wrapped ones unwrapped."""
    blocks: list[str] = []
    block: list[str] = []
    for line in lines:
        if line:
            block.append(line)
        elif block:
            blocks.append("\n".join(unwrap(block)))
            block = []
    if block:
        blocks.append("\n".join(unwrap(block)))
    return "\n\n".join(blocks)


class Outline:
    """Collects a note's headings and texts in order and makes the `NoteText`."""

    def __init__(self) -> None:
        self._path: list[tuple[int, str]] = []
        self._parts: list[tuple[tuple[str, ...], list[str]]] = [((), [])]
        self._levels: list[int] = []
        self._first_heading = ""
        self._text_came_first = False

    def heading(self, level: int, text: str) -> None:
        """Begin a section under a heading of `level` (1 is the outermost)."""
        text = " ".join(text.split())
        if not text:
            return
        if not self._levels:
            self._first_heading = text
            self._text_came_first = any(line for line in self._parts[0][1])
        self._levels.append(level)
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._path.append((level, text))
        self._parts.append((tuple(heading for _, heading in self._path), []))

    def add(self, text: str) -> None:
        """Add a line, several lines, or (with "") a paragraph's end to the present section."""
        self._parts[-1][1].extend(line.strip() for line in text.split("\n"))

    def note(
        self, name: str, fields: Iterable[tuple[str, str]] = (), title: str = ""
    ) -> NoteText:
        """Make the note; `title` (from metadata) goes before headings, headings before `name`."""
        own_title = title or self._heading_title() or self._take_first_line()
        parts: list[tuple[tuple[str, ...], list[str]]] = []
        for i, (headings, lines) in enumerate(self._parts):
            text = paragraphs(lines)
            if text:
                parts.append((headings, [text]))
            elif headings and not self._has_children(i) and headings[-1] != own_title:
                # The words of a heading with nothing under it become a line of what is above it.
                if not parts or parts[-1][0] != headings[:-1]:
                    parts.append((headings[:-1], []))
                parts[-1][1].append(headings[-1])
        kept = tuple(fields)
        if not parts and not kept and own_title:
            parts.append(((), [own_title]))
        sections = tuple(Section(headings, "\n".join(texts)) for headings, texts in parts)
        return NoteText(own_title or name_in_words(name), kept, sections)

    def _heading_title(self) -> str:
        """Return the first heading if it stands over the whole note, else ""."""
        if not self._levels:
            return ""
        top = self._levels[0]
        over_all = all(level > top for level in self._levels[1:])
        return self._first_heading if over_all and (top < 2 or not self._text_came_first) else ""

    def _take_first_line(self) -> str:
        headings, lines = self._parts[0]
        title, rest = split_title(lines)
        if title:
            self._parts[0] = (headings, rest)
        elif len(self._parts) > 1 and (present := [line for line in lines if line]):
            if len(present) == 1 and looks_like_title(present[0]):
                title = present[0]
                self._parts[0] = (headings, [])
        return title

    def _has_children(self, i: int) -> bool:
        headings = self._parts[i][0]
        following = self._parts[i + 1][0] if i + 1 < len(self._parts) else ()
        return len(following) > len(headings) and following[: len(headings)] == headings
