"""Shapes of the backbone and of its address space, as frozen dataclasses."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class BackboneConfig:
    """Shape of a BDH backbone, with the paper's names (arXiv 2509.26507, section 3).

    Attributes:
        vocab_size: number of token ids.
        d_model: D, the width of the residual stream.
        n_head: nh, heads.
        n_neuron: N, neurons a head; nh * N is the number of neurons.
        n_pass: L, passes through the one shared set of weights.
        rope_theta: base of the rotary frequencies.
        d_context: width of the context part of an address.
        gist_words: rows of the word table of the gist part (0: no table, hashed vectors only).
        d_semantic: width of the learned part of a word's gist vector.
        d_lexical: width of the fixed pseudo-random part of a word's gist vector.
        reading: how notes are read: "both ways" (once, every position sees both sides), "twice"
            (note, separator, note; causal) or "once" (causal).
    """

    vocab_size: int = 8192
    d_model: int = 192
    n_head: int = 4
    n_neuron: int = 768
    n_pass: int = 3
    rope_theta: float = 65536.0
    d_context: int = 128
    gist_words: int = 0
    d_semantic: int = 128
    d_lexical: int = 128
    reading: str = "both ways"

    def to_json(self) -> str:
        """One JSON object, keys sorted."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> BackboneConfig:
        """Inverse of `to_json`; raises TypeError for unknown keys."""
        raw: dict[str, Any] = json.loads(text)
        return cls(**raw)

    @classmethod
    def read(cls, path: Path) -> BackboneConfig:
        """Read a config file."""
        return cls.from_json(path.read_text("utf-8"))


PRESETS: dict[str, BackboneConfig] = {
    "tiny": BackboneConfig(d_model=192, n_head=4, n_neuron=768, n_pass=3),
    "small": BackboneConfig(d_model=256, n_head=4, n_neuron=2048, n_pass=4),
    "base": BackboneConfig(d_model=256, n_head=4, n_neuron=8192, n_pass=6),
}
"""Named shapes: about 5M, 10.6M and 29M parameters with a vocabulary of 8,192."""
