"""Probes: a note's cues as queries, and what the joint distribution says to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.memory.cues import Cue
from engine.memory.encode import EncodedNote, question_gist, read_prompt
from engine.model.base import BaseModel
from engine.model.joint import Cells, Queries, joint_log_probabilities, make_queries, score
from engine.model.repeat import asked_tokens
from engine.model.tokenizer import END, PAD

_MOST_ANSWER = 6


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
    width = max(len(p.ids) + len(a) for p, a in zip(prompts, answers, strict=True))
    most = max(len(a) for a in answers) + 1
    tokens = torch.full((len(cues), width), PAD, dtype=torch.long)
    words = torch.full((len(cues), width), -1, dtype=torch.long)
    at = torch.zeros(len(cues), most, dtype=torch.long)
    target = torch.full((len(cues), most), PAD, dtype=torch.long)
    for i, (cue, p, a) in enumerate(zip(cues, prompts, answers, strict=True)):
        tokens[i, : len(p.ids) + len(a)] = torch.tensor([*p.ids, *a])
        words[i, : len(p.words)] = torch.tensor(p.words)
        goal = a + [END] if cue.tokens <= _MOST_ANSWER else a
        at[i, : len(goal)] = torch.arange(len(p.ids) - 1, len(p.ids) - 1 + len(goal))
        target[i, : len(goal)] = torch.tensor(goal)
    with torch.no_grad():
        added = base.space.meanings(words.to(base.device))
        h = base.backbone.read(tokens.to(base.device), added=added)
        at = at.clamp_max(width - 1).to(base.device)
        h = h.gather(1, at.unsqueeze(-1).expand(-1, -1, h.shape[-1]))
        gist = question_gist(base, [c.question for c in cues])
        asked = asked_tokens(base.classes, [p.question for p in prompts])
        queries = make_queries(base.backbone, base.space, h, gist, target.to(base.device), asked)
    first = torch.tensor([c.cell for c in cues], device=base.device)
    return Probes(queries, first)


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
            log_p = joint_log_probabilities(queries, scored, cells, step)
            if step == 0:
                log_p[:, END] = float("-inf")
            right = right & ((log_p.argmax(-1) == queries.target[:, step]) | ~counted[:, step])
            first = right if step == 0 else first
        p = ((scored.target - scored.total) * counted).sum(1).exp()
    return Outcome(right, first, p)


def stored_form(queries: Queries, rows: Tensor) -> Tensor:
    """First-position queries of some probes, (r, d_context + 2 G + 1), as the slot keeps them."""
    parts = (queries.context, queries.local, queries.wide, queries.gate.unsqueeze(-1))
    return torch.cat([p[rows, 0] for p in parts], dim=-1)
