"""Ending well when the system asks: SIGTERM at logout, SIGINT from a terminal."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier


class EndSignals(QObject):
    """Calls `end` on the GUI thread when the process is told to stop.

    Python runs signal handlers between two of its own instructions, and an idle window runs
    none; so the signal also writes a byte into a socket pair that Qt listens to.
    """

    def __init__(self, end: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._end = end
        self._told = False
        self._before: dict[signal.Signals, object] = {}
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._notifier = QSocketNotifier(self._ear.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._wake)
        self._old_fd = signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        for which in (signal.SIGINT, signal.SIGTERM):
            self._before[which] = signal.signal(which, self._note)

    def _note(self, number: int, frame: object) -> None:
        self._told = True

    def _wake(self) -> None:
        try:
            self._ear.recv(64)
        except BlockingIOError:
            return
        if self._told:
            self._told = False
            self._end()

    def close(self) -> None:
        """Put everything back."""
        for which, handler in self._before.items():
            signal.signal(which, handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._old_fd)
        self._notifier.setEnabled(False)
        self._ear.close()
        self._mouth.close()


def possible() -> bool:
    """Windows has no such signals for programs with windows."""
    return sys.platform != "win32"
