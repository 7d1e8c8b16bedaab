"""Snapshots: taking, naming, restoring, comparing, exporting, importing, deleting."""

from __future__ import annotations

import os
from dataclasses import replace

from engine.api import (
    Command,
    Compared,
    CompareSnapshots,
    DeleteSnapshot,
    Done,
    ExportSnapshot,
    ImportSnapshot,
    NoteState,
    RenameSnapshot,
    RestoreSnapshot,
    TakeSnapshot,
)
from engine.desk import Desk, Undoable
from engine.store.records import Changes

PAUSED_NOTE = " Writing is paused, so that it stays this way until you go on."


def carry_out(desk: Desk, request: int, command: Command) -> None:
    """Carry out one of these commands, but for `RestoreSnapshot`. Raises as they do."""
    match command:
        case TakeSnapshot():
            take(desk, request, command)
        case RenameSnapshot():
            rename(desk, request, command)
        case DeleteSnapshot():
            delete(desk, request, command)
        case CompareSnapshots():
            compare(desk, request, command)
        case ExportSnapshot():
            export(desk, request, command)
        case ImportSnapshot():
            take_in(desk, request, command)
        case _:
            raise TypeError(f"{type(command).__name__} is not about snapshots")


def take(desk: Desk, request: int, command: TakeSnapshot) -> None:
    """Keep the present. Raises: NoMemoryYet, DiskFull."""
    snapshot = desk.store.take_snapshot(command.name)
    desk.show_snapshots()
    desk.announce(Done(request, f"Snapshot “{snapshot.name}” taken."))


def rename(desk: Desk, request: int, command: RenameSnapshot) -> None:
    """Name one anew. Raises: NoSuchSnapshot, InputError."""
    desk.store.rename_snapshot(command.snapshot, command.name)
    desk.show_snapshots()
    desk.announce(Done(request))


def delete(desk: Desk, request: int, command: DeleteSnapshot) -> None:
    """Remove one. Raises: NoSuchSnapshot."""
    desk.store.delete_snapshot(command.snapshot)
    desk.show_snapshots()
    desk.announce(Done(request, "Snapshot deleted."))


def restore(desk: Desk, request: int, command: RestoreSnapshot) -> None:
    """Go back to one; of a damaged memory as well.

    Where a folder is watched, writing is paused: else the notes that changed since would be
    written at once, and what was restored would be gone again.

    Raises:
        SnapshotCorrupt, WrongBaseModel, NoSuchSnapshot: memory is as it was before.
    """
    token = ""
    if desk.opened.has_store:
        token = desk.store.restore_snapshot(command.snapshot).undo
        desk.opened.mended()
    else:
        desk.opened.recover(command.snapshot)
    message = "The memory is as it was in the snapshot."
    pauses = desk.settings.folder is not None and not desk.settings.paused
    if pauses:
        desk.save_settings(replace(desk.settings, paused=True))
        message += PAUSED_NOTE
    desk.undoable = Undoable(request, token, pauses) if token else None
    _keep_without_file(desk)
    desk.reset()
    desk.announce(Done(request, message, undoable=bool(token)))


def _keep_without_file(desk: Desk) -> None:
    """Keep what was restored of notes that are not in the folder: nobody has deleted them now.

    (The snapshot may come from another computer, or from when another folder was watched.)
    """
    folder = desk.settings.folder
    if folder is None or not folder.is_dir():
        return
    rows = [row for row in desk.store.notes() if row.in_folder]
    gone = [row for row in rows if not os.path.lexists(folder / row.path)]
    kept = tuple(
        replace(row.in_force(), in_folder=False, state=NoteState.REMOVED)
        for row in gone
        if row.cells
    )
    dropped = tuple(row.id for row in gone if not row.cells)
    desk.store.update(Changes(kept, dropped))


def compare(desk: Desk, request: int, command: CompareSnapshots) -> None:
    """Say what differs. Raises: NoSuchSnapshot, SnapshotCorrupt."""
    desk.announce(Compared(request, desk.store.compare(command.first, command.second)))


def export(desk: Desk, request: int, command: ExportSnapshot) -> None:
    """Write one to a file. Raises: NoMemoryYet, InputError, DiskFull, ..."""
    desk.store.export_snapshot(command.snapshot, command.file)
    desk.announce(Done(request, f"Written to {command.file.name}."))


def take_in(desk: Desk, request: int, command: ImportSnapshot) -> None:
    """Check a file and add it to the snapshots. Raises: BadArchive, WrongBaseModel, ..."""
    snapshot = desk.store.import_snapshot(command.file, desk.opened.model.slot_spec)
    desk.show_snapshots()
    desk.announce(Done(request, f"Snapshot “{snapshot.name}” imported. Nothing was restored."))
