"""Bytes that flip and files that are cut: found before use, set aside, the way out offered."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from engine.api import EngramError, MemoryCorrupt, NoteState, SnapshotKind
from engine.store.bundle import LEDGER, MANIFEST, SLOT
from engine.store.errors import MemoryDamaged, NothingToUndo, SnapshotCorrupt
from engine.store.home import Home
from engine.store.store import Store
from tests.store_faults import (
    MODEL,
    START,
    Prepared,
    forget,
    look,
    prepare,
    reopened,
)
from tests.store_faults import no_waiting_for_the_disk as no_waiting_for_the_disk
from tests.store_power import RecordingFiles


@pytest.fixture
def memory(tmp_path: Path) -> Prepared:
    """A small memory."""
    (tmp_path / "computer").mkdir()
    return prepare(tmp_path / "computer")


def flip(path: Path, at: int, mask: int) -> None:
    """Flip bits of one byte in place, as a bad disk does (a hard link would feel it too)."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ mask]))


def opened(root: Path) -> Store:
    """Open the memory."""
    return Store.open(root, MODEL, clock=lambda: START)


def slot_path(memory: Prepared) -> Path:
    """The slot file in force."""
    (path,) = Home(memory.root).slots.iterdir()
    return path


@pytest.mark.parametrize("cut", [False, True])
def test_the_slot(cut: bool, memory: Prepared, tmp_path: Path) -> None:
    size = slot_path(memory).stat().st_size
    for at in random.Random(1).sample(range(size), 12) + [0, size - 1]:
        copy = Prepared(tmp_path / f"{at}" / "home", memory.snapshot)
        shutil.copytree(memory.root, copy.root)
        path = slot_path(copy)
        if cut:
            os.truncate(path, at)
        else:
            flip(path, at, 1)
        damaged = path.read_bytes()
        with pytest.raises(MemoryDamaged, match="set aside") as caught:
            opened(copy.root)
        assert caught.value.offered_snapshot == memory.snapshot
        (bad,) = caught.value.set_aside
        assert bad.read_bytes() == damaged
        assert not path.exists()


def test_the_slot_is_missing(memory: Prepared) -> None:
    slot_path(memory).unlink()
    for _ in range(2):
        with pytest.raises(MemoryDamaged, match="missing") as caught:
            opened(memory.root)
        assert caught.value.offered_snapshot == memory.snapshot


def test_recovering_goes_back_to_the_snapshot(memory: Prepared) -> None:
    with opened(memory.root) as store:
        kept = store.snapshot_slot(memory.snapshot).read_bytes()
    flip(slot_path(memory), 100, 0xFF)
    damaged = slot_path(memory).read_bytes()
    with pytest.raises(MemoryDamaged):
        opened(memory.root)
    with Store.recover(memory.root, MODEL, memory.snapshot) as store:
        assert store.slot is not None
        assert store.slot.path.read_bytes() == kept
        assert {note.written_at for note in store.notes()} == {START + 1}
    with opened(memory.root) as store:
        assert store.slot is not None and store.slot.path.read_bytes() == kept
    assert damaged in [path.read_bytes() for path in memory.root.rglob("*.bad")]


def test_recovering_without_a_snapshot(memory: Prepared) -> None:
    with opened(memory.root) as store:
        store.delete_snapshot(memory.snapshot)
        paths = [note.path for note in store.notes()]
    flip(slot_path(memory), 100, 0xFF)
    with pytest.raises(MemoryDamaged, match="no good snapshot") as caught:
        opened(memory.root)
    assert caught.value.offered_snapshot == ""
    with Store.recover(memory.root, MODEL, "") as store:
        assert store.slot is None
        assert [note.path for note in store.notes()] == paths
        assert {note.state for note in store.notes()} == {NoteState.WAITING}
        assert {note.written_hash for note in store.notes()} == {""}


def test_recovering_a_sound_memory_is_a_restore(memory: Prepared) -> None:
    with Store.recover(memory.root, MODEL, memory.snapshot) as store:
        kinds = [each.kind for each in store.snapshots()]
    assert sorted(kinds, key=str) == [SnapshotKind.BEFORE_RESTORE, SnapshotKind.MANUAL]


