"""HTML: what a browser would show, line by line."""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser

from engine.notes.readers.encoding import decode
from engine.notes.readers.format import Format
from engine.notes.readers.outline import Outline, tidy
from engine.notes.readers.plain import list_line
from engine.notes.text import NoteText

_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,30})", re.I)
_SILENT = frozenset(
    {"script", "style", "template", "noscript", "svg", "iframe", "nav", "select", "button", "math"}
)
_BLOCKS = frozenset(
    "p div section article main header footer aside blockquote figure figcaption address form"
    " details summary fieldset hr ul ol dl table caption body".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_META = {"author": "author", "keywords": "keywords", "description": "description", "date": "date"}
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.outline = Outline()
        self.title = ""
        self.fields: list[tuple[str, str]] = []
        self._line: list[str] = []
        self._lead = ""  # "- " until the item's first words
        self._lists: list[int] = []  # 0 for bullets, else the next number
        self._row: list[str] | None = None
        self._rows_depth = 0
        self._silent: list[str] = []
        self._in_title = False
        self._pre = 0

    def _end_line(self) -> None:
        text = "".join(self._line)
        self._line = []
        if self._row is not None:  # inside a cell everything is one line
            self._line = [text, " "] if text.strip() else []
            return
        lines = text.split("\n") if self._pre else [" ".join(text.split())]
        for line in filter(str.strip, lines):
            self.outline.add(list_line(self._lead + line.strip()))
            self._lead = ""

    def _end_block(self) -> None:
        self._end_line()
        if self._row is None and not self._lists:
            self.outline.add("")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an opening tag."""
        values = {key: value or "" for key, value in attrs}
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.append(tag)
            return
        if tag in _SILENT or ("hidden" in values and tag not in _VOID):
            self._silent.append(tag)
        elif tag in _HEADINGS or tag in _BLOCKS or tag == "pre":
            self._open_block(tag, values)
        elif tag == "li":
            self._end_line()
            number = self._lists[-1] if self._lists else 0
            self._lead = f"{number}. " if number else "- "
            if number:
                self._lists[-1] += 1
        elif tag in ("tr", "td", "th"):
            self._open_cell(tag)
        elif tag in ("dt", "dd"):
            self._open_definition(tag)
        else:
            self._open_inline(tag, values)

    def _open_block(self, tag: str, values: dict[str, str]) -> None:
        if tag == "p" and self._lead and not "".join(self._line).strip():
            return  # <li><p>
        self._end_block()
        if tag in ("ul", "ol"):
            start = values.get("start", "1")
            self._lists.append(0 if tag == "ul" else int(start[:6]) if start[:6].isdigit() else 1)
        elif tag == "table":
            self._rows_depth += 1
        self._pre += tag == "pre"

    def _open_cell(self, tag: str) -> None:
        if self._rows_depth > 1:
            self._line.append(" ")
        elif tag == "tr":
            self._end_row()
            self._row = []
        elif self._row is not None:
            self._end_cell()
            self._row.append("")

    def _open_definition(self, tag: str) -> None:
        words = " ".join("".join(self._line).split())
        if tag == "dd" and words and len(words) < 200:
            self._line = [words.removesuffix(":"), ": "]
        else:
            self._end_line()

    def _open_inline(self, tag: str, values: dict[str, str]) -> None:
        if tag == "title":
            self._in_title = True
        elif tag == "br":
            self._line.append("\n") if self._pre else self._end_line()
        elif tag == "img":
            self._line.append(f" {values.get('alt', '')} ")
        elif tag == "input" and values.get("type") == "checkbox":
            self._line.append("[x] " if "checked" in values else "[ ] ")
        elif tag in ("del", "s", "strike"):
            self._line.append("(crossed out: ")
        elif tag == "meta" and (key := _META.get(values.get("name", "").lower())):
            if content := " ".join(values.get("content", "").split()):
                self.fields.append((key, content))

    def handle_endtag(self, tag: str) -> None:
        """Take note of a closing tag."""
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
        elif tag in _HEADINGS:
            self._end_heading(_HEADINGS[tag])
        elif tag in ("ul", "ol"):
            self._end_line()
            del self._lists[-1:]
            self._end_block()
        elif tag == "table":
            self._rows_depth = max(0, self._rows_depth - 1)
            if not self._rows_depth:
                self._end_row()
            self._end_block()
        elif tag == "tr" and self._rows_depth < 2:
            self._end_row()
        elif tag == "pre":
            self._end_block()
            self._pre = max(0, self._pre - 1)
        elif tag in _BLOCKS:
            self._end_block()
        elif tag in ("li", "dd"):
            self._end_line()
            self._lead = ""
        elif tag == "title":
            self._in_title = False
        elif tag in ("del", "s", "strike"):
            self._line.append(")")

    def _end_heading(self, level: int) -> None:
        if self._row is not None:
            return
        text = " ".join("".join(self._line).split())
        self._line = []
        self._lead = ""
        self.outline.heading(level, text)

    def _end_cell(self) -> None:
        if self._row:
            self._row[-1] = " ".join("".join(self._line).split())
        self._line = []

    def _end_row(self) -> None:
        if self._row is None:
            return
        self._end_cell()
        row, self._row = self._row, None
        if any(row):
            self.outline.add(" | ".join(row))

    def handle_data(self, data: str) -> None:
        """Take up words."""
        if self._in_title and not self._silent:
            self.title += data
        elif not self._silent:
            self._line.append(data)

    def finish(self, name: str) -> NoteText:
        """Return the note."""
        self.close()
        self._end_row()
        self._end_line()
        return self.outline.note(name, self.fields, " ".join(self.title.split()))


def read(data: bytes, name: str) -> NoteText:
    """Read an HTML file."""
    reader = _Reader()
    reader.feed(tidy(decode(_recoded(data))))
    return reader.finish(name)


def _recoded(data: bytes) -> bytes:
    """Return the bytes in UTF-8 where the page says that they are in another encoding."""
    found = _CHARSET.search(data[:4096])
    marked = data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if found is None or marked:
        return data
    try:
        codec = codecs.lookup(found[1].decode("ascii"))
        return data.decode(codec.name, "replace").encode("utf-8", "replace")
    except (LookupError, UnicodeError):
        return data


FORMAT = Format("web page", (".html", ".htm", ".xhtml"), read, isolated=True)
