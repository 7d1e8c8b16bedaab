"""Writing a note: claim cells, then gradient steps on keys and values until its probes are right.

Joint contrastive encoding (memory.md, section 3): all cues of a note together, each against the
note's other cells, the nearest cells of every note in memory, the probes of those notes, and
questions that no note answers. The backbone is not touched; the slot only at the very end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.memory.adam import Adam
from engine.memory.encode import encode_note
from engine.memory.probe import Outcome, Probes, ask, stored_form
from engine.memory.report import (
    Checkpoint,
    Progress,
    Verdict,
    WriteOptions,
    WriteReport,
    WriteStep,
)
from engine.memory.value import sharpen, start_values
from engine.memory.work import Keys, Outside, Work, all_cells, prepare
from engine.model.base import BaseModel
from engine.model.joint import FIRST_TOKEN_WEIGHT, follow, key_scores
from engine.model.slot import NewCells, Slot
from engine.model.tokenizer import PAD
from engine.notes.text import NoteText

_STORED_PROBES = 12
_LEARNING_RATE = 1.7e-2
_STOP_RATE = 0.1
_ANCHOR = 20.0
_PLACE = 0.5
_QUIET = 0.3
_MARGIN = 2.0
_ROUNDING = 1e-3
_OTHERS_AGAIN = 3.0
_HURT_SHARE = 0.02
_HURT_FEW = 2
"""A write may push this share of the other notes' probes off their cells, or this few."""


class Losses(NamedTuple):
    """Parts of a write's loss."""

    total: Tensor
    answer: Tensor


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
    work = prepare(base, slot, note_id, encoded)
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


def _unit(x: Tensor, parts: tuple[int, ...]) -> Tensor:
    return torch.cat([F.normalize(p, dim=-1, eps=1e-6) for p in x.split(list(parts), -1)], -1)


def _loss(base: BaseModel, work: Work, probes: Probes, keys: Keys) -> Losses:
    own, context, local = work.note.cells, keys.context, keys.local
    queries = probes.queries
    keyed = key_scores(queries, context, local)
    fixed = work.fixed[:, : keyed.shape[1]]
    scores = fixed + F.pad(keyed, (0, fixed.shape[-1] - keyed.shape[-1]))
    cells = work.cells._replace(stop=torch.cat([keys.stop, work.rivals.stop]))
    scored = follow(queries, scores, cells, base.space.chain)
    weight = (queries.target != PAD).float() * work.weight[:, None]
    weight[:, 0] *= FIRST_TOKEN_WEIGHT
    answer = ((scored.total - scored.target) * weight).sum() / weight.sum()
    first = scored.cells[:, 0]
    gold = first.gather(1, probes.first[:, None]).squeeze(1)
    place = ((first.logsumexp(-1) - gold) * work.weight).sum() / work.weight.sum()
    total = answer + _PLACE * place
    anchor = (context - own.context).square().sum(-1) + (local - own.local).square().sum(-1)
    total = total + _ANCHOR * anchor.mean()
    if len(work.others.queries):
        reach = work.others.scores(context, local).max(-1).values
        over = F.relu(reach - work.others_score + _MARGIN)
        total = total + work.others_weight * over.sum() / (over > 0).sum().clamp_min(1)
    if len(base.quiet):
        heard = work.quiet.scores(context, local).logsumexp(-1)
        total = total + _QUIET * F.relu(heard - work.quiet_before).mean()
    return Losses(total, answer)


def _train(
    base: BaseModel,
    work: Work,
    options: WriteOptions,
    progress: Progress,
    checkpoint: Checkpoint,
) -> Outcome | None:
    """All rounds of gradient steps; leaves the keys in `work`.

    Rounds are about where answers start and stop; they run on by themselves. Only where probes are
    still wrong after the first do the steps look at every token of an answer.
    """
    probes = work.probes
    if probes is None:
        return None
    rounds = [options.steps] + [max(1, options.steps // 2)] * options.repair_rounds
    done, total = 0, sum(rounds)
    outcome = _ask(base, work, probes)
    for number, steps in enumerate(rounds):
        best = (work.keys, outcome)
        asked = probes if number and outcome.recall < 1.0 else probes.firsts()
        for loss in _round(base, work, asked, steps):
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


def _ask(base: BaseModel, work: Work, probes: Probes) -> Outcome:
    return ask(base, probes, all_cells(work.note.cells, work.rivals, work.keys))


def _round(base: BaseModel, work: Work, probes: Probes, steps: int) -> Iterator[float]:
    """Some gradient steps on the note's keys; yields the answers' loss at each.

    The keys are put into `work` when all steps are done.
    """
    gist = (base.cfg.d_semantic, base.cfg.d_lexical)
    context, local, stop = (k.clone().requires_grad_() for k in work.keys)
    rates = (context, _LEARNING_RATE), (local, _LEARNING_RATE), (stop, _STOP_RATE)
    optimizer = Adam(rates)

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
    work: Work,
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


def _may_hurt(work: Work) -> int:
    return max(_HURT_FEW, int(_HURT_SHARE * len(work.foreign)))


def _turn_to(slot: Slot, work: Work, hurt: Tensor) -> None:
    """Begin again, with the probes that were hurt in the loss, and heavily."""
    work.keys = Keys.of(work.note.cells, work.stops)
    work.others = Outside.of(slot.probe[work.foreign[hurt]], work.note.cells)
    work.others_score = work.foreign_score[hurt]
    work.others_weight = _OTHERS_AGAIN


def _hurt(slot: Slot, note_id: int, work: Work) -> Tensor:
    """Which of the foreign probes found their cell and would now find one of these, (h,)."""
    if not len(work.foreign):
        return work.foreign
    probes = slot.probe[work.foreign]
    keys = work.keys
    reach = Outside.of(probes, work.note.cells).scores(keys.context, keys.local).max(1).values
    crossed = (reach > work.foreign_score).nonzero().squeeze(1)
    scores = slot.score_stored(probes[crossed])
    scores = scores.masked_fill(slot.owner[: slot.top] == note_id, float("-inf"))
    held = scores.max(1).values <= work.foreign_score[crossed] + _ROUNDING
    return crossed[held]


def _new_cells(work: Work, values: Tensor, outcome: Outcome | None) -> NewCells:
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
