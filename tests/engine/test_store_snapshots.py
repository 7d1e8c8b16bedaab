"""The store from outside: snapshots, restoring, undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.api import InputError, SnapshotKind
from engine.store.errors import NoSuchSnapshot, NothingToUndo
from engine.store.records import Changes, NoteRow
from engine.store.slots import hash_file
from engine.store.store import Store
from tests.store_faults import MODEL, START, Clock, forget, look, prepare, slot_writer, written
from tests.store_faults import clock as clock
from tests.store_faults import no_waiting_for_the_disk as no_waiting_for_the_disk
from tests.store_faults import store as store


def test_restored_by_mistake(tmp_path: Path) -> None:
    memory = prepare(tmp_path)
    with Store.open(memory.root, MODEL, clock=lambda: START + 5) as store:
        before = look(store)
        old = store.snapshot_slot(memory.snapshot).read_bytes()
        done = store.restore_snapshot(memory.snapshot)
        assert done.slot is not None and done.slot.path.read_bytes() == old
        assert store.jobs() == ()
        assert done.before is not None and done.before.kind is SnapshotKind.BEFORE_RESTORE
        assert store.snapshot_slot(done.before.id).read_bytes() == before.slot
        undone = store.undo(done.undo)
        assert look(store).memory == before.memory
        assert undone.lost == ()
        with pytest.raises(NothingToUndo):
            store.undo(done.undo)
        # The snapshot of the present does the same, also later.
        store.restore_snapshot(memory.snapshot)
        store.restore_snapshot(done.before.id)
        assert (look(store).slot, look(store).notes) == (before.slot, before.notes)


def test_undoing_a_forget_tells_what_was_written_since(tmp_path: Path) -> None:
    memory = prepare(tmp_path)
    with Store.open(memory.root, MODEL) as store:
        before = look(store)
        token = forget(store).undo
        assert store.undoable == token
        (three,) = store.add_notes((NoteRow(0, "three.md"),))
        rows = (written(three, 5), written(store.note(2), 6))
        store.commit(slot_writer(5), Changes(notes=rows))
        done = store.undo(token)
        assert {note.id for note in done.lost} == {2, three.id}
        assert look(store).memory == before.memory
        assert store.undoable == ""


def test_only_the_newest_step_can_be_undone(tmp_path: Path) -> None:
    memory = prepare(tmp_path)
    with Store.open(memory.root, MODEL) as store:
        first = forget(store).undo
        second = store.restore_snapshot(memory.snapshot).undo
        with pytest.raises(NothingToUndo):
            store.undo(first)
        with pytest.raises(NothingToUndo):
            store.undo("")
        assert [path.name for path in store.home.undo.iterdir()] == [second]
        store.discard_undo()
        assert not list(store.home.undo.iterdir())
        with pytest.raises(NothingToUndo):
            store.undo(second)


def test_nothing_forgotten_stays_behind_a_close(tmp_path: Path) -> None:
    memory = prepare(tmp_path)
    with Store.open(memory.root, MODEL) as store:
        assert store.slot is not None
        gone = store.slot.sha256
        forget(store)
    left = [hash_file(path)[0] for path in memory.root.rglob("*.safetensors")]
    assert gone not in left


def test_names_of_snapshots(store: Store) -> None:
    store.commit(slot_writer(1), Changes())
    unnamed = store.take_snapshot()
    assert unnamed.name.startswith("2023-11-1")
    named = store.rename_snapshot(unnamed.id, "  Before the trip ")
    assert named.name == "Before the trip" == store.snapshots()[0].name
    with pytest.raises(InputError):
        store.rename_snapshot(unnamed.id, " ")
    assert len(store.take_snapshot("x" * 1000).name) == 200
    for bad in ("", "..", "../snapshots", "20200101-000000-000000", unnamed.id + "/.."):
        for act in (store.delete_snapshot, store.restore_snapshot, store.snapshot_slot):
            with pytest.raises(NoSuchSnapshot):
                act(bad)


def test_automatic_snapshots(store: Store, clock: Clock) -> None:
    assert store.take_automatic_snapshot() is None
    for hour in range(60):
        store.commit(slot_writer(hour), Changes())
        assert store.take_automatic_snapshot() is not None, hour
        assert store.take_automatic_snapshot() is None, "unchanged"
        store.commit(slot_writer(1000 + hour), Changes())
        clock.now += 1800
        assert store.take_automatic_snapshot() is None, "not an hour ago"
        clock.now += 1800
    times = [each.taken_at for each in store.snapshots()]
    assert 24 <= len(times) <= 24 + 4
    assert times == sorted(times, reverse=True)


def test_exports_go_where_they_may(store: Store, tmp_path: Path) -> None:
    store.commit(slot_writer(1), Changes())
    for place in (store.home.slots / "x", tmp_path / "no folder" / "x", tmp_path):
        with pytest.raises(InputError):
            store.export_snapshot("", place)
    store.export_snapshot("", tmp_path / ("x" * 255))
    assert (tmp_path / ("x" * 255)).stat().st_size > 0
