"""A base model of a few thousand untrained parameters, for real runs that take no time."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.model import base
from engine.model.address import AddressSpace
from engine.model.bdh import Backbone
from engine.model.confidence import Calibration
from engine.model.config import BackboneConfig
from engine.model.tokenizer import Tokenizer
from engine.model.words import WordTable

_WORDS = ("boat", "code", "gate", "harbour", "oars", "tree", "wall", "bell", "key", "ferry")


def make_tiny_base(directory: Path, texts: list[str]) -> None:
    """Write an untrained base model whose tokenizer knows some texts."""
    tokenizer = Tokenizer.train(texts, 400)
    words = WordTable(_WORDS)
    cfg = BackboneConfig(
        vocab_size=tokenizer.vocab_size, d_model=32, n_head=2, n_neuron=48, n_pass=2,
        d_context=16, gist_words=len(words), d_semantic=16, d_lexical=16,
    )  # fmt: skip
    backbone, space = Backbone(cfg), AddressSpace(cfg)
    draw = torch.Generator().manual_seed(5)
    backbone.initialise(draw)
    space.initialise(draw)
    everything_is_known = Calibration(threshold=0.0)
    base.save(directory, backbone, space, tokenizer, words, "untrained", everything_is_known)
