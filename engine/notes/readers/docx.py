"""DOCX: Word's zip of XML, read with the standard library and with every size capped."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from engine.notes.readers.format import Format
from engine.notes.readers.outline import Outline, tidy
from engine.notes.readers.plain import list_line
from engine.notes.skip import NoteSkipped, SkipReason
from engine.notes.text import NoteText

_MOST_MEMBERS = 10_000
_LARGEST_PART = 64 * 1024 * 1024
"""Unpacked bytes of one XML part; a part that grows beyond is a bomb, not a letter."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT_W = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_SKIPPED = frozenset({"del", "moveFrom", "instrText", "delText", "rPr", "pPr", "sdtPr"})
_FIELDS = {
    "creator": "author",
    "subject": "subject",
    "keywords": "keywords",
    "description": "about",
}


def read(data: bytes, name: str) -> NoteText:
    """Read a DOCX file.

    Raises:
        NoteSkipped: it needs a password, or unpacks to more than any letter.
        zipfile.BadZipFile, expat.ExpatError, KeyError: it is damaged.
    """
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise NoteSkipped(SkipReason.ENCRYPTED, "This document is protected with a password.")
        raise NoteSkipped(SkipReason.UNSUPPORTED, "This is an old Word file; save it as DOCX.")
    with zipfile.ZipFile(BytesIO(data)) as archive:
        if len(archive.namelist()) > _MOST_MEMBERS:
            raise NoteSkipped(SkipReason.TOO_BIG_INSIDE)
        parts = {part: _part(archive, part) for part in _PARTS if part in archive.NameToInfo}
    body = parts["word/document.xml"].find(f"{_W}body")
    reader = _Reader(_styles(parts), _bullets(parts))
    if body is not None:
        reader.blocks(body)
    for notes in ("word/footnotes.xml", "word/endnotes.xml"):
        if notes in parts:
            reader.outline.add("")
            reader.blocks(parts[notes])
    title, fields = _properties(parts)
    return reader.outline.note(name, fields, title)


_PARTS = (
    "word/document.xml",
    "word/styles.xml",
    "word/numbering.xml",
    "word/footnotes.xml",
    "word/endnotes.xml",
    "docProps/core.xml",
)


def _part(archive: zipfile.ZipFile, part: str) -> Element:
    with archive.open(part) as stream:
        data = stream.read(_LARGEST_PART + 1)
    if len(data) > _LARGEST_PART:
        raise NoteSkipped(SkipReason.TOO_BIG_INSIDE)
    return _parse(data.replace(_STRICT_W[1:-1].encode(), _W[1:-1].encode()))


def _parse(data: bytes) -> Element:
    """Parse XML that may declare no document type, and so no entities."""
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")

    def qualified(tag: str) -> str:
        return "{" + tag if "}" in tag else tag

    def start(tag: str, attributes: dict[str, str]) -> None:
        builder.start(qualified(tag), {qualified(key): value for key, value in attributes.items()})

    def refuse(*_: object) -> None:
        raise NoteSkipped(SkipReason.BROKEN)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: builder.end(qualified(tag))
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    parser.Parse(data, True)
    return builder.close()


def _value(node: Element | None, name: str = "val") -> str:
    return "" if node is None else node.get(_W + name, "")


def _styles(parts: dict[str, Element]) -> dict[str, tuple[int | None, str]]:
    """Map style ids to heading level (None for none) and list number id."""
    styles: dict[str, tuple[int | None, str]] = {}
    for style in parts.get("word/styles.xml", Element("none")).iter(f"{_W}style"):
        name = _value(style.find(f"{_W}name")).lower()
        outline = _value(style.find(f"{_W}pPr/{_W}outlineLvl"))
        level: int | None = None
        if name == "title":
            level = 0
        elif name.startswith("heading ") and name[8:].strip().isdigit():
            level = int(name[8:][:3])
        elif outline.isdigit() and int(outline[:3]) < 9:
            level = int(outline) + 1
        number = _value(style.find(f"{_W}pPr/{_W}numPr/{_W}numId"))
        if not number and name.startswith("list bullet"):
            number = "bullet"
        elif not number and name.startswith("list number"):
            number = "number"
        styles[_value(style, "styleId")] = (level, number)
    return styles


def _bullets(parts: dict[str, Element]) -> set[tuple[str, str]]:
    """Return the (list number id, indentation level) pairs that show bullets."""
    root = parts.get("word/numbering.xml")
    if root is None:
        return set()
    shown: dict[str, set[str]] = {}
    for kind in root.iter(f"{_W}abstractNum"):
        shown[_value(kind, "abstractNumId")] = {
            _value(level, "ilvl")
            for level in kind.iter(f"{_W}lvl")
            if _value(level.find(f"{_W}numFmt")) in ("bullet", "none")
        }
    return {
        (_value(number, "numId"), level)
        for number in root.iter(f"{_W}num")
        for level in shown.get(_value(number.find(f"{_W}abstractNumId")), ())
    }


