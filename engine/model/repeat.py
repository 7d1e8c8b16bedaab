"""Which tokens repeat the question: an answer seldom begins with a word that was asked with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.model.tokenizer import SPECIALS, Tokenizer
from engine.model.words import WordTable

NO_CLASS = -1
_COMMON = 0.42
"""Words with a rarity weight below this (about one paragraph in 60 has them) say nothing."""


def content_classes(tokenizer: Tokenizer, words: WordTable, rarity: Tensor) -> Tensor:
    """Classes of tokens that spell alike but for case and space.

    Args:
        tokenizer: whose ids are classed.
        words, rarity: word table and its (W,) log rarity weights.

    Returns:
        (V,) class ids; `NO_CLASS` for special tokens, single characters and common words.
    """
    weight = dict(zip(words.words, rarity.detach().exp().tolist(), strict=True))
    classes: dict[str, int] = {}
    out = torch.full((tokenizer.vocab_size,), NO_CLASS, dtype=torch.long)
    for token in range(len(SPECIALS), tokenizer.vocab_size):
        text = tokenizer.token(token).strip().lower()
        if len(text) > 1 and text.isalpha() and weight.get(text, 1.0) > _COMMON:
            out[token] = classes.setdefault(text, len(classes))
    return out


def asked_tokens(classes: Tensor, questions: Sequence[Sequence[int]]) -> Tensor:
    """(Q, V) 1.0 for every token that spells like one of the question's, else 0.0."""
    out = torch.zeros(len(questions), len(classes), device=classes.device)
    for row, ids in enumerate(questions):
        own = classes[torch.tensor(list(ids), dtype=torch.long, device=classes.device)]
        own = own[own != NO_CLASS]
        out[row] = torch.isin(classes, own).float()
    return out
