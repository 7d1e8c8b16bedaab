"""Scores of answers and of confidences.

`normalise`, `f1` and `exact` follow the evaluation script of SQuAD (Rajpurkar et al. 2016, arXiv
1606.05250): lower case, no punctuation, no articles; the best over all accepted answers counts.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str) -> str:
    """Lower case, without punctuation and articles, single spaces.

    One departure from SQuAD: an answer that is nothing but an article ("A", a platform) is kept,
    for otherwise saying nothing would be as right as saying it.
    """
    plain = text.lower().translate(_PUNCTUATION)
    words = _ARTICLES.sub(" ", plain).split()
    return " ".join(words or plain.split())


def exact(answer: str, accepted: Sequence[str]) -> float:
    """1.0 if the normalised answer equals an accepted one, else 0.0. Nothing is never right."""
    given = normalise(answer)
    return float(bool(given) and any(given == normalise(a) for a in accepted))


def f1(answer: str, accepted: Sequence[str]) -> float:
    """Harmonic mean of precision and recall over normalised words, best over the accepted."""
    return max((_f1(answer, a) for a in accepted), default=0.0)


def _f1(answer: str, accepted: str) -> float:
    given, wanted = normalise(answer).split(), normalise(accepted).split()
    same = sum((Counter(given) & Counter(wanted)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(given), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


def contains(answer: str, accepted: Sequence[str]) -> bool:
    """Whether the normalised answer holds an accepted one as whole words in a row."""
    given = f" {normalise(answer)} "
    return any(f" {wanted} " in given for a in accepted if (wanted := normalise(a)))


def auroc(positive: Iterable[float], negative: Iterable[float]) -> float | None:
    """Probability that a random positive scores above a random negative; ties count half.

    By rank sums (Mann and Whitney). None where one side is empty.
    """
    scored = sorted([(s, True) for s in positive] + [(s, False) for s in negative])
    n_positive = sum(is_positive for _, is_positive in scored)
    n_negative = len(scored) - n_positive
    if not n_positive or not n_negative:
        return None
    rank_sum, start = 0.0, 0
    while start < len(scored):
        end = start
        while end < len(scored) and scored[end][0] == scored[start][0]:
            end += 1
        shared_rank = (start + 1 + end) / 2  # ranks start at 1
        rank_sum += shared_rank * sum(is_positive for _, is_positive in scored[start:end])
        start = end
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def mean(values: Iterable[float]) -> float | None:
    """Arithmetic mean; None of nothing."""
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else None


def ratio(part: float, whole: float) -> float | None:
    """part / whole; None where the whole is 0."""
    return part / whole if whole else None
