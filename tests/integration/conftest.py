"""A window with the real engine, and waiting for what it says instead of for time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.application import Application
from engine.api import Mode, Note, NoteState
from engine.service import EngineService
from tests.app.conftest import no_leaks

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

__all__ = ["no_leaks"]

PATIENCE_MS = 120_000
"""After this a test that waits for what never comes fails."""


class Life:
    """One run of the application on a home folder, as `main.py` starts it."""

    def __init__(self, home: Path) -> None:
        home.mkdir(exist_ok=True)
        self._ended = False
        self.application = Application(EngineService, home)
        self.window = self.application.window
        self.workspace = self.application.workspace
        self.application.begin()
        self.until(lambda: self.workspace.client.status.mode is not Mode.STARTING)

    def until(self, holds: Callable[[], bool]) -> None:
        """Run the window until `holds`, which is looked at after everything that is announced."""
        loop, patience = QEventLoop(), QTimer()
        patience.setSingleShot(True)
        patience.timeout.connect(lambda: loop.exit(1))
        bridge = self.workspace.bridge

        def look(*_: object) -> None:
            if holds():
                loop.exit(0)

        told = (
            bridge.status,
            bridge.settings,
            bridge.notes_reset,
            bridge.notes_changed,
            bridge.notes_gone,
            bridge.progress,
            bridge.snapshots,
            bridge.slot,
            bridge.reply,
            self.workspace.chatting.answered,
        )
        for signal in told:
            signal.connect(look)
        try:
            if not holds():
                patience.start(PATIENCE_MS)
                assert loop.exec() == 0, f"waited in vain: {self.workspace.client.status}"
        finally:
            patience.stop()
            for signal in told:
                signal.disconnect(look)
        self.workspace.notes.arrange()
        QApplication.processEvents()

    def until_idle(self) -> None:
        """Wait until the engine has nothing left to write."""
        client = self.workspace.client
        idle = (Mode.IDLE, Mode.PAUSED)
        self.until(lambda: client.status.mode in idle and client.status.queue == 0)

    def note(self, path: str) -> Note:
        """A note as the window knows it."""
        return next(n for n in self.workspace.notes.notes() if n.path == path)

    def has(self, path: str, *states: NoteState) -> bool:
        """Whether the window shows this note in one of these states."""
        notes = self.workspace.notes.notes()
        return any(n.path == path and n.state in states for n in notes)

    def end(self) -> None:
        """Leave, as with the window's close button. Once only."""
        if self._ended:
            return
        self._ended = True
        self.window.leave()
        self.application.end()
        self.application.destroy()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Life]]:
    """Starts the application on the test's home, again and again; ended at the end."""
    lives: list[Life] = []

    def begin() -> Life:
        lives.append(Life(tmp_path / "home"))
        return lives[-1]

    yield begin
    for life in lives:
        life.end()
