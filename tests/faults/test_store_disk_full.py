"""No room on the disk, or a disk that fails: the present memory is untouched, and says so."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.api import DiskFull
from engine.store.atomic import MARGIN, Files
from engine.store.errors import StorageFailed
from engine.store.home import Home
from engine.store.records import Changes, NoteRow
from engine.store.store import Store
from tests.store_faults import (
    MODEL,
    START,
    STEPS,
    FailingFiles,
    Prepared,
    after,
    assert_old_or_new,
    look,
    prepare,
    reopened,
    slot_writer,
)
from tests.store_faults import no_waiting_for_the_disk as no_waiting_for_the_disk


@contextmanager
def opened(memory: Prepared, files: Files | None = None) -> Iterator[Store]:
    """Open the memory; the disk is healthy while it opens."""
    with Store.open(memory.root, MODEL, clock=lambda: START) as store:
        if files is not None:
            _use(store, files)
        yield store


def _use(store: Store, files: Files) -> None:
    """Put another file layer under an open store."""
    parts = store._parts
    settings = store.settings
    for holder in (parts.slots, parts.snapshots, parts.undo, settings):
        holder._files = files
    object.__setattr__(parts, "files", files)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("step", list(STEPS))
def test_every_call_fails_once(step: str, error: int, tmp_path: Path) -> None:
    calls = 0
    while _fails_at(calls, step, error, tmp_path / str(calls)):
        calls += 1
        assert calls < 200, "no end in sight"
    assert calls > 1


def _fails_at(call: int, step: str, error: int, folder: Path) -> bool:
    """Let the call of this number fail.

    Returns:
        False if the step needs fewer calls.
    """
    folder.mkdir()
    (folder / "computer").mkdir()
    memory = prepare(folder / "computer")
    new = after(memory, step, folder / "undisturbed")
    exported = memory.archive.read_bytes()
    files = FailingFiles(call, error)
    with opened(memory, files) as store:
        old = look(store)
        try:
            STEPS[step](store, memory)
            refused = False
        except DiskFull:
            refused = True
            assert error == errno.ENOSPC
        except StorageFailed:
            refused = True
            assert error == errno.EIO
        now = look(store)
        if refused and step != "undo-forget":
            assert now.memory == old.memory
            assert memory.archive.read_bytes() == exported or step == "export"
        elif not refused:
            assert now.memory == new.memory
        # The same process goes on with a healthy disk.
        _use(store, Files())
        store.commit(slot_writer(9), Changes())
        last = look(store)
    seen = reopened(memory.root)
    assert seen == last
    if not refused:
        assert {name for name, _ in seen.snapshots} == {name for name, _ in new.snapshots}
    return files.failed


@pytest.mark.parametrize("step", ["commit", "forget", "snapshot", "restore", "export", "import"])
def test_free_space_is_checked_first(step: str, tmp_path: Path) -> None:
    class NoRoom(FailingFiles):
        def free_space(self, folder: Path) -> int:
            return MARGIN - 1

    memory = prepare(tmp_path)
    files = NoRoom(10**9)
    with opened(memory, files) as store:
        old = look(store)
        with pytest.raises(DiskFull, match="not enough room"):
            STEPS[step](store, memory)
        assert look(store) == old
        assert not list(Home(memory.root).slots.glob(".tmp*/*"))
    assert reopened(memory.root) == old


def test_the_ledger_finds_no_room(tmp_path: Path) -> None:
    memory = prepare(tmp_path)
    with opened(memory) as store:
        old = look(store)
        connection = store._ledger._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        rows = [NoteRow(0, f"{number}-{'x' * 3000}") for number in range(200)]
        with pytest.raises(DiskFull):
            store.add_notes(tuple(rows))
        assert look(store) == old
        rename = [NoteRow(note.id, "y" * 30_000 + str(note.id)) for note in store.notes()]
        with pytest.raises(DiskFull):
            store.commit(slot_writer(5), Changes(notes=tuple(rename)), undoable=True)
        assert look(store) == old
        assert store.undoable == ""
        assert [path.name for path in Home(memory.root).slots.iterdir()] == [store.slot.path.name]  # type: ignore[union-attr]
        connection.execute("PRAGMA max_page_count = 1000000")
        store.add_notes(tuple(rows))
    assert len(reopened(memory.root).notes) == 202


def test_a_writer_that_raises_leaves_nothing(tmp_path: Path) -> None:
    class Diverged(Exception):
        pass

    def write(path: Path) -> None:
        path.write_bytes(b"half a slot")
        raise Diverged

    memory = prepare(tmp_path)
    with opened(memory) as store:
        old = look(store)
        with pytest.raises(Diverged):
            store.commit(write, Changes(remove=(1,)))
        assert look(store) == old
    assert reopened(memory.root) == old


def test_links_that_the_disk_does_not_know_become_copies(tmp_path: Path) -> None:
    class NoLinks(Files):
        def link(self, source: Path, target: Path) -> None:
            raise OSError(errno.EPERM, "no links here")

    memory = prepare(tmp_path)
    new = after(memory, "undo-forget", tmp_path / "undisturbed")
    with opened(memory, NoLinks()) as store:
        old = look(store)
        STEPS["undo-forget"](store, memory)
    assert_old_or_new(reopened(memory.root), old, new)
