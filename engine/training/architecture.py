"""Which language model is trained: the backbone, or the transformer that it is measured against."""

from __future__ import annotations

import json
from pathlib import Path

from torch import nn

from engine.api import InputError
from engine.bench.transformer import Transformer, matched
from engine.model.bdh import Backbone
from engine.model.config import BackboneConfig

LanguageModel = Backbone | Transformer
"""What training needs of a model: read, logits, forward, initialise, head, cfg."""

ARCHITECTURES = ("bdh", "transformer")


def build(name: str, cfg: BackboneConfig) -> LanguageModel:
    """The backbone of this shape, or the transformer with as many parameters; no weights yet."""
    return Transformer(matched(cfg)) if name == "transformer" else Backbone(cfg)


def hidden_matrices(model: LanguageModel) -> list[nn.Parameter]:
    """The weights between hidden layers, in the order that checkpoints have them."""
    if isinstance(model, Transformer):
        return model.matrices()
    return [model.encoder, model.encoder_v, model.decoder]


def run_folder(run: Path, architecture: str) -> Path:
    """Where checkpoints and curves go; tokenizer, words and prose are always in `run` itself."""
    return run if architecture == "bdh" else run / architecture


def refuse_export(config: str) -> None:
    """Only the backbone ships.

    Args:
        config: the shape in a checkpoint, as JSON.

    Raises:
        InputError: it is a transformer's.
    """
    if "n_layer" in json.loads(config):
        raise InputError(
            "This is the training of a transformer, which is for comparison only and cannot be "
            "exported: it has no state to decode with."
        )
