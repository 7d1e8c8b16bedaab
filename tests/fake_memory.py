"""A slow memory without torch: remembers lines, answers by shared words, steps when it is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from engine.api import SlotFull
from engine.memory.report import (
    Alternative,
    AnswerResult,
    AnswerStep,
    Checkpoint,
    ProbeResult,
    Progress,
    Verdict,
    Verified,
    WriteOptions,
    WriteReport,
    WriteStep,
)
from engine.model.confidence import Evidence
from engine.notes.text import NoteText
from engine.store.tensors import SlotSpec, TensorSpec

WIDTH = 120
SPEC = SlotSpec(
    {"owner": TensorSpec("I32", ("cells",)), "value": TensorSpec("I32", ("cells", WIDTH))},
    owners="owner",
)


class CardFull(RuntimeError):
    """The accelerator's memory is full."""


@dataclass
class Script:
    """What a test wants to happen inside of memories, whichever is in use.

    Attributes:
        on_step: called before each checkpoint with note id and step; may block or raise.
        on_answer: called before an answer's first token.
        on_load: called before a slot file is loaded.
        verdicts: how the write of a note with this title ends; good where it is not named.
        writes: titles of all writes that were begun.
    steps: gradient steps that each of them might take.
    unasked: titles of notes that give no probes.
    """

    on_step: Callable[[int, int], None] = lambda note_id, step: None
    on_answer: Callable[[str], None] = lambda question: None
    on_load: Callable[[str], None] = lambda device: None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    unasked: set[str] = field(default_factory=set)
    verified: Verified = Verified(4, 1.0, 0.99)


class FakeMemory:
    """See `engine.backing.SlowMemory`. A cell is a line of a note."""

    def __init__(self, script: Script, cells: int, lines: dict[int, list[str]]) -> None:
        self._script = script
        self._lines = lines
        self.cells = cells

    @property
    def cells_used(self) -> int:
        return sum(map(len, self._lines.values()))

    def save(self, path: Path) -> None:
        owner = np.zeros(self.cells, np.int32)
        value = np.zeros((self.cells, WIDTH), np.int32)
        at = 0
        for note_id, lines in sorted(self._lines.items()):
            for line in lines:
                codes = [ord(letter) for letter in line[:WIDTH]]
                owner[at], value[at, : len(codes)] = note_id, codes
                at += 1
        save_file({"owner": owner, "value": value}, path)

    @classmethod
    def load(cls, script: Script, path: Path) -> FakeMemory:
        tensors = load_file(path)
        lines: dict[int, list[str]] = {}
        for owner, codes in zip(tensors["owner"], tensors["value"], strict=True):
            if owner:
                text = "".join(chr(code) for code in codes if code)
                lines.setdefault(int(owner), []).append(text)
        return cls(script, len(tensors["owner"]), lines)

    def note_ids(self) -> dict[int, int]:
        return {note_id: len(lines) for note_id, lines in self._lines.items()}

    def write(
        self,
        note_id: int,
        note: NoteText,
        options: WriteOptions,
        progress: Progress,
        checkpoint: Checkpoint,
    ) -> WriteReport:
        self._script.writes.append(note.title)
        self._script.steps.append(options.steps)
        lines = [line for part in note.sections for line in part.text.splitlines() if line]
        for step in range(1, options.steps + 1):
            self._script.on_step(note_id, step)
            progress(WriteStep(step, options.steps, 1.0 / step, None))
            checkpoint()
        verdict = self._script.verdicts.get(note.title, Verdict.GOOD)
        if verdict is Verdict.FAILED:
            return WriteReport(verdict, 0, 0, 0.0, 0.0, 0.5, "The loss was not a number.")
        others = self.cells_used - len(self._lines.get(note_id, ()))
        if others + len(lines) > self.cells:
            raise SlotFull("The slow memory is full.")
        self._lines[note_id] = lines
        marks, reason = ("10", "") if verdict is Verdict.WEAK else ("11", "")
        if note.title in self._script.unasked:
            verdict, marks, reason = Verdict.WEAK, "", "There is nothing to ask."
        recall = marks.count("1") / max(1, len(marks))
        tokens = 10 * len(lines)
        return WriteReport(verdict, len(lines), tokens, recall, 0.99, 0.5, reason, marks)

    def forget(self, note_ids: Sequence[int]) -> int:
        return sum(len(self._lines.pop(note_id, ())) for note_id in note_ids)

    def answer(
        self, question: str, on_step: Callable[[AnswerStep], bool] | None = None
    ) -> AnswerResult:
        self._script.on_answer(question)
        asked = _words(question)
        found = [
            (len(asked & _words(line)) / max(1, len(asked)), note_id, line)
            for note_id, lines in self._lines.items()
            for line in lines
        ]
        share, note_id, line = max(found, default=(0.0, 0, ""))
        said, stopped = [], False
        for word in line.split():
            said.append(word)
            if on_step is not None and not on_step(AnswerStep(word + " ", 0.9)):
                stopped = True
                break
        return AnswerResult(
            " ".join(said), share >= 0.5, share, share, ((note_id, 1.0),), ((note_id, share),),
            self.prompt(question), Evidence(0.0, 0.0, 0.0, 0.0, 1.0, 0.0), -0.1, stopped,
        )  # fmt: skip

    def alternatives(self, question: str, given: str) -> tuple[Alternative, ...]:
        asked = _words(question)
        return tuple(
            Alternative(line, note_id, 0.5)
            for note_id, lines in self._lines.items()
            for line in lines
            if line != given and asked & _words(line)
        )

    def prompt(self, question: str) -> tuple[str, ...]:
        return ("<question>", *question.split(), "<answer>")

    def probes(self, note_id: int, note: NoteText) -> list[ProbeResult]:
        return [ProbeResult(line, line, line, True, 0.9) for line in self._lines[note_id]]

    def verify(self, note_id: int) -> Verified:
        return self._script.verified

    def recite(self, note_id: int) -> str:
        return "\n".join(self._lines[note_id])

    def grow(self, cells: int) -> None:
        self.cells = cells

    def blocks(self) -> list[tuple[int, int, int]]:
        out, at = [], 0
        for note_id, lines in sorted(self._lines.items()):
            out.append((at, len(lines), note_id))
            at += len(lines)
        return [*out, (at, self.cells - at, 0)] if at < self.cells else out


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


@dataclass(frozen=True)
class FakeModel:
    """See `engine.backing.Model`."""

    script: Script
    device: str
    cells: int = 64
    identity: str = "fake 0123456789"
    problem: str = ""

    name = "fake"
    devices = ("auto", "cpu", "cuda")
    slot_spec = SPEC

    @property
    def out_of_memory(self) -> tuple[type[BaseException], ...]:
        return () if self.device == "CPU" else (CardFull,)

    def fresh(self) -> FakeMemory:
        self.script.on_load(self.device)
        return FakeMemory(self.script, self.cells, {})

    def load(self, path: Path) -> FakeMemory:
        self.script.on_load(self.device)
        return FakeMemory.load(self.script, path)


def factory(
    script: Script, cells: int = 64, identity: str = "fake 0123456789"
) -> Callable[[str], FakeModel]:
    """A memory factory; its "cuda" is a card that may run full."""

    def make(device: str) -> FakeModel:
        name = "Card" if device == "cuda" else "CPU"
        return FakeModel(script, name, cells, identity)

    return make
