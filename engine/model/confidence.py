"""From what was seen while answering to how sure one may be: Platt scaling.

Whether memory holds an answer shows in how near the best cell lies, before anything is decoded,
and hardly depends on how many others there are; whether the answer is right shows in how it was
decoded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FEATURES = ("bias", "best", "first", "mean", "least", "owner", "gap")

_FAR = 5.0
"""Beyond this a cell has as good as all of the mass, or none."""


@dataclass(frozen=True)
class Evidence:
    """What an answer's decoding showed.

    Attributes:
        best: score of the best cell at the first token; the backbone's mass has a score of 0.
        first: log-probability of the first token among all tokens but END.
        mean: mean log-probability of the answer's tokens.
        least: lowest log-probability of them.
        owner: share of the cells' mass at the first token that belongs to the best note.
        gap: score of the best cell less the best score of a cell holding another token.
    """

    best: float
    first: float
    mean: float
    least: float
    owner: float
    gap: float

    def features(self) -> tuple[float, ...]:
        """The regression's inputs, in the order of `FEATURES`, clipped to sane ranges."""

        def clip(x: float, most: float = 20.0) -> float:
            return max(-most, min(most, x))

        return (
            1.0,
            clip(self.best, _FAR),
            clip(self.first),
            clip(self.mean),
            clip(self.least),
            self.owner,
            clip(self.gap),
        )


@dataclass(frozen=True)
class Calibration:
    """Two logistic regressions: does memory hold an answer at all, and is the one found right?

    Attributes:
        weights: of "right", one for each of `FEATURES`; fitted on answers that are given.
        held: of "memory holds an answer": bias, and weight of `best`.
        threshold: below this probability of "held" the answer is "not in memory".
    """

    weights: tuple[float, ...] = (0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 0.0)
    held: tuple[float, float] = (0.0, 1.0)
    threshold: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(self.weights))
        object.__setattr__(self, "held", tuple(self.held))
        if len(self.weights) != len(FEATURES) or len(self.held) != 2:
            n = (len(self.weights), len(self.held))
            raise ValueError(f"calibration needs {len(FEATURES)} and 2 weights, got {n}")

    def confidence(self, evidence: Evidence) -> float:
        """Probability that the answer is right, 0 to 1."""
        return _probability(self.weights, evidence.features())

    def in_memory(self, evidence: Evidence) -> float:
        """Probability that some note in memory answers the question, 0 to 1."""
        return _probability(self.held, evidence.features()[: len(self.held)])


def _probability(weights: Sequence[float], features: Sequence[float]) -> float:
    z = sum(w * x for w, x in zip(weights, features, strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))
