"""A note cut into windows the backbone can read: tokens with title and headings before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.model.tokenizer import Tokenizer
from engine.notes.text import NoteText

WINDOW_TOKENS = 256
"""At most this many tokens a window, prefix included."""
PREFIX_TOKENS = 40
OVERLAP_TOKENS = 24


@dataclass(frozen=True)
class Window:
    """A stretch of a note as the backbone reads it.

    Attributes:
        text: prefix and body as one string.
        tokens: its ids.
        offsets: for each token the (start, end) characters of `text`.
        body: index of the first token that may become a cell; those before it (title and headings
            once more, the end of the window before) are context only.
    """

    text: str
    tokens: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    body: int


@dataclass(frozen=True)
class _Line:
    headings: tuple[str, ...]
    text: str
    """Ends with a line break."""
    size: int


def _heading_changes(before: tuple[str, ...], now: tuple[str, ...]) -> str:
    kept = 0
    while kept < min(len(before), len(now)) and before[kept] == now[kept]:
        kept += 1
    return "".join(f"{h}\n" for h in now[kept:])


def _lines(note: NoteText, tokenizer: Tokenizer) -> Iterator[_Line]:
    """The note as lines, title, fields and headings as lines of their own."""
    raw: list[tuple[tuple[str, ...], str]] = [((), f"{note.title}\n")]
    raw += [((), f"{key}: {value}\n") for key, value in note.fields]
    before: tuple[str, ...] = (note.title,)
    for section in note.sections:
        headings = section.headings
        opening = _heading_changes(before, headings) if headings != (note.title,) else ""
        if opening:
            raw.append((headings, opening))
        before = headings
        raw += [(headings, f"{line}\n") for line in section.text.splitlines()]
    sizes = tokenizer.encode_batch([text for _, text in raw])
    for (headings, text), ids in zip(raw, sizes, strict=True):
        yield from _pieces(_Line(headings, text, len(ids)), tokenizer)


def _pieces(line: _Line, tokenizer: Tokenizer) -> Iterator[_Line]:
    """A line too long for a window, cut between words."""
    most = WINDOW_TOKENS - PREFIX_TOKENS - OVERLAP_TOKENS
    if line.size <= most:
        yield line
        return
    ids, offsets = tokenizer.encode_with_offsets(line.text)
    start = 0
    while start < len(ids):
        end = min(start + most, len(ids))
        cut = end
        while end < len(ids) and cut > start + most // 2:
            if line.text[offsets[cut][0]].isspace():
                break
            cut -= 1
        end = cut if end < len(ids) and cut > start + most // 2 else end
        begin = offsets[start][0]
        stop = len(line.text) if end == len(ids) else offsets[end][0]
        yield _Line(line.headings, line.text[begin:stop], end - start)
        start = end


def windows(note: NoteText, tokenizer: Tokenizer) -> list[Window]:
    """Cut a note into windows of at most `WINDOW_TOKENS` tokens.

    The first window begins with the title. Each later one repeats title and headings and the last
    line before it, so that no line is read without its surroundings.
    """
    groups: list[list[_Line]] = [[]]
    size = 0
    for line in _lines(note, tokenizer):
        room = WINDOW_TOKENS - (0 if len(groups) == 1 else PREFIX_TOKENS + OVERLAP_TOKENS)
        if groups[-1] and size + line.size > room:
            groups.append([])
            size = 0
        groups[-1].append(line)
        size += line.size
    return [_window(note, groups, i, tokenizer) for i in range(len(groups)) if groups[i]]


def _window(note: NoteText, groups: list[list[_Line]], index: int, tokenizer: Tokenizer) -> Window:
    body = "".join(line.text for line in groups[index])
    prefix = ""
    if index > 0:
        path = " > ".join(dict.fromkeys((note.title, *groups[index][0].headings)))
        prefix = _last_tokens(path, PREFIX_TOKENS, tokenizer) + "\n"
        overlap = _last_tokens(groups[index - 1][-1].text, OVERLAP_TOKENS, tokenizer)
        prefix += overlap
    text = (prefix + body).rstrip("\n") + "\n"
    ids, offsets = tokenizer.encode_with_offsets(text)
    ids, offsets = ids[: WINDOW_TOKENS + 8], offsets[: WINDOW_TOKENS + 8]
    first = next((i for i, (_, end) in enumerate(offsets) if end > len(prefix)), 0)
    return Window(text, tuple(ids), tuple(offsets), first)


def _last_tokens(text: str, most: int, tokenizer: Tokenizer) -> str:
    ids, offsets = tokenizer.encode_with_offsets(text)
    return text if len(ids) <= most else text[offsets[-most][0] :]
