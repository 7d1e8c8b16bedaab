"""A second thread for what may wait on a disk, so that asking never does."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from engine.api import EngramError

_log = logging.getLogger(__name__)

T = TypeVar("T")

INTERNAL = "Something went wrong inside Engram. What is remembered is unchanged."
"""The sentence for an error that nobody foresaw; its kind and place are in the log."""


def log_unexpected(where: str, error: BaseException, log: logging.Logger = _log) -> None:
    """Log what kind of error came from where, without its words: they might quote a note."""
    steps = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        steps.append(f"{code.co_filename}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    log.error("%s: %s at\n  %s", where, type(error).__name__, "\n  ".join(steps[-12:]))


class Errands:
    """Runs work one by one on a daemon thread and hands back what is left to do.

    A network disk that hangs holds up this thread, and no other; at the end it is left behind.

    Args:
        hand_back: takes what is to be done with a result, on the engine's thread.
    """

    def __init__(self, hand_back: Callable[[Callable[[], None]], None]) -> None:
        self._hand_back = hand_back
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engram-disk", daemon=True)

    def start(self) -> None:
        """Begin to run errands."""
        self._thread.start()

    def run(self, work: Callable[[], T], then: Callable[[T | EngramError], None]) -> None:
        """Do `work` on the other thread, then call `then` with its result on the engine's.

        An `EngramError` that `work` raises is handed to `then`; any other error as an
        `EngramError` without its words.
        """

        def errand() -> None:
            result: T | EngramError
            try:
                result = work()
            except EngramError as error:
                result = error
            except Exception as error:  # the border of this thread
                log_unexpected("errand", error)
                result = EngramError(INTERNAL)
            self._hand_back(lambda: then(result))

        self._work.put(errand)

    def close(self, seconds: float) -> bool:
        """End after the errand that is running, or leave it behind after `seconds`."""
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (errand := self._work.get()) is not None:
            errand()
