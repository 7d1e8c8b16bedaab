"""From what was seen while answering to how sure one may be: Platt scaling."""

from __future__ import annotations

import math
from dataclasses import dataclass

FEATURES = ("bias", "mass", "first", "mean", "least", "owner", "gap")


_MASS = 5.0
"""Beyond this the cells have as good as all of the mass, or none."""


@dataclass(frozen=True)
class Evidence:
    """What an answer's decoding showed.

    Attributes:
        mass: log of the cells' mass at the first token, relative to the backbone's mass of 1.
        first: log-probability of the first token among all tokens but END.
        mean: mean log-probability of the answer's tokens.
        least: lowest log-probability of them.
        owner: share of the cells' mass at the first token that belongs to the best note.
        gap: score of the best cell less the best score of a cell holding another token.
    """

    mass: float
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
            clip(self.mass, _MASS),
            clip(self.first),
            clip(self.mean),
            clip(self.least),
            self.owner,
            clip(self.gap),
        )


@dataclass(frozen=True)
class Calibration:
    """Weights of the logistic regression, and the confidence from which an answer is given.

    Attributes:
        weights: one for each of `FEATURES`.
        threshold: below it the answer is "not in memory".
    """

    weights: tuple[float, ...] = (0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 0.0)
    threshold: float = 0.3

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(self.weights))
        if len(self.weights) != len(FEATURES):
            raise ValueError(f"calibration needs {len(FEATURES)} weights, got {len(self.weights)}")

    def confidence(self, evidence: Evidence) -> float:
        """Probability that the answer is right, 0 to 1."""
        z = sum(w * x for w, x in zip(self.weights, evidence.features(), strict=True))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))
