"""What writing and asking report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from engine.model.confidence import Evidence


class Verdict(Enum):
    """How a write ended."""

    GOOD = "good"
    WEAK = "weak"
    """In the slot, but recall is under the threshold."""
    FAILED = "failed"
    """The slot is as it was before; `WriteReport.reason` says why."""


@dataclass(frozen=True)
class WriteOptions:
    """How much work a write may be.

    Attributes:
        steps: gradient steps in the first round.
        repair_rounds: further rounds for the probes that fail.
        recall_threshold: below this the note counts as weak.
    """

    steps: int = 14
    repair_rounds: int = 2
    recall_threshold: float = 0.8


@dataclass(frozen=True)
class WriteStep:
    """One gradient step: number, of how many, loss, and recall once it was measured."""

    step: int
    steps: int
    loss: float
    recall: float | None


@dataclass(frozen=True)
class WriteReport:
    """How a write ended, with its figures."""

    verdict: Verdict
    cells: int
    tokens: int
    recall: float
    median_p: float
    seconds: float
    reason: str = ""
    marks: str = ""
    """One character a probe, "1" for right."""


@dataclass(frozen=True)
class ProbeResult:
    """A probe asked of the slot alone."""

    question: str
    expected: str
    answer: str
    right: bool
    p: float


@dataclass(frozen=True)
class Verified:
    """Stored probes asked again: share that still find their cell, and how surely (median p)."""

    probes: int
    recall: float
    median_p: float


@dataclass(frozen=True)
class AnswerStep:
    """One more token of an answer: its text and joint probability."""

    text: str
    p: float


@dataclass(frozen=True)
class AnswerResult:
    """A whole answer.

    Attributes:
        text: what was decoded (also where it is not trusted).
        known: whether `in_memory` reaches the calibrated threshold.
        in_memory: calibrated probability that some note in memory answers, 0 to 1.
        confidence: calibrated probability that the answer is right, 0 to 1.
        sources: (note id, weight) by falling weight; weights sum to at most 1.
        nearest: (note id, score share) of the notes that the question points at, best first.
        prompt: the tokens that the model was given, special tokens by name.
        evidence: what the confidence was computed from.
        log_p: summed log-probability of the answer's tokens.
        stopped: cut short by `Stop`.
    """

    text: str
    known: bool
    in_memory: float
    confidence: float
    sources: tuple[tuple[int, float], ...]
    nearest: tuple[tuple[int, float], ...]
    prompt: tuple[str, ...]
    evidence: Evidence
    log_p: float
    stopped: bool = False


@dataclass(frozen=True)
class Alternative:
    """Another answer that memory holds nearly as good as the one it gives.

    Attributes:
        text: its words.
        note: id of the note whose cell begins it.
        weight: that cell's mass against the best one's, 0 to 1.
    """

    text: str
    note: int
    weight: float


Progress = Callable[[WriteStep], None]
Checkpoint = Callable[[], None]
"""Called between two gradient steps; may answer meanwhile, may raise to drop the write."""
