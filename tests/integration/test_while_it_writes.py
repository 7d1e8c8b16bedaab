"""The window while the real engine writes: frames stay short, and it can be closed at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from app.application import CLOSE_SECONDS
from engine.api import NoteState
from tests.drags import drop
from tests.frames import LONGEST_FRAME, FrameWatch
from tests.integration.conftest import Life

WRITTEN = (NoteState.REMEMBERED, NoteState.WEAK)
PLACES = ("Whitby", "Dover", "Truro", "Kendal")
DIARY = "\n".join(f"The summer house number {n} is in {place}." for n, place in enumerate(PLACES))


def test_frames_stay_short_and_closing_ends_at_once_and_resumes(
    start: Callable[[], Life], tmp_path: Path
) -> None:
    folder = tmp_path / "Notes"
    folder.mkdir()
    (folder / "diary.md").write_text(DIARY)
    life = start()
    with FrameWatch() as watch:
        drop(life.window, folder)
        life.until(lambda: len(life.window.memory.plot.points) >= 5)
    assert watch.longest < LONGEST_FRAME, f"{watch.longest * 1000:.0f} ms"
    assert life.has("diary.md", NoteState.WRITING)
    began = time.monotonic()
    life.window.leave()
    assert life.workspace.client.engine is None, "the engine was ended with the window"
    assert time.monotonic() - began < CLOSE_SECONDS
    life.end()

    again = start()
    again.until(lambda: again.has("diary.md", *WRITTEN))
    assert again.note("diary.md").cells > 0
