"""Opening a memory: lock, ledger, slot file, each checked before anything is used or removed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

from engine.api import MemoryCorrupt, WrongBaseModel
from engine.store.atomic import Files, set_aside, sweep_temporaries
from engine.store.errors import LedgerCorrupt, MemoryDamaged, from_sqlite_error
from engine.store.home import Home
from engine.store.ledger import Ledger, MemoryRow
from engine.store.records import LedgerState, SlotFile
from engine.store.slots import Slots, hash_file
from engine.store.snapshots import Snapshots


@dataclass(frozen=True)
class Parts:
    """The parts of one open memory."""

    home: Home
    files: Files
    base_model: str
    ledger: Ledger
    slots: Slots
    snapshots: Snapshots
    undo: Snapshots

    @property
    def slot(self) -> SlotFile | None:
        """The slot file in force."""
        return slot_file(self.home, self.ledger.memory)


def slot_file(home: Home, row: MemoryRow) -> SlotFile | None:
    """The slot file that a ledger names; None before the first write."""
    if not row.slot_sha256:
        return None
    path = home.slot(row.generation)
    return SlotFile(path, row.generation, row.slot_sha256, row.slot_size, row.base_model)


def open_parts(home: Home, files: Files, base_model: str, accept_other_model: bool) -> Parts:
    """Open a memory whose lock is held. `Store.open` tells what is raised."""
    _make_folders(home, files)
    ledger = _open_ledger(home, files, base_model)
    try:
        parts = _parts(home, files, base_model, ledger)
        _check_slot(parts)
        slot = parts.slot
        if slot is not None and slot.base_model != base_model and not accept_other_model:
            raise WrongBaseModel(
                f'This memory was written with the base model "{slot.base_model}", but this '
                f'Engram has "{base_model}". It can only be used with the model it was written '
                "with; the notes can be written anew into an empty memory."
            )
        # Only now, with everything known to be good, does anything go.
        _sweep(parts)
        if ledger.has_interrupted():
            with ledger.transaction():
                ledger.requeue_interrupted()
    except BaseException:
        ledger.close()
        raise
    return parts


def recover_parts(home: Home, files: Files, base_model: str, snapshot: str) -> Parts:
    """Open what is left of a damaged memory whose lock is held, with no slot in force.

    One that turns out not to be damaged is opened as it is. An intact ledger keeps its notes, to be
    written again; a damaged one and every slot file are set aside. `snapshot` is what the caller is
    about to restore ("" for none): it is checked before anything is touched.
    """
    try:
        return open_parts(home, files, base_model, accept_other_model=False)
    except MemoryCorrupt:
        pass
    if snapshot:
        manifest, _ = Snapshots(home.snapshots, files).read(snapshot)
        if manifest.base_model != base_model:
            raise WrongBaseModel(
                f'This snapshot was written with the base model "{manifest.base_model}", but '
                f'this Engram has "{base_model}". It cannot be restored here.'
            )
    slots = Slots(home, files)
    generation = slots.next_generation(0)
    # First, so that no opening after a kill in between can take them for leftovers.
    for path in slots.all():
        set_aside(files, path)
    try:
        ledger = Ledger.open(home.ledger, may_create=False)
    except (LedgerCorrupt, sqlite3.Error) as error:
        if not _is_damage(error):
            raise
        _set_ledger_aside(home, files)
        ledger = Ledger.open(home.ledger, may_create=True)
        files.sync_folder(home.root)
    try:
        parts = _parts(home, files, base_model, ledger)
        generation = max(generation, ledger.memory.generation + 1)
        waiting = tuple(note.as_unwritten() for note in ledger.notes())
        with ledger.transaction():
            ledger.replace_state(LedgerState(waiting))
            row = replace(ledger.memory, generation=generation, base_model=base_model)
            ledger.set_memory(replace(row, slot_sha256="", slot_size=0))
        _sweep(parts)
    except BaseException:
        ledger.close()
        raise
    return parts


def _parts(home: Home, files: Files, base_model: str, ledger: Ledger) -> Parts:
    snapshots, undo = Snapshots(home.snapshots, files), Snapshots(home.undo, files)
    return Parts(home, files, base_model, ledger, Slots(home, files), snapshots, undo)


def _make_folders(home: Home, files: Files) -> None:
    for folder in (home.root, home.slots, home.snapshots, home.undo, home.logs):
        if not folder.is_dir():
            files.make_folder(folder)
    files.sync_folder(home.root)


def _open_ledger(home: Home, files: Files, base_model: str) -> Ledger:
    # A ledger that is gone while slot files or snapshots are there is damage, not a new memory:
    # taking it for one would sweep the slot away.
    has_remains = any(home.slots.iterdir()) or any(home.root.glob("ledger.sqlite*.bad"))
    has_remains = has_remains or bool(Snapshots(home.snapshots, files).ids())
    try:
        ledger = Ledger.open(home.ledger, may_create=not has_remains)
    except (LedgerCorrupt, sqlite3.Error) as error:
        if not _is_damage(error):
            raise
        bad = _set_ledger_aside(home, files)
        raise _damaged(home, files, base_model, "The ledger of this memory", bad) from error
    files.sync_folder(home.root)
    return ledger


def _is_damage(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        error = from_sqlite_error(error, "open its ledger")
    return isinstance(error, MemoryCorrupt)


def _set_ledger_aside(home: Home, files: Files) -> tuple[Path, ...]:
    return tuple(set_aside(files, path) for path in home.ledger_files if path.exists())


def _check_slot(parts: Parts) -> None:
    """Compare the slot file in force with its SHA-256. Raises: MemoryDamaged."""
    slot = parts.slot
    if slot is None:
        return
    if not slot.path.exists():
        raise _damaged(parts.home, parts.files, parts.base_model, "The slot file", ())
    if hash_file(slot.path) != (slot.sha256, slot.size):
        bad = (set_aside(parts.files, slot.path),)
        raise _damaged(parts.home, parts.files, parts.base_model, "The slot file", bad)


def _damaged(
    home: Home, files: Files, base_model: str, what: str, bad: tuple[Path, ...]
) -> MemoryDamaged:
    offered = Snapshots(home.snapshots, files).newest_good(base_model)
    where = f" and was set aside as {bad[0].name}" if bad else ""
    way_out = (
        "The newest good snapshot can be restored."
        if offered
        else "There is no good snapshot; the notes can be written anew."
    )
    state = "damaged" if bad else "missing"
    return MemoryDamaged(f"{what} is {state}{where}. {way_out}", offered, bad)


def _sweep(parts: Parts) -> None:
    """Remove what unfinished steps left, and the undo record of a process that died."""
    row = parts.ledger.memory
    parts.slots.sweep(row.generation if row.slot_sha256 else None)
    folders = [parts.home.root, parts.home.snapshots, parts.home.undo]
    folders += [parts.home.snapshots / identity for identity in parts.snapshots.ids()]
    for folder in folders:
        sweep_temporaries(parts.files, folder)
    for identity in parts.undo.ids():
        parts.undo.delete(identity)
