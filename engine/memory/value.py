"""Values: vectors that the backbone's head decodes to a token (and, by a share, to END)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.model.base import BaseModel
from engine.model.tokenizer import END

_SHARP = 24.0
"""Logit that a start value gives its token and END together."""
_LEAST = 8.0
"""Logit below which END is no more likely than any other token."""
_RIDGE = 1e-3
_STEPS = 40
_LEAST_P = 0.98


def start_values(base: BaseModel, tokens: Tensor, stop: Tensor) -> Tensor:
    """Values (n, D) from which writing starts: the two logits as wanted, the others least.

    Args:
        base: whose head decodes them.
        tokens: (n,) ids to decode to.
        stop: (n,) log-odds of END against the token.
    """
    head = base.backbone.head  # (D, V)
    d = head.shape[0]
    gram = head @ head.T + _RIDGE * torch.eye(d, device=head.device)
    pair = torch.stack([head[:, tokens].T, head[:, END].expand(len(tokens), d)], -1)  # (n, D, 2)
    spread = torch.linalg.solve(gram, pair)
    share = torch.stack([F.logsigmoid(-stop), F.logsigmoid(stop)], -1)  # (n, 2)
    wanted = (_SHARP + share).clamp_min(_LEAST)
    inner = pair.transpose(1, 2) @ spread  # (n, 2, 2)
    values: Tensor = (spread @ torch.linalg.solve(inner, wanted.unsqueeze(-1))).squeeze(-1)
    return values


def sharpen(base: BaseModel, values: Tensor, tokens: Tensor, stop: Tensor) -> Tensor:
    """Gradient steps on values until each decodes to its token (and END by its share).

    Args:
        values: (n, D) start values. tokens: (n,) ids. stop: (n,) log-odds of END.

    Returns:
        (n, D) values; those that were good at once are returned as they were.
    """
    head = base.backbone.head
    leave = torch.sigmoid(stop)
    with torch.no_grad():
        p = (values @ head).softmax(-1)
        held = p.gather(1, tokens[:, None]).squeeze(1)
        off = (held - (1.0 - leave)).abs().maximum((p[:, END] - leave).abs())
        todo = (off > 1.0 - _LEAST_P).nonzero().squeeze(1)
    if not len(todo):
        return values
    v = values[todo].clone().requires_grad_()
    optimizer = torch.optim.Adam([v], lr=0.3)
    with torch.enable_grad():
        for _ in range(_STEPS):
            log_p = F.log_softmax(v @ head, -1)
            keep = log_p.gather(1, tokens[todo, None]).squeeze(1)
            loss = -((1.0 - leave[todo]) * keep + leave[todo] * log_p[:, END]).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    out = values.clone()
    out[todo] = v.detach()
    return out
