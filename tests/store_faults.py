"""A small memory to damage, file layers that fail on purpose, and what must hold afterwards."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from engine.api import NoteState, Settings
from engine.store import atomic, ledger
from engine.store.atomic import Files, Point
from engine.store.home import Home
from engine.store.ledger import _PRAGMAS
from engine.store.records import Changes, Committed, Job, JobKind, NoteRow
from engine.store.store import Store
from engine.store.tensors import SlotSpec, TensorSpec

MODEL = "test model 1"
START = 1_700_000_000.0


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the real syncs, which no kill of a process needs and which take most of the time.

    What is synced when is tested with `RecordingFiles`. Import this into a test file to use it.
    """
    monkeypatch.setattr(atomic, "_flush_to_disk", lambda descriptor: None)
    quick = tuple(each.replace("synchronous = FULL", "synchronous = OFF") for each in _PRAGMAS)
    monkeypatch.setattr(ledger, "_PRAGMAS", quick)


class Clock:
    """Tells a time that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Of the store in a test; import this and `store` into a test file to use them."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """An empty memory."""
    with Store.open(tmp_path / "home", MODEL, clock=clock) as opened:
        yield opened


def add(store: Store, *paths: str) -> tuple[NoteRow, ...]:
    """Add waiting notes."""
    return store.add_notes(tuple(NoteRow(0, path) for path in paths))


SPEC = SlotSpec(
    tensors={
        "keys": TensorSpec("F16", ("cells", 8)),
        "values": TensorSpec("F16", ("cells", 4)),
        "owners": TensorSpec("I32", ("cells",)),
    },
    largest={"cells": 64},
    owners="owners",
)


def slot_writer(seed: int, owners: tuple[int, ...] = (1, 1, 2)) -> Callable[[Path], None]:
    """Writes a slot of 16 cells, of which the first belong to `owners`."""
    numbers = np.random.default_rng(seed)
    tensors: dict[str, Any] = {
        "keys": numbers.standard_normal((16, 8)).astype(np.float16),
        "values": numbers.standard_normal((16, 4)).astype(np.float16),
        "owners": np.array((*owners, *[0] * (16 - len(owners))), dtype=np.int32),
    }
    return lambda path: save_file(tensors, path)


def written(note: NoteRow, version: int, cells: int = 2) -> NoteRow:
    """The note, remembered in this version."""
    digest = f"{version:064x}"
    return replace(
        note,
        state=NoteState.REMEMBERED,
        content_hash=digest,
        written_hash=digest,
        written_at=START + version,
        recall=0.5,
        median_p=0.75,
        probes="10",
        cells=cells,
    )


@dataclass(frozen=True)
class Prepared:
    """A memory on disk: two notes, one snapshot of the first of two writes, one job in work."""

    root: Path
    snapshot: str

    @property
    def archive(self) -> Path:
        """An export of the snapshot, beside the home."""
        return self.root.parent / "old.engram"


def prepare(folder: Path) -> Prepared:
    """Make that memory in `folder`/home, closed as by a kill: the job is still running."""
    root = folder / "home"
    store = Store.open(root, MODEL, clock=lambda: START)
    one, two = store.add_notes((NoteRow(0, "one.md"), NoteRow(0, "two\udcff\n\u202e.md")))
    store.commit(slot_writer(1), Changes(notes=(written(one, 1), written(two, 1, 1))))
    snapshot = store.take_snapshot("first").id
    store.export_snapshot(snapshot, folder / "old.engram")
    store.commit(slot_writer(2), Changes(notes=(written(one, 2),)))
    store.settings.save(Settings(paused=True))
    store.queue(JobKind.WRITE, (one.id, two.id))
    store.next_job()
    store.close()
    return Prepared(root, snapshot)


# --- what a person can do, each as one step ------------------------------------------------------


def _commit(store: Store, memory: Prepared) -> None:
    job = store.jobs()[0]
    note = written(store.note(2), 3, 1)
    store.commit(slot_writer(3), Changes(notes=(note,), finish=(job.id,)))


def forget(store: Store) -> Committed:
    """Forget the first note, so that it can be undone."""
    gone = replace(store.note(1).as_unwritten(), state=NoteState.FORGOTTEN)
    return store.commit(slot_writer(4, (2,)), Changes(notes=(gone,)), undoable=True)


def _forget(store: Store, memory: Prepared) -> None:
    forget(store)


def _undo_forget(store: Store, memory: Prepared) -> None:
    store.undo(forget(store).undo)


def _snapshot(store: Store, memory: Prepared) -> None:
    store.take_snapshot("second")


def _automatic(store: Store, memory: Prepared) -> None:
    store.take_automatic_snapshot()


def _restore(store: Store, memory: Prepared) -> None:
    store.restore_snapshot(memory.snapshot)


def _rename(store: Store, memory: Prepared) -> None:
    store.rename_snapshot(memory.snapshot, "another name")


def _delete(store: Store, memory: Prepared) -> None:
    store.delete_snapshot(memory.snapshot)


def _export(store: Store, memory: Prepared) -> None:
    store.export_snapshot("", memory.archive)


def _import(store: Store, memory: Prepared) -> None:
    store.import_snapshot(memory.archive, SPEC)


def _settings(store: Store, memory: Prepared) -> None:
    store.settings.save(Settings(device="cpu"))


STEPS: dict[str, Callable[[Store, Prepared], None]] = {
    "commit": _commit,
    "forget": _forget,
    "undo-forget": _undo_forget,
    "snapshot": _snapshot,
    "automatic": _automatic,
    "restore": _restore,
    "rename": _rename,
    "delete": _delete,
    "export": _export,
    "import": _import,
    "settings": _settings,
}


# --- what must hold ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """Everything a person would miss."""

    slot: bytes
    notes: tuple[NoteRow, ...]
    jobs: tuple[tuple[JobKind, int], ...]
    snapshots: tuple[tuple[str, bytes], ...]
    settings: Settings

    @property
    def memory(self) -> tuple[bytes, tuple[NoteRow, ...], tuple[tuple[JobKind, int], ...]]:
        """What has to be of one moment."""
        return self.slot, self.notes, self.jobs


def look(store: Store) -> Seen:
    """Read everything, with every check there is."""
    slot = store.slot
    snapshots = []
    for each in store.snapshots():
        path = store.snapshot_slot(each.id)
        snapshots.append((each.name, path.read_bytes()))
    return Seen(
        slot.path.read_bytes() if slot else b"",
        store.notes(),
        tuple(sorted(((job.kind, job.note_id) for job in store.jobs()), key=lambda job: job[1])),
        tuple(sorted(snapshots)),
        store.settings.load().settings,
    )


def reopened(root: Path) -> Seen:
    """Open as the next start would, and see that nothing unfinished is left."""
    with Store.open(root, MODEL, clock=lambda: START) as store:
        seen = look(store)
        running: list[Job] = [job for job in store.jobs() if job.running]
        assert not running, "a job of a dead process was not queued again"
        slot = store.slot
        left = {path.name for path in Home(root).slots.iterdir()}
        assert left == ({slot.path.name} if slot else set())
    assert not [path for path in root.rglob("*") if path.name.startswith(".tmp")]
    assert not list(Home(root).undo.iterdir())
    assert not list(root.rglob("*.bad"))
    assert not [path for path in root.glob("ledger.sqlite-*")]
    return seen


def assert_old_or_new(seen: Seen, old: Seen, new: Seen) -> None:
    """Slot, notes and queue are of one moment; snapshots are whole, and none was lost or invented.

    A restore takes a snapshot first; killed in between, that one may be there with the old memory.
    """
    assert seen.memory in (old.memory, new.memory)
    assert seen.settings in (old.settings, new.settings)
    assert set(seen.snapshots) <= set(old.snapshots) | set(new.snapshots)
    assert set(seen.snapshots) >= set(old.snapshots) & set(new.snapshots)


def after(memory: Prepared, step: str, folder: Path) -> Seen:
    """What a copy of the memory is like after the step, undisturbed."""
    shutil.copytree(memory.root.parent, folder)
    copy = Prepared(folder / "home", memory.snapshot)
    with Store.open(copy.root, MODEL, clock=lambda: START) as store:
        STEPS[step](store, copy)
    return reopened(copy.root)


# --- file layers ---------------------------------------------------------------------------------


class KillingFiles(Files):
    """Ends the process, with no chance to tidy up, when `point` is reached."""

    def __init__(self, point: str) -> None:
        self._point = point

    def reached(self, point: Point) -> None:
        """Die here, if this is the place."""
        if point.value == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


class CountingFiles(Files):
    """Names the points that were reached."""

    def __init__(self) -> None:
        self.points: set[Point] = set()

    def reached(self, point: Point) -> None:
        """Note it."""
        self.points.add(point)


class FailingFiles(Files):
    """Fails the call number `fail_at` that changes the disk; a write fails half done.

    Attributes:
        failed: whether it came to that.
    """

    def __init__(self, fail_at: int, error: int = errno.ENOSPC) -> None:
        self._left = fail_at
        self._error = error
        self.failed = False

    def _fails(self) -> bool:
        self._left -= 1
        if self._left == -1:
            self.failed = True
        return self._left == -1

    def _maybe_fail(self) -> None:
        if self._fails():
            raise OSError(self._error, os.strerror(self._error))

    def _write_half(self, path: Path) -> None:
        os.truncate(path, path.stat().st_size // 2)
        raise OSError(self._error, os.strerror(self._error))

    def make_folder(self, folder: Path) -> None:
        """Fail or do it."""
        self._maybe_fail()
        super().make_folder(folder)

    def write(self, path: Path, data: bytes) -> None:
        """Fail half-way or do it."""
        fails = self._fails()
        super().write(path, data)
        if fails:
            self._write_half(path)

    def produce(self, path: Path, producer: Callable[[Path], None]) -> None:
        """Fail half-way or do it."""
        fails = self._fails()
        super().produce(path, producer)
        if fails:
            self._write_half(path)

    def copy(self, source: Path, target: Path) -> None:
        """Fail half-way or do it."""
        fails = self._fails()
        super().copy(source, target)
        if fails:
            self._write_half(target)

    def link(self, source: Path, target: Path) -> None:
        """Fail or do it."""
        self._maybe_fail()
        super().link(source, target)

    def sync(self, path: Path) -> None:
        """Fail or do it."""
        self._maybe_fail()
        super().sync(path)

    def sync_folder(self, folder: Path) -> None:
        """Fail or do it."""
        self._maybe_fail()
        super().sync_folder(folder)

    def replace(self, source: Path, target: Path) -> None:
        """Fail or do it."""
        self._maybe_fail()
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        """Fail or do it."""
        self._maybe_fail()
        super().unlink(path)

    def remove_folder(self, folder: Path) -> None:
        """Fail or do it."""
        self._maybe_fail()
        super().remove_folder(folder)
