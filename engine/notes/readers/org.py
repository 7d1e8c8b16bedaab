"""Org files: headings with stars, keywords, drawers, tables, links, time stamps."""

from __future__ import annotations

import re

from engine.notes.readers.encoding import decode
from engine.notes.readers.format import Format
from engine.notes.readers.outline import Outline, is_keyed, is_listed, tidy
from engine.notes.readers.plain import list_line
from engine.notes.text import NoteText

_HEADING = re.compile(r"(\*+)\s+(.*)$")
_STATE = re.compile(r"(TODO|NEXT|WAITING|DONE|CANCELLED|CANCELED)\s+(?=\S)")
_STATE_WORDS = {"DONE": "done", "CANCELLED": "cancelled", "CANCELED": "cancelled"}
_PRIORITY = re.compile(r"\[#\w\]\s*")
_TAGS = re.compile(r"\s:([\w@#%]+(?::[\w@#%]+)*):$")
_COOKIE = re.compile(r"\s*\[\d*(?:/\d*|%)\]$")
_KEYWORD = re.compile(r"#\+(\w+):\s*(.*)$")
_PLANNING = re.compile(r"(SCHEDULED|DEADLINE|CLOSED):\s*([<\[][^<>\[\]]*[>\]])")
_PROPERTY = re.compile(r":([\w+-]+):(?:\s+(.*))?$")
_ROW_RULE = re.compile(r"\|-[-+| ]*$")
_LINK = re.compile(r"\[\[([^\[\]]+)\](?:\[([^\[\]]+)\])?\]")
_FOOTNOTE = re.compile(r"\[fn:[\w-]*\]\s?")
_STAMP = re.compile(r"[<\[](\d{4}-\d{2}-\d{2}[^<>\[\]\n]{0,60})[>\]]")
_EMPHASIS = re.compile(r"[*/_=~+]|\n")
_MAY_STAND_BEFORE = frozenset(" \n('\"{[-")
_MAY_STAND_AFTER = frozenset(" \n.,;:!?'\")}]-*/_+")
_TERM = re.compile(r"(- .{1,80}?)\s::\s")
_SETTINGS = frozenset({"options", "startup", "property", "todo", "seq_todo", "setupfile", "latex"})
_LONGEST_ITEM = 4_000
_MARKS = re.compile(r"[*/_=~+\[<]")


def _bare(text: str) -> str:
    """Return `text` without Org's inline markup."""
    if not _MARKS.search(text):
        return text
    text = _FOOTNOTE.sub("", text)
    text = _LINK.sub(lambda match: match[2] or match[1].removeprefix("file:"), text)
    text = _STAMP.sub(r"\1", text)
    return _without_emphasis(text)


def _without_emphasis(text: str) -> str:
    """Drop the paired emphasis marks of each line; name what was struck out."""
    edits: list[tuple[int, str]] = []
    opened: dict[str, int] = {}
    for match in _EMPHASIS.finditer(text):
        mark, at = match[0], match.start()
        if mark == "\n":
            opened.clear()
            continue
        before = text[at - 1] if at else " "
        after = text[at + 1] if at + 1 < len(text) else " "
        begin = opened.get(mark)
        if begin is not None and at > begin + 1 and before != " " and after in _MAY_STAND_AFTER:
            struck = mark == "+"
            edits += [(begin, "(crossed out: " if struck else ""), (at, ")" if struck else "")]
            del opened[mark]
        elif begin is None and after not in " \n":
            if before in _MAY_STAND_BEFORE or opened.get(before) == at - 1:
                opened[mark] = at
    pieces: list[str] = []
    at = 0
    for place, words in sorted(edits):
        pieces += [text[at:place], words]
        at = place + 1
    return "".join([*pieces, text[at:]])


