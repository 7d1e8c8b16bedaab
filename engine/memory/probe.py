"""Probes: a note's cues as queries, and what the joint distribution says to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.memory.cues import Cue
from engine.memory.encode import EncodedNote, Prompt, question_gist, read_prompt
from engine.model.base import BaseModel
from engine.model.joint import Cells, Queries, make_queries, most_probable, score
from engine.model.repeat import asked_tokens
from engine.model.tokenizer import END, PAD

_MOST_ANSWER = 6
_GROUPS = 4


@dataclass(frozen=True)
class Probes:
    """Cues read by the backbone; nothing of it changes during a write.

    Attributes:
        queries: (Q, A, ...) of every answer position; PAD targets beyond an answer's END.
        first: (Q,) index, within the note's cells, of the cell that each answer starts at.
    """

    queries: Queries
    first: Tensor

    def firsts(self) -> Probes:
        """The probes' first answer positions alone."""
        q = self.queries
        whole = q._asdict()
        first = {name: t[:, :1] for name, t in whole.items() if name != "asked"}
        return Probes(Queries(**first, asked=q.asked), self.first)


@dataclass(frozen=True)
class Outcome:
    """What probes came to: (Q,) whole answer right, (Q,) first token right, (Q,) probability."""

    right: Tensor
    first: Tensor
    p: Tensor

    @property
    def marks(self) -> str:
        """One character a probe: "1" for right, "0" for wrong."""
        return "".join("1" if r else "0" for r in self.right.tolist())

    @property
    def recall(self) -> float:
        """Share of right probes; 0 where there are none."""
        return float(self.right.float().mean()) if len(self.right) else 0.0

    @property
    def median_p(self) -> float:
        """Median probability of the right answers; 0 where there are none."""
        return float(self.p.median()) if len(self.p) else 0.0


def make_probes(base: BaseModel, note: EncodedNote, cues: Sequence[Cue]) -> Probes:
    """Read the cues' questions, teacher-forced with their answers.

    Raises:
        ValueError: no cues.
    """
    if not cues:
        raise ValueError("no cues")
    prompts = [read_prompt(base, c.question) for c in cues]
    token = note.cells.token.tolist()
    answers = [token[c.cell : c.cell + min(c.tokens, _MOST_ANSWER)] for c in cues]
    most = max(len(a) for a in answers) + 1
    at = torch.zeros(len(cues), most, dtype=torch.long)
    target = torch.full((len(cues), most), PAD, dtype=torch.long)
    for i, (cue, p, a) in enumerate(zip(cues, prompts, answers, strict=True)):
        goal = a + [END] if cue.tokens <= _MOST_ANSWER else a
        at[i, : len(goal)] = torch.arange(len(p.ids) - 1, len(p.ids) - 1 + len(goal))
        target[i, : len(goal)] = torch.tensor(goal)
    with torch.no_grad():
        h = _read(base, prompts, answers, at)
        gist = question_gist(base, [c.question for c in cues])
        asked = asked_tokens(base.classes, [p.question for p in prompts])
        queries = make_queries(base.backbone, base.space, h, gist, target.to(base.device), asked)
    first = torch.tensor([c.cell for c in cues], device=base.device)
    return Probes(queries, first)


def _read(
    base: BaseModel, prompts: Sequence[Prompt], answers: Sequence[list[int]], at: Tensor
) -> Tensor:
    """States (Q, A, D) at positions `at` (Q, A), each prompt read with its answer.

    In groups of like length: padding costs as much as words.
    """
    rows = [[*p.ids, *a] for p, a in zip(prompts, answers, strict=True)]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    size = -(-len(rows) // _GROUPS)
    states = torch.zeros(*at.shape, base.cfg.d_model, device=base.device)
    for group in (order[i : i + size] for i in range(0, len(order), size)):
        width = max(len(rows[i]) for i in group)
        tokens = torch.full((len(group), width), PAD, dtype=torch.long)
        words = torch.full((len(group), width), -1, dtype=torch.long)
        for r, i in enumerate(group):
            tokens[r, : len(rows[i])] = torch.tensor(rows[i])
            words[r, : len(prompts[i].words)] = torch.tensor(prompts[i].words)
        added = base.space.meanings(words.to(base.device))
        h = base.backbone.read(tokens.to(base.device), added=added)
        where = at[group].clamp_max(width - 1).to(base.device)
        states[group] = h.gather(1, where.unsqueeze(-1).expand(-1, -1, h.shape[-1]))
    return states


def ask(base: BaseModel, probes: Probes, cells: Cells) -> Outcome:
    """Ask all probes at once of some cells.

    A probe is right when every token of its answer, END included, is the most probable one given
    those before it: the same as greedy decoding giving exactly that answer.
    """
    queries = probes.queries
    with torch.no_grad():
        scored = score(queries, cells, base.space.chain)
        counted = queries.target != PAD
        right = torch.ones(len(probes.first), dtype=torch.bool, device=base.device)
        first = right
        for step in range(queries.target.shape[1]):
            said = most_probable(queries, scored, cells, step)
            right = right & ((said == queries.target[:, step]) | ~counted[:, step])
            first = right if step == 0 else first
        p = ((scored.target - scored.total) * counted).sum(1).exp()
    return Outcome(right, first, p)


def stored_form(queries: Queries, rows: Tensor) -> Tensor:
    """First-position queries of some probes, (r, d_context + 2 G + 1), as the slot keeps them."""
    parts = (queries.context, queries.local, queries.wide, queries.gate.unsqueeze(-1))
    return torch.cat([p[rows, 0] for p in parts], dim=-1)
