"""From a training run to the base model that ships: weights, quiet questions, calibration, card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from engine.api import InputError
from engine.memory.memory import Memory
from engine.memory.report import WriteOptions
from engine.model import base as base_model
from engine.model.address import AddressSpace
from engine.model.base import BaseModel
from engine.model.bdh import Backbone
from engine.model.confidence import Calibration, Evidence
from engine.model.config import BackboneConfig
from engine.model.tokenizer import Tokenizer
from engine.model.words import WordTable
from engine.notes.readers import markdown
from engine.training import checkpoint
from engine.training.architecture import refuse_export
from engine.training.corpora import TokenStream, WrittenNote, read_notes
from engine.training.quiet import quiet_prose, quiet_questions
from engine.training.spread import spread_head

_NOTES_AT_ONCE = (36, 6, 1)
"""How many notes share a memory, so that the threshold suits few notes as well as many."""
_CELLS = 16_384
_WITHHELD = 0.1
"""Share of the right answers that the threshold may cost at most."""
_LEAST_SPREAD = 0.1
"""A feature that varies less says nothing, and must not get a huge weight for it."""


def export(
    run: Path, out: Path, name: str, calibration_notes: Sequence[Path], best: bool
) -> Calibration:
    """Write the base model of a run, calibrated on held-out notes.

    Args:
        run: training folder. out: folder of the base model. name: goes into the card.
        calibration_notes: notes that were not trained on.
        best: take the best measured weights instead of the last ones.

    Raises:
        InputError: the run has no memory-training checkpoint, or a transformer's.
    """
    state = checkpoint.load(run / ("memory-best.pt" if best else "memory.pt"))
    if state is None:
        raise InputError(f"There is no memory training in {run} to export.")
    refuse_export(state["config"])
    cfg = BackboneConfig.from_json(state["config"])
    backbone, space = Backbone(cfg), AddressSpace(cfg)
    backbone.load_state_dict(state["backbone"])
    space.load_state_dict(state["space"])
    tokenizer = Tokenizer.read(run / "tokenizer.json")
    words = WordTable.read(run / "words.txt")
    base_model.save(out, backbone, space, tokenizer, words, name, Calibration())
    notes = read_notes(list(calibration_notes))
    base = BaseModel.read(out)
    spread_head(base)
    stream = TokenStream(run / "prose.u16")
    quiet = torch.cat([quiet_questions(base, notes), quiet_prose(base, stream)])
    base_model.save(
        out, base.backbone, base.space, tokenizer, words, name, Calibration(), quiet
    )
    calibration = calibrate(BaseModel.read(out), notes)
    base_model.write_calibration(out, calibration)
    return calibration


def gather_evidence(
    base: BaseModel, notes: Sequence[WrittenNote]
) -> list[tuple[Evidence, bool, bool]]:
    """Ask every question of notes really written into slots, of many notes and of few.

    Returns:
        For each question and size its evidence, whether the answer was right, whether it has one.
    """
    out = []
    for size in _NOTES_AT_ONCE:
        for start in range(0, len(notes), size):
            out += _asked_together(base, notes[start : start + size])
    return out


def _asked_together(
    base: BaseModel, notes: Sequence[WrittenNote]
) -> list[tuple[Evidence, bool, bool]]:
    memory = Memory.fresh(base, _CELLS)
    for i, note in enumerate(notes, 1):
        text = markdown.read_text(note.text, note.name)
        memory.write(i, text, WriteOptions(), lambda _: None, lambda: None)
    rows = []
    for q in (q for note in notes for q in note.questions):
        result = memory.answer(q.question)
        rows.append((result.evidence, _same(result.text, q.answers), bool(q.answers)))
    return rows


def _same(answer: str, answers: Sequence[str]) -> bool:
    def plain(text: str) -> str:
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        return " ".join(w for w in words if w not in ("a", "an", "the"))

    return plain(answer) in {plain(a) for a in answers}


def calibrate(base: BaseModel, notes: Sequence[WrittenNote]) -> Calibration:
    """Fit what an answer's evidence means on notes that were not trained on."""
    return fit(gather_evidence(base, notes))


def fit(rows: Sequence[tuple[Evidence, bool, bool]]) -> Calibration:
    """Two logistic regressions, and the threshold of "not in memory".

    Whether memory holds an answer is fitted with unanswerable questions counting as much, all
    together, as answerable ones (few are at hand). The threshold is where right answers given and
    unanswerable questions declined balance best (largest sum of the two shares), but it withholds
    one in ten of the right answers at most: the balance hangs on a handful of the unanswerable.
    Whether an answer is right is fitted on those that are then given.
    """
    x = torch.tensor([e.features() for e, _, _ in rows], dtype=torch.float64)
    right = torch.tensor([r for _, r, _ in rows])
    known = torch.tensor([k for _, _, k in rows])
    share = int(known.sum()) / max(1, int((~known).sum()))
    held = _regress(x[:, :2], known, torch.where(known, 1.0, share).to(torch.float64))
    in_memory = torch.sigmoid(x[:, :2] @ held)
    threshold = _threshold(in_memory, right, known)
    given = in_memory >= threshold
    weights = _regress(x[given], right[given], torch.ones(int(given.sum()), dtype=torch.float64))
    bias, best = held.tolist()
    return Calibration(tuple(weights.tolist()), (bias, best), threshold)


def _regress(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """Weights (F,) of a logistic regression with a small ridge (Platt 1999), by L-BFGS."""
    scale = x.std(0, correction=0).clamp_min(_LEAST_SPREAD)
    scale[0] = 1.0
    w = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        z = (x / scale) @ w
        loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y.to(z.dtype), weight)
        loss = loss + 1e-3 * w[1:].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return w.detach() / scale


def _threshold(in_memory: Tensor, right: Tensor, known: Tensor) -> float:
    best, at = -1.0, 0.5
    for step in range(1, 100):
        t = step / 100
        given = float((in_memory[right] >= t).float().mean()) if right.any() else 0.0
        declined = float((in_memory[~known] < t).float().mean()) if (~known).any() else 0.0
        if given + declined > best:
            best, at = given + declined, t
    return min(at, float(in_memory[right].quantile(_WITHHELD))) if right.any() else at
