"""Batches made ahead by other processes: a graphics card must not wait for Python."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Protocol

from engine.training.examples import ExampleMaker, NoteExample

_EACH = 2
"""Batches that every process is ahead."""


class Batches(Protocol):
    """Where batches come from; what a batch holds depends on the seed and its number alone."""

    maker: ExampleMaker

    def batch(self, seed: int, number: int) -> list[NoteExample]:
        """The notes of one batch."""
        ...


class AheadBatches:
    """The same batches, made by other processes before they are asked for.

    Args:
        source: makes them; a copy goes to each process.
        processes: how many.
        every: distance between the numbers that are asked for.
    """

    def __init__(self, source: Batches, processes: int, every: int = 1) -> None:
        self.maker = source.maker
        self._pool = ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=_keep, initargs=(source,)
        )
        self._ahead = _EACH * processes
        self._every = every
        self._made: dict[tuple[int, int], Future[list[NoteExample]]] = {}

    def batch(self, seed: int, number: int) -> list[NoteExample]:
        """The notes of one batch; those of the next numbers are begun."""
        for n in range(number, number + self._ahead * self._every, self._every):
            if (seed, n) not in self._made:
                self._made[seed, n] = self._pool.submit(_make, seed, n)
        return self._made.pop((seed, number)).result()

    def close(self) -> None:
        """End the processes; what they have begun is dropped."""
        self._pool.shutdown(cancel_futures=True)


_source: list[Batches] = []
"""In a process of the pool: the source, alone."""


def _keep(source: Batches) -> None:
    _source[:] = [source]


def _make(seed: int, number: int) -> list[NoteExample]:
    return _source[0].batch(seed, number)