def _properties(parts: dict[str, Element]) -> tuple[str, list[tuple[str, str]]]:
    title = ""
    fields: list[tuple[str, str]] = []
    for node in parts.get("docProps/core.xml", Element("none")):
        name = node.tag.rpartition("}")[2]
        words = " ".join((node.text or "").split())
        if name == "title":
            title = words
        elif words and name in _FIELDS and words != "python-docx":
            fields.append((_FIELDS[name], words))
    return title, fields


class _Reader:
    def __init__(
        self, styles: dict[str, tuple[int | None, str]], bullets: set[tuple[str, str]]
    ) -> None:
        self.outline = Outline()
        self._styles = styles
        self._bullets = bullets
        self._counts: dict[tuple[str, str], int] = {}
        self._was_listed = False

    def blocks(self, parent: Element) -> None:
        """Read paragraphs and tables, also inside content controls and notes."""
        for node in _live_children(parent):
            kind = node.tag.removeprefix(_W)
            if kind == "p":
                self._paragraph(node)
            elif kind == "tbl":
                self._table(node)
            elif kind not in _SKIPPED and kind != "sectPr":
                self.blocks(node)

    def _paragraph(self, node: Element) -> None:
        text = tidy(_words(node)).strip()
        if not text:
            self.outline.add("")
            return
        properties = node.find(f"{_W}pPr")
        style = "" if properties is None else _value(properties.find(f"{_W}pStyle"))
        level, number = self._styles.get(style, (None, ""))
        if level is not None:
            self.outline.heading(level, text)
            return
        indent = "0"
        if properties is not None:
            number = _value(properties.find(f"{_W}numPr/{_W}numId")) or number
            indent = _value(properties.find(f"{_W}numPr/{_W}ilvl")) or indent
        listed = number not in ("", "0")
        if not listed or not self._was_listed:
            self.outline.add("")
        self._was_listed = listed
        lines = text.split("\n")
        if listed:
            self.outline.add(list_line(self._lead(number, indent) + " ".join(lines)))
        else:
            for line in lines:
                self.outline.add(list_line(line.strip()))

    def _lead(self, number: str, indent: str) -> str:
        if number == "bullet" or (number, indent) in self._bullets:
            return "- "
        count = self._counts[number, indent] = self._counts.get((number, indent), 0) + 1
        for deeper in [key for key in self._counts if key[0] == number and key[1] > indent]:
            del self._counts[deeper]
        return f"{count}. "

    def _table(self, node: Element) -> None:
        self.outline.add("")
        for row in node.iter(f"{_W}tr"):
            cells = [
                " ".join(" ".join(_words(p).split()) for p in cell.iter(f"{_W}p"))
                for cell in row.iter(f"{_W}tc")
            ]
            if any(cell.strip() for cell in cells):
                self.outline.add(" | ".join(cell.strip() for cell in cells))
        self.outline.add("")
        self._was_listed = False


def _live_children(node: Element) -> Iterator[Element]:
    """Yield the children, of two alternative forms of one thing only the first."""
    for child in node:
        if child.tag == f"{_COMPATIBILITY}AlternateContent":
            yield from child[:1]
        else:
            yield child


def _words(node: Element) -> str:
    """Return the visible text of a paragraph; line breaks as newlines."""
    pieces: list[str] = []
    for child in _live_children(node):
        kind = child.tag.removeprefix(_W)
        if kind == "t":
            pieces.append(child.text or "")
        elif kind in ("tab", "ptab"):
            pieces.append(" ")
        elif kind in ("br", "cr"):
            pieces.append("\n")
        elif kind == "noBreakHyphen":
            pieces.append("-")
        elif kind == "docPr":
            pieces.append(f" {child.get('descr', '')} ")
        elif kind == "r":
            pieces.append(_run(child))
        elif kind not in _SKIPPED:
            pieces.append(_words(child))
    return "".join(pieces)


def _run(node: Element) -> str:
    words = _words(node)
    properties = node.find(f"{_W}rPr")
    if properties is None or not words.strip():
        return words
    if _is_on(properties.find(f"{_W}vanish")):
        return ""
    return f"(crossed out: {words})" if _is_on(properties.find(f"{_W}strike")) else words


def _is_on(switch: Element | None) -> bool:
    return switch is not None and _value(switch) not in ("0", "false", "off")


FORMAT = Format("Word document", (".docx",), read, isolated=True, is_text=False)
