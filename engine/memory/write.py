"""Writing a note: claim cells, then gradient steps on keys and values until its probes are right.

Joint contrastive encoding (memory.md, section 3): all cues of a note together, each against the
note's other cells, the nearest cells of every note in memory, the probes of those notes, and
questions that no note answers. The backbone is not touched; the slot only at the very end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.memory.cues import make_cues
from engine.memory.encode import EncodedNote, encode_note
from engine.memory.probe import Outcome, Probes, ask, make_probes, stored_form
from engine.memory.report import (
    Checkpoint,
    Progress,
    Verdict,
    WriteOptions,
    WriteReport,
    WriteStep,
)
from engine.memory.value import sharpen, start_values
from engine.model.base import BaseModel
from engine.model.joint import Cells, fixed_scores, follow, key_scores
from engine.model.slot import FREE, NewCells, Slot, split_stored
from engine.model.tokenizer import END, PAD
from engine.notes.text import NoteText

_RIVALS = 16
"""Nearest foreign cells, for each cue, that the note's cells must outdo."""
_STORED_PROBES = 12
_LEARNING_RATE = 4e-3
_STOP_RATE = 0.1
_ANCHOR = 20.0
_STOP_ANCHOR = 0.1
_PLACE = 0.5
_QUIET = 0.3
_OTHERS = 0.3
_MARGIN = 2.0
_FIRST_TOKEN_WEIGHT = 3.0
_NEAR_PROBES = 256
_ROUNDING = 1e-3
_OTHERS_AGAIN = 3.0
_HURT_SHARE = 0.02
_HURT_FEW = 2
"""A write may push this share of the other notes' probes off their cells, or this few."""


class Keys(NamedTuple):
    """What gradient steps move: context (C, d_context), local gist (C, G), stop log-odds (C,)."""

    context: Tensor
    local: Tensor
    stop: Tensor

    @classmethod
    def of(cls, cells: Cells) -> Keys:
        """Copies of what the backbone makes of the note."""
        return cls(cells.context.clone(), cells.local.clone(), cells.stop.clone())


class Losses(NamedTuple):
    """Parts of a write's loss."""

    total: Tensor
    answer: Tensor


@dataclass
class _Work:
    """One write in progress; keys are the parameters."""

    note: EncodedNote
    probes: Probes | None
    rivals: Cells
    keys: Keys
    weight: Tensor
    others: Tensor
    """(r, ...) the other notes' stored probes that lie nearest, with their own cells' scores."""
    others_score: Tensor
    others_weight: float
    foreign: Tensor
    """(R,) rows of all other notes' probes in the slot, with their own cells' scores."""
    foreign_score: Tensor
    quiet_before: Tensor
    cells: Cells
    """The note's cells, then the rivals; only tokens, stops and successors are used."""
    fixed: Tensor
    """(Q, A, C) scores less what the note's own keys make; nothing of it changes."""


def write_note(
    base: BaseModel,
    slot: Slot,
    note_id: int,
    note: NoteText,
    options: WriteOptions,
    progress: Progress,
    checkpoint: Checkpoint,
) -> WriteReport:
    """Write a note into the slot, in place of what the slot holds of it.

    Raises:
        SlotFull: the note does not fit; the slot is unchanged.
    """
    started = time.perf_counter()
    encoded = encode_note(base, note)
    slot.room_for(note_id, len(encoded.cells.token))
    work = _prepare(base, slot, note_id, encoded)
    checkpoint()
    outcome, hurt = _train_beside_others(base, slot, note_id, work, options, progress, checkpoint)
    token, stop = encoded.cells.token, work.keys.stop
    values = sharpen(base, start_values(base, token, stop), token, stop)
    tokens = len(encoded.cells.token)

    def report(verdict: Verdict, cells: int, reason: str = "") -> WriteReport:
        recall = outcome.recall if outcome else 0.0
        median = outcome.median_p if outcome else 0.0
        seconds = time.perf_counter() - started
        marks = outcome.marks if outcome else ""
        return WriteReport(verdict, cells, tokens, recall, median, seconds, reason, marks)

    if not all(bool(k.isfinite().all()) for k in work.keys):
        return report(Verdict.FAILED, 0, "The write did not settle (its numbers overflowed).")
    if len(hurt) > _may_hurt(work):
        reason = f"Writing it would have blurred other notes ({len(hurt)} of their probes)."
        return report(Verdict.FAILED, 0, reason)
    slot.put(note_id, _new_cells(work, values, outcome))
    if outcome is None:
        return report(Verdict.WEAK, tokens, "There is nothing in it that could be asked for.")
    if outcome.recall < options.recall_threshold:
        reason = f"Only {outcome.recall:.0%} of its probes are answered right."
        return report(Verdict.WEAK, tokens, reason)
    return report(Verdict.GOOD, tokens)


