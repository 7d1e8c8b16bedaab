"""What a batch of questions costs: sums over questions, so that groups of them can be added."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.model.joint import FIRST_TOKEN_WEIGHT, Cells, Queries, Scored
from engine.model.tokenizer import END, PAD


class Sums(NamedTuple):
    """Sums over some questions; each loss with the weight or number that makes it a mean.

    answer: nats of answers' tokens. place: nats of the cell where the answer starts. silence: nats
    of staying silent about what no note says. absent: nats of staying silent about what a note
    says, with that note's cells left out. present: nats of not staying silent about it, were that
    note the only one in memory. first_right, note_right: questions.
    """

    answer: Tensor
    answer_weight: Tensor
    place: Tensor
    silence: Tensor
    absent: Tensor
    present: Tensor
    first_right: Tensor
    note_right: Tensor
    answerable: Tensor
    unanswerable: Tensor

    def plus(self, other: Sums) -> Sums:
        """The sums over both."""
        return Sums(*(a + b for a, b in zip(self, other, strict=True)))

    def mean(self, what: str) -> Tensor:
        """One of the sums as a mean over the questions (or tokens) that it is about."""
        count = {"answer": self.answer_weight, "silence": self.unanswerable}
        total: Tensor = getattr(self, what)
        return total / count.get(what, self.answerable).clamp_min(1.0)


def sums(queries: Queries, scored: Scored, cells: Cells, gold: Tensor) -> Sums:
    """The losses of questions scored against cells.

    Args:
        queries, scored: the questions. cells: the batch's.
        gold: (Q, C) bool, cells where each answer starts; none for unanswerable questions.
    """
    answerable = gold.any(1)
    nll = scored.total - scored.target  # (Q, A)
    weight = (queries.target != PAD).float()
    weight[:, 0] *= FIRST_TOKEN_WEIGHT
    known = weight * answerable.unsqueeze(-1)
    first = scored.cells[:, 0]
    placed = first.logsumexp(-1) - torch.where(gold, first, -1e9).logsumexp(-1)
    own = cells.note[gold.float().argmax(-1)]
    its = cells.note == own.unsqueeze(-1)
    absent = F.softplus(first.masked_fill(its, -1e9).logsumexp(-1)) - queries.vocabulary[:, 0, END]
    present = F.softplus(-first.masked_fill(~its, -1e9).logsumexp(-1))
    best = first.argmax(-1)
    return Sums(
        (nll * known).sum(),
        known.sum(),
        placed[answerable].sum(),
        nll[~answerable, 0].sum(),
        absent[answerable].sum(),
        present[answerable].sum(),
        (cells.token[best] == queries.target[:, 0])[answerable].float().sum(),
        (cells.note[best] == own)[answerable].float().sum(),
        answerable.float().sum(),
        (~answerable).float().sum(),
    )
