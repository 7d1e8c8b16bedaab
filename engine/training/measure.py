"""How well a model under training remembers, on whole notes with real questions.

Teacher-forced, which for the canonical answer is the same as greedy decoding: a whole answer counts
as right when every token of it, END included, is the most probable one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.model.joint import Cells, joint_log_probabilities
from engine.model.tokenizer import END, PAD
from engine.training.examples import NoteExample
from engine.training.memory_loss import MemoryModel, QuestionBatch


@dataclass(frozen=True)
class Recall:
    """Shares (0 to 1) over answerable questions; auroc over all."""

    questions: int
    right_note: float
    first_token: float
    exact: float
    auroc: float
    exact_by_kind: dict[str, float]
    note_by_kind: dict[str, float]

    def row(self, prefix: str) -> dict[str, float]:
        """Flat numbers for a curve."""
        return {
            f"{prefix}_note": self.right_note,
            f"{prefix}_first": self.first_token,
            f"{prefix}_exact": self.exact,
            f"{prefix}_auroc": self.auroc,
        }


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Probability that a random positive scores above a random negative (ties count half)."""
    if not positive or not negative:
        return float("nan")
    p, n = torch.tensor(positive)[:, None], torch.tensor(negative)[None, :]
    return float(((p > n).float() + 0.5 * (p == n).float()).mean())


def recall(model: MemoryModel, notes: Sequence[NoteExample], chunk: int = 64) -> Recall:
    """All notes in memory at once, every question asked."""
    with torch.no_grad():
        cells, _ = model.cells(notes, None)
        batch = model.questions(notes, cells)
        kinds = [q.kind for note in notes for q in note.questions]
        rows = [_rows(model, batch, cells, range(i, min(i + chunk, len(kinds))))
                for i in range(0, len(kinds), chunk)]  # fmt: skip
    note, first, exact, known = (torch.cat(column) for column in zip(*rows, strict=True))
    answerable = batch.answerable.cpu()
    by_kind = sorted({k for k, a in zip(kinds, answerable.tolist(), strict=True) if a})
    of = {k: torch.tensor([x == k for x in kinds]) & answerable for k in by_kind}
    return Recall(
        len(kinds),
        float(note[answerable].mean()),
        float(first[answerable].mean()),
        float(exact[answerable].mean()),
        auroc(known[answerable].tolist(), known[~answerable].tolist()),
        {k: float(exact[of[k]].mean()) for k in by_kind},
        {k: float(note[of[k]].mean()) for k in by_kind},
    )


def _rows(
    model: MemoryModel, batch: QuestionBatch, cells: Cells, rows: range
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """For some questions: right note, right first token, whole answer right, certainty."""
    part = slice(rows.start, rows.stop)
    some = QuestionBatch(
        batch.tokens[part], batch.words[part], batch.at[part], batch.target[part],
        batch.gold[part], batch.answerable[part], batch.gist[part], batch.asked[part],
    )  # fmt: skip
    queries, scored = model.score(some, cells)
    right = torch.ones(len(rows), dtype=torch.bool)
    first = known = torch.zeros(0)
    for step in range(some.target.shape[1]):
        log_p = joint_log_probabilities(queries, scored, cells, step)
        target = some.target[:, step]
        hit = (log_p.argmax(-1) == target).cpu()
        right &= hit | (target == PAD).cpu()
        if step == 0:
            best = log_p[:, END + 1 :].argmax(-1) + END + 1
            first = (best == target).float().cpu()
            known = 1.0 - log_p[:, END].exp().cpu()
    best_cell = scored.cells[:, 0].argmax(-1)
    own = some.gold.float().argmax(-1)
    note = (cells.note[best_cell] == cells.note[own]).float().cpu()
    return note, first, right.float(), known
