"""What the service needs of model and memory, as protocols: it never sees a tensor itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from engine.memory.report import (
    Alternative,
    AnswerResult,
    AnswerStep,
    Checkpoint,
    ProbeResult,
    Progress,
    Verified,
    WriteOptions,
    WriteReport,
)
from engine.notes.text import NoteText
from engine.store.tensors import SlotSpec


class SlowMemory(Protocol):
    """The slot with its backbone, as `engine.memory.memory.Memory` has it. One thread at a time."""

    @property
    def cells(self) -> int:
        """How many cells the slot has."""

    @property
    def cells_used(self) -> int:
        """How many of them are claimed."""

    def save(self, path: Path) -> None:
        """Write the slot to one file."""

    def note_ids(self) -> dict[int, int]:
        """Note id -> its cells."""

    def write(
        self,
        note_id: int,
        note: NoteText,
        options: WriteOptions,
        progress: Progress,
        checkpoint: Checkpoint,
    ) -> WriteReport:
        """Put a note into the slot by gradient steps, in the place of what it held of it.

        Raises:
            SlotFull: there are not enough free cells.
        """

    def forget(self, note_ids: Sequence[int]) -> int:
        """Free the cells of these notes; returns how many there were."""

    def answer(
        self, question: str, on_step: Callable[[AnswerStep], bool] | None = None
    ) -> AnswerResult:
        """Answer a question; `on_step` returns False to stop."""

    def alternatives(self, question: str, given: str) -> tuple[Alternative, ...]:
        """What else might answer a question that was answered with `given`, best first."""

    def prompt(self, question: str) -> tuple[str, ...]:
        """The exact tokens the model is given for a question."""

    def probes(self, note_id: int, note: NoteText) -> list[ProbeResult]:
        """The note's cues, asked now."""

    def verify(self, note_id: int) -> Verified:
        """The note's stored probes, asked now."""

    def recite(self, note_id: int) -> str:
        """What the note's cells decode to."""

    def grow(self, cells: int) -> None:
        """Give the slot that many cells."""

    def blocks(self) -> list[tuple[int, int, int]]:
        """(start, length, note id or 0), covering all cells."""


class Model(Protocol):
    """A base model on a device; makes memories."""

    @property
    def device(self) -> str:
        """"CPU", or the accelerator's name."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The values of `Settings.device` that there is something for: "auto", "cpu", "cuda"."""

    @property
    def name(self) -> str:
        """For a person: preset and size."""

    @property
    def identity(self) -> str:
        """Names weights, tokenizer and word table; what a memory is bound to."""

    @property
    def problem(self) -> str:
        """Why it is not on the device that was asked for, a sentence; "" where it is."""

    @property
    def out_of_memory(self) -> tuple[type[BaseException], ...]:
        """The errors that say that the accelerator's memory is full; () on a CPU."""

    @property
    def slot_spec(self) -> SlotSpec:
        """What a slot file of this model has to hold."""

    def fresh(self) -> SlowMemory:
        """An empty slot."""

    def load(self, path: Path) -> SlowMemory:
        """A slot from its file. Raises: MemoryCorrupt, WrongBaseModel."""


MemoryFactory = Callable[[str], Model]
"""Opens the base model on a device ("auto", "cpu" or "cuda").

Raises `BaseModelMissing` or `MemoryCorrupt`.
"""
