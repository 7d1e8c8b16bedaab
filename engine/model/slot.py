"""The slot: slow memory beside the backbone, cells found by content (memory.md, section 2).

A cell has an address (context, local gist, and through its place the wide gist), a value that the
backbone's head decodes to a token, an owner, and a successor. One safetensors file holds the
claimed cells; nothing in it is text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.api import MemoryCorrupt, SlotFull, WrongBaseModel
from engine.model.config import BackboneConfig
from engine.model.slot_spec import check, slot_spec

FORMAT = 1
FREE = 0
NO_CELL = -1
_META = "engram"


class NewCells(NamedTuple):
    """Cells of one note, ready to be put into the slot, in the order of the note.

    context: (n, d_context). local: (n, G). value: (n, D). place: (n,) row of `wide`.
    follows: (n,) True where the cell before it is its predecessor. wide: (p, G).
    probes: (r, d_context + 2 G + 1) queries of the note's probes, gate last.
    probe_cells: (r,) for each the cell it must find.
    """

    context: Tensor
    local: Tensor
    value: Tensor
    place: Tensor
    follows: Tensor
    wide: Tensor
    probes: Tensor
    probe_cells: Tensor


class Found(NamedTuple):
    """The best cells for a query: scores (k,), falling, and the cells' indices (k,)."""

    scores: Tensor
    cell: Tensor


class QuestionScores(NamedTuple):
    """Dot products that stay the same for a whole question, each (top,).

    local_semantic, local_lexical, wide_semantic, wide_lexical: unscaled.
    """

    local_semantic: Tensor
    local_lexical: Tensor
    wide_semantic: Tensor
    wide_lexical: Tensor


