"""reStructuredText, parsed by docutils with file inclusion and raw input switched off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.notes.readers.encoding import decode
from engine.notes.readers.format import Format
from engine.notes.readers.outline import Outline, is_keyed, tidy
from engine.notes.readers.plain import list_line
from engine.notes.text import NoteText

if TYPE_CHECKING:
    from docutils import nodes

_ROLE = re.compile(r":[\w:+.-]+:`([^`<]*?)(?:\s*<[^`<>]*>)?`")
_DIRECTIVE = re.compile(r"\.\.\s+([\w:+.-]+)::\s*(.*)$")
_OPTION = re.compile(r":[\w-]+:(?:\s|$)")
_SILENT = ("comment", "target", "pending", "label", "meta", "raw", "substitution_definition")
_DISABLED = ("include", "literalinclude", "raw", "toctree")
_DEEPEST = 60
"""Nesting beyond this many levels is read as plain text."""


def read_text(text: str, name: str) -> NoteText:
    """Read reStructuredText that was already decoded."""
    document = _parse(tidy(text))
    walker = _Walker(document)
    walker.children(document, 0)
    return walker.outline.note(name, walker.fields)


def _parse(text: str) -> nodes.document:
    from docutils.frontend import get_default_settings
    from docutils.parsers.rst import Parser
    from docutils.utils import new_document

    settings = get_default_settings(Parser)
    settings.file_insertion_enabled = False
    settings.raw_enabled = False
    settings.report_level = settings.halt_level = 5
    settings.warning_stream = False
    settings.line_length_limit = len(text) + 1  # else a long line is not read at all
    settings.syntax_highlight = "none"
    document = new_document("note", settings)
    Parser().parse(text, document)
    return document


class _Walker:
    """Goes through the parsed document, before docutils' transforms."""

    def __init__(self, document: nodes.document) -> None:
        self.outline = Outline()
        self.fields: list[tuple[str, str]] = []
        self._level = 0
        self._replaced: dict[str, str] = {}
        for node in document.findall():
            if type(node).__name__ == "substitution_definition":
                names: list[str] = node["names"]  # type: ignore[index]
                self._replaced.update((name, self._words(node)) for name in names)

    def children(self, node: nodes.Node, depth: int) -> None:
        """Read the blocks inside `node`."""
        for child in node.children:
            self.block(child, depth + 1)

    def block(self, node: nodes.Node, depth: int) -> None:
        """Read one block."""
        kind = type(node).__name__
        method = getattr(self, f"_{kind}", None)
        if depth > _DEEPEST:
            self.outline.add(node.astext())
        elif method is not None:
            method(node, depth)
        elif kind in ("paragraph", "rubric", "attribution", "term", "title", "subtitle", "caption"):
            lines = self._words(node).split("\n")
            keyed = any(is_keyed(line) for line in lines[1:])
            self.outline.add(("\n" if keyed else " ").join(lines))
            self.outline.add("")
        elif kind in ("literal_block", "doctest_block", "math_block", "line_block"):
            self.outline.add(self._words(node))
            self.outline.add("")
        elif kind not in _SILENT:
            self.children(node, depth)

    def _section(self, node: nodes.Element, depth: int) -> None:
        self._level += 1
        for child in node.children:
            if type(child).__name__ == "title":
                self.outline.heading(self._level, self._words(child))
            else:
                self.block(child, depth + 1)
        self._level -= 1

    def _bullet_list(self, node: nodes.Element, depth: int) -> None:
        self._list(node, depth, 0)

    def _enumerated_list(self, node: nodes.Element, depth: int) -> None:
        self._list(node, depth, int(node.get("start", 1)))

    def _list(self, node: nodes.Element, depth: int, number: int) -> None:
        for item in node.children:
            lead = f"{number}. " if number else "- "
            number += bool(number)
            for child in item.children:
                if lead and type(child).__name__ == "paragraph":
                    words = " ".join(self._words(child).split())
                    self.outline.add(list_line(lead + words))
                    lead = ""
                else:
                    self.block(child, depth + 2)
        self.outline.add("")

    def _definition_list(self, node: nodes.Element, depth: int) -> None:
        for item in node.children:
            names = [self._words(c) for c in item.children if type(c).__name__ == "term"]
            bodies = [c for c in item.children if type(c).__name__ == "definition"]
            self._keyed(" ".join(names), bodies[0] if bodies else None, depth)
        self.outline.add("")

    def _field_list(self, node: nodes.Element, depth: int) -> None:
        before = [child for child in node.parent.children if type(child).__name__ != "title"]
        at_top = self._level < 2 and not self.fields and before[0] is node
        for field in node.children:
            name, body = str(field.children[0].astext()), field.children[1]
            if at_top and name:
                self.fields.append((name, " ".join(self._words(body).split())))
            else:
                self._keyed(name, body, depth)
        self.outline.add("")

    def _option_list(self, node: nodes.Element, depth: int) -> None:
        for item in node.children:
            self._keyed(item.children[0].astext(), item.children[1], depth)
        self.outline.add("")

    def _keyed(self, key: str, body: nodes.Node | None, depth: int) -> None:
        blocks = list(body.children) if body is not None else []
        if blocks and type(blocks[0]).__name__ == "paragraph":
            self.outline.add(f"{key}: {' '.join(self._words(blocks.pop(0)).split())}")
        else:
            self.outline.add(f"{key}:" if blocks else key)
        for block in blocks:
            self.block(block, depth + 2)

    def _row(self, node: nodes.Element, depth: int) -> None:
        cells = [" ".join(self._words(entry).split()) for entry in node.children]
        if any(cells):
            self.outline.add(" | ".join(cells))

    def _table(self, node: nodes.Element, depth: int) -> None:
        self.children(node, depth)
        self.outline.add("")

    def _image(self, node: nodes.Element, depth: int) -> None:
        self.outline.add(str(node.get("alt", "")))

    def _system_message(self, node: nodes.Element, depth: int) -> None:
        """Keep the words of a directive that docutils does not know."""
        for child in node.children:
            if type(child).__name__ != "literal_block":
                continue
            for line in child.astext().split("\n"):
                line = line.strip()
                if found := _DIRECTIVE.match(line):
                    if found[1] in _DISABLED:
                        break
                    line = found[2]
                if not _OPTION.match(line):
                    self.outline.add(_ROLE.sub(r"\1", line))

    def _words(self, node: nodes.Node) -> str:
        """Return the text inside `node` without markup."""
        kind = type(node).__name__
        if kind == "Text":
            return node.astext()
        if kind in ("footnote_reference", "citation_reference", "system_message", "target"):
            return ""
        if kind == "image":
            return str(node.get("alt", ""))  # type: ignore[attr-defined]
        if kind == "problematic":
            return _ROLE.sub(r"\1", node.astext())
        if kind == "substitution_reference":
            words = str(node.astext())
            return self._replaced.get(words, words)
        blocks = ("entry", "line_block", "field_body", "list_item", "bullet_list")
        between = {"line_block": "\n"}.get(kind, " " if kind in blocks else "")
        return between.join(self._words(child) for child in node.children)


def read(data: bytes, name: str) -> NoteText:
    """Read a reStructuredText file."""
    return read_text(decode(data), name)


FORMAT = Format("reStructuredText file", (".rst", ".rest"), read, isolated=True)
