"""Reading notes: the hidden states that addresses are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.model.address import AddressSpace
from engine.model.bdh import Backbone
from engine.model.tokenizer import BEGIN, PAD, SEP


class Reading(NamedTuple):
    """A batch of windows as read.

    before: (B, T, D) states at the position before every token of a window. at: (B, T, D) states at
    the token itself. states: (B, S, D) all states. tokens: (B, S) what was read, padded.
    """

    before: Tensor
    at: Tensor
    states: Tensor
    tokens: Tensor


def autocast(device: torch.device, dtype: torch.dtype | None) -> torch.autocast:
    """Matrix products in `dtype` from here on; None for the weights' own precision."""
    return torch.autocast(device.type, dtype, enabled=dtype is not None)


def read_windows(
    backbone: Backbone,
    space: AddressSpace,
    rows: Sequence[Sequence[int]],
    words: Sequence[Sequence[int]],
    reading: str,
    dtype: torch.dtype | None,
) -> Reading:
    """Read windows of notes.

    Args:
        backbone, space: the model.
        rows: ids of each window, no special tokens.
        words: for each of these ids the word-table row of its word, -1 for none.
        reading: see `BackboneConfig.reading`.
        dtype: autocast type, or None for the weights' own precision.
    """
    width = max(len(r) for r in rows)
    twice = reading == "twice"
    length = 2 * width + 2 if twice else width + 1
    tokens = torch.full((len(rows), length), PAD, dtype=torch.long)
    meant = torch.full((len(rows), length), -1, dtype=torch.long)
    start = torch.zeros(len(rows), dtype=torch.long)
    for i, (r, w) in enumerate(zip(rows, words, strict=True)):
        sequence = [BEGIN, *r, SEP, *r] if twice else [BEGIN, *r]
        tokens[i, : len(sequence)] = torch.tensor(sequence)
        meant[i, : len(sequence)] = torch.tensor([-1, *w, -1, *w] if twice else [-1, *w])
        start[i] = len(r) + 1 if twice else 0  # the position before the first token
    device = backbone.head.device
    tokens, start = tokens.to(device), start.to(device)
    with autocast(device, dtype):
        added = space.meanings(meant.to(device))
        h = backbone.read(tokens, causal=reading != "both ways", added=added)
    index = (start[:, None] + torch.arange(width, device=device)).clamp_max(length - 2)
    expand = index.unsqueeze(-1).expand(-1, -1, h.shape[-1])
    at, before = h.gather(1, expand + 1).float(), h.gather(1, expand).float()
    return Reading(before, at, h, tokens)
