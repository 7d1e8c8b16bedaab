"""Facts as every slot design is given them, read once by the frozen backbone, and the scoring."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from engine.api import InputError
from engine.bench.sets import CuedFact, plain_note
from engine.memory.cues import make_cues
from engine.memory.encode import EncodedNote, encode_note, question_gist, read_prompt
from engine.model.base import BaseModel
from engine.model.joint import FIRST_TOKEN_WEIGHT, Queries, make_queries
from engine.model.repeat import asked_tokens
from engine.model.tokenizer import END, PAD, SPECIALS
from engine.notes.text import NoteText


@dataclass(frozen=True)
class Asked:
    """Questions with their answers, read by the backbone.

    Attributes:
        h: (Q, A, D) states that predict the answers' tokens.
        queries: the same as queries of cells; `queries.target` (Q, A), END last, then PAD.
    """

    h: Tensor
    queries: Queries

    @property
    def target(self) -> Tensor:
        """(Q, A) ids of the right tokens."""
        return self.queries.target


@dataclass(frozen=True)
class Fact:
    """A fact as every design is given it.

    Attributes:
        number: of its note, from 1.
        note: what the cells are made of.
        cues: what the rivals are to remember: the note's own cues (which are all that the slot that
            ships is given) and the stored wording, where they lack it.
        asked: the stored wording, then the rewordings.
        cued: whether the stored wording is one of the note's own cues.
        seconds: that reading it took.
    """

    number: int
    note: NoteText
    cues: Asked
    asked: Asked
    cued: bool
    seconds: float


@dataclass(frozen=True)
class Scored:
    """(Q,) whole answers right, END included, and their joint probabilities."""

    right: list[bool]
    p: list[float]


class Rival(Protocol):
    """A slow memory of some design."""

    def write(self, fact: Fact) -> float:
        """Write a fact; returns the seconds it took, reading the note included."""

    def logits(self, asked: Asked) -> Tensor:
        """Logits (Q, A, V), each answer token after the right ones before it."""

    def size(self) -> int:
        """Bytes that have to be kept."""


def score(rival: Rival, asked: Asked) -> Scored:
    """Score whole answers.

    An answer counts as right when each of its tokens, END included, is the most probable one after
    those before it: the same as greedy decoding giving exactly that answer. As in decoding, the
    first token is no special one.
    """
    logits = rival.logits(asked).clone()
    logits[:, 0, : len(SPECIALS)] = float("-inf")
    log_p = logits.log_softmax(-1)
    counted = asked.target != PAD
    right = ((log_p.argmax(-1) == asked.target) | ~counted).all(1)
    told = log_p.gather(-1, asked.target.unsqueeze(-1)).squeeze(-1)
    p = told.masked_fill(~counted, 0.0).sum(1).exp()
    return Scored(right.tolist(), p.tolist())


def read_facts_with(base: BaseModel, facts: Sequence[CuedFact]) -> list[Fact]:
    """Read facts, each a note of its own, with their questions.

    Raises:
        InputError: a statement does not hold its answer.
    """
    return [_read_fact(base, number, fact) for number, fact in enumerate(facts, 1)]


def _read_fact(base: BaseModel, number: int, fact: CuedFact) -> Fact:
    start = time.perf_counter()
    note = plain_note(f"Fact {number}", fact.statement)
    encoded = encode_note(base, note)
    cues = make_cues(encoded)
    ids = encoded.cells.token.tolist()
    told = [(c.question, ids[c.cell : c.cell + c.tokens]) for c in cues]
    answer = _answer_tokens(encoded, fact)
    cued = (fact.cue, answer) in told
    told += [] if cued else [(fact.cue, answer)]
    written = read_asked(base, [q for q, _ in told], [a for _, a in told])
    seconds = time.perf_counter() - start
    questions = [fact.cue, *fact.questions]
    asked = read_asked(base, questions, [answer] * len(questions))
    return Fact(number, note, written, asked, cued, seconds)


def _answer_tokens(note: EncodedNote, fact: CuedFact) -> list[int]:
    """The answer as the note's own tokens."""
    after = len(fact.cue) if fact.statement.startswith(fact.cue) else 0
    where = fact.statement.find(fact.answer, after)
    for window in note.windows:
        begin = window.text.find(fact.statement) + where
        if where >= 0 and begin >= where:
            spans = zip(window.tokens, window.offsets, strict=True)
            end = begin + len(fact.answer)
            return [token for token, (a, b) in spans if b > begin and a < end]
    raise InputError(f"“{fact.statement}” does not hold its answer, “{fact.answer}”, in one piece.")


def read_asked(
    base: BaseModel, questions: Sequence[str], answers: Sequence[Sequence[int]]
) -> Asked:
    """Read questions, teacher-forced with their answers' tokens (without END)."""
    prompts = [read_prompt(base, q) for q in questions]
    rows = list(zip(prompts, answers, strict=True))
    width = max(len(p.ids) + len(a) for p, a in rows)
    most = max(len(a) for a in answers) + 1
    tokens = torch.full((len(rows), width), PAD, dtype=torch.long)
    words = torch.full((len(rows), width), -1, dtype=torch.long)
    at = torch.zeros(len(rows), most, dtype=torch.long)
    target = torch.full((len(rows), most), PAD, dtype=torch.long)
    for i, (p, a) in enumerate(rows):
        tokens[i, : len(p.ids) + len(a)] = torch.tensor([*p.ids, *a])
        words[i, : len(p.words)] = torch.tensor(p.words)
        at[i, : len(a) + 1] = torch.arange(len(p.ids) - 1, len(p.ids) + len(a))
        target[i, : len(a) + 1] = torch.tensor([*a, END])
    with torch.no_grad():
        added = base.space.meanings(words.to(base.device))
        states = base.backbone.read(tokens.to(base.device), added=added)
        index = at.to(base.device).unsqueeze(-1).expand(-1, -1, states.shape[-1])
        h = states.gather(1, index)
        repeats = asked_tokens(base.classes, [p.question for p in prompts])
        gist = question_gist(base, questions)
        queries = make_queries(
            base.backbone, base.space, h, gist, target.to(base.device), repeats
        )
    return Asked(h, queries)


def positions(asked: Asked) -> tuple[Tensor, Tensor, Tensor]:
    """All answer positions in a row: states (m, D), targets (m,), weights (m,) of sum 1."""
    counted = asked.target != PAD
    weight = counted.float()
    weight[:, 0] *= FIRST_TOKEN_WEIGHT
    return asked.h[counted], asked.target[counted], weight[counted] / weight.sum()
