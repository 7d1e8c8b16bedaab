"""A long time in a short one: nothing that a week of use adds to stays behind."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

from engine.api import (
    Ask,
    ChangeSettings,
    Forget,
    NoteState,
    Rescan,
    Settings,
    ShowRemembered,
    StopAnswer,
    TakeSnapshot,
    Undo,
)
from tests.engine_run import Run

ROUNDS = 8


def one_round(run: Run, file: Path, number: int) -> None:
    file.write_text("The boat lies at the pier.\n" * (1 + number % 3))
    os.utime(file, (1_600_000_000 + number, 1_600_000_000 + number))
    run.do(Rescan())
    run.until_idle()
    asked = run.submit(Ask("Where lies the boat?"))
    run.reply(asked)
    run.do(StopAnswer(asked))
    boat = run.note("boat.md").id
    run.do(ShowRemembered(boat))
    forget = run.submit(Forget((boat,)))
    run.reply(forget)
    run.do(Undo(forget))
    run.until_state("boat.md", NoteState.REMEMBERED)
    run.do(TakeSnapshot(str(number)))
    run.engine.submit(Rescan())
    run.do(ChangeSettings(Settings(folder=file.parent, automatic_snapshots=number % 2 == 0)))
    run.until_idle()
    run.events.clear()


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def handles_at_rest(run: Run) -> int:
    """Handles that stay open: a scan or a look at the disk may hold one more for a moment."""
    counts = []
    for _ in range(5):
        run.do(Rescan())
        run.until_idle()
        counts.append(handles())
    return min(counts)


@pytest.mark.skipif(sys.platform != "linux", reason="counts handles as Linux shows them")
def test_memory_handles_and_threads_stay_flat(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "engine")  # pytest keeps every record it sees
    file = tmp_path / "notes" / "boat.md"
    file.parent.mkdir()
    with Run(tmp_path / "home") as run:
        run.do(ChangeSettings(Settings(folder=file.parent)))
        for number in range(ROUNDS):
            one_round(run, file, number)
        tracemalloc.start()
        for number in range(ROUNDS, ROUNDS + 3):
            one_round(run, file, number)
        gc.collect()
        before = handles_at_rest(run), threading.active_count()
        size = tracemalloc.get_traced_memory()[0]
        for number in range(ROUNDS + 3, 3 * ROUNDS):
            one_round(run, file, number)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - size
        tracemalloc.stop()
        assert (handles_at_rest(run), threading.active_count()) == before
        assert grown < 80_000, f"{grown} bytes more"  # snapshots are listed, and that is all
        assert len(list((tmp_path / "home" / "slot").iterdir())) == 1
