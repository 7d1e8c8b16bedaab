"""A subject without torch: what it says is what the test lets it say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.api import SlotFull
from engine.bench.asking import Reply
from engine.bench.cold import ColdReplies
from engine.bench.subject import BenchMemory, ProseLoss
from engine.memory.report import (
    Alternative,
    AnswerResult,
    AnswerStep,
    Checkpoint,
    ProbeResult,
    Progress,
    Verdict,
    WriteOptions,
    WriteReport,
)
from engine.model.confidence import Evidence
from engine.notes.text import NoteText


@dataclass(frozen=True)
class Said:
    """An answer that a test wants."""

    text: str
    known: bool = True
    confidence: float = 0.9
    p: float = 0.5
    source: int = 0
    nearest: int = 0
    beside: tuple[str, ...] = ()


Says = Callable[[Mapping[int, NoteText], str], Said]
"""What is said to a question by a memory that holds these notes."""


def words_of(note: NoteText) -> str:
    """A note's title and text in one string."""
    return "\n".join([note.title, *(section.text for section in note.sections)])


def owner_of(notes: Mapping[int, NoteText], words: str) -> int:
    """The note that holds some words, 0 for none."""
    return next((i for i, note in notes.items() if words in words_of(note)), 0)


@dataclass
class FakeMemory:
    """Holds whole notes; ten cells each."""

    says: Says
    cells: int
    probe_rights: Callable[[Mapping[int, NoteText], int], list[bool]]
    verdicts: Mapping[int, Verdict]
    notes: dict[int, NoteText] = field(default_factory=dict)

    @property
    def cells_used(self) -> int:
        return 10 * len(self.notes)

    def write(
        self,
        note_id: int,
        note: NoteText,
        options: WriteOptions,
        progress: Progress,
        checkpoint: Checkpoint,
    ) -> WriteReport:
        if note_id not in self.notes and self.cells_used + 10 > self.cells:
            raise SlotFull("full")
        verdict = self.verdicts.get(note_id, Verdict.GOOD)
        if verdict is not Verdict.FAILED:
            self.notes[note_id] = note
        return WriteReport(verdict, 10, 7, 0.5, 0.5, 2.0)

    def answer(
        self, question: str, on_step: Callable[[AnswerStep], bool] | None = None
    ) -> AnswerResult:
        said = self.says(self.notes, question)
        if on_step is not None:
            on_step(AnswerStep(said.text, said.p))
        return AnswerResult(
            text=said.text,
            known=said.known,
            in_memory=said.confidence,
            confidence=said.confidence,
            sources=((said.source, 0.9),) if said.source else (),
            nearest=((said.nearest, 0.9),) if said.nearest else (),
            prompt=("<|begin|>",),
            evidence=Evidence(0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
            log_p=math.log(said.p),
        )

    def alternatives(self, question: str, given: str) -> tuple[Alternative, ...]:
        return tuple(Alternative(text, 0, 0.5) for text in self.says(self.notes, question).beside)

    def probes(self, note_id: int, note: NoteText) -> list[ProbeResult]:
        rights = self.probe_rights(self.notes, note_id)
        return [ProbeResult("q", "a", "a" if right else "b", right, 0.5) for right in rights]

    def save(self, path: Path) -> None:
        path.write_text("saved")

    def grow(self, cells: int) -> None:
        self.cells = cells


class FakeReader:
    """A backbone that says what a test wants to (passage, question)."""

    def __init__(self, says: Callable[[str, str], str]) -> None:
        self._says = says

    def cut(self, note: NoteText) -> list[str]:
        """Every line of a note is a window."""
        return words_of(note).splitlines()

    def answer(self, passage: str, question: str) -> Reply:
        text = self._says(passage, question)
        return Reply(text, True, 0.25, 0.25, 0.25, 0.5, 0, 0, 0.1, 0.2)


class FakeStand:
    """Texts by words; a forward pass takes half a second."""

    def __init__(self, subject: FakeSubject) -> None:
        self._subject = subject
        self.filled_with: tuple[int, int] | None = None

    def shorten(self, text: str, tokens: int) -> str:
        return " ".join(text.split()[:tokens])

    def forward_seconds(self, note: NoteText, repeats: int) -> float:
        return 0.5

    def filled(self, cells: int, free: int) -> FakeMemory:
        self.filled_with = (cells, free)
        return self._subject.fresh()


class FakeSubject:
    """Gives fake memories and remembers what was asked of them."""

    def __init__(
        self,
        says: Says,
        cells: int = 1000,
        probe_rights: Callable[[Mapping[int, NoteText], int], list[bool]] = lambda notes, i: [],
        verdicts: Mapping[int, Verdict] | None = None,
        reads: Callable[[str, str], str] = lambda passage, question: "",
        prose_nats: Callable[[int], float] = lambda notes: 1.0,
    ) -> None:
        self._says = says
        self._cells = cells
        self._probe_rights = probe_rights
        self._verdicts = verdicts or {}
        self._reads = reads
        self._prose_nats = prose_nats
        self.asked: list[list[str]] = []
        self.memories: list[FakeMemory] = []
        self.lines: list[str] = []
        self.the_stand = FakeStand(self)

    @property
    def options(self) -> WriteOptions:
        return WriteOptions()

    def fresh(self) -> FakeMemory:
        memory = FakeMemory(self._says, self._cells, self._probe_rights, self._verdicts)
        self.memories.append(memory)
        return memory

    def ask(
        self, memory: BenchMemory, questions: Sequence[str], alternatives: bool = False
    ) -> list[Reply]:
        return self.ask_timed(memory, questions, alternatives).replies

    def ask_timed(
        self, memory: BenchMemory, questions: Sequence[str], alternatives: bool = False
    ) -> ColdReplies:
        assert isinstance(memory, FakeMemory)
        self.asked.append(list(questions))
        replies = []
        for number, question in enumerate(questions):
            s = self._says(memory.notes, question)
            seconds = 3.0 if number == 0 else 0.4
            numbers = (s.confidence, s.confidence, s.p, s.p**0.5)
            clocks = (seconds / 4, seconds)
            beside = s.beside if alternatives else ()
            replies.append(Reply(s.text, s.known, *numbers, s.source, s.nearest, *clocks, beside))
        return ColdReplies(replies, 1.5, 4.5)

    def reader(self) -> FakeReader:
        return FakeReader(self._reads)

    def prose(self, memory: BenchMemory, texts: Sequence[str]) -> ProseLoss:
        assert isinstance(memory, FakeMemory)
        return ProseLoss(len(texts), 64 * len(texts), self._prose_nats(len(memory.notes)), 0.01)

    def stand(self) -> FakeStand:
        return self.the_stand

    def say(self, line: str) -> None:
        self.lines.append(line)