class _Reader:
    def __init__(self) -> None:
        self.outline = Outline()
        self.title = ""
        self.fields: list[tuple[str, str]] = []
        self._last = ""
        self._drawer = ""
        self._block = ""

    def read(self, lines: list[str]) -> None:
        for raw in lines:
            line = raw.strip()
            if self._block:
                self._in_block(raw, line)
            elif self._drawer:
                self._in_drawer(line)
            elif raw[:1] == "*" and (heading := _HEADING.match(line)):
                self._heading(len(heading[1]), heading[2])
            elif line[:1] == "#" and self._keyword(line):
                continue
            else:
                self._line(raw, line)
        self._emit("")

    def _emit(self, line: str) -> None:
        """Hand over the line before this one, which can grow no more."""
        self.outline.add(_bare(self._last))
        self._last = line

    def _heading(self, level: int, text: str) -> None:
        self._emit("")
        words = ""
        if state := _STATE.match(text):
            words = _STATE_WORDS.get(state[1], "to do") + ": "
            text = text[state.end() :]
        text = _PRIORITY.sub("", text, count=1)
        tags = _TAGS.search(text)
        text = text[: tags.start()] if tags else text
        if text.endswith("]"):
            text = _COOKIE.sub("", text)
        self.outline.heading(level, words + _bare(text))
        if tags:
            self.outline.add("tags: " + tags[1].replace(":", ", "))

    def _keyword(self, line: str) -> bool:
        lower = line.lower()
        if lower.startswith("#+begin"):
            self._emit("")
            self._block = lower[len("#+begin") :].lstrip("_:").split(" ", 1)[0]
            return True
        if match := _KEYWORD.match(line):
            key, value = match[1].lower(), _bare(match[2])
            if key == "title":
                self.title = f"{self.title} {value}".strip()
            elif value and key not in _SETTINGS and not key.startswith(("attr_", "html", "latex")):
                self.fields.append((key, value.strip(":") if key == "filetags" else value))
            return True
        return line.startswith(("# ", "#+")) or line == "#"

    def _in_block(self, raw: str, line: str) -> None:
        if line.lower().startswith("#+end"):
            self._block = ""
        elif self._block in ("src", "example", "verse"):
            self.outline.add(raw.strip())
        elif self._block != "comment":
            self._line(raw, line)

    def _in_drawer(self, line: str) -> None:
        if line.upper() == ":END:":
            self._drawer = ""
        elif self._drawer == "PROPERTIES" and (found := _PROPERTY.match(line)):
            if found[2] and found[1].upper() not in ("ID", "CUSTOM_ID"):
                self._emit(f"{found[1].lower().replace('_', ' ')}: {found[2]}")
        elif self._drawer not in ("PROPERTIES", "LOGBOOK"):
            self._emit(line)

    def _line(self, raw: str, line: str) -> None:
        if line[:1] == ":" and line[-1:] == ":" and line[1:-1].isidentifier():
            self._drawer = line[1:-1].upper()
            return
        if line[:1] == "|":
            if not _ROW_RULE.match(line):
                cells = [cell.strip() for cell in line.strip("|").split("|")]
                self._emit(" | ".join(cells) if any(cells) else "")
            return
        if planned := _PLANNING.findall(line):
            for key, when in planned:
                self._emit(f"{key.lower()}: {when}")
            return
        if len(line) >= 5 and not line.strip("-"):
            line = ""
        item = list_line(": ".join(line.split(" :: ", 1)) if _TERM.match(line) else line)
        if item.startswith("- cancelled: ") and line.startswith("- [-]"):
            item = "- to do: " + item.removeprefix("- cancelled: ")  # half done, in Org
        grows = raw[:1] in " \t" and is_listed(self._last) and len(self._last) < _LONGEST_ITEM
        if item and grows and not (is_listed(item) or is_keyed(item)):
            self._last = f"{self._last} {item}"
        else:
            self._emit(item.removeprefix(": "))


def read_text(text: str, name: str) -> NoteText:
    """Read an Org note that was already decoded."""
    reader = _Reader()
    reader.read(tidy(text).split("\n"))
    return reader.outline.note(name, reader.fields, reader.title)


def read(data: bytes, name: str) -> NoteText:
    """Read an Org file."""
    return read_text(decode(data), name)


FORMAT = Format("Org file", (".org",), read)
