"""A write in progress: what gradient steps move, and everything of it that stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.memory.cues import make_cues
from engine.memory.encode import SURE, EncodedNote
from engine.memory.probe import Probes, make_probes, stored_form
from engine.model.base import BaseModel
from engine.model.joint import Cells, fixed_scores, key_scores
from engine.model.slot import FREE, Slot, split_stored
from engine.model.tokenizer import END, PAD

_RIVALS = 16
"""Nearest foreign cells, for each cue, that the note's cells must outdo."""
_OTHERS = 0.3
_NEAR_PROBES = 256


class Stops(NamedTuple):
    """Cells in the middle of the probes' answers, (i,), and those just behind them, (e,)."""

    inside: Tensor
    behind: Tensor

    @classmethod
    def of(cls, probes: Probes | None, own: Cells) -> Stops:
        """What the probes say about where answers end."""
        inside: set[int] = set()
        behind: set[int] = set()
        if probes is not None:
            target = probes.queries.target
            ended = (target == END).any(1).tolist()
            count = ((target != END) & (target != PAD)).sum(1).tolist()
            for first, n, whole in zip(probes.first.tolist(), count, ended, strict=True):
                inside.update(range(first + 1, first + n))
                if whole and first + n < len(own.token) and own.follows[first + n]:
                    behind.add(first + n)
        both = inside & behind
        device = own.token.device
        return cls(
            torch.tensor(sorted(inside - both), dtype=torch.long, device=device),
            torch.tensor(sorted(behind - both), dtype=torch.long, device=device),
        )

    def put_into(self, stop: Tensor) -> Tensor:
        """Stop log-odds (C,) that are sure where the probes say, else as they were."""
        sure = stop.clone()
        sure[self.inside] = stop[self.inside].clamp_max(-SURE)
        sure[self.behind] = stop[self.behind].clamp_min(SURE)
        return sure


class Keys(NamedTuple):
    """What gradient steps move: context (C, d_context), local gist (C, G), stop log-odds (C,)."""

    context: Tensor
    local: Tensor
    stop: Tensor

    @classmethod
    def of(cls, cells: Cells, stops: Stops) -> Keys:
        """What the backbone makes of the note, and the probes of its stops."""
        return cls(cells.context.clone(), cells.local.clone(), stops.put_into(cells.stop))


class Outside(NamedTuple):
    """Stored queries (r, d_context + 2 G + 1) that a note should not answer.

    fixed: (r, C) what of the scores of the note's cells its own keys do not make.
    """

    queries: Tensor
    fixed: Tensor

    @classmethod
    def of(cls, queries: Tensor, cells: Cells) -> Outside:
        """Queries as they are beside a note's cells."""
        _, _, wide, gate = split_stored(queries, cells.context.shape[1], cells.local.shape[1])
        return cls(queries, (wide @ cells.wide.T)[:, cells.window] + gate)

    def scores(self, context: Tensor, local: Tensor) -> Tensor:
        """Scores (r, C) of the cells with these keys."""
        qc, ql, _, _ = split_stored(self.queries, context.shape[1], local.shape[1])
        return self.fixed + qc @ context.T + ql @ local.T


@dataclass
class Work:
    """One write in progress; the keys are its parameters."""

    note: EncodedNote
    probes: Probes | None
    rivals: Cells
    keys: Keys
    weight: Tensor
    others: Outside
    """The other notes' stored probes that lie nearest, with their own cells' scores."""
    others_score: Tensor
    others_weight: float
    foreign: Tensor
    """(R,) rows of all other notes' probes in the slot, with their own cells' scores."""
    foreign_score: Tensor
    quiet: Outside
    """What every note stays silent about, with how much its cells are heard before any step."""
    quiet_before: Tensor
    cells: Cells
    """The note's cells, then the rivals; of them only tokens, stops and successors are used."""
    fixed: Tensor
    """(Q, A, C) scores less what the note's own keys make; nothing of it changes."""
    stops: Stops


def prepare(base: BaseModel, slot: Slot, note_id: int, note: EncodedNote) -> Work:
    """Make the cues, read them, and look up what of the slot the write must not disturb."""
    cues = make_cues(note)
    probes = make_probes(base, note, cues) if cues else None
    foreign = (slot.probe_owner != note_id).nonzero().squeeze(1)
    held = slot.score_own(foreign)
    own = note.cells
    reach = Outside.of(slot.probe[foreign], own).scores(own.context, own.local)
    gap = held - reach.max(1).values if len(foreign) else held
    near = gap.topk(min(_NEAR_PROBES, len(gap)), largest=False).indices
    quiet = Outside.of(base.quiet, own)
    rivals = _rivals(base, slot, note_id, probes)
    stops = Stops.of(probes, note.cells)
    keys = Keys.of(note.cells, stops)
    cells = all_cells(note.cells, rivals, keys)
    return Work(
        note,
        probes,
        rivals,
        keys,
        torch.ones(len(cues), device=base.device),
        Outside.of(slot.probe[foreign[near]], own),
        held[near],
        _OTHERS,
        foreign,
        held,
        quiet,
        quiet.scores(own.context, own.local).logsumexp(1),
        cells,
        _fixed(probes, note.cells, rivals, cells),
        stops,
    )


def _fixed(probes: Probes | None, own: Cells, rivals: Cells, cells: Cells) -> Tensor:
    if probes is None:
        return own.context.new_zeros(0)
    fixed = fixed_scores(probes.queries, cells)
    held = key_scores(probes.queries, rivals.context, rivals.local)
    return fixed + F.pad(held, (len(own.token), 0))


def _rivals(base: BaseModel, slot: Slot, note_id: int, probes: Probes | None) -> Cells:
    """The foreign cells that lie nearest to the cues, without successors."""
    index = torch.zeros(0, dtype=torch.long, device=base.device)
    if probes is not None and slot.top:
        rows = torch.arange(len(probes.first), device=base.device)
        s = slot.score_stored(stored_form(probes.queries, rows))
        s = s.masked_fill(slot.owner[: slot.top] == note_id, float("-inf"))
        k = min(_RIVALS, int((slot.owner[: slot.top] != FREE).sum()))
        best = s.topk(k, dim=1)
        index = best.indices[best.values.isfinite()].unique()
    decoded = (slot.value[index] @ base.backbone.head).log_softmax(-1)
    leave = decoded[:, END]
    decoded = decoded.index_fill(1, torch.tensor([END], device=base.device), float("-inf"))
    best_word = decoded.max(-1)
    return Cells(
        slot.context[index],
        slot.local[index],
        slot.place[index],
        best_word.indices,
        leave - best_word.values,
        torch.zeros(len(index), device=base.device),
        torch.ones(len(index), dtype=torch.long, device=base.device),
        slot.wide,
    )


def all_cells(own: Cells, rivals: Cells, keys: Keys) -> Cells:
    """The note's cells with these keys, then the rivals."""
    return Cells(
        torch.cat([keys.context, rivals.context]),
        torch.cat([keys.local, rivals.local]),
        torch.cat([own.window, rivals.window + len(own.wide)]),
        torch.cat([own.token, rivals.token]),
        torch.cat([keys.stop, rivals.stop]),
        torch.cat([own.follows, rivals.follows]),
        torch.cat([own.note, rivals.note]),
        torch.cat([own.wide, rivals.wide]),
    )
