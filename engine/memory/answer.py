"""Answering: greedy decoding of the joint distribution over vocabulary and cells."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.memory.encode import Prompt, question_gist, read_prompt
from engine.memory.report import AnswerResult, AnswerStep
from engine.model.base import BaseModel
from engine.model.confidence import Evidence
from engine.model.repeat import NO_CLASS, asked_tokens
from engine.model.slot import FREE, NO_CELL, Found, QuestionScores, Slot
from engine.model.tokenizer import END, SPECIALS

ANSWER_TOKENS = 32
"""An answer that has not ended by then is cut."""
_NOTHING = -20.0
_ECHO = 2.0
"""Nats that a cell loses at an answer's first token if all it would say was in the question."""
_RUN_TOKENS = 6
"""How far a cell's run is looked at for that."""


@dataclass
class Trace:
    """What was seen while decoding, for sources and confidence."""

    log_p: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    owners: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    nearest: tuple[tuple[int, float], ...] = ()
    best: float = _NOTHING
    owner: float = 0.0
    gap: float = 0.0

    def evidence(self) -> Evidence:
        """The features of the confidence."""
        own = self.log_p[:-1] or self.log_p or [_NOTHING]
        return Evidence(
            self.best, self.log_p[0] if self.log_p else _NOTHING,
            sum(own) / len(own), min(own), self.owner, self.gap,
        )  # fmt: skip


def answer(
    base: BaseModel,
    slot: Slot,
    question: str,
    on_step: Callable[[AnswerStep], bool] | None = None,
) -> AnswerResult:
    """Answer a question from the slot.

    Args:
        base, slot: the memory.
        question: its words; nothing else reaches the model.
        on_step: called with every token of the answer; returns False to stop.
    """
    trace = Trace()
    prompt = read_prompt(base, question)
    with torch.no_grad():
        stopped = _decode(base, slot, question, prompt, trace, on_step)
    ended = trace.tokens[:-1] if trace.tokens and trace.tokens[-1] == END else trace.tokens
    text = base.tokenizer.decode(ended).strip()
    evidence = trace.evidence()
    calibration = base.calibration
    something = bool(text) and slot.used > 0
    in_memory = calibration.in_memory(evidence) if something else 0.0
    steps = max(1, len(ended))
    sources = sorted(((n, w / steps) for n, w in trace.owners.items()), key=lambda x: -x[1])
    return AnswerResult(
        text,
        something and in_memory >= calibration.threshold,
        in_memory,
        calibration.confidence(evidence) if something else 0.0,
        tuple(sources),
        trace.nearest,
        tuple(base.tokenizer.token(i) for i in prompt.ids),
        evidence,
        sum(trace.log_p),
        stopped,
    )


def _decode(
    base: BaseModel,
    slot: Slot,
    question: str,
    prompt: Prompt,
    trace: Trace,
    on_step: Callable[[AnswerStep], bool] | None,
) -> bool:
    """Decode into `trace`; returns True if stopped from outside."""
    added = base.space.meanings(torch.tensor([prompt.words], device=base.device))
    states, state = base.backbone.prefill(torch.tensor([prompt.ids], device=base.device), added)
    h = states[-1]
    gist = question_gist(base, [question])[0]
    fixed = slot.question_scores(gist)
    bonus: dict[int, float] = {}
    asked = base.space.repeat * asked_tokens(base.classes, [prompt.question])[0]
    for number in range(ANSWER_TOKENS):
        vocabulary = base.backbone.logits(h).log_softmax(-1)
        found, values = _look_up(base, slot, h, fixed, bonus, asked if number == 0 else None)
        chosen_by = found.scores
        if number == 0:
            vocabulary = vocabulary.clone()
            vocabulary[: len(SPECIALS)] = float("-inf")  # an answer has at least one token
            _first_evidence(slot, found, values, trace)
            echo = echoes(base, slot, found.cell, asked < 0.0)
            chosen_by = chosen_by - _ECHO * echo
        token, log_p = _choose(vocabulary, found, values, chosen_by)
        trace.tokens.append(token)
        trace.log_p.append(log_p)
        if token == END:
            return False
        bonus = _credit(base, slot, vocabulary, found, values, token, trace)
        if on_step is not None:
            text = base.tokenizer.decode(trace.tokens)
            before = base.tokenizer.decode(trace.tokens[:-1])
            if not on_step(AnswerStep(text[len(before) :], math.exp(log_p))):
                return True
        h, state = base.backbone.step(token, state)
    return False


def _look_up(
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


def _first_evidence(slot: Slot, found: Found, values: Tensor, trace: Trace) -> None:
    if not len(found.cell):
        return
    trace.best = float(found.scores.max())
    share = found.scores.softmax(-1)
    owners: dict[int, float] = defaultdict(float)
    for owner, weight in zip(slot.owner[found.cell].tolist(), share.tolist(), strict=True):
        owners[owner] += weight
    ranked = sorted(owners.items(), key=lambda x: -x[1])
    trace.nearest = tuple(ranked[:5])
    trace.owner = ranked[0][1]
    holds = values.argmax(-1)
    other = found.scores[holds != holds[0]]
    trace.gap = float(found.scores[0] - other.max()) if len(other) else -_NOTHING


def _choose(
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


def _credit(
    base: BaseModel,
    slot: Slot,
    vocabulary: Tensor,
    found: Found,
    values: Tensor,
    token: int,
    trace: Trace,
) -> dict[int, float]:
    """Give the cells that carried a token their due; returns the next token's bonuses."""
    if not len(found.scores):
        return {}
    carried = found.scores + values[:, token].clamp_min(1e-30).log()
    total = torch.logaddexp(vocabulary[token], carried.logsumexp(-1))
    share = (carried - total).exp()
    chain = float(base.space.chain)
    bonus: dict[int, float] = defaultdict(float)
    pairs = zip(found.cell.tolist(), share.tolist(), strict=True)
    for cell, weight in pairs:
        owner, after = int(slot.owner[cell]), int(slot.successor[cell])
        if owner != FREE and weight > 1e-4:
            trace.owners[owner] += weight
        if after != NO_CELL and weight > 1e-4:
            bonus[after] += chain * weight
    return bonus
