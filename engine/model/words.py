"""Words, for the gist part of an address: which ones a text has, where, and their table rows.

The gist works on whole words, not on tokens: a word that the tokenizer cuts into pieces still has
one meaning, and a name that no table knows still has one spelling.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LEXICAL_ROWS = 4096
"""Rows of the fixed random table that spellings are hashed into."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:[.,:]\d+)*")
_ENDINGS = ("ing", "ed", "es", "s")
_STEM_LEAST = 4
_SENTENCE = re.compile(r"[.!?][\"”’)]?\s")


@dataclass(frozen=True)
class Word:
    """A word as the gist sees it.

    Attributes:
        start, end: its characters in the text.
        row: its row in the word table, or -1.
        spelling: three rows of the lexical table, from the hash of its stem.
        lines: line breaks between it and the word before.
        sentences: 1 if a sentence ended between it and the word before, else 0.
    """

    start: int
    end: int
    row: int
    spelling: tuple[int, int, int]
    lines: int
    sentences: int


def normalise(word: str) -> str:
    """Lower case, straight apostrophe, no possessive ending."""
    word = word.lower().replace("’", "'")
    return word.removesuffix("'s")


def stem(word: str) -> str:
    """A crude stem: one common ending off, so that "keeps" and "keep" share a spelling."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_LEAST:
            return word[: -len(ending)]
    return word


def words_of(text: str) -> list[str]:
    """The normalised words of a text, in order."""
    return [normalise(match.group()) for match in _WORD.finditer(text)]


def spelling_rows(word: str) -> tuple[int, int, int]:
    """Three rows of the lexical table for a normalised word."""
    root = stem(word).encode("utf-8", "surrogatepass")
    a, b, c = (zlib.crc32(root, salt) % LEXICAL_ROWS for salt in (1, 2, 3))
    return a, b, c


def rows_of_tokens(
    words: Sequence[Word], offsets: Sequence[tuple[int, int]]
) -> tuple[int, ...]:
    """For every token the table row of the word that it is part of, or -1.

    Args:
        words: of a text, in order.
        offsets: the (start, end) characters of its tokens, in order.
    """
    rows = []
    i = 0
    for start, end in offsets:
        while i < len(words) and words[i].end <= start:
            i += 1
        inside = i < len(words) and words[i].start < end
        rows.append(words[i].row if inside else -1)
    return tuple(rows)


class WordTable:
    """Which words have a learned vector.

    Args:
        words: normalised words; their order is the order of the table's rows.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._rows = {w: i for i, w in enumerate(self.words)}
        self._spellings: dict[str, tuple[int, int, int]] = {}

    @classmethod
    def read(cls, path: Path) -> WordTable:
        """Load a file of one word a line."""
        return cls(path.read_text("utf-8").splitlines())

    def save(self, path: Path) -> None:
        """Write one word a line."""
        path.write_text("\n".join(self.words) + "\n", "utf-8")

    def __len__(self) -> int:
        return len(self.words)

    def split(self, text: str) -> list[Word]:
        """The words of a text, in order."""
        found = []
        before = 0
        for match in _WORD.finditer(text):
            word = normalise(match.group())
            between = text[before : match.start() + 1]
            found.append(
                Word(
                    match.start(),
                    match.end(),
                    self._rows.get(word, -1),
                    self._spelling(word),
                    min(2, between.count("\n")),
                    1 if _SENTENCE.search(between) else 0,
                )
            )
            before = max(match.end() - 1, 0)
        return found

    def _spelling(self, word: str) -> tuple[int, int, int]:
        rows = self._spellings.get(word)
        if rows is None:
            rows = spelling_rows(word)
            if len(self._spellings) < 200_000:
                self._spellings[word] = rows
        return rows
