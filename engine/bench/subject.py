"""What is measured: a base model, and memories made on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.api import SlotFull
from engine.bench.asking import Answerer, Reply
from engine.bench.cold import ColdReplies
from engine.bench.metrics import mean
from engine.memory.report import (
    Checkpoint,
    ProbeResult,
    Progress,
    Verdict,
    WriteOptions,
    WriteReport,
)
from engine.notes.text import NoteText

Say = Callable[[str], None]
"""Takes a line on how far a bench is."""


class BenchMemory(Answerer, Protocol):
    """The part of `engine.memory.memory.Memory` that benches use."""

    @property
    def cells(self) -> int:
        """Cells of the slot."""

    @property
    def cells_used(self) -> int:
        """Claimed ones."""

    def write(
        self,
        note_id: int,
        note: NoteText,
        options: WriteOptions,
        progress: Progress,
        checkpoint: Checkpoint,
    ) -> WriteReport:
        """Write a note."""

    def probes(self, note_id: int, note: NoteText) -> list[ProbeResult]:
        """Ask a note's own cues."""

    def save(self, path: Path) -> None:
        """Write the slot to a file."""

    def grow(self, cells: int) -> None:
        """Give the slot more cells."""


class Reader(Protocol):
    """The same backbone with a passage in its prompt."""

    def cut(self, note: NoteText) -> list[str]:
        """The windows of a note."""

    def answer(self, passage: str, question: str) -> Reply:
        """Answer from a passage."""


@dataclass(frozen=True)
class ProseLoss:
    """Mean loss on prose.

    Attributes:
        documents, tokens: scored.
        nats: per token. mass: mean share of the cells in the joint distribution.
    """

    documents: int
    tokens: int
    nats: float
    mass: float


class SpeedStand(Protocol):
    """What measuring speed needs of a base model."""

    def shorten(self, text: str, tokens: int) -> str:
        """The first tokens of a text."""

    def forward_seconds(self, note: NoteText, repeats: int) -> float:
        """Median seconds of the backbone's forward pass over a note."""

    def filled(self, cells: int, free: int) -> BenchMemory:
        """A memory with `cells` cells claimed and `free` ones left."""


class Subject(Protocol):
    """A base model under measurement."""

    @property
    def options(self) -> WriteOptions:
        """How notes are written."""

    def fresh(self) -> BenchMemory:
        """An empty memory."""

    def ask(
        self, memory: BenchMemory, questions: Sequence[str], alternatives: bool = False
    ) -> list[Reply]:
        """Ask a memory's saved file in a fresh process that knows nothing but the file."""

    def ask_timed(
        self, memory: BenchMemory, questions: Sequence[str], alternatives: bool = False
    ) -> ColdReplies:
        """As `ask`, with the process's start-up times."""

    def reader(self) -> Reader:
        """The backbone without slow memory."""

    def prose(self, memory: BenchMemory, texts: Sequence[str]) -> ProseLoss:
        """Loss on texts with the cells of a memory read at every position."""

    def stand(self) -> SpeedStand:
        """For measuring speed."""

    def say(self, line: str) -> None:
        """Tell how far it is."""


@dataclass(frozen=True)
class Written:
    """How some writes went.

    Attributes:
        notes: how many were written. weak, failed: how many of them ended so.
        tokens: tokens read. cells_used: claimed afterwards, in a slot of `cells`.
        recall: mean recall of the probes. seconds: of all writes.
    """

    notes: int
    weak: int
    failed: int
    tokens: int
    cells_used: int
    cells: int
    recall: float | None
    seconds: float

    @property
    def remark(self) -> str:
        """A line for below a table."""
        return (
            f"{self.notes} writes: {self.weak} weak, {self.failed} failed; {self.cells_used} of "
            f"{self.cells} cells; {self.seconds:.0f} s"
        )


def together(written: Sequence[Written]) -> Written:
    """The writes of several memories as one; recall is the mean over their notes."""
    recalls = [(w.recall, w.notes) for w in written if w.recall is not None]
    notes = sum(n for _, n in recalls)
    return Written(
        sum(w.notes for w in written),
        sum(w.weak for w in written),
        sum(w.failed for w in written),
        sum(w.tokens for w in written),
        sum(w.cells_used for w in written),
        sum(w.cells for w in written),
        sum(r * n for r, n in recalls) / notes if notes else None,
        sum(w.seconds for w in written),
    )


def write_one(
    memory: BenchMemory, note_id: int, note: NoteText, options: WriteOptions
) -> WriteReport:
    """Write one note; a slot that is full is given twice the cells."""
    while True:
        try:
            return memory.write(note_id, note, options, lambda step: None, lambda: None)
        except SlotFull:
            memory.grow(2 * memory.cells)


def write_all(memory: BenchMemory, notes: Mapping[int, NoteText], subject: Subject) -> Written:
    """Write notes one after the other, ids as given."""
    meter = Meter("wrote", len(notes), subject.say)
    reports = []
    for note_id, note in notes.items():
        reports.append(write_one(memory, note_id, note, subject.options))
        meter.tick()
    return Written(
        len(reports),
        sum(r.verdict is Verdict.WEAK for r in reports),
        sum(r.verdict is Verdict.FAILED for r in reports),
        sum(r.tokens for r in reports),
        memory.cells_used,
        memory.cells,
        mean(r.recall for r in reports),
        sum(r.seconds for r in reports),
    )


class Meter:
    """Says how far a loop is, at most ten times.

    Args:
        what: a verb in the past, before the numbers.
        total: rounds of the loop.
        say: takes the lines.
    """

    def __init__(self, what: str, total: int, say: Say) -> None:
        self._what, self._total, self._say = what, total, say
        self._done = 0

    def tick(self) -> None:
        """One round more is done."""
        before = 10 * self._done // self._total
        self._done += 1
        if 10 * self._done // self._total > before:
            self._say(f"  {self._what} {self._done} of {self._total}")
