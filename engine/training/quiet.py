"""What a written note must stay silent about: queries that ship with the base model.

Gradient steps that sharpen a note's own answers also raise how much else its cells are heard. A
write holds that down for the queries made here (`engine.memory.write`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.memory.encode import question_gist, read_prompt
from engine.memory.probe import stored_form
from engine.model.base import BaseModel
from engine.model.joint import make_queries
from engine.model.repeat import asked_tokens
from engine.model.tokenizer import BEGIN, END
from engine.training.corpora import TokenStream, WrittenNote

_QUESTIONS = 96
_PROSE = 128
_WINDOWS = 512
_AT_ONCE = 64
_LENGTH = 128
"""Tokens of a window of prose; positions in its second half may be chosen."""


def quiet_questions(base: BaseModel, notes: Sequence[WrittenNote]) -> Tensor:
    """Queries of questions that no note answers (Q, d_context + 2 G + 1)."""
    questions = [q.question for n in notes for q in n.questions if not q.answers]
    rows = []
    for question in questions[:_QUESTIONS]:
        prompt = read_prompt(base, question)
        with torch.no_grad():
            added = base.space.meanings(torch.tensor([prompt.words]))
            h = base.backbone.read(torch.tensor([prompt.ids]), added=added)[:, -1:]
            asked = asked_tokens(base.classes, [prompt.question])
        rows.append(_queries(base, h, [question], asked))
    return torch.cat(rows)


def quiet_prose(base: BaseModel, stream: TokenStream, seed: int = 0) -> Tensor:
    """Queries of positions in prose (P, d_context + 2 G + 1).

    Of each window the position where cells are heard best; of the windows those where they are.
    """
    drawn = stream.batch(np.random.default_rng(seed), _WINDOWS, _LENGTH - 1)
    rows = []
    for windows in np.array_split(drawn, _WINDOWS // _AT_ONCE):
        begin = np.full((len(windows), 1), BEGIN)
        read = torch.from_numpy(np.concatenate([begin, windows[:, :-1]], 1))
        with torch.no_grad():
            h = base.backbone.read(read)[:, _LENGTH // 2 :]
            best = base.space.gates(h).argmax(1)
        texts = [base.tokenizer.decode(w) for w in windows[:, : _LENGTH // 2].tolist()]
        none = torch.zeros(len(texts), base.cfg.vocab_size)
        rows.append(_queries(base, h[torch.arange(len(h)), best].unsqueeze(1), texts, none))
    queries = torch.cat(rows)
    heard = queries[:, -1].topk(min(_PROSE, len(queries))).indices
    return queries[heard]


def _queries(base: BaseModel, h: Tensor, texts: Sequence[str], asked: Tensor) -> Tensor:
    """Queries (Q, d_context + 2 G + 1) of states (Q, 1, D), each beside the words of a text."""
    target = torch.full((len(texts), 1), END)
    with torch.no_grad():
        gist = question_gist(base, texts)
        queries = make_queries(base.backbone, base.space, h, gist, target, asked)
    return stored_form(queries, torch.arange(len(texts)))
