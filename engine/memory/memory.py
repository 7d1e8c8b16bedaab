"""Slow memory as the engine uses it: a base model, a slot, and the verbs on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from engine.memory.alternatives import alternatives as find_alternatives
from engine.memory.answer import answer as decode_answer
from engine.memory.cues import make_cues
from engine.memory.encode import encode_note, read_prompt
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
from engine.memory.write import write_note
from engine.model.base import BaseModel
from engine.model.slot import Slot
from engine.model.tokenizer import END
from engine.notes.text import NoteText

DEFAULT_CELLS = 65_536


class Memory:
    """A base model with a slot. Not for two threads at once.

    Args:
        base: frozen.
        slot: written to.
    """

    def __init__(self, base: BaseModel, slot: Slot) -> None:
        self.base = base
        self._slot = slot

    @classmethod
    def fresh(cls, base: BaseModel, cells: int = DEFAULT_CELLS) -> Memory:
        """An empty memory."""
        return cls(base, Slot(base.cfg, cells, base.device))

    @classmethod
    def load(cls, base: BaseModel, path: Path) -> Memory:
        """Open a slot file; raises MemoryCorrupt or WrongBaseModel."""
        return cls(base, Slot.load(base.cfg, path, base.id, base.device))

    def save(self, path: Path) -> None:
        """Write the slot file (plainly: making it atomic is the store's part)."""
        self._slot.save(path, self.base.id)

    # --- facts -------------------------------------------------------------------------------

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self._slot.cells

    @property
    def cells_used(self) -> int:
        """How many cells are claimed."""
        return self._slot.used

    def note_ids(self) -> dict[int, int]:
        """Note id -> number of its cells."""
        return self._slot.owners()

    def blocks(self) -> list[tuple[int, int, int]]:
        """(start, length, note id or 0) of runs of cells, covering all."""
        return self._slot.blocks()

    # --- writing -----------------------------------------------------------------------------

    def write(
        self,
        note_id: int,
        note: NoteText,
        options: WriteOptions,
        progress: Progress,
        checkpoint: Checkpoint,
    ) -> WriteReport:
        """Write a note, replacing its older cells in one go.

        The slot is untouched until the end, so `checkpoint` may ask meanwhile; an exception from it
        drops the write. `Verdict.FAILED` leaves the slot as it was.

        Raises:
            SlotFull: not enough free cells.
            ValueError: `note_id` is not positive.
        """
        if note_id <= 0:
            raise ValueError("note ids are positive")
        return write_note(self.base, self._slot, note_id, note, options, progress, checkpoint)

    def forget(self, note_ids: Sequence[int]) -> int:
        """Free the cells of some notes; returns how many."""
        return self._slot.free(note_ids)

    def clear(self) -> None:
        """Empty the slot."""
        self._slot = Slot(self.base.cfg, self.cells, self.base.device)

    def grow(self, cells: int) -> None:
        """Give the slot more cells; raises ValueError for fewer."""
        self._slot.grow(cells)

    def copy(self) -> Memory:
        """A memory with a copy of the slot and the same base."""
        return Memory(self.base, self._slot.copy())

    # --- asking ------------------------------------------------------------------------------

    def prompt(self, question: str) -> tuple[str, ...]:
        """The exact tokens that the model is given for a question, special tokens by name."""
        return tuple(self.base.tokenizer.token(i) for i in read_prompt(self.base, question).ids)

    def answer(
        self, question: str, on_step: Callable[[AnswerStep], bool] | None = None
    ) -> AnswerResult:
        """Answer from the slot; `on_step` gets every token and returns False to stop."""
        return decode_answer(self.base, self._slot, question, on_step)

    def alternatives(self, question: str, given: str) -> tuple[Alternative, ...]:
        """What else might answer a question that was answered with `given`, best first."""
        return find_alternatives(self.base, self._slot, question, given)

    def probes(self, note_id: int, note: NoteText) -> list[ProbeResult]:
        """A note's cues, each asked of the slot as a question."""
        out = []
        for cue in make_cues(encode_note(self.base, note)):
            result = self.answer(cue.question)
            owners = {owner for owner, weight in result.sources if weight > 0.5}
            right = result.text == cue.answer and note_id in owners
            p = float(torch.tensor(result.log_p).exp())
            out.append(ProbeResult(cue.question, cue.answer, result.text, right, p))
        return out

    def verify(self, note_id: int) -> Verified:
        """Ask a note's stored probes again: does each still find its own cell first?"""
        slot = self._slot
        mine = (slot.probe_owner == note_id).nonzero().squeeze(1)
        if not len(mine):
            return Verified(0, 0.0, 0.0)
        scores = slot.score_stored(slot.probe[mine])
        held = scores.gather(1, slot.probe_cell[mine, None]).squeeze(1)
        right = scores.max(1).values <= held
        p = (held - torch.nn.functional.softplus(scores.logsumexp(1))).exp()
        return Verified(len(mine), float(right.float().mean()), float(p.median()))

    def recite(self, note_id: int) -> str:
        """What a note's cells decode to, one after the other."""
        slot = self._slot
        cells = slot.cells_of(note_id)
        if not len(cells):
            return ""
        with torch.no_grad():
            logits = slot.value[cells] @ self.base.backbone.head
        logits[:, END] = float("-inf")
        ids = logits.argmax(-1).tolist()
        begins = (~torch.isin(cells, slot.successor)).tolist()
        pieces: list[list[int]] = []
        for token, begin in zip(ids, begins, strict=True):
            if begin or not pieces:
                pieces.append([])
            pieces[-1].append(token)
        return "\n".join(self.base.tokenizer.decode(piece).strip() for piece in pieces)


