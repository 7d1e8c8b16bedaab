"""What a slot file must look like, for opening one and for the checks of imported archives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.api import MemoryCorrupt
from engine.model.config import BackboneConfig


@dataclass(frozen=True)
class TensorShape:
    """What a tensor of a slot file must look like; dimensions of one name are of one length."""

    dtype: str
    shape: tuple[str | int, ...]


def slot_spec(cfg: BackboneConfig) -> dict[str, TensorShape]:
    """Names, types and shapes of a slot file's tensors for a base model of this shape."""
    gist = cfg.d_semantic + cfg.d_lexical
    return {
        "index": TensorShape("I32", ("cells",)),
        "owner": TensorShape("I32", ("cells",)),
        "place": TensorShape("I32", ("cells",)),
        "successor": TensorShape("I32", ("cells",)),
        "context": TensorShape("F16", ("cells", cfg.d_context)),
        "local": TensorShape("F16", ("cells", gist)),
        "value": TensorShape("F16", ("cells", cfg.d_model)),
        "place_owner": TensorShape("I32", ("places",)),
        "wide": TensorShape("F16", ("places", gist)),
        "probe_owner": TensorShape("I32", ("probes",)),
        "probe_cell": TensorShape("I32", ("probes",)),
        "probe": TensorShape("F16", ("probes", cfg.d_context + 2 * gist + 1)),
    }


def check(tensors: dict[str, Tensor], spec: dict[str, TensorShape], cells: int) -> None:
    """Raise MemoryCorrupt unless the tensors are what a slot file holds."""
    names = {"F16": torch.float16, "I32": torch.int32}
    lengths: dict[str, int] = {}
    if set(tensors) != set(spec):
        raise MemoryCorrupt("The slow memory does not hold the tensors that it should.")
    for name, want in spec.items():
        have = tensors[name]
        if have.dtype != names[want.dtype] or have.ndim != len(want.shape):
            raise MemoryCorrupt(f"The slow memory's tensor {name} is of the wrong kind.")
        for size, dim in zip(have.shape, want.shape, strict=True):
            if size != (lengths.setdefault(dim, size) if isinstance(dim, str) else dim):
                raise MemoryCorrupt(f"The slow memory's tensor {name} has the wrong shape.")
        if have.dtype == torch.float16 and not bool(have.isfinite().all()):
            raise MemoryCorrupt(f"The slow memory's tensor {name} holds numbers that are none.")
    limits = {"index": cells, "successor": cells, "probe_cell": cells, "place": lengths["places"]}
    for name, limit in limits.items():
        t = tensors[name]
        if len(t) and (int(t.max()) >= limit or int(t.min()) < (-1 if name == "successor" else 0)):
            raise MemoryCorrupt(f"The slow memory's tensor {name} points outside.")
