"""The backbone: BDH, the Dragon Hatchling (arXiv 2509.26507), one set of weights for all passes.

Linear attention without softmax over sparse positive neurons. Two equal forms: `forward` sees a
whole sequence at once; `step` carries the Hebbian state rho = sum of k v^T and costs the same for
every token. Names follow the paper: encoder, encoder_v, decoder, x_sparse, y_sparse.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.config import BackboneConfig
from engine.model.sparse_pass import PassInputs, dropout_factors, sparse_pass
from engine.model.tokenizer import PAD


class DecodingState(NamedTuple):
    """State of recurrent decoding.

    rho: (L, nh * N, D), sum of rope(k) v^T over the positions read so far, for every pass.
    position: number of tokens read.
    """

    rho: Tensor
    position: int


def rotary_angles(cfg: BackboneConfig, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotary angles.

    Args:
        cfg: the backbone's shape.
        positions: (T,) integer positions.

    Returns:
        Two float tensors (T, N / 2).
    """
    half = cfg.n_neuron // 2
    exponent = torch.arange(half, device=positions.device, dtype=torch.float32) / half
    freq = cfg.rope_theta ** (-exponent)
    angle = positions.to(torch.float32)[:, None] * freq[None, :]
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding over the last dimension, first half paired with second. x: (..., T, N)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Backbone(nn.Module):
    """BDH language model.

    Args:
        cfg: the shape.

    Attributes:
        dropout: share of the neurons that are left out in training mode.
    """

    def __init__(self, cfg: BackboneConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.dropout = 0.0
        d, nh, n = cfg.d_model, cfg.n_head, cfg.n_neuron
        self.embed = nn.Embedding(cfg.vocab_size, d)
        self.encoder = nn.Parameter(torch.empty(d, nh * n))
        self.encoder_v = nn.Parameter(torch.empty(d, nh * n))
        self.decoder = nn.Parameter(torch.empty(nh * n, d))
        self.head = nn.Parameter(torch.empty(d, cfg.vocab_size))

    def initialise(self, generator: torch.Generator) -> None:
        """Draw fresh weights, normal with standard deviation 0.02, from `generator`."""
        with torch.no_grad():
            for p in self.parameters():
                p.normal_(0.0, 0.02, generator=generator)

    @property
    def scale(self) -> float:
        """1 / sqrt(N): keeps the unnormalised attention in range for bf16."""
        return 1.0 / math.sqrt(self.cfg.n_neuron)

    def by_head(self, weight: Tensor) -> Tensor:
        """An encoder (D, nh * N) as one matrix for each head, (nh, D, N)."""
        return weight.view(self.cfg.d_model, self.cfg.n_head, self.cfg.n_neuron).transpose(0, 1)

    def norm(self, x: Tensor) -> Tensor:
        """Layer norm without parameters over D."""
        return F.layer_norm(x, (self.cfg.d_model,))

    def read(
        self, tokens: Tensor, causal: bool = True, added: Tensor | None = None
    ) -> Tensor:
        """Hidden states of a batch of sequences, parallel form.

        Args:
            tokens: (B, T) ids. Padding belongs at the end, where causality hides it.
            causal: False lets every position see both sides (but never itself, nor padding).
            added: (B, T, D) added to the embeddings, see `AddressSpace.meanings`; or None.

        Returns:
            (B, T, D) hidden states after the last pass.
        """
        t = tokens.shape[1]
        cos, sin = rotary_angles(self.cfg, torch.arange(t, device=tokens.device))
        mask = torch.ones(t, t, device=tokens.device, dtype=torch.bool)
        if causal:
            mask = mask.tril(-1)
        else:
            mask = (mask.triu(1) | mask.tril(-1)) & (tokens != PAD)[:, None, :]
        x = self._embedded(tokens, added)  # (B, T, D)
        if torch.is_autocast_enabled(x.device.type):
            dtype = torch.get_autocast_dtype(x.device.type)
            x, cos, sin = x.to(dtype), cos.to(dtype), sin.to(dtype)
        trained = self.encoder.requires_grad and torch.is_grad_enabled() and x.device.type == "cpu"
        one_pass = self._one_pass_trained if trained else self._one_pass
        for _ in range(self.cfg.n_pass):
            x = one_pass(x, cos, sin, mask)
        return x

    def _embedded(self, tokens: Tensor, added: Tensor | None) -> Tensor:
        x: Tensor = self.embed(tokens)
        return self.norm(x if added is None else x + added)

    def _one_pass(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        """One pass; heads come first, so that each head's weights meet all positions at once."""
        nh, (b, t, d) = self.cfg.n_head, x.shape
        flat = x.reshape(b * t, d)
        x_sparse = F.relu(flat @ self.by_head(self.encoder))  # (nh, B * T, N)
        k = rotate(x_sparse.view(nh, b, t, -1), cos, sin)
        scores = (k @ k.transpose(-1, -2)) * self.scale  # (nh, B, T, T)
        a = self.norm(scores.masked_fill(~mask, 0.0) @ x)  # (nh, B, T, D)
        y_sparse = F.relu(a.view(nh, b * t, d) @ self.by_head(self.encoder_v))  # (nh, B * T, N)
        xy = (x_sparse * y_sparse).transpose(0, 1).reshape(b, t, -1)  # (B, T, nh * N)
        if self.training and self.dropout:
            xy = F.dropout(xy, self.dropout)
        return self.norm(x + self.norm(xy @ self.decoder))

    def _one_pass_trained(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        """The same for gradients on a CPU, at half the time."""
        nh, (b, t, _) = self.cfg.n_head, x.shape
        kept = None
        if self.training and self.dropout:
            kept = dropout_factors((nh, b * t, self.cfg.n_neuron), self.dropout, x.dtype)
        inputs = PassInputs(
            encoder=self.by_head(self.encoder).to(x.dtype),
            encoder_v=self.by_head(self.encoder_v).to(x.dtype),
            decoder=self.decoder.view(nh, -1, self.cfg.d_model).to(x.dtype),
            cos=cos,
            sin=sin,
            weights=mask.to(x.dtype) * self.scale,
            kept=kept,
        )
        with torch.autocast(x.device.type, enabled=False):
            z = sparse_pass(x, inputs)
        return self.norm(x + self.norm(z))

    # --- recurrent form ------------------------------------------------------------------------

    def prefill(
        self, tokens: Tensor, added: Tensor | None = None
    ) -> tuple[Tensor, DecodingState]:
        """Read a prompt in the parallel form and keep the state for `step`.

        Args:
            tokens: (1, T) ids, no padding.
            added: (1, T, D), see `read`.

        Returns:
            (T, D) hidden states and the state after the prompt.
        """
        t = tokens.shape[1]
        cos, sin = rotary_angles(self.cfg, torch.arange(t, device=tokens.device))
        mask = torch.ones(t, t, device=tokens.device, dtype=torch.bool).tril(-1)
        x = self._embedded(tokens, added)
        rho = []
        for _ in range(self.cfg.n_pass):
            k = rotate(F.relu(x.unsqueeze(1) @ self.by_head(self.encoder)), cos, sin)[0]
            rho.append((k.transpose(-1, -2) @ x[0]).flatten(0, 1))  # (nh * N, D)
            x = self._one_pass(x, cos, sin, mask)
        return x[0], DecodingState(torch.stack(rho), t)

    def step(self, token: int, state: DecodingState) -> tuple[Tensor, DecodingState]:
        """Read one more token; costs the same however many came before.

        The active neurons alone touch the state: their rows of rho are read and added to, in place
        (the passed state is used up).

        Returns:
            (D,) hidden state and the state after the token.
        """
        cfg, device = self.cfg, self.head.device
        cos, sin = rotary_angles(cfg, torch.tensor([state.position], device=device))
        x = self.norm(self.embed(torch.tensor([token], device=device)))  # (1, D)
        for rho in state.rho:
            x_sparse = F.relu(x @ self.encoder).view(cfg.n_head, 1, cfg.n_neuron)
            k = rotate(x_sparse, cos, sin).flatten()  # (nh * N,)
            active = k.nonzero().squeeze(1)
            weighted = rho[active] * k[active, None]  # (active, D)
            a = torch.zeros(cfg.n_head, cfg.d_model, device=device)
            a = a.index_add(0, active // cfg.n_neuron, weighted) * self.scale
            rho.index_add_(0, active, k[active, None] * x)
            y = F.relu(self.norm(a).unsqueeze(1) @ self.by_head(self.encoder_v))  # (nh, 1, N)
            x = self.norm(x + self.norm((x_sparse * y).view(1, -1) @ self.decoder))
        return x[0], DecodingState(state.rho, state.position + 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Next-token logits (B, T, V) for tokens (B, T)."""
        return self.logits(self.read(tokens))

    def logits(self, h: Tensor) -> Tensor:
        """Vocabulary logits (..., V) of hidden states (..., D)."""
        return h @ self.head
