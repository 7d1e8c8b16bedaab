"""Which optimizer steps which tensor, and how the step size goes over a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def build(
    matrices: Sequence[Tensor],
    others: Sequence[Tensor],
    lr: float,
    kind: str = "muon",
) -> list[Optimizer]:
    """Optimizers for a model's parameters.

    Args:
        matrices: two-dimensional weights between hidden layers.
        others: embeddings, heads, vectors and scalars.
        lr: peak step size, in AdamW's units for both.
        kind: "muon" (orthogonalised momentum for the matrices, Jordan et al. 2024; AdamW for the
            others) or "adamw" for all.
    """
    if kind == "adamw":
        return [_adamw([*matrices, *others], lr)]
    muon = torch.optim.Muon(
        list(matrices), lr=lr, momentum=0.95, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"
    )
    return [muon, _adamw(list(others), lr)]


def _adamw(parameters: list[Tensor], lr: float) -> Optimizer:
    return torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.95), weight_decay=0.01, fused=True)


def trapezoid(step: int, warmup: int, steps: int, decay: int) -> float:
    """Share of the peak step size at `step` (from 0): linear up, flat, linear down to 5 %.

    The flat middle lets a run be prolonged: only the last `decay` steps are spent at its end.
    """
    up = min(1.0, (step + 1) / max(1, warmup))
    left = steps - step
    down = 1.0 if left >= decay else 0.05 + 0.95 * left / max(1, decay)
    return min(up, down)


def set_share(optimizers: Sequence[Optimizer], lr: float, share: float) -> None:
    """Put the step size `lr * share` in force."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = lr * share


def states(optimizers: Sequence[Optimizer]) -> list[dict[str, Any]]:
    """State dictionaries, in order."""
    return [o.state_dict() for o in optimizers]


def load_states(optimizers: Sequence[Optimizer], saved: list[dict[str, Any]]) -> None:
    """Inverse of `states`."""
    for optimizer, state in zip(optimizers, saved, strict=True):
        optimizer.load_state_dict(state)