def split_stored(
    probes: Tensor, d_context: int, d_gist: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Stored probe queries (r, d_context + 2 G + 1) as context, local, wide and gate (r, 1)."""
    context, local, wide, gate = probes.split([d_context, d_gist, d_gist, 1], dim=1)
    return context, local, wide, gate


def _rounded(x: Tensor) -> Tensor:
    """What is left of a tensor after a trip through the file's fp16."""
    return x.detach().half().float()


class Slot:
    """Cells, places and stored probes.

    Args:
        cfg: shape of the base model.
        cells: M, how many cells there are.
        device: where to keep them.
    """

    def __init__(
        self, cfg: BackboneConfig, cells: int, device: torch.device | str = "cpu"
    ) -> None:
        self.cfg = cfg
        gist = cfg.d_semantic + cfg.d_lexical
        self.context = torch.zeros(cells, cfg.d_context, device=device)
        self.local = torch.zeros(cells, gist, device=device)
        self.value = torch.zeros(cells, cfg.d_model, device=device)
        self.owner = torch.zeros(cells, dtype=torch.long, device=device)
        self.place = torch.zeros(cells, dtype=torch.long, device=device)
        self.successor = torch.full((cells,), NO_CELL, dtype=torch.long, device=device)
        self.wide = torch.zeros(1, gist, device=device)
        self.place_owner = torch.zeros(1, dtype=torch.long, device=device)
        self.probe = torch.zeros(0, cfg.d_context + 2 * gist + 1, device=device)
        self.probe_cell = torch.zeros(0, dtype=torch.long, device=device)
        self.probe_owner = torch.zeros(0, dtype=torch.long, device=device)
        self.top = 0
        """All claimed cells are below this index."""

    # --- facts -------------------------------------------------------------------------------

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.owner)

    @property
    def used(self) -> int:
        """How many cells are claimed."""
        return int((self.owner[: self.top] != FREE).sum())

    def owners(self) -> dict[int, int]:
        """Note id -> number of cells."""
        ids, counts = torch.unique(self.owner[: self.top], return_counts=True)
        pairs = zip(ids.tolist(), counts.tolist(), strict=True)
        return {i: n for i, n in pairs if i != FREE}

    def cells_of(self, note: int) -> Tensor:
        """Indices of a note's cells, rising."""
        return (self.owner[: self.top] == note).nonzero().squeeze(1)

    def blocks(self) -> list[tuple[int, int, int]]:
        """(start, length, owner) of runs of cells, covering all."""
        values, counts = torch.unique_consecutive(self.owner, return_counts=True)
        out = []
        start = 0
        for owner, length in zip(values.tolist(), counts.tolist(), strict=True):
            out.append((start, length, owner))
            start += length
        return out

    # --- reading -----------------------------------------------------------------------------

    def question_scores(self, gist: Tensor) -> QuestionScores:
        """Products of a question's gist (G,) with all cells' gists."""
        ds = self.cfg.d_semantic
        local, wide = self.local[: self.top], self.wide
        place = self.place[: self.top]
        return QuestionScores(
            local[:, :ds] @ gist[:ds],
            local[:, ds:] @ gist[ds:],
            (wide[:, :ds] @ gist[:ds])[place],
            (wide[:, ds:] @ gist[ds:])[place],
        )

    def find(
        self,
        context: Tensor,
        scales: Tensor,
        gate: Tensor,
        question: QuestionScores,
        bonus: dict[int, float],
        k: int = 32,
    ) -> Found:
        """The exact best k claimed cells.

        Args:
            context: (d_context,) query, scale multiplied in.
            scales: (4,) of local semantic, local lexical, wide semantic, wide lexical.
            gate: () added to every score.
            question: products that do not change within a question.
            bonus: cell -> what its score gets added (successors of the last token's cells).
        """
        s = self.context[: self.top] @ context + gate
        s = s + scales[0] * question.local_semantic + scales[1] * question.local_lexical
        s = s + scales[2] * question.wide_semantic + scales[3] * question.wide_lexical
        for cell, more in bonus.items():
            s[cell] += more
        s = s.masked_fill(self.owner[: self.top] == FREE, float("-inf"))
        best = s.topk(min(k, self.used))
        return Found(best.values, best.indices)

    def score_stored(self, probes: Tensor, index: Tensor | None = None) -> Tensor:
        """Scores (r, n) of stored probe queries against cells (all up to `top`, or `index`)."""
        cells = index if index is not None else torch.arange(self.top, device=self.owner.device)
        context, local, wide, gate = self._split(probes)
        s: Tensor = context @ self.context[cells].T + local @ self.local[cells].T + gate
        s = s + (wide @ self.wide.T)[:, self.place[cells]]
        masked: Tensor = s.masked_fill(self.owner[cells] == FREE, float("-inf"))
        return masked

    def _split(self, probes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return split_stored(probes, self.context.shape[1], self.local.shape[1])

    def score_own(self, rows: Tensor) -> Tensor:
        """Scores (r,) of stored probes against the one cell each must find.

        Args:
            rows: (r,) rows of `probe`.
        """
        cells = self.probe_cell[rows]
        context, local, wide, gate = self._split(self.probe[rows])
        s: Tensor = (context * self.context[cells]).sum(1) + (local * self.local[cells]).sum(1)
        return s + (wide * self.wide[self.place[cells]]).sum(1) + gate.squeeze(1)

    # --- writing -----------------------------------------------------------------------------

    def room_for(self, note: int, n: int) -> Tensor:
        """The cells that n cells of a note could go into (free, or its own), rising.

        Raises:
            SlotFull: there are fewer than n.
        """
        free = ((self.owner == FREE) | (self.owner == note)).nonzero().squeeze(1)
        if len(free) < n:
            raise SlotFull(
                f"The slow memory is full: this note needs {n} cells and {len(free)} of "
                f"{self.cells} are free. Give it more cells, or forget some notes."
            )
        return free

    def put(self, note: int, new: NewCells) -> Tensor:
        """Replace a note's cells by new ones.

        Returns:
            (n,) indices of the cells taken.

        Raises:
            SlotFull: not enough free cells; nothing was changed.
        """
        n = len(new.context)
        free = self.room_for(note, n)
        self.free([note])
        index = self._stretch(free, n)
        rows = self._put_places(note, new.wide)
        self.context[index] = _rounded(new.context)
        self.local[index] = _rounded(new.local)
        self.value[index] = _rounded(new.value)
        self.place[index] = rows[new.place]
        self.owner[index] = note
        self.successor[index] = NO_CELL
        second = new.follows.nonzero().squeeze(1)
        self.successor[index[second - 1]] = index[second]
        if n:
            self.top = max(self.top, int(index.max()) + 1)
        self.probe = torch.cat([self.probe, _rounded(new.probes)])
        self.probe_cell = torch.cat([self.probe_cell, index[new.probe_cells]])
        owners = torch.full((len(new.probes),), note, device=self.owner.device)
        self.probe_owner = torch.cat([self.probe_owner, owners])
        return index

    @staticmethod
    def _stretch(free: Tensor, n: int) -> Tensor:
        """The first run of n neighbouring free cells, else the first n free cells."""
        if n == 0:
            return free[:0]
        last = free[n - 1 :] - free[: len(free) - n + 1] == n - 1
        runs = last.nonzero()
        start = int(runs[0]) if len(runs) else 0
        return free[start : start + n]

    def _put_places(self, note: int, wide: Tensor) -> Tensor:
        free = (self.place_owner == FREE).nonzero().squeeze(1)
        free = free[free > 0]  # row 0 stays the place of free cells
        short = len(wide) - len(free)
        if short > 0:
            start = len(self.wide)
            more = torch.zeros(short, self.wide.shape[1], device=self.wide.device)
            self.wide = torch.cat([self.wide, more])
            owners = torch.zeros(short, dtype=torch.long, device=self.wide.device)
            self.place_owner = torch.cat([self.place_owner, owners])
            added = torch.arange(start, start + short, device=self.wide.device)
            free = torch.cat([free, added])
        rows = free[: len(wide)]
        self.wide[rows] = _rounded(wide)
        self.place_owner[rows] = note
        return rows

    def free(self, notes: Sequence[int]) -> int:
        """Free all cells, places and probes of some notes; returns how many cells."""
        wanted = torch.tensor(list(notes), device=self.owner.device)
        mine = torch.isin(self.owner, wanted) & (self.owner != FREE)
        for tensor in (self.context, self.local, self.value, self.place, self.owner):
            tensor[mine] = 0
        self.successor[mine] = NO_CELL
        places = torch.isin(self.place_owner, wanted) & (self.place_owner != FREE)
        self.wide[places] = 0
        self.place_owner[places] = FREE
        keep = ~torch.isin(self.probe_owner, wanted)
        self.probe, self.probe_cell = self.probe[keep], self.probe_cell[keep]
        self.probe_owner = self.probe_owner[keep]
        left = (self.owner != FREE).nonzero()
        self.top = int(left.max()) + 1 if len(left) else 0
        return int(mine.sum())

    def grow(self, cells: int) -> None:
        """Give the slot more cells; raises ValueError if `cells` is fewer than there are."""
        if cells < self.cells:
            raise ValueError(f"the slot has {self.cells} cells already")
        bigger, before = Slot(self.cfg, cells, self.owner.device), self.cells
        for name in ("context", "local", "value", "owner", "place", "successor"):
            getattr(bigger, name)[:before] = getattr(self, name)
            setattr(self, name, getattr(bigger, name))

    def copy(self) -> Slot:
        """An independent copy."""
        other = Slot(self.cfg, 0, self.owner.device)
        for name, value in vars(self).items():
            setattr(other, name, value.clone() if isinstance(value, Tensor) else value)
        return other

    # --- the file ----------------------------------------------------------------------------

    def save(self, path: Path, base_id: str) -> None:
        """Write the slot file; the same slot gives the same bytes."""
        index = (self.owner != FREE).nonzero().squeeze(1)
        places = (self.place_owner != FREE).nonzero().squeeze(1)
        row_of = torch.zeros(len(self.wide), dtype=torch.long, device=self.wide.device)
        row_of[places] = torch.arange(len(places), device=self.wide.device)
        tensors = {
            "index": index.int(),
            "owner": self.owner[index].int(),
            "place": row_of[self.place[index]].int(),
            "successor": self.successor[index].int(),
            "context": self.context[index].half(),
            "local": self.local[index].half(),
            "value": self.value[index].half(),
            "place_owner": self.place_owner[places].int(),
            "wide": self.wide[places].half(),
            "probe_owner": self.probe_owner.int(),
            "probe_cell": self.probe_cell.int(),
            "probe": self.probe.half(),
        }
        meta = {"format": FORMAT, "base": base_id, "cells": self.cells}
        stored = {k: v.cpu().contiguous() for k, v in tensors.items()}
        save_file(stored, path, {_META: json.dumps(meta, sort_keys=True)})

    @classmethod
    def load(
        cls, cfg: BackboneConfig, path: Path, base_id: str, device: torch.device | str = "cpu"
    ) -> Slot:
        """Read a slot file.

        Raises:
            MemoryCorrupt: the file fails its checks.
            WrongBaseModel: it was written with another base model.
        """
        try:
            with safe_open(path, "pt") as f:
                meta = json.loads((f.metadata() or {}).get(_META, "{}"))
                tensors = {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise MemoryCorrupt(f"The slow memory cannot be read: {error}") from error
        if meta.get("format") != FORMAT:
            raise MemoryCorrupt("The slow memory is of an unknown format.")
        if meta.get("base") != base_id:
            raise WrongBaseModel(
                f"This memory was written with base model {str(meta.get('base'))[:12]}, "
                f"and this is {base_id[:12]}."
            )
        check(tensors, slot_spec(cfg), int(meta["cells"]))
        return cls._from(cfg, tensors, int(meta["cells"]), device)

    @classmethod
    def _from(
        cls, cfg: BackboneConfig, t: dict[str, Tensor], cells: int, device: torch.device | str
    ) -> Slot:
        slot = cls(cfg, cells, device)
        index = t["index"].long().to(device)
        for name in ("context", "local", "value"):
            getattr(slot, name)[index] = t[name].float().to(device)
        slot.owner[index] = t["owner"].long().to(device)
        slot.place[index] = t["place"].long().to(device) + 1
        slot.successor[index] = t["successor"].long().to(device)
        slot.wide = torch.cat([slot.wide, t["wide"].float().to(device)])
        slot.place_owner = torch.cat([slot.place_owner, t["place_owner"].long().to(device)])
        slot.probe = t["probe"].float().to(device)
        slot.probe_cell = t["probe_cell"].long().to(device)
        slot.probe_owner = t["probe_owner"].long().to(device)
        slot.top = int(index.max()) + 1 if len(index) else 0
        return slot
