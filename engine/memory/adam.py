"""Adam for the few tensors of a write (Kingma and Ba, arXiv 1412.6980).

The kernel is that of `torch.optim.Adam` with `fused`; what is left out is the class around it. Its
first step brings in the whole compiler of torch: seconds of imports in the middle of a process's
first write, which hold the interpreter's lock, so that the window stutters, and which nothing uses.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_BETAS = (0.9, 0.999)
_EPSILON = 1e-8


class Adam:
    """Moves tensors against their gradients.

    Args:
        rates: tensors that require gradients, each with its learning rate.
    """

    def __init__(self, rates: Sequence[tuple[Tensor, float]]) -> None:
        self._rates = tuple(rates)
        self._means = [torch.zeros_like(p, requires_grad=False) for p, _ in rates]
        self._squares = [torch.zeros_like(p, requires_grad=False) for p, _ in rates]
        self._steps = [torch.zeros((), device=p.device) for p, _ in rates]

    def zero_grad(self) -> None:
        """Drop the gradients of the step before."""
        for parameter, _ in self._rates:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every tensor that has a gradient."""
        states = zip(self._rates, self._means, self._squares, self._steps, strict=True)
        for (parameter, rate), mean, square, steps in states:
            if parameter.grad is None:
                continue
            steps += 1
            torch._fused_adam_(
                [parameter], [parameter.grad], [mean], [square], [], [steps],
                lr=rate, beta1=_BETAS[0], beta2=_BETAS[1], weight_decay=0.0, eps=_EPSILON,
                amsgrad=False, maximize=False,
            )  # fmt: skip
