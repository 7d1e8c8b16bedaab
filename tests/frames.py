"""How long the window's thread is kept from its next frame, whatever else the machine does."""

from __future__ import annotations

import time
from types import TracebackType

from PySide6.QtCore import QAbstractEventDispatcher

LONGEST_FRAME = 0.050
"""Seconds; the promise of the window."""


class FrameWatch:
    """Measures each turn of the event loop, from waking up to going to sleep again.

    What counts is the processor time of the window's own thread: a busy machine makes no turn
    longer, while work that does not belong on this thread does.

    Attributes:
        turns: seconds of each turn.
    """

    def __init__(self) -> None:
        self.turns: list[float] = []
        self._began: float | None = None
        dispatcher = QAbstractEventDispatcher.instance()
        assert dispatcher is not None
        self._dispatcher = dispatcher

    def __enter__(self) -> FrameWatch:
        self._dispatcher.awake.connect(self._awake)
        self._dispatcher.aboutToBlock.connect(self._end_turn)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._end_turn()
        self._dispatcher.awake.disconnect(self._awake)
        self._dispatcher.aboutToBlock.disconnect(self._end_turn)

    @property
    def longest(self) -> float:
        """Seconds of the longest turn."""
        return max(self.turns)

    def _awake(self) -> None:
        self._end_turn()
        self._began = time.thread_time()

    def _end_turn(self) -> None:
        if self._began is not None:
            self.turns.append(time.thread_time() - self._began)
            self._began = None
