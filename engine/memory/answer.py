"""Answering: the most probable token, one after the other, and what speaks for the whole."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.memory.decode import (
    ANSWER_TOKENS,
    ECHO,
    choose,
    credit,
    echoes,
    look_up,
    read_question,
)
from engine.memory.encode import Prompt, read_prompt
from engine.memory.report import AnswerResult, AnswerStep
from engine.model.base import BaseModel
from engine.model.confidence import Evidence
from engine.model.slot import Found, Slot
from engine.model.tokenizer import END, SPECIALS

_NOTHING = -20.0


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
    asked = read_question(base, slot, question, prompt)
    h, state = asked.h, asked.state
    bonus: dict[int, float] = {}
    for number in range(ANSWER_TOKENS):
        vocabulary = base.backbone.logits(h).log_softmax(-1)
        repeated = asked.repeated if number == 0 else None
        found, values = look_up(base, slot, h, asked.fixed, bonus, repeated)
        chosen_by = found.scores
        if number == 0:
            vocabulary = vocabulary.clone()
            vocabulary[: len(SPECIALS)] = float("-inf")  # an answer has at least one token
            _first_evidence(slot, found, values, trace)
            chosen_by = chosen_by - ECHO * echoes(base, slot, found.cell, asked.repeated < 0.0)
        token, log_p = choose(vocabulary, found, values, chosen_by)
        trace.tokens.append(token)
        trace.log_p.append(log_p)
        if token == END:
            return False
        carried = credit(base, slot, vocabulary, found, values, token)
        bonus = carried.bonus
        for owner, weight in carried.owners.items():
            trace.owners[owner] += weight
        if on_step is not None:
            text = base.tokenizer.decode(trace.tokens)
            before = base.tokenizer.decode(trace.tokens[:-1])
            if not on_step(AnswerStep(text[len(before) :], math.exp(log_p))):
                return True
        h, state = base.backbone.step(token, state)
    return False


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
