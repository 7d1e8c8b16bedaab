"""A pass of the backbone for training on a CPU: the plain form with its gradient written out.

Left to autograd, a pass reads and writes its neurons (16 times the width of the model) some
thirty-five times, which takes a CPU longer than the matrix products. Here it is fifteen times, the
heads' inputs are never copied, and the two gradients through k k^T are one product. What is
computed is `Backbone._one_pass` up to rounding; a test compares both.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

_BYTE = 256
_EPSILON = 1e-5
"""That of `torch.nn.functional.layer_norm`."""


class PassInputs(NamedTuple):
    """What a pass is made of besides its hidden states.

    encoder, encoder_v: (nh, D, N). decoder: (nh, N, D). cos, sin: (T, N / 2). weights: (T, T) or
    (B, T, T), what scores are multiplied by: scale, or 0 where one position must not see another.
    kept: (nh, B * T, N) factors of dropout, or None.
    """

    encoder: Tensor
    encoder_v: Tensor
    decoder: Tensor
    cos: Tensor
    sin: Tensor
    weights: Tensor
    kept: Tensor | None


def sparse_pass(x: Tensor, inputs: PassInputs) -> Tensor:
    """What the neurons of one pass decode to, (B, T, D), from hidden states x (B, T, D)."""
    z: Tensor = _SparsePass.apply(x, *inputs)  # type: ignore[no-untyped-call]
    return z


def dropout_factors(shape: tuple[int, ...], share: float, dtype: torch.dtype) -> Tensor:
    """0 for the share left out (in 256ths), else what keeps the mean; from torch's generator.

    One draw makes eight factors: drawing each by itself takes as long as two matrix products.
    """
    out = round(share * _BYTE)
    n = math.prod(shape)
    draws = torch.empty(-(-n // 8), dtype=torch.int64).random_(-(2**63), None)
    kept = draws.view(torch.uint8)[:n] >= out
    return kept.to(dtype).mul_(_BYTE / (_BYTE - out)).view(shape)


class _SparsePass(torch.autograd.Function):
    """See `sparse_pass`; one head's neurons lie together, so that no product needs a copy."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *inputs: Any) -> Tensor:
        encoder, encoder_v, decoder, cos, sin, weights, kept = PassInputs(*inputs)
        nh, (b, t, d) = len(encoder), x.shape
        x_sparse = _by_head(x, nh).bmm(encoder).relu_()  # (nh, B * T, N)
        k = _rotated(x_sparse.view(nh, b, t, -1), cos, sin)
        scores = (k @ k.mT).mul_(weights)  # (nh, B, T, T)
        a, mean, rstd = torch.native_layer_norm(scores @ x, [d], None, None, _EPSILON)
        y_sparse = a.view(nh, b * t, d).bmm(encoder_v).relu_()  # (nh, B * T, N)
        xy = x_sparse * y_sparse
        if kept is not None:
            xy.mul_(kept)
        ctx.save_for_backward(x, *inputs, x_sparse, k, scores, a, mean, rstd, y_sparse, xy)
        return xy.bmm(decoder).sum(0).view(b, t, d)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, *rest = ctx.saved_tensors  # type: ignore[attr-defined]
        encoder, encoder_v, decoder, cos, sin, weights, kept = PassInputs(*rest[:7])
        x_sparse, k, scores, a, mean, rstd, y_sparse, xy = rest[7:]
        nh, (b, t, d) = len(encoder), x.shape
        dz = _by_head(gradients[0], nh)
        dxy = dz.bmm(decoder.mT)  # (nh, B * T, N)
        if kept is not None:
            dxy.mul_(kept)
        dy = _where_active(dxy * x_sparse, y_sparse)
        da = dy.bmm(encoder_v.mT).view(nh, b, t, d)
        dr = torch.ops.aten.native_layer_norm_backward(
            da, scores @ x, [d], mean, rstd, None, None, [True, False, False]
        )[0]
        ds = (dr @ x.mT).mul_(weights)  # (nh, B, T, T)
        dx_sparse = dxy.mul_(y_sparse)
        _add_rotated_back(dx_sparse.view(nh, b, t, -1), (ds + ds.mT) @ k, cos, sin)
        dh = _where_active(dx_sparse, x_sparse)
        dx = (scores.mT @ dr).sum(0) + dh.bmm(encoder.mT).sum(0).view(b, t, d)
        d_encoder = _by_head(x, nh).mT.bmm(dh)
        d_encoder_v = a.view(nh, b * t, d).mT.bmm(dy)
        return dx, d_encoder, d_encoder_v, xy.mT.bmm(dz), None, None, None, None


def _by_head(x: Tensor, heads: int) -> Tensor:
    """(B, T, D) as the same (B * T, D) for every head, without a copy."""
    return x.reshape(-1, x.shape[-1]).expand(heads, -1, -1)


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`bdh.rotate`, each half written in place."""
    out = torch.empty_like(x)
    a, b = x.chunk(2, -1)
    first, second = out.chunk(2, -1)
    torch.mul(a, cos, out=first).addcmul_(b, sin, value=-1)
    torch.mul(b, cos, out=second).addcmul_(a, sin)
    return out


def _add_rotated_back(into: Tensor, x: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Add x, rotated by the opposite angles."""
    a, b = x.chunk(2, -1)
    first, second = into.chunk(2, -1)
    first.addcmul_(a, cos).addcmul_(b, sin)
    second.addcmul_(b, cos).addcmul_(a, sin, value=-1)


def _where_active(gradient: Tensor, neurons: Tensor) -> Tensor:
    """Overwrite with 0 where a neuron is 0: the gradient of relu."""
    masked: Tensor = torch.ops.aten.threshold_backward.grad_input(
        gradient, neurons, 0, grad_input=gradient
    )
    return masked
