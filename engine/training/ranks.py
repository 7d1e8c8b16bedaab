"""Several processes that train one model: each has batches of its own, gradients are averaged.

For the cores of a CPU: N processes of one thread each take less time than one with N threads.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn

Arguments = TypeVar("Arguments")


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together.

    Attributes:
        rank: its number from 0; the first one measures, logs and saves.
        world: how many there are.
    """

    rank: int = 0
    world: int = 1

    @property
    def chief(self) -> bool:
        """Whether this process measures, logs and saves."""
        return self.rank == 0

    def number(self, step: int) -> int:
        """The number of this process' batch at a step."""
        return step * self.world + self.rank

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace the gradients by their means over all processes; a missing one counts as 0."""
        if self.world == 1:
            return
        with torch.no_grad():
            for p in parameters:
                if p.requires_grad and p.grad is None:
                    p.grad = torch.zeros_like(p)
            gradients = [p.grad for p in parameters if p.grad is not None]
            flat = torch.cat([g.flatten() for g in gradients])
            distributed.all_reduce(flat)
            flat /= self.world
            start = 0
            for g in gradients:
                g.copy_(flat[start : start + g.numel()].view_as(g))
                start += g.numel()

    def total(self, number: int) -> int:
        """The sum of a number over all processes."""
        if self.world == 1:
            return number
        each = torch.tensor(number)
        distributed.all_reduce(each)
        return int(each)


ALONE = Ranks()


def together(world: int, work: Callable[[Arguments, Ranks], None], arguments: Arguments) -> None:
    """Do `work(arguments, ranks)` in so many processes, or here if it is one.

    Args:
        world: how many. work: a function of a module. arguments: goes to each process, pickled.

    Raises:
        ProcessRaisedException: with the trace of the process that failed; all have ended then.
    """
    if world == 1:
        work(arguments, ALONE)
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder, "meeting").as_uri()
        spawn(_member, (world, meeting, work, arguments), nprocs=world)


def _member(
    rank: int, world: int, meeting: str, work: Callable[[Any, Ranks], None], arguments: Any
) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // world))
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world)
    try:
        work(arguments, Ranks(rank, world))
    finally:
        distributed.destroy_process_group()


def _end_with_parent() -> None:
    """A command that is killed leaves no process that trains on, and over the next one's files."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
