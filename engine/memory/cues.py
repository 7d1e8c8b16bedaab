"""Cues: what of a note is to be remembered, as questions whose answers are spans of the note.

Three sorts, all by rule: the note's own words up to a span ("The code is" -> "5508"), the sentence
around it turned into a question, and key-value lines asked by their key. Which spans are worth a
cue is decided by form (names, numbers, dates) and by the backbone's own surprise; where a note has
few, its sentences are said on from every longer word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.api import MADE_OF_A_SENTENCE
from engine.memory.encode import EncodedNote
from engine.memory.reading import Window

MOST_CUES = 40
_MOST_ANSWER_TOKENS = 12
_SPAN = re.compile(
    r"(?:[€$£]\s?\d[\d,.]*\d|[€$£]\s?\d)"
    r"|\d{1,2}(?:st|nd|rd|th)? (?:January|February|March|April|May|June|July|August|September"
    r"|October|November|December)(?: \d{4})?"
    r"|\d[\d,.:/-]*(?: ?(?:am|pm|km|kg|g|ml|l|cm|mm|m|%|°C))?\b"
    r"|(?:[A-Z][\w'’-]*)(?: (?:of |the |de |van |and )?[A-Z][\w'’-]*)*"
)
_KEY_VALUE = re.compile(r"^(?:- )?(?P<key>[^\W\d_][^:|]{1,40}): +(?P<value>\S.{0,80})$")
_SENTENCE = re.compile(r"[^.!?]+[.!?]?")
_NUMBER = re.compile(r"^[€$£]?\s?\d")
_WORD = re.compile(r"[^\W_][\w'’-]{2,}|\d+")
_OPENING = 2
"""A sentence is said on from its third longer word on."""
_FEW_CUES = 12
"""With fewer a note's sentences are said on as well."""
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|\n")
_REST_WORDS = 3
"""So few words up to the end of a sentence belong to an answer that begins there."""


@dataclass(frozen=True)
class Cue:
    """A question with the cells that answer it.

    Attributes:
        question: its words.
        answer: the span's text.
        cell: index (within the note's cells) where the answer starts.
        tokens: how many cells it runs over.
    """

    question: str
    answer: str
    cell: int
    tokens: int


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    weight: float


_Found = tuple[float, str, tuple[int, int]]
"""Weight, question, and where its answer is in the window's text."""
_Finder = Callable[[str, list[float], int, Window], Iterator[_Found]]
"""Of a line, the nats of the window's tokens, where the line begins, and the window."""
_Ender = Callable[[EncodedNote, int, int], int | None]
"""Of a note, a window's index and an answer's first token: the token behind its last, if any."""


def make_cues(note: EncodedNote, most: int = MOST_CUES) -> list[Cue]:
    """The cues of a note, those of the most surprising spans first, at most `most`."""
    ranked = sorted(_located(note, _asked, _natural_end), key=lambda pair: -pair[0])
    asked = [cue for _, cue in ranked]
    # What a sentence says on from the same words, but to another end, counts as a second answer:
    # such cues distort the address more than they teach.
    clear = _with_one_answer([*asked, *(cue for _, cue in _located(note, _said_on, _rest))])
    regular = set(asked)
    chosen = [cue for cue in clear if cue in regular][:most]
    if len(chosen) < _FEW_CUES:
        length = {cue.cell: cue.tokens for cue in chosen}
        more = (cue for cue in clear if cue not in regular)
        fits = (cue for cue in more if length.get(cue.cell, cue.tokens) == cue.tokens)
        chosen = [*chosen, *fits][:_FEW_CUES]
    return chosen or _by_title(note)


def _with_one_answer(cues: list[Cue]) -> list[Cue]:
    """Each once, without those that a note answers in two ways ("The summer house number")."""
    answers: dict[str, set[str]] = {}
    for cue in cues:
        answers.setdefault(cue.question.lower(), set()).add(cue.answer.lower())
    return [cue for cue in dict.fromkeys(cues) if len(answers[cue.question.lower()]) == 1]


def _by_title(note: EncodedNote) -> list[Cue]:
    """Of a note of so few words that nothing in it stands beside another: its title asks for them.

    "Buy milk", "Call Ann": no rule finds a span with words before or after it.
    """
    window = note.windows[0]
    lines = list(_lines(window.text, 0))
    if len(lines) < 2:
        return []
    (_, title), (begin, line) = lines[:2]
    span = (begin, begin + len(line.rstrip()))
    cue = _locate(note, 0, f"What does {title.strip()} say?", span, _natural_end)
    return [] if cue is None else [cue]


def _lines(text: str, start: int) -> Iterator[tuple[int, str]]:
    for match in re.finditer(r"[^\n]+", text):
        if match.end() > start:
            yield match.start(), match.group()


def _surprises(note: EncodedNote, index: int) -> list[float]:
    """Nats by token of a window; 0 before its body."""
    window = note.windows[index]
    first = note.first[index]
    body = note.surprise[first : first + len(window.tokens) - window.body].tolist()
    return [0.0] * window.body + body


