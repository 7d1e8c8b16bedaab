"""BM25 over short passages (Robertson and Zaragoza 2009), the baseline's search."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
K1 = 1.5
B = 0.75
"""The usual saturation and length normalisation."""


def words(text: str) -> list[str]:
    """Lower-case words and numbers of a text."""
    return _WORD.findall(text.lower())


class Bm25:
    """An index over passages.

    Args:
        passages: the texts, at least one.
    """

    def __init__(self, passages: Sequence[str]) -> None:
        self._counts = [Counter(words(p)) for p in passages]
        self._lengths = [sum(c.values()) for c in self._counts]
        self._mean_length = max(1.0, sum(self._lengths) / len(self._lengths))
        documents = Counter(word for counts in self._counts for word in counts)
        n = len(passages)
        # With the 1 inside the logarithm no word counts negatively, however common it is.
        self._rarity = {w: math.log(1 + (n - d + 0.5) / (d + 0.5)) for w, d in documents.items()}

    def scores(self, question: str) -> list[float]:
        """The score of every passage for a question."""
        asked = [w for w in words(question) if w in self._rarity]
        return [self._score(asked, i) for i in range(len(self._counts))]

    def best(self, question: str) -> int:
        """Index of the best passage; the first among equals."""
        scores = self.scores(question)
        return max(range(len(scores)), key=lambda i: (scores[i], -i))

    def _score(self, asked: Sequence[str], index: int) -> float:
        counts = self._counts[index]
        norm = K1 * (1 - B + B * self._lengths[index] / self._mean_length)
        return sum(
            self._rarity[w] * counts[w] * (K1 + 1) / (counts[w] + norm) for w in asked if counts[w]
        )
