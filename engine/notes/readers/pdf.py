"""PDF, by pypdf: the text of its pages, lines that the page's width broke joined again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from engine.notes.readers.format import Format
from engine.notes.readers.outline import Outline, is_keyed, is_listed, tidy
from engine.notes.readers.plain import list_line
from engine.notes.skip import NoteSkipped, SkipReason
from engine.notes.text import NoteText

if TYPE_CHECKING:
    from pypdf import PdfReader

_MOST_CHARACTERS = 2_000_000
_NARROWEST = 40
"""Columns narrower than this many characters are not joined."""
_PAGE_NUMBER = re.compile(r"(?:page\s+)?[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:/|of)\s*\d{1,4})?$", re.I)
_FILE_TITLE = re.compile(r"\.\w{2,5}$|^Microsoft \w+ - |^untitled|^document\d*$|^\W*$", re.I)
_FIELDS = (("author", "/Author"), ("subject", "/Subject"), ("keywords", "/Keywords"))


def read(data: bytes, name: str) -> NoteText:
    """Read a PDF file.

    Raises:
        NoteSkipped: it needs a password, or has no text.
    """
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(data), strict=False)
    if reader.is_encrypted:
        _unlock(reader)
    pages: list[list[str]] = []
    size = 0
    for page in reader.pages:
        text = tidy(page.extract_text() or "")
        size += len(text)
        if size > _MOST_CHARACTERS:
            raise NoteSkipped(SkipReason.HUGE)
        pages.append([" ".join(line.split()) for line in text.split("\n")])
    outline = Outline()
    for lines in _without_margins(pages):
        for line in _joined(lines):
            outline.add(list_line(line))
        outline.add("")
    title, fields = _metadata(reader)
    note = outline.note(name, fields, title)
    if not note.sections:
        sentence = "There is no text in this PDF, perhaps only pictures."
        raise NoteSkipped(SkipReason.NO_TEXT, sentence)
    return note


def _unlock(reader: PdfReader) -> None:
    from pypdf.errors import DependencyError

    try:
        opened = bool(reader.decrypt(""))
    except (DependencyError, NotImplementedError):
        sentence = "This PDF is encrypted in a way that cannot be opened here."
        raise NoteSkipped(SkipReason.ENCRYPTED, sentence) from None
    if not opened:
        raise NoteSkipped(SkipReason.ENCRYPTED, "This PDF is protected with a password.")


def _metadata(reader: PdfReader) -> tuple[str, list[tuple[str, str]]]:
    found: Mapping[str, object] = reader.metadata or {}
    title = " ".join(str(found.get("/Title") or "").split())
    fields = [(name, " ".join(str(found.get(key) or "").split())) for name, key in _FIELDS]
    return "" if _FILE_TITLE.search(title) else title, [pair for pair in fields if pair[1]]


def _without_margins(pages: list[list[str]]) -> list[list[str]]:
    """Drop page numbers, and running heads that stand on three pages or more."""
    pages = [[line for line in lines if line] for lines in pages]
    edges = Counter(line for lines in pages for line in {*lines[:1], *lines[-1:]})
    running = {line for line, count in edges.items() if count >= max(3, len(pages) // 2)}
    seen: set[str] = set()
    kept: list[list[str]] = []
    for lines in pages:
        for end in (0, -1) if len(pages) > 1 else ():
            while lines and _is_margin(lines[end], running, seen):
                seen.add(lines.pop(end))
        kept.append(lines)
    return kept


def _is_margin(line: str, running: set[str], seen: set[str]) -> bool:
    """Tell whether a page's outermost line is repeated (the first time it stays) or a number."""
    if line in running and line not in seen:
        seen.add(line)
        return False
    return line in running or _PAGE_NUMBER.match(line) is not None


def _joined(lines: list[str]) -> list[str]:
    """Join the lines of running text; what looks complete, listed or keyed stays as it is."""
    if not lines:
        return []
    full = 0.7 * max(sorted(map(len, lines))[int(0.9 * (len(lines) - 1))], _NARROWEST)
    joined = [lines[0]]
    last = lines[0]
    for line in lines[1:]:
        starts_new = is_listed(list_line(line)) or is_keyed(line)
        hyphenated = len(last) >= full and last[-1] == "-" and last[-2:-1].isalpha()
        if starts_new or len(last) < full or last[-1] in ".!?:;":
            joined.append(line)
        elif hyphenated and line[0].islower():
            joined[-1] = joined[-1][:-1] + line
        else:
            joined[-1] = f"{joined[-1]} {line}"
        last = line
    return joined


FORMAT = Format("PDF", (".pdf",), read, isolated=True, is_text=False)