def test_recovering_to_a_damaged_snapshot_changes_nothing(memory: Prepared) -> None:
    flip(slot_path(memory), 100, 0xFF)
    flip(Home(memory.root).snapshots / memory.snapshot / SLOT, 50, 0xFF)
    with pytest.raises(MemoryDamaged) as caught:
        opened(memory.root)
    assert caught.value.offered_snapshot == ""
    ledger = Home(memory.root).ledger.read_bytes()
    with pytest.raises(EngramError):
        Store.recover(memory.root, MODEL, memory.snapshot)
    assert Home(memory.root).ledger.read_bytes() == ledger


@pytest.mark.parametrize("lost", ["slot", "ledger"])
def test_recovering_can_itself_be_interrupted(lost: str, memory: Prepared, tmp_path: Path) -> None:
    """Out of power anywhere in it, the snapshot and what was left of the memory are still there."""
    slot = slot_path(memory).read_bytes()
    if lost == "slot":
        flip(slot_path(memory), 100, 0xFF)
        slot = slot_path(memory).read_bytes()
    else:
        Home(memory.root).ledger.write_bytes(b"no ledger")
    files = RecordingFiles(memory.root.parent)
    with Store.recover(memory.root, MODEL, memory.snapshot, files=files) as store:
        after = look(store)
    assert len(files.moments) > 10
    for number, moment in enumerate(files.moments[::5]):
        moment.lay_out(tmp_path / f"{number}")
        root = tmp_path / f"{number}" / "home"
        try:
            with opened(root) as store:
                empty = store.slot is None
                assert empty or look(store).memory == after.memory
        except MemoryDamaged as error:
            assert error.offered_snapshot == memory.snapshot
        with Store.recover(root, MODEL, memory.snapshot) as store:
            assert look(store).memory == after.memory
        assert slot in [path.read_bytes() for path in root.rglob("*") if path.is_file()]


def test_nothing_left_but_what_was_set_aside_is_not_a_new_memory(tmp_path: Path) -> None:
    Store.open(tmp_path / "home", MODEL).close()
    Home(tmp_path / "home").ledger.write_bytes(b"nonsense")
    for _ in range(2):
        with pytest.raises(MemoryDamaged):
            opened(tmp_path / "home")
    Store.recover(tmp_path / "home", MODEL, "").close()
    opened(tmp_path / "home").close()


def test_flips_all_over_the_ledger(memory: Prepared, tmp_path: Path) -> None:
    """Each flip is found, or it lies where nothing is kept: never another memory."""
    right = reopened(memory.root)
    ledger = Home(memory.root).ledger
    data = ledger.read_bytes()
    used = [at for at, byte in enumerate(data) if byte]
    places = random.Random(2).sample(used, 120) + list(range(0, 100, 3))
    places += random.Random(3).sample(range(len(data)), 40)
    found = 0
    for number, at in enumerate(places):
        home = tmp_path / f"{number}" / "home"
        shutil.copytree(memory.root, home)
        flip(Home(home).ledger, at, random.Random(at).choice((1, 0x80, 0xFF)))
        flipped = Home(home).ledger.read_bytes()
        try:
            with opened(home) as store:
                assert look(store) == right, f"byte {at} changed the memory without a word"
        except MemoryDamaged as error:
            found += 1
            assert error.offered_snapshot == memory.snapshot
            assert flipped in [path.read_bytes() for path in error.set_aside]
            with pytest.raises(MemoryDamaged, match="missing"):
                opened(home)
        except EngramError as error:
            # A flip in the version's number: "written by a newer Engram".
            assert 60 <= at < 64, error
            found += 1
    assert found > 100


def test_cuts_of_the_ledger(memory: Prepared, tmp_path: Path) -> None:
    right = reopened(memory.root)
    size = Home(memory.root).ledger.stat().st_size
    for at in [0, 1, 16, 99, 100, 512, *range(4096, size, 4096), size - 1]:
        home = tmp_path / f"{at}" / "home"
        shutil.copytree(memory.root, home)
        slots = sorted(path.name for path in Home(home).slots.iterdir())
        os.truncate(Home(home).ledger, at)
        if at == size - 1:
            # The last page is one of an empty table: without its last zero it reads the same.
            with opened(home) as store:
                assert look(store) == right
            continue
        with pytest.raises(MemoryDamaged) as caught:
            opened(home)
        assert caught.value.offered_snapshot == memory.snapshot
        assert sorted(path.name for path in Home(home).slots.iterdir()) == slots


