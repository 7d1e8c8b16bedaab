"""Questions out of prose by rules: mask a name, number or date, move a question word to the front.

Cloze translation after Lewis et al. 2019 (arXiv 1906.04980), without a parser: the sentence around
the masked span is kept in a shuffled or cut form, so that its words point at the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

_NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][a-zé]+(?: (?:of |the |de |van )?[A-Z][a-zé]+){0,3})")
_YEAR = re.compile(r"(?<=\bin )(?:1[0-9]{3}|20[0-2][0-9])\b")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b(?: (?:km|metres|people|million|percent|years|miles))?")
_DATE = re.compile(
    r"\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November"
    r"|December)(?: \d{4})?"
)
_SENTENCE = re.compile(r"(?<=[a-z0-9)][.!?]) (?=[A-Z\"])")
_KINDS = (
    (_DATE, ("When", "On what date", "which day")),
    (_YEAR, ("In which year", "When", "what year")),
    (_NAME, ("Who or what", "Which", "What is it that", "Who")),
    (_NUMBER, ("How many", "How much", "What number")),
)


@dataclass(frozen=True)
class Cloze:
    """A question with its answer's span in the sentence."""

    sentence: str
    question: str
    span: tuple[int, int]


def sentences(paragraph: str) -> list[str]:
    """A paragraph's sentences, by punctuation."""
    return [s for s in _SENTENCE.split(paragraph.strip()) if s]


def cloze(sentence: str, rng: Random) -> Cloze | None:
    """A question about one sentence, or None where nothing in it can be asked for."""
    found = [(m.span(), words) for pattern, words in _KINDS for m in pattern.finditer(sentence)]
    if not found or not 40 <= len(sentence) <= 300:
        return None
    (start, end), words = rng.choice(found)
    before, after = sentence[:start].strip(" ,.;:"), sentence[end:].strip(" ,.;:")
    answer = sentence[start:end]
    before, after = before.replace(answer, ""), after.replace(answer, "")
    keep = rng.randint(5, 14)
    left, right = before.split()[-keep:], after.split()[:keep]
    parts = [" ".join(left), " ".join(right)]
    if rng.random() < 0.5:
        parts.reverse()
    rest = [w for w in " ".join(parts).split() if rng.random() > 0.12]
    if len(rest) < 3:
        return None
    return Cloze(sentence, f"{rng.choice(words)} {' '.join(rest)}?", (start, end))


def filler_sentences(paragraphs: Iterable[str], most: int) -> list[str]:
    """Short whole sentences to put between facts."""
    out: list[str] = []
    for paragraph in paragraphs:
        out += [s for s in sentences(paragraph) if 40 <= len(s) <= 130 and s[-1] == "."]
        if len(out) >= most:
            break
    return out[:most]
