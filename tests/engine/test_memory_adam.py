"""The gradient steps of a write are those of torch's own Adam, without what comes with it."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.memory.adam import Adam


def tensors() -> list[Tensor]:
    draw = torch.Generator().manual_seed(1)
    return [torch.randn(20, width, generator=draw).requires_grad_() for width in (8, 30)]


def loss(parts: list[Tensor]) -> Tensor:
    return sum((((part - 0.3) ** 2).sum() for part in parts), start=torch.zeros(()))


def test_the_steps_are_those_of_torch() -> None:
    ours, theirs = tensors(), tensors()
    mine = Adam([(ours[0], 0.01), (ours[1], 0.1)])
    reference = torch.optim.Adam(theirs[:1], lr=0.01, fused=True)
    reference.add_param_group({"params": theirs[1:], "lr": 0.1})
    for _ in range(30):
        mine.zero_grad()
        loss(ours).backward()
        mine.step()
        reference.zero_grad()
        loss(theirs).backward()
        reference.step()
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert not torch.equal(ours[0], tensors()[0])


def test_what_has_no_gradient_stays() -> None:
    moved, still = tensors()
    before = still.detach().clone()
    optimizer = Adam([(moved, 0.01), (still, 0.01)])
    loss([moved]).backward()
    optimizer.step()
    assert torch.equal(still, before)
