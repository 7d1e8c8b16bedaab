"""Every token must be one that a cell can hold.

A token that prose hardly ever has (a word of notes alone, a rare byte) gets no gradient of its own:
the head's columns of all such tokens drift together, and no vector decodes to one of them alone.
A cell with such a token could not be read. A little chance drives the columns apart; the loss on
prose stays what it was.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.memory.encode import SURE
from engine.memory.value import sharpen, start_values
from engine.model.base import BaseModel
from engine.model.tokenizer import SPECIALS

_APART = 0.5
"""Length of what is added to a column; columns are 1.4 to 7.4 long."""
_ROUNDS = 8
_HELD = 0.8


def undecodable(base: BaseModel) -> Tensor:
    """Tokens (n,) that no value decodes to with a probability of 0.8."""
    tokens = torch.arange(len(SPECIALS), base.cfg.vocab_size)
    stop = torch.full((len(tokens),), -SURE)
    values = sharpen(base, start_values(base, tokens, stop), tokens, stop)
    with torch.no_grad():
        p = (values @ base.backbone.head).softmax(-1)
        return tokens[p.gather(1, tokens[:, None]).squeeze(1) < _HELD]


def spread_head(base: BaseModel, seed: int = 0) -> int:
    """Drive apart the head's columns of tokens that cannot be decoded; in place, in bf16's steps.

    Returns:
        How many tokens could not be decoded before.
    """
    generator = torch.Generator().manual_seed(seed)
    head = base.backbone.head
    found = undecodable(base)
    first = len(found)
    for _ in range(_ROUNDS):
        if not len(found):
            break
        chance = torch.randn(head.shape[0], len(found), generator=generator)
        with torch.no_grad():
            moved = head[:, found] + _APART * F.normalize(chance, dim=0)
            head[:, found] = moved.bfloat16().to(head.dtype)
        found = undecodable(base)
    return first
