"""Values: vectors that the backbone's head decodes to a token (and, by a share, to END)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.memory.adam import Adam
from engine.model.base import BaseModel
from engine.model.tokenizer import END

_SHARP = 32.0
"""Logit that a start value gives its token and END together."""
_LEAST = 8.0
"""Logit below which END is no more likely than any other token."""
_RIDGE = 1e-3
_STEPS = 10
_TOLERANCE = 0.05


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
        off = _off((values @ head).log_softmax(-1), tokens, leave)
        todo = (off > _TOLERANCE).nonzero().squeeze(1)
    if not len(todo):
        return values
    tokens, leave = tokens[todo], leave[todo]
    v = values[todo].clone().requires_grad_()
    optimizer = Adam([(v, 0.3)])
    for _ in range(_STEPS):
        with torch.enable_grad():
            log_p = F.log_softmax(v @ head, -1)
            keep = log_p.gather(1, tokens[:, None]).squeeze(1)
            loss = -((1.0 - leave) * keep + leave * log_p[:, END]).sum()
        if not bool((_off(log_p.detach(), tokens, leave) > _TOLERANCE).any()):
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    out = values.clone()
    out[todo] = v.detach()
    return out


def _off(log_p: Tensor, tokens: Tensor, leave: Tensor) -> Tensor:
    """How far the probabilities (n, V) are from what is wanted, (n,)."""
    p = log_p.exp()
    held = p.gather(1, tokens[:, None]).squeeze(1)
    return (held - (1.0 - leave)).abs().maximum((p[:, END] - leave).abs())
