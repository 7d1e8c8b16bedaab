"""File work off the GUI thread: one worker, in order, with the results back on the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

log = logging.getLogger(__name__)


class Background(QObject):
    """Runs functions one after another on a single worker thread.

    One worker, because the order matters: a chat's newer state must not be overtaken by its
    older one. `cancelled` is set at `close`, so that a long job can look at it and leave.
    """

    _finished = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cancelled = Event()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engram-files")
        self._open = True
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], object] | None = None,
        failed: Callable[[Exception], object] | None = None,
    ) -> None:
        """Call `work()` on the worker, then `done(result)` or `failed(error)` here."""
        if not self._open:
            return

        def report(future: Future[Any]) -> None:
            error = future.exception()
            try:
                if error is None:
                    self._finished.emit(done, future.result(), None)
                else:
                    self._finished.emit(failed, None, error)
            except RuntimeError:  # the window went away while the worker was finishing
                log.debug("a background result came after the end")

        self._pool.submit(work).add_done_callback(report)

    def _deliver(self, callback: Callable[[Any], object] | None, result: Any, error: Any) -> None:
        if not self._open:
            return
        if callback is not None:
            callback(result if error is None else error)
        elif error is not None:
            log.error("background work failed: %s", type(error).__name__)

    def close(self) -> None:
        """Finish what is queued (writes of chats), telling long jobs to leave early."""
        self._open = False
        self.cancelled.set()
        self._pool.shutdown(wait=True)
