"""Killed, or out of power, in the middle of anything: the memory is the old one or the new one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.store.atomic import Point
from engine.store.errors import MemoryDamaged
from engine.store.store import Store
from tests.store_faults import (
    MODEL,
    START,
    STEPS,
    CountingFiles,
    Prepared,
    Seen,
    after,
    assert_old_or_new,
    prepare,
    reopened,
)
from tests.store_faults import no_waiting_for_the_disk as no_waiting_for_the_disk
from tests.store_power import RecordingFiles

ROOT = Path(__file__).resolve().parents[2]

COMMIT = (
    Point.COMMIT_SLOT_WRITTEN,
    Point.COMMIT_SLOT_SYNCED,
    Point.COMMIT_SLOT_RENAMED,
    Point.COMMIT_IN_TRANSACTION,
    Point.COMMIT_DONE,
    Point.COMMIT_SWEPT,
)
KEEP = (
    Point.SNAPSHOT_FOLDER_MADE,
    Point.SNAPSHOT_SLOT_COPIED,
    Point.SNAPSHOT_LEDGER_WRITTEN,
    Point.SNAPSHOT_MANIFEST_WRITTEN,
    Point.SNAPSHOT_RENAMED,
)
POINTS: dict[str, tuple[Point, ...]] = {
    "commit": (Point.COMMIT_BEGUN, *COMMIT),
    "forget": (*KEEP, Point.RESTORE_UNDO_KEPT, Point.COMMIT_IN_TRANSACTION, Point.COMMIT_DONE),
    "undo-forget": (Point.UNDO_CHECKED, Point.UNDO_DONE),
    "snapshot": KEEP,
    "restore": (
        Point.RESTORE_CHECKED,
        Point.RESTORE_PRESENT_KEPT,
        Point.RESTORE_UNDO_KEPT,
        *KEEP,
        *COMMIT,
    ),
    "delete": (Point.DELETE_MOVED, Point.DELETE_DONE),
    "import": (
        Point.IMPORT_FOLDER_MADE,
        Point.IMPORT_UNPACKED,
        Point.IMPORT_CHECKED,
        Point.IMPORT_MANIFEST_WRITTEN,
        Point.IMPORT_RENAMED,
    ),
    "export": (Point.EXPORT_WRITTEN, Point.EXPORT_RENAMED),
}
CASES = [(step, point) for step, points in POINTS.items() for point in points]


@pytest.fixture
def memory(tmp_path: Path) -> Prepared:
    """A small memory."""
    folder = tmp_path / "computer"
    folder.mkdir()
    return prepare(folder)


def test_every_point_is_among_the_cases() -> None:
    assert {point for _, point in CASES} == set(Point)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
@pytest.mark.parametrize(("step", "point"), CASES)
def test_killed(step: str, point: Point, memory: Prepared, tmp_path: Path) -> None:
    new = after(memory, step, tmp_path / "undisturbed")
    old = _old(memory, tmp_path)
    child = subprocess.run(
        [sys.executable, "-m", "tests.faults.store_child", memory.root, memory.snapshot, step],
        cwd=ROOT,
        env={**os.environ, "ENGRAM_FAULT": point.value},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, "the child did not come to this point"
    seen = reopened(memory.root)
    if step == "undo-forget":
        forgotten = after(memory, "forget", tmp_path / "forgotten")
        assert seen.memory in (old.memory, forgotten.memory)
    else:
        assert_old_or_new(seen, old, new)
    # And it can be worked with: the same step, now undisturbed, ends as it should.
    if seen.memory == old.memory and step not in ("delete", "import", "snapshot"):
        again = after(memory, step, tmp_path / "again")
        assert again.memory == new.memory


def _old(memory: Prepared, tmp_path: Path) -> Seen:
    shutil.copytree(memory.root, tmp_path / "before" / "home")
    return reopened(tmp_path / "before" / "home")


@pytest.mark.parametrize("step", [*STEPS, "first opening"])
def test_power_loss(step: str, tmp_path: Path) -> None:
    """Every prefix of the calls, on disks that keep as little or as much as they may."""
    top = tmp_path / "computer"
    top.mkdir()
    if step == "first opening":
        memory = Prepared(top / "home", "")
        new = old = _empty(tmp_path / "empty")
    else:
        memory = prepare(top)
        old = _old(memory, tmp_path)
        new = after(memory, step, tmp_path / "undisturbed")
    files = RecordingFiles(top)
    with Store.open(memory.root, MODEL, files=files, clock=lambda: START) as store:
        if step != "first opening":
            STEPS[step](store, memory)
    assert len(files.moments) > 3
    for number, moment in enumerate(files.moments):
        target = tmp_path / f"lost-{number}"
        moment.lay_out(target)
        seen = reopened(target / "home")
        if step == "undo-forget":
            forgotten = after(memory, "forget", tmp_path / f"forgotten-{number}")
            assert seen.memory in (old.memory, forgotten.memory)
        else:
            assert_old_or_new(seen, old, new)


def _empty(root: Path) -> Seen:
    Store.open(root, MODEL).close()
    return reopened(root)


def test_power_loss_after_a_step_loses_nothing_of_it(tmp_path: Path) -> None:
    """What a call has returned from is durable, however little the disk keeps."""
    for step in ("commit", "restore", "snapshot", "import", "settings", "rename"):
        top = tmp_path / step
        top.mkdir()
        memory = prepare(top)
        new = after(memory, step, tmp_path / f"{step}-undisturbed")
        files = RecordingFiles(top)
        store = Store.open(memory.root, MODEL, files=files, clock=lambda: START)
        STEPS[step](store, memory)
        files.moments.clear()
        files.reached(Point.COMMIT_DONE)
        for number, moment in enumerate(files.moments):
            target = tmp_path / f"{step}-lost-{number}"
            moment.lay_out(target)
            assert reopened(target / "home") == new
        store.close()


def test_the_recording_disk_tells_an_unsynced_commit(tmp_path: Path) -> None:
    """The test of the test: without its syncs, a commit does not survive every loss of power."""

    class Careless(RecordingFiles):
        def sync(self, path: Path) -> None:
            self._moment()

    top = tmp_path / "computer"
    top.mkdir()
    memory = prepare(top)
    files = Careless(top)
    store = Store.open(memory.root, MODEL, files=files, clock=lambda: START)
    STEPS["commit"](store, memory)
    store.close()
    broken = 0
    for number, moment in enumerate(files.moments):
        moment.lay_out(tmp_path / f"lost-{number}")
        try:
            reopened(tmp_path / f"lost-{number}" / "home")
        except MemoryDamaged:
            broken += 1
    assert broken


def test_points_are_silent_in_production(memory: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGRAM_FAULT", Point.COMMIT_BEGUN.value)
    with Store.open(memory.root, MODEL) as store:
        STEPS["commit"](store, memory)
    counting = CountingFiles()
    with Store.open(memory.root, MODEL, files=counting) as store:
        STEPS["forget"](store, memory)
    assert Point.COMMIT_BEGUN in counting.points