def test_recovering_from_a_lost_ledger(memory: Prepared) -> None:
    slot = slot_path(memory).read_bytes()
    Home(memory.root).ledger.unlink()
    with pytest.raises(MemoryDamaged, match="ledger"):
        opened(memory.root)
    with Store.recover(memory.root, MODEL, memory.snapshot) as store:
        assert {note.written_at for note in store.notes()} == {START + 1}
        added = store.add_notes((replace(store.note(1), id=0, path="new.md"),))
        assert added[0].id == 3
    kept = [path.read_bytes() for path in Home(memory.root).slots.glob("*.bad")]
    assert kept == [slot]


def test_a_row_changed_behind_our_back(memory: Prepared) -> None:
    connection = sqlite3.connect(Home(memory.root).ledger)
    connection.execute("UPDATE notes SET recall = 1.0 WHERE id = 1")
    connection.commit()
    connection.close()
    with pytest.raises(MemoryDamaged):
        opened(memory.root)


def test_a_row_removed_behind_our_back(memory: Prepared) -> None:
    connection = sqlite3.connect(Home(memory.root).ledger)
    connection.execute("DELETE FROM notes WHERE id = 2")
    connection.commit()
    connection.close()
    with pytest.raises(MemoryDamaged):
        opened(memory.root)


@pytest.mark.parametrize("name", [MANIFEST, LEDGER, SLOT])
@pytest.mark.parametrize("cut", [False, True])
def test_a_snapshot(name: str, cut: bool, memory: Prepared, tmp_path: Path) -> None:
    size = (Home(memory.root).snapshots / memory.snapshot / name).stat().st_size
    for at in random.Random(4).sample(range(size - 1), 10):
        home = tmp_path / f"{at}" / "home"
        shutil.copytree(memory.root, home)
        path = Home(home).snapshots / memory.snapshot / name
        if cut:
            os.truncate(path, at)
        else:
            flip(path, at, 0x15)
        with opened(home) as store:
            before = store.slot, store.notes()
            with pytest.raises((SnapshotCorrupt, MemoryCorrupt)):
                store.restore_snapshot(memory.snapshot)
            assert (store.slot, store.notes()) == before
            assert store.snapshots() == ()
            assert any("set aside" in notice for notice in store.notices)
            assert (Home(home).snapshots / f"{memory.snapshot}.bad").is_dir()


def test_the_newest_good_snapshot_is_offered(memory: Prepared) -> None:
    now = itertools.count(START + 60)
    with Store.open(memory.root, MODEL, clock=lambda: next(now)) as store:
        store.take_snapshot("later")
        newest = store.take_snapshot("newest", SnapshotKind.AUTOMATIC).id
        assert store.slot is not None
        before = store.slot.sha256
    # The newest is a second name of the slot in force: what damages one damages both.
    path = slot_path(memory)
    assert os.path.samefile(path, Home(memory.root).snapshots / newest / SLOT)
    flip(path, 200, 4)
    with pytest.raises(MemoryDamaged) as caught:
        opened(memory.root)
    with Store.recover(memory.root, MODEL, caught.value.offered_snapshot) as store:
        assert {each.name for each in store.snapshots()} == {"first", "later"}
        assert store.slot is not None
        assert store.slot.sha256 == before


def test_a_damaged_undo_record_is_not_used(memory: Prepared) -> None:
    with opened(memory.root) as store:
        token = forget(store).undo
        forgotten = look(store)
        flip(Home(memory.root).undo / token / LEDGER, 30, 1)
        with pytest.raises(NothingToUndo, match="damaged"):
            store.undo(token)
        assert look(store) == forgotten
        assert store.undoable == ""


def test_a_snapshot_of_a_slot_gone_bad_is_refused(memory: Prepared) -> None:
    with opened(memory.root) as store:
        flip(slot_path(memory), 300, 8)
        with pytest.raises(SnapshotCorrupt):
            store.take_snapshot()
        assert [each.name for each in store.snapshots()] == ["first"]
