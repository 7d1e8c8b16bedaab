"""In which precision training multiplies matrices."""

from __future__ import annotations

import time

import torch

PRECISIONS = ("auto", "bf16", "fp32")
_GAIN = 1.5
"""How much faster bf16 must be on a CPU: far from both answers, so that runs choose alike."""
_ROWS, _WIDTH, _NEURONS = 2048, 192, 3072
_REPEATS = 3


def autocast_dtype(name: str, device: torch.device) -> torch.dtype | None:
    """What to autocast to; None for fp32 throughout.

    Args:
        name: one of `PRECISIONS`. "auto" is bf16 on a graphics card; on a CPU it is what is faster
            there: with AMX tiles bf16 by far, with AVX-512 alone it takes twice the time of fp32.
        device: where to train.
    """
    if name == "fp32":
        return None
    if name == "bf16" or device.type != "cpu" or seconds(torch.bfloat16) * _GAIN < seconds(None):
        return torch.bfloat16
    return None


def seconds(dtype: torch.dtype | None) -> float:
    """Least time of a product as large as those of a pass, on one thread of this CPU.

    The thread's own time, so that other work on the machine does not change what is chosen.
    """
    x = torch.ones(_ROWS, _WIDTH, dtype=dtype)
    w = torch.ones(_WIDTH, _NEURONS, dtype=dtype)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    taken = []
    for _ in range(_REPEATS + 1):
        started = time.thread_time()
        x @ w
        taken.append(time.thread_time() - started)
    torch.set_num_threads(threads)
    return min(taken[1:])
