"""Decoding from the joint distribution over vocabulary and cells: what each token comes from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.memory.encode import Prompt, question_gist
from engine.model.base import BaseModel
from engine.model.bdh import DecodingState
from engine.model.repeat import NO_CLASS, asked_tokens
from engine.model.slot import FREE, NO_CELL, Found, QuestionScores, Slot
from engine.model.tokenizer import END

ANSWER_TOKENS = 32
"""An answer that has not ended by then is cut."""
ECHO = 2.0
"""Nats that a cell loses at an answer's first token if all it would say was in the question."""
_LEAST_SHARE = 1e-4
_RUN_TOKENS = 6
"""How far a cell's run is looked at for that."""


@dataclass(frozen=True)
class Asked:
    """A question as it has been read.

    Attributes:
        h: (D,) state where the answer begins. state: to go on from there; decoding uses it up.
        fixed: what of the cells' scores the whole answer shares.
        repeated: (V,) what the scores of cells get added, at the first token, that repeat the
            question; 0 where they do not.
    """

    h: Tensor
    state: DecodingState
    fixed: QuestionScores
    repeated: Tensor


def read_question(base: BaseModel, slot: Slot, question: str, prompt: Prompt) -> Asked:
    """Read a prompt, up to where its answer begins."""
    added = base.space.meanings(torch.tensor([prompt.words], device=base.device))
    states, state = base.backbone.prefill(torch.tensor([prompt.ids], device=base.device), added)
    fixed = slot.question_scores(question_gist(base, [question])[0])
    repeated = base.space.repeat * asked_tokens(base.classes, [prompt.question])[0]
    return Asked(states[-1], state, fixed, repeated)


def look_up(
    base: BaseModel,
    slot: Slot,
    h: Tensor,
    fixed: QuestionScores,
    bonus: dict[int, float],
    asked: Tensor | None,
) -> tuple[Found, Tensor]:
    """Best cells at a position, and what their values decode to, (k, V) shares.

    `asked` (V,), at the first position, is what the scores of cells holding each token get added.
    """
    space = base.space
    scale = (space.log_beta[:5] + (h @ space.focus).clamp(-2.0, 2.0)).exp()
    context = scale[0] * space.context_queries(h)
    found = slot.find(context, scale[1:], space.gates(h), fixed, bonus)
    logits = slot.value[found.cell] @ base.backbone.head
    if asked is None:
        return found, logits.softmax(-1)
    logits[:, END] = float("-inf")
    return found, logits.softmax(-1) * asked.exp()


def echoes(base: BaseModel, slot: Slot, cells: Tensor, asked: Tensor) -> Tensor:
    """Which cells begin a run that says nothing but the question's own words, (k,) 0.0 or 1.0.

    A run goes on from successor to successor until a cell would rather end the answer.

    Args:
        cells: (k,). asked: (V,) tokens that spell like one of the question's.
    """
    content = torch.zeros(len(cells), dtype=torch.bool, device=cells.device)
    news = torch.zeros_like(content)
    going = torch.ones_like(content)
    for step in range(_RUN_TOKENS):
        best = (slot.value[cells] @ base.backbone.head).argmax(-1)
        going = going & ((best != END) | (step == 0))
        means = going & (base.classes[best] != NO_CLASS)
        content |= means
        news |= means & ~asked[best]
        after = slot.successor[cells]
        going = going & (after != NO_CELL)
        cells = torch.where(going, after, cells)
        if not bool(going.any()):
            break
    return (content & ~news).float()


def choose(
    vocabulary: Tensor, found: Found, values: Tensor, chosen_by: Tensor
) -> tuple[int, float]:
    """The token of the greatest mass by scores `chosen_by` (k,), and its joint log-probability."""
    if not len(found.scores):
        token = int(vocabulary.argmax())
        return token, float(vocabulary[token] - vocabulary.logsumexp(-1))
    shift = found.scores.max().clamp_min(0.0)
    alone = (vocabulary - shift).exp()
    token = int((alone + (chosen_by - shift).exp() @ values).argmax())
    mass = alone + (found.scores - shift).exp() @ values
    return token, float((mass[token] / mass.sum()).log())


@dataclass(frozen=True)
class Credit:
    """Which cells carried a token.

    Attributes:
        owners: the share that each note's cells had in it.
        bonus: what the cells after them get added when the next token is looked up.
    """

    owners: dict[int, float]
    bonus: dict[int, float]


def credit(
    base: BaseModel, slot: Slot, vocabulary: Tensor, found: Found, values: Tensor, token: int
) -> Credit:
    """Give the cells that carried a token their due."""
    owners: dict[int, float] = defaultdict(float)
    bonus: dict[int, float] = defaultdict(float)
    if len(found.scores):
        carried = found.scores + values[:, token].clamp_min(1e-30).log()
        total = torch.logaddexp(vocabulary[token], carried.logsumexp(-1))
        share = (carried - total).exp()
        chain = float(base.space.chain)
        for cell, weight in zip(found.cell.tolist(), share.tolist(), strict=True):
            if weight <= _LEAST_SHARE:
                continue
            owner, after = int(slot.owner[cell]), int(slot.successor[cell])
            if owner != FREE:
                owners[owner] += weight
            if after != NO_CELL:
                bonus[after] += chain * weight
    return Credit(owners, bonus)