def _located(note: EncodedNote, found: _Finder, ends: _Ender) -> Iterator[tuple[float, Cue]]:
    """The cues that `found` finds in a note's lines, with their weights."""
    for i, window in enumerate(note.windows):
        text = window.text
        start = window.offsets[window.body][0] if window.body < len(window.offsets) else len(text)
        surprise = _surprises(note, i)
        for begin, line in _lines(text, start):
            for weight, question, span in found(line, surprise, begin, window):
                cue = _locate(note, i, question, span, ends)
                if cue is not None:
                    yield weight, cue


def _asked(line: str, surprise: list[float], begin: int, window: Window) -> Iterator[_Found]:
    """Key-value lines by their key, and spans of sentences by the words around them."""
    pair = _KEY_VALUE.match(line)
    if pair:
        span = (begin + pair.start("value"), begin + pair.end("value"))
        yield 9.0, f"What is the {pair['key'].lower()}?", span
    for sentence in _SENTENCE.finditer(line):
        words = sentence.group()
        for part in _spans(words, surprise, begin + sentence.start(), window):
            here = (begin + sentence.start() + part.start, begin + sentence.start() + part.end)
            before, after = words[: part.start].strip(" -"), words[part.end :].strip(" .!?,;")
            if len(before.split()) >= 2:
                yield part.weight, before, here
            if len((before + after).split()) >= 2:
                asked = _asked_with(words[part.start : part.end])
                yield part.weight - 1.0, f"{asked}{_joined(before, after)}?", here


def _said_on(line: str, _: list[float], begin: int, __: Window) -> Iterator[_Found]:
    """Sentences, said on from every longer word but the first ones."""
    for sentence in _SENTENCE.finditer(line):
        words = sentence.group()
        for word in list(_WORD.finditer(words))[_OPENING:]:
            here = (begin + sentence.start() + word.start(), begin + sentence.start() + word.end())
            yield 0.0, words[: word.start()].strip(" -"), here


def _joined(before: str, after: str) -> str:
    return " ".join(part for part in (before, after) if part)


def _asked_with(span: str) -> str:
    who, how_much = MADE_OF_A_SENTENCE
    return how_much if _NUMBER.match(span) else who


def _spans(words: str, surprise: list[float], begin: int, window: Window) -> list[_Span]:
    found = []
    for match in _SPAN.finditer(words):
        weight = _weight(match.start(), match.end(), surprise, begin, window)
        found.append(_Span(match.start(), match.end(), weight))
    rest = [
        _Span(m.start(), m.end(), _weight(m.start(), m.end(), surprise, begin, window))
        for m in re.finditer(r"[^\W\d_]{4,}", words)
        if not any(s.start < m.end() and m.start() < s.end for s in found)
    ]
    rest.sort(key=lambda s: -s.weight)
    return found + rest[:1]


def _weight(start: int, end: int, surprise: list[float], begin: int, window: Window) -> float:
    inside = [
        surprise[i]
        for i, (a, b) in enumerate(window.offsets)
        if b > begin + start and a < begin + end
    ]
    return max(inside, default=0.0)


def _locate(
    note: EncodedNote, index: int, question: str, span: tuple[int, int], ends: _Ender
) -> Cue | None:
    """The cue of a span; its answer runs on to where `ends` says, else to the span's end."""
    window = note.windows[index]
    covering = [i for i, (a, b) in enumerate(window.offsets) if b > span[0] and a < span[1]]
    if not covering or covering[0] < window.body or len(covering) > _MOST_ANSWER_TOKENS:
        return None
    if window.offsets[covering[-1]][1] > span[1]:
        return None
    first = covering[0]
    end = ends(note, index, first) or covering[-1] + 1
    text = window.text[span[0] : window.offsets[end - 1][1]]
    cell = note.first[index] + first - window.body
    return Cue(" ".join(question.split()[-24:]), text.strip(), cell, end - first)


def _rest(note: EncodedNote, index: int, first: int) -> int | None:
    """As `_natural_end`, but a sentence that is nearly over at `first` ends with its last word."""
    window = note.windows[index]
    start = window.offsets[first][0]
    stop = _SENTENCE_END.search(window.text, start)
    last = stop.start() if stop else len(window.text)
    if 0 < len(window.text[start:last].split()) <= _REST_WORDS:
        inside = [i for i, (_, b) in enumerate(window.offsets) if i >= first and b <= last]
        if inside and len(inside) <= _MOST_ANSWER_TOKENS:
            return inside[-1] + 1
    return _natural_end(note, index, first)


def _natural_end(note: EncodedNote, index: int, first: int) -> int | None:
    """The token before which an answer that starts at `first` stops by itself; None if none does.

    What rules take for a span is often less than one would say ("48" of "48 minutes"): teaching
    that would undo what the backbone has learnt of where answers end.
    """
    window = note.windows[index]
    cell = note.first[index] - window.body
    for i in range(first + 1, min(first + 1 + _MOST_ANSWER_TOKENS, len(window.tokens))):
        if float(note.cells.stop[cell + i]) > 0.0:
            return i
        if "\n" in window.text[window.offsets[i - 1][1] : window.offsets[i][1]]:
            break
    return None