def _prepare(base: BaseModel, slot: Slot, note_id: int, note: EncodedNote) -> _Work:
    cues = make_cues(note)
    probes = make_probes(base, note, cues) if cues else None
    foreign = (slot.probe_owner != note_id).nonzero().squeeze(1)
    held = slot.score_own(foreign)
    reach = _stored_scores(
        slot.probe[foreign], note.cells, note.cells.context, note.cells.local
    )
    gap = held - reach.max(1).values if len(foreign) else held
    near = gap.topk(min(_NEAR_PROBES, len(gap)), largest=False).indices
    quiet = _stored_scores(base.quiet, note.cells, note.cells.context, note.cells.local)
    rivals = _rivals(base, slot, note_id, probes)
    cells = _all_cells(note.cells, rivals, Keys.of(note.cells))
    return _Work(
        note,
        probes,
        rivals,
        Keys.of(note.cells),
        torch.ones(len(cues), device=base.device),
        slot.probe[foreign[near]],
        held[near],
        _OTHERS,
        foreign,
        held,
        quiet.logsumexp(1) if len(quiet) else quiet.new_zeros(0),
        cells,
        _fixed(probes, note.cells, rivals, cells),
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


def _all_cells(own: Cells, rivals: Cells, keys: Keys) -> Cells:
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


def _stored_scores(probes: Tensor, cells: Cells, context: Tensor, local: Tensor) -> Tensor:
    """Scores (r, C) of stored probe queries against cells with these keys."""
    qc, ql, qw, gate = split_stored(probes, context.shape[1], local.shape[1])
    scores: Tensor = qc @ context.T + ql @ local.T + (qw @ cells.wide.T)[:, cells.window] + gate
    return scores


def _unit(x: Tensor, parts: tuple[int, ...]) -> Tensor:
    return torch.cat([F.normalize(p, dim=-1, eps=1e-6) for p in x.split(list(parts), -1)], -1)


def _loss(base: BaseModel, work: _Work, probes: Probes, keys: Keys) -> Losses:
    own, context, local = work.note.cells, keys.context, keys.local
    queries = probes.queries
    keyed = key_scores(queries, context, local)
    scores = work.fixed + F.pad(keyed, (0, work.fixed.shape[-1] - keyed.shape[-1]))
    cells = work.cells._replace(stop=torch.cat([keys.stop, work.rivals.stop]))
    scored = follow(queries, scores, cells, base.space.chain)
    weight = (queries.target != PAD).float() * work.weight[:, None]
    weight[:, 0] *= _FIRST_TOKEN_WEIGHT
    answer = ((scored.total - scored.target) * weight).sum() / weight.sum()
    first = scored.cells[:, 0]
    gold = first.gather(1, probes.first[:, None]).squeeze(1)
    place = ((first.logsumexp(-1) - gold) * work.weight).sum() / work.weight.sum()
    total = answer + _PLACE * place
    anchor = (context - own.context).square().sum(-1) + (local - own.local).square().sum(-1)
    total = total + _ANCHOR * anchor.mean()
    total = total + _STOP_ANCHOR * (keys.stop - own.stop).square().mean()
    if len(work.others):
        reach = _stored_scores(work.others, own, context, local).max(-1).values
        over = F.relu(reach - work.others_score + _MARGIN)
        total = total + work.others_weight * over.sum() / (over > 0).sum().clamp_min(1)
    if len(base.quiet):
        heard = _stored_scores(base.quiet, own, context, local).logsumexp(-1)
        total = total + _QUIET * F.relu(heard - work.quiet_before).mean()
    return Losses(total, answer)


def _train(
    base: BaseModel,
    work: _Work,
    options: WriteOptions,
    progress: Progress,
    checkpoint: Checkpoint,
) -> Outcome | None:
    """All rounds of gradient steps; leaves the keys in `work`."""
    probes = work.probes
    if probes is None:
        return None
    rounds = [options.steps] + [max(1, options.steps // 2)] * options.repair_rounds
    done, total = 0, sum(rounds)
    outcome = _ask(base, work, probes)
    for steps in rounds:
        best = (work.keys, outcome)
        for loss in _round(base, work, probes, steps):
            done += 1
            progress(WriteStep(done, total, loss, outcome.recall))
            checkpoint()
        outcome = _ask(base, work, probes)
        if outcome.recall < best[1].recall:
            work.keys, outcome = best
        if outcome.recall == 1.0 and outcome.median_p > 0.99:
            break
        work.weight = torch.where(outcome.right, 1.0, 3.0)
    progress(WriteStep(done, done, float("nan") if not done else loss, outcome.recall))
    return outcome


def _ask(base: BaseModel, work: _Work, probes: Probes) -> Outcome:
    return ask(base, probes, _all_cells(work.note.cells, work.rivals, work.keys))


def _round(base: BaseModel, work: _Work, probes: Probes, steps: int) -> Iterator[float]:
    """Some gradient steps on the note's keys; yields the answers' loss at each.

    The keys are put into `work` when all steps are done.
    """
    gist = (base.cfg.d_semantic, base.cfg.d_lexical)
    context, local, stop = (k.clone().requires_grad_() for k in work.keys)
    optimizer = torch.optim.Adam([context, local], lr=_LEARNING_RATE)
    optimizer.add_param_group({"params": [stop], "lr": _STOP_RATE})

    def keys() -> Keys:
        return Keys(_unit(context, (base.cfg.d_context,)), _unit(local, gist), stop)

    for _ in range(steps):
        with torch.enable_grad():
            losses = _loss(base, work, probes, keys())
            optimizer.zero_grad()
            losses.total.backward()
        optimizer.step()
        yield float(losses.answer.detach())
    with torch.no_grad():
        work.keys = Keys(*(k.detach().clone() for k in keys()))


def _train_beside_others(
    base: BaseModel,
    slot: Slot,
    note_id: int,
    work: _Work,
    options: WriteOptions,
    progress: Progress,
    checkpoint: Checkpoint,
) -> tuple[Outcome | None, Tensor]:
    """Train; where that would hurt other notes, once more with what was hurt in the loss.

    Returns:
        What the probes came to, and the foreign probes that are hurt in the end.
    """
    outcome = _train(base, work, options, progress, checkpoint)
    hurt = _hurt(slot, note_id, work)
    if len(hurt) > _may_hurt(work) and work.probes is not None:
        _turn_to(slot, work, hurt)
        outcome = _train(base, work, options, progress, checkpoint)
        hurt = _hurt(slot, note_id, work)
    return outcome, hurt


def _may_hurt(work: _Work) -> int:
    return max(_HURT_FEW, int(_HURT_SHARE * len(work.foreign)))


def _turn_to(slot: Slot, work: _Work, hurt: Tensor) -> None:
    """Begin again, with the probes that were hurt in the loss, and heavily."""
    work.keys = Keys.of(work.note.cells)
    work.others, work.others_score = slot.probe[work.foreign[hurt]], work.foreign_score[hurt]
    work.others_weight = _OTHERS_AGAIN


def _hurt(slot: Slot, note_id: int, work: _Work) -> Tensor:
    """Which of the foreign probes found their cell and would now find one of these, (h,)."""
    if not len(work.foreign):
        return work.foreign
    probes = slot.probe[work.foreign]
    keys = work.keys
    reach = _stored_scores(probes, work.note.cells, keys.context, keys.local).max(1).values
    crossed = (reach > work.foreign_score).nonzero().squeeze(1)
    scores = slot.score_stored(probes[crossed])
    scores = scores.masked_fill(slot.owner[: slot.top] == note_id, float("-inf"))
    held = scores.max(1).values <= work.foreign_score[crossed] + _ROUNDING
    return crossed[held]


def _new_cells(work: _Work, values: Tensor, outcome: Outcome | None) -> NewCells:
    own = work.note.cells
    keys = work.keys
    width = keys.context.shape[1] + 2 * keys.local.shape[1] + 1
    probes = own.context.new_zeros(0, width)
    cells = own.token.new_zeros(0)
    if outcome is not None and work.probes is not None:
        order = (outcome.first.float() + outcome.p).argsort(descending=True)[:_STORED_PROBES]
        rows = order[outcome.first[order]].sort().values
        probes = stored_form(work.probes.queries, rows)
        cells = work.probes.first[rows]
    return NewCells(
        keys.context, keys.local, values, own.window, own.follows.bool(), own.wide, probes, cells
    )
