"""Takes Markdown's inline markup off a text and keeps its words. Linear in the text's length."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable

Hold = Callable[[str], str]

_MARKUP = re.compile(r"[*_~=`\[\]<&\\!^{]")
_TICKS = re.compile(r"(?<![\\`])`+")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_HELD = re.compile("\ue000(\\d{1,7})\ue001")
_TARGET = r"\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)"
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:" + _TARGET + r"|\[[^\[\]\n]*\])")
_LINK = re.compile(r"\[([^\[\]]*)\]" + _TARGET)
_WIKI = re.compile(r"!?\[\[([^\[\]|\n]+)(?:\|([^\[\]\n]*))?\]\]")
_REFERENCE = re.compile(r"\[([^\[\]^][^\[\]]*)\] ?\[([^\[\]\n]*)\]")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]+\](?!:)")
_AUTO_LINK = re.compile(r"<((?:https?|ftp|file|mailto|tel):[^<>\s]+|[^<>\s@]+@[^<>\s@]+\.\w+)>")
_ADDRESS = re.compile(r"\bhttps?://[^\s<>*`]*[^\s<>*`_~=.,;:!?)\]]")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|abbr|article|aside|b|big|blockquote|caption|center|cite|code|col|colgroup|dd|del"
    r"|details|dfn|div|dl|dt|em|figcaption|figure|font|footer|header|hr|i|iframe|img|ins|kbd|label"
    r"|li|main|mark|nav|ol|p|pre|q|s|samp|section|small|span|strike|strong|sub|summary|sup|table"
    r"|tbody|td|tfoot|th|thead|tr|tt|u|ul|var|video|audio|source)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_RUN = re.compile(r"\*+|_+|~~|==|\n\n")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~–—…“”‘’«»")


def strip_inline(text: str) -> str:
    """Return `text` without emphasis marks, code ticks, link targets, tags and escapes.

    Images leave their alternative text, links their words, struck-out words stay and are said to
    be crossed out. Emphasis may run over a line's end, not over a blank line.
    """
    if not _MARKUP.search(text):
        return text
    held: list[str] = []

    def hold(words: str) -> str:
        held.append(words)
        return f"\ue000{len(held) - 1}\ue001"

    if "\ue000" in text or "\ue001" in text:
        text = text.replace("\ue000", "").replace("\ue001", "")
    if "`" in text:
        text = _hold_code(text, hold)
    if "\\" in text:
        text = _ESCAPE.sub(lambda match: hold(match[1]), text)
    if "[" in text:
        text = _strip_links(text)
    if "<" in text:
        text = _AUTO_LINK.sub(lambda match: hold(match[1].removeprefix("mailto:")), text)
        text = _TAG.sub("", _BREAK.sub(" " if "\n" not in text else "\n", text))
    if "://" in text:
        text = _ADDRESS.sub(lambda match: hold(match[0]), text)
    text = _strip_emphasis(text)
    if "&" in text:
        text = html.unescape(text)

    def give_back(match: re.Match[str]) -> str:
        index = int(match[1])
        return held[index] if index < len(held) else ""

    for _ in range(3 if held else 0):  # an address can hold an address with an escaped character
        text = _HELD.sub(give_back, text)
    return text


def _hold_code(text: str, hold: Hold) -> str:
    """Take the words between equally long runs of ticks out of further reading."""
    runs = [match.span() for match in _TICKS.finditer(text)]
    after: dict[int, list[int]] = defaultdict(list)
    for index in range(len(runs) - 1, -1, -1):
        after[runs[index][1] - runs[index][0]].append(index)
    pieces: list[str] = []
    at = index = 0
    while index < len(runs):
        start, end = runs[index]
        same = after[end - start]
        while same and same[-1] <= index:
            same.pop()
        if not same or "\n\n" in text[end : runs[same[-1]][0]]:
            index += 1
            continue
        close = same[-1]
        words = text[end : runs[close][0]].strip()
        pieces += [text[at:start], hold(words)]
        at = runs[close][1]
        index = close + 1
    return "".join([*pieces, text[at:]])


def _strip_links(text: str) -> str:
    if "[[" in text:
        text = _WIKI.sub(lambda match: match[2] or match[1].replace("#", " ").strip(), text)
    if "![" in text:
        text = _IMAGE.sub(lambda match: match[1], text)
    if "](" in text:
        text = _LINK.sub(_link_words, text)
    if "][" in text or "] [" in text:
        text = _REFERENCE.sub(lambda match: match[1], text)
    return _FOOTNOTE.sub("", text) if "[^" in text else text


def _link_words(match: re.Match[str]) -> str:
    words = match[1].strip()
    return words or match[2].split(" ", 1)[0].strip("<>")


def _strip_emphasis(text: str) -> str:
    """Drop the paired runs of ``*``, ``_``, ``~~`` and ``==``; name what was struck out."""
    opened: dict[str, list[tuple[int, int]]] = defaultdict(list)
    edits: list[tuple[int, int, str]] = []
    for match in _RUN.finditer(text):
        run, start, end = match[0], match.start(), match.end()
        kind = run[0]
        if kind == "\n":
            opened.clear()
            continue
        opens, closes = _flanks(text, kind, start, end)
        length = end - start
        while closes and length and opened[kind]:
            begin, there = opened[kind].pop()
            used = min(there, length)
            struck = kind == "~"
            edits.append((begin + there - used, begin + there, "(crossed out: " if struck else ""))
            edits.append((start, start + used, ")" if struck else ""))
            start, length = start + used, length - used
            if there > used:
                opened[kind].append((begin, there - used))
        if opens and length:
            opened[kind].append((start, length))
    if not edits:
        return text
    pieces: list[str] = []
    at = 0
    for start, end, words in sorted(edits):
        pieces += [text[at:start], words]
        at = end
    return "".join([*pieces, text[at:]])


def _flanks(text: str, kind: str, start: int, end: int) -> tuple[bool, bool]:
    """Tell whether a run of marks may open and may close (CommonMark's flanking rules)."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    space_before, space_after = before.isspace(), after.isspace()
    mark_before, mark_after = before in _PUNCTUATION, after in _PUNCTUATION
    left = not space_after and (not mark_after or space_before or mark_before)
    right = not space_before and (not mark_before or space_after or mark_after)
    if kind == "_":
        return left and (not right or mark_before), right and (not left or mark_after)
    if kind == "*" and before.isalnum() and after.isalnum() and end - start == 1:
        return False, False  # 2*3*4 in a note is a product
    return left, right
