"""The rival of the backbone: a plain transformer with as many parameters, for the same training.

Pre-norm decoder: RMS norm (Zhang and Sennrich 2019), rotary positions (Su et al. 2021), softmax
attention, SwiGLU (Shazeer 2020), head apart from the embedding as in BDH. It has what
training uses of `Backbone` (`read`, `logits`, `forward`, `initialise`); it has no recurrent form.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.bdh import rotate
from engine.model.config import BackboneConfig
from engine.model.tokenizer import PAD

_HEAD_WIDTHS = (64, 48, 32, 16, 8)
_ASPECT = 64.0
"""Width over depth that the search prefers, about that of GPT-2's smallest."""
_FEED = 8 / 3
"""Width of SwiGLU over the model's: as many parameters as a plain layer of four times the width."""
_TOLERANCE = 0.01


@dataclass(frozen=True)
class TransformerConfig:
    """Shape of a transformer.

    Attributes:
        vocab_size: number of token ids. d_model: D. n_head: heads. n_layer: layers.
        d_feed: F, inner width of SwiGLU. rope_theta: base of the rotary frequencies.
    """

    vocab_size: int
    d_model: int
    n_head: int
    n_layer: int
    d_feed: int
    rope_theta: float = 10_000.0

    def to_json(self) -> str:
        """One JSON object, keys sorted."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        d = self.d_model
        layer = 4 * d * d + 3 * d * self.d_feed + 2 * d
        return 2 * self.vocab_size * d + self.n_layer * layer + d


def backbone_parameters(cfg: BackboneConfig) -> int:
    """Number of parameters of the BDH of this shape, without its address space."""
    return cfg.d_model * (2 * cfg.vocab_size + 3 * cfg.n_head * cfg.n_neuron)


def matched(cfg: BackboneConfig) -> TransformerConfig:
    """The transformer with as many parameters as a BDH, within 1 %, and of usual proportions.

    Raises:
        ValueError: no shape comes that near (for a model of a few thousand parameters).
    """
    found = list(_candidates(cfg))
    if not found:
        raise ValueError(f"no transformer has {backbone_parameters(cfg):,} parameters within 1 %")
    return min(found, key=_oddity)


def _candidates(cfg: BackboneConfig) -> Iterator[TransformerConfig]:
    wanted = backbone_parameters(cfg)
    for d in range(16, 2049, 16):
        free = wanted - 2 * cfg.vocab_size * d
        for n_layer in range(1, 65):
            feed = (free / n_layer - 4 * d * d) / (3 * d)  # what would match exactly
            d_feed = max(8, round(feed / 8) * 8)
            head = next(h for h in _HEAD_WIDTHS if d % h == 0 and d >= 2 * h)
            shape = TransformerConfig(cfg.vocab_size, d, d // head, n_layer, d_feed)
            if abs(shape.n_parameters / wanted - 1) <= _TOLERANCE:
                yield shape


def _oddity(shape: TransformerConfig) -> float:
    """How far from usual proportions; feed layers count double, heads when under 32 wide."""
    aspect = abs(math.log(shape.d_model / shape.n_layer / _ASPECT))
    feed = abs(math.log(shape.d_feed / shape.d_model / _FEED))
    head = max(0.0, math.log(32 * shape.n_head / shape.d_model))
    return aspect + 2 * feed + head


class Layer(nn.Module):
    """Attention and feed layer, each after a norm and added to the stream."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        d = cfg.d_model
        self.n_head = cfg.n_head
        self.norm_attention = nn.RMSNorm(d)
        self.query, self.key, self.value = (nn.Linear(d, d, bias=False) for _ in range(3))
        self.mix = nn.Linear(d, d, bias=False)
        self.norm_feed = nn.RMSNorm(d)
        self.feed_gate, self.feed_up = (nn.Linear(d, cfg.d_feed, bias=False) for _ in range(2))
        self.feed_down = nn.Linear(cfg.d_feed, d, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, seen: Tensor | None, dropout: float
    ) -> Tensor:
        """The stream (B, T, D) after the layer; `seen` (B, 1, 1, T) of keys, None for causal."""
        h = self.norm_attention(x)
        q, k, v = (
            p(h).unflatten(-1, (self.n_head, -1)).transpose(1, 2)  # (B, nh, T, D / nh)
            for p in (self.query, self.key, self.value)
        )
        a = F.scaled_dot_product_attention(
            rotate(q, cos, sin).to(v.dtype),
            rotate(k, cos, sin).to(v.dtype),
            v,
            attn_mask=seen,
            is_causal=seen is None,
        )
        x = x + self.mix(a.transpose(1, 2).flatten(2))
        h = self.norm_feed(x)
        wide = F.dropout(F.silu(self.feed_gate(h)) * self.feed_up(h), dropout)
        fed: Tensor = self.feed_down(wide)
        return x + fed


class Transformer(nn.Module):
    """Transformer language model.

    Args:
        cfg: the shape.

    Attributes:
        dropout: share of the feed layers' inner units that are left out in training mode.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.dropout = 0.0
        self.embed = nn.Embedding(cfg.vocab_size, cfg.d_model)
        self.layers = nn.ModuleList(Layer(cfg) for _ in range(cfg.n_layer))
        self.norm = nn.RMSNorm(cfg.d_model)
        self.head = nn.Parameter(torch.empty(cfg.d_model, cfg.vocab_size))

    def initialise(self, generator: torch.Generator) -> None:
        """Draw fresh weights as GPT-2 does: normal, 0.02, less for what is added to the stream."""
        with torch.no_grad():
            for name, p in self.named_parameters():
                if "norm" in name:
                    p.fill_(1.0)
                    continue
                added = "mix" in name or "feed_down" in name
                share = 1 / math.sqrt(2 * self.cfg.n_layer) if added else 1.0
                p.normal_(0.0, 0.02 * share, generator=generator)

    def matrices(self) -> list[nn.Parameter]:
        """The two-dimensional weights between hidden layers."""
        return [p for p in self.layers.parameters() if p.ndim == 2]

    def read(self, tokens: Tensor, causal: bool = True, added: Tensor | None = None) -> Tensor:
        """Hidden states of a batch of sequences.

        Args:
            tokens: (B, T) ids. Padding belongs at the end, where causality hides it.
            causal: False lets every position see both sides and itself, but never padding.
            added: (B, T, D) added to the embeddings, see `AddressSpace.meanings`; or None.

        Returns:
            (B, T, D) normed hidden states after the last layer.
        """
        half = self.cfg.d_model // self.cfg.n_head // 2
        exponent = torch.arange(half, device=tokens.device, dtype=torch.float32) / half
        place = torch.arange(tokens.shape[1], device=tokens.device, dtype=torch.float32)
        angle = place[:, None] * (self.cfg.rope_theta**-exponent)[None, :]  # (T, half)
        seen = None if causal else (tokens != PAD)[:, None, None, :]
        dropout = self.dropout if self.training else 0.0
        x = self.embed(tokens)
        x = x if added is None else x + added
        for layer in self.layers:
            x = layer(x, angle.cos(), angle.sin(), seen, dropout)
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, tokens: Tensor) -> Tensor:
        """Next-token logits (B, T, V) for tokens (B, T)."""
        return self.logits(self.read(tokens))

    def logits(self, h: Tensor) -> Tensor:
        """Vocabulary logits (..., V) of hidden states (..., D)."""
        return h @ self.head
