"""Markdown with front matter, as people write it (CommonMark, tables, tick boxes, wiki links).

A line-based reader of our own: a note is not rendered but read, its lines have to survive, and
training reads notes by the thousand.
"""

from __future__ import annotations

import re

from engine.notes.readers.encoding import decode
from engine.notes.readers.format import Format
from engine.notes.readers.front_matter import split_front_matter
from engine.notes.readers.inline import strip_inline
from engine.notes.readers.outline import Outline, is_keyed, is_listed, tidy
from engine.notes.readers.plain import list_line
from engine.notes.text import NoteText

_HEADING = re.compile(r"(#{1,6})(?:\s+(.*))?$")
_HEADING_ID = re.compile(r"\{[#.][^{}]*\}$")
_UNDERLINE = re.compile(r"(?:=+|-{2,})$")
_RULE = re.compile(r"([-*_])(?:\s*\1){2,}$")
_FENCE = re.compile(r"(`{3,}|~{3,})[^`]*$")
_QUOTE = re.compile(r"(?:>\s?)+")
_CALLOUT = re.compile(r"\[!\w+\][-+]?\s*")
_ROW_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?$")
_CELL_END = re.compile(r"(?<!\\)\|")
_CODE_PIPE = re.compile(r"`[^`|]*\|[^`]*`")
_DEFINITION = re.compile(r"\[[^\[\]^][^\[\]]*\]:\s+<?(?:[a-z][a-z0-9+.-]*:|www\.|[/#.])\S*")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]+\]:\s*")
_BLOCK_ID = re.compile(r"\s\^[A-Za-z0-9-]+$")
_STRUCK = re.compile(r"~~(?=\S)([^~]+)~~$")
_FIELD = re.compile(r"([^\W\d][\w ]{0,38})::\s+")
_LONGEST_TITLE = 120
"""An underlined line longer than this many characters is a paragraph above a rule."""
_LONGEST_ITEM = 4_000
"""An item longer than this many characters takes up no further lines."""


class _Reader:
    """Goes over a note's lines once."""

    def __init__(self) -> None:
        self.outline = Outline()
        self._block: list[str] = []  # lines whose inline markup is still on
        self._fence = ""
        self._in_table = False

    def read(self, lines: list[str]) -> None:
        """Read all lines."""
        for i, raw in enumerate(lines):
            line = raw.strip()
            if self._fence or (line[:3] in ("```", "~~~") and _FENCE.match(line)):
                self._code(raw, line)
            elif not line:
                self._in_table = False
                self._block.append("")
            else:
                indented = raw[:1] in " \t"
                self._line(line, indented, lines[i + 1].strip() if i + 1 < len(lines) else "")
        self._flush()

    def _code(self, raw: str, line: str) -> None:
        if not self._fence:
            self._flush()
            self._fence = line[: len(line) - len(line.lstrip(line[0]))]
        elif line.startswith(self._fence) and not line.strip(self._fence[0]):
            self._fence = ""
        else:
            self.outline.add(raw)

    def _line(self, line: str, indented: bool, following: str) -> None:
        first = line[0]
        if first == "#" and (heading := _HEADING.match(line)):
            self._heading(len(heading[1]), heading[2] or "")
            return
        if first in "=-" and _UNDERLINE.match(line) and self._underlined():
            self._heading(1 if first == "=" else 2, self._block.pop())
            return
        if first in "-*_" and _RULE.match(line):
            self._block.append("")
            return
        if first == ">":
            line = line[_QUOTE.match(line).end() :].strip()  # type: ignore[union-attr]
            line = _CALLOUT.sub("", line, count=1) if line.startswith("[!") else line
            if not line:
                self._block.append("")
                return
        if "|" in line and self._row(line, following):
            return
        self._in_table = False
        self._text(line, indented)

    def _heading(self, level: int, text: str) -> None:
        self._flush()
        bare = text.rstrip("#")
        if bare != text and (not bare or bare[-1].isspace()):
            text = bare.rstrip()  # "## Heading ##"
        if text.endswith("}"):
            text = _HEADING_ID.sub("", text)
        self.outline.heading(level, strip_inline(text))

    def _underlined(self) -> bool:
        """Tell whether the line above is a paragraph of its own, short enough for a heading."""
        if not self._block or not self._block[-1] or (len(self._block) > 1 and self._block[-2]):
            return False
        above = self._block[-1]
        return len(above) <= _LONGEST_TITLE and not is_listed(above) and " | " not in above

    def _row(self, line: str, following: str) -> bool:
        """Read a line of a table.

        Returns:
            False if it is none.
        """
        fenced = line[0] == "|" and line[-1] == "|" and len(line) > 2
        if "-" in line and _ROW_RULE.match(line):
            return self._in_table or fenced
        ruled = "-" in following and "|" in following and _ROW_RULE.match(following)
        if not (self._in_table or fenced or ruled):
            return False
        self._in_table = True
        row = _CODE_PIPE.sub(lambda match: match[0].replace("|", "\\|"), line)
        row = row[1:] if row[0] == "|" else row
        row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
        cells = [strip_inline(cell.replace("\\|", "|").strip()) for cell in _CELL_END.split(row)]
        if any(cells):
            self._flush()
            self.outline.add(" | ".join(cells))
        return True

    def _text(self, line: str, indented: bool) -> None:
        line = line[:-1].rstrip() if line.endswith("\\") else line
        if line.startswith("["):
            if _DEFINITION.match(line):
                return
            line = _FOOTNOTE.sub("", line, count=1)
        if "^" in line:
            line = _BLOCK_ID.sub("", line)
        above = self._block[-1] if self._block else ""
        joins = 0 < len(above) < _LONGEST_ITEM
        if line.startswith(": ") and joins and not is_listed(above):
            self._block[-1] = f"{above}: {line[2:].strip()}"
            return
        if "::" in line:
            line = _FIELD.sub(r"\1: ", line, count=1)
        item = list_line(line)
        if indented and joins and is_listed(above) and not (is_listed(item) or is_keyed(item)):
            self._block[-1] = f"{above} {item}"
            return
        if "~~" in item:
            bullet = item[:2] if item.startswith("- ") else ""
            if struck := _STRUCK.match(item[len(bullet) :]):
                item = f"{bullet}done: {struck[1]}"
        self._block.append(item)

    def _flush(self) -> None:
        """Take the inline markup off the gathered lines and hand them over."""
        if self._block:
            self.outline.add(strip_inline("\n".join(self._block)))
            self._block = []


def _without_comments(text: str) -> str:
    pieces = text.split("<!--")
    kept = [pieces[0]]
    for i, piece in enumerate(pieces[1:], start=1):
        _, end, rest = piece.partition("-->")
        if not end:  # never closed: its words stay
            return "".join(kept) + "".join(pieces[i:])
        kept.append(rest)
    return "".join(kept)


def read_text(text: str, name: str) -> NoteText:
    """Read Markdown that was already decoded; fast, and with no effect but its result.

    Args:
        text: the whole file.
        name: the file's name, which becomes the title where the note has none.
    """
    front, body = split_front_matter(tidy(text))
    if "<!--" in body:
        body = _without_comments(body)
    reader = _Reader()
    reader.read(body.split("\n"))
    return reader.outline.note(name, front.fields, front.title)


def read(data: bytes, name: str) -> NoteText:
    """Read a Markdown file."""
    return read_text(decode(data), name)


FORMAT = Format("Markdown file", (".md", ".markdown", ".mdown", ".mkd"), read)
