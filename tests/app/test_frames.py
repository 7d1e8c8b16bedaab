"""No frame over 50 ms: 5,000 notes scroll, and a write pours in at the same time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from engine.api import Note, NotesChanged, NoteState, Settings, WriteProgress
from tests.app.conftest import Stage
from tests.app.fake_engine import FakeEngine
from tests.frames import LONGEST_FRAME, FrameWatch

COUNT = 5000
FRAMES = 60


def many_notes() -> list[Note]:
    state = NoteState.REMEMBERED
    return [
        Note(i, f"f{i % 40}/note {i}.md", state, recall=0.9, cells=4, written_at=1.0)
        for i in range(1, COUNT + 1)
    ]


def test_the_watch_sees_a_long_frame(qapp: QApplication) -> None:
    def be_busy() -> None:
        until = time.thread_time() + 2 * LONGEST_FRAME
        while time.thread_time() < until:
            pass

    with FrameWatch() as watch:
        QTimer.singleShot(0, be_busy)
        QApplication.processEvents()
    assert watch.longest >= 2 * LONGEST_FRAME


def test_five_thousand_notes_scroll_while_a_write_runs(
    make_stage: Callable[[FakeEngine], Stage],
) -> None:
    notes = many_notes()
    stage = make_stage(FakeEngine(notes=notes, settings=Settings(paused=True)))
    stage.open()
    stage.workspace.notes.arrange()
    view = stage.window.notes.view
    bar = view.verticalScrollBar()
    assert bar.maximum() > 100 * view.viewport().height()
    view.viewport().repaint()
    gc.collect()  # what the tests before this one left behind is not the window's to clear away
    took: list[float] = []
    for frame in range(FRAMES):
        note = replace(notes[frame], state=NoteState.WRITING, steps=FRAMES)
        stage.engine.emit(NotesChanged((note,)))
        for step in range(20):
            stage.engine.emit(WriteProgress(note.id, step, 20, 1.0, 0.5))
        began = time.thread_time()
        stage.workspace.bridge.drain()
        bar.setValue(bar.maximum() * frame // FRAMES)
        view.viewport().repaint()
        stage.window.memory.plot.repaint()
        took.append(time.thread_time() - began)
    assert max(took) < LONGEST_FRAME, f"{max(took) * 1000:.0f} ms"
    assert stage.window.memory.plot.points
