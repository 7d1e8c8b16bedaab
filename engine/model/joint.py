"""One softmax over vocabulary and cells: what training optimises, writing sharpens, answers use.

After TRIME (Zhong et al. 2022, arXiv 2205.12674): p(w) is proportional to p_backbone(w) + the sum
over cells holding w of exp(score). The backbone's part is normalised first, so the cells' mass is
measured against 1.

An answer runs on: the cell after the one that carried the last token gets `chain` times the share
of the token that it carried, and any cell may end the answer, by its stop log-odds.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.model.address import AddressSpace
from engine.model.bdh import Backbone
from engine.model.tokenizer import END

FIRST_TOKEN_WEIGHT = 3.0
"""How many times an answer's first token counts in a loss: greedy decoding fails there."""
_NEVER = -1e9


class Cells(NamedTuple):
    """Cells of a batch of windows, in order.

    context: (C, d_context). local: (C, G). window: (C,) row of `wide`. token: (C,) ids.
    stop: (C,) log-odds that an answer ends before the cell's token. follows: (C,) 1 where the cell
    before it is its predecessor. note: (C,) index of the note. wide: (W, G).
    """

    context: Tensor
    local: Tensor
    window: Tensor
    token: Tensor
    stop: Tensor
    follows: Tensor
    note: Tensor
    wide: Tensor


class Queries(NamedTuple):
    """Answer positions as queries, scales multiplied in.

    context: (Q, A, d_context). local, wide: (Q, A, G). gate: (Q, A).
    vocabulary: (Q, A, V) log-probabilities of the backbone alone. target: (Q, A) ids, END last.
    asked: (Q, V) what is added, at the first step, to the scores of cells holding each token
    (those that repeat the question).
    """

    context: Tensor
    local: Tensor
    wide: Tensor
    gate: Tensor
    vocabulary: Tensor
    target: Tensor
    asked: Tensor


class Scored(NamedTuple):
    """Queries scored against cells.

    cells: (Q, A, C) scores, chain included. target: (Q, A) log mass of the target tokens.
    total: (Q, A) log of the whole mass; target - total is the joint log-probability.
    """

    cells: Tensor
    target: Tensor
    total: Tensor


def make_queries(
    backbone: Backbone,
    space: AddressSpace,
    h: Tensor,
    gist: Tensor,
    target: Tensor,
    asked: Tensor,
) -> Queries:
    """Queries of answer positions.

    Args:
        backbone, space: the model.
        h: (Q, A, D) hidden states at the positions.
        gist: (Q, G) the questions' gists.
        target: (Q, A) ids of the tokens that come next.
        asked: (Q, V) 1.0 for tokens that repeat the question, else 0.0.
    """
    vocabulary = backbone.logits(h).log_softmax(-1)
    context, local, wide = space.queries(h, gist.unsqueeze(1).expand(-1, h.shape[1], -1))
    gate = space.gates(h)
    return Queries(context, local, wide, gate, vocabulary, target, space.repeat * asked)


def fixed_scores(queries: Queries, cells: Cells) -> Tensor:
    """What of the scores (Q, A, C) does not depend on the cells' context and local gist."""
    base = (queries.wide @ cells.wide.T)[..., cells.window] + queries.gate.unsqueeze(-1)
    return torch.cat([base[:, :1] + queries.asked[:, None, cells.token], base[:, 1:]], 1)


def key_scores(queries: Queries, context: Tensor, local: Tensor) -> Tensor:
    """What of the scores (Q, A, C) the cells' own keys make: context and local gist."""
    return queries.context @ context.T + queries.local @ local.T


def score(queries: Queries, cells: Cells, chain: Tensor) -> Scored:
    """Score answers, teacher-forced: each step points on from the cells that carried the last."""
    base = fixed_scores(queries, cells) + key_scores(queries, cells.context, cells.local)
    return follow(queries, base, cells, chain)


def follow(queries: Queries, base: Tensor, cells: Cells, chain: Tensor) -> Scored:
    """`score` from the scores (Q, A, C) before the chain."""
    target = queries.target
    holds = cells.token == target.unsqueeze(-1)  # (Q, A, C)
    word = queries.vocabulary.gather(-1, target.unsqueeze(-1)).squeeze(-1)
    stay, leave = F.logsigmoid(-cells.stop), F.logsigmoid(cells.stop)
    none = torch.full_like(base[:, 0], _NEVER)
    carried = torch.zeros_like(base[:, 0])
    rows, targets, totals = [], [], []
    for a in range(base.shape[1]):
        s = base[:, a] + chain * carried
        match = torch.where(holds[:, a], s if a == 0 else s + stay, none)
        ends = none if a == 0 else s + leave
        match = torch.where((target[:, a] == END).unsqueeze(-1), ends, match)
        mass = torch.logaddexp(word[:, a], match.logsumexp(-1))
        share = (match - mass.unsqueeze(-1)).exp()
        carried = F.pad(share, (1, 0))[:, :-1] * cells.follows
        rows.append(s)
        targets.append(mass)
        totals.append(F.softplus(s.logsumexp(-1)))
    return Scored(torch.stack(rows, 1), torch.stack(targets, 1), torch.stack(totals, 1))


def joint_log_probabilities(
    queries: Queries, scored: Scored, cells: Cells, step: int
) -> Tensor:
    """(Q, V) joint log-probabilities of every token at one answer step."""
    s = scored.cells[:, step]
    stay = s if step == 0 else s + F.logsigmoid(-cells.stop)
    shift = s.max(-1, keepdim=True).values.clamp_min(0.0)
    mass = (queries.vocabulary[:, step] - shift).exp()
    mass = mass.index_add(1, cells.token, (stay - shift).exp())
    if step:
        mass[:, END] += (s + F.logsigmoid(cells.stop) - shift).exp().sum(-1)
    return (mass / mass.sum(-1, keepdim=True)).clamp_min(1e-30).log()


def most_probable(queries: Queries, scored: Scored, cells: Cells, step: int) -> Tensor:
    """The token (Q,) of the greatest joint probability at one answer step; at the first not END.

    Only tokens that some cell holds, END and the backbone's own favourite can be it, so that the
    mass of few has to be added up.
    """
    vocabulary = queries.vocabulary[:, step]
    if step == 0:
        end = torch.tensor([END], device=vocabulary.device)
        vocabulary = vocabulary.index_fill(1, end, _NEVER)
    own, favourite = vocabulary.max(-1)
    held, place = cells.token.unique(return_inverse=True)
    s = scored.cells[:, step]
    shift = s.max(-1).values.clamp_min(0.0)[:, None]
    stay = s if step == 0 else s + F.logsigmoid(-cells.stop)
    mass = (vocabulary[:, held] - shift).exp().index_add(1, place, (stay - shift).exp())
    ending = (vocabulary[:, END, None] - shift).exp()
    if step:
        ending = ending + (s + F.logsigmoid(cells.stop) - shift).exp().sum(-1, keepdim=True)
    alone = (own[:, None] - shift).exp()
    best = torch.cat([mass, ending, alone], 1).argmax(-1, keepdim=True)
    rows = len(mass)
    ids = torch.cat([held.expand(rows, -1), held.new_full((rows, 1), END), favourite[:, None]], 1)
    return ids.gather(1, best).squeeze(1)
