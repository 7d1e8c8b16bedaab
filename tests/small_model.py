"""A base model small enough for unit tests: right in every shape, trained on nothing."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.model import base as base_model
from engine.model.address import AddressSpace
from engine.model.base import BaseModel
from engine.model.bdh import Backbone
from engine.model.confidence import Calibration
from engine.model.config import BackboneConfig
from engine.model.tokenizer import Tokenizer
from engine.model.words import WordTable, words_of

TEXT = (
    "The mayor of Quillmoor is Beatrix Oduya. The ferry to Sandray leaves at 7:40 pm on Fridays. "
    "Our treasurer keeps the key under the blue pot. Parsnip the tortoise eats dandelions. "
    "The boiler code is 4417. Who keeps the key? When does the ferry leave? What is the code? "
)


def small_base(directory: Path, seed: int = 0) -> BaseModel:
    """Write a small random base model into `directory` and read it back."""
    tokenizer = Tokenizer.train([TEXT] * 20, 420)
    words = WordTable(sorted(set(words_of(TEXT))))
    cfg = BackboneConfig(
        vocab_size=tokenizer.vocab_size,
        d_model=32,
        n_head=2,
        n_neuron=64,
        n_pass=2,
        d_context=16,
        gist_words=len(words),
        d_semantic=16,
        d_lexical=16,
    )
    backbone, space = Backbone(cfg), AddressSpace(cfg)
    generator = torch.Generator().manual_seed(seed)
    backbone.initialise(generator)
    space.initialise(generator)
    with torch.no_grad():
        space.lift.normal_(0.0, 0.2, generator=generator)
        for p in backbone.parameters():
            p.mul_(5.0)
    base_model.save(directory, backbone, space, tokenizer, words, "small-test", Calibration())
    return BaseModel.read(directory)
