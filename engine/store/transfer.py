"""Snapshots out to one file and in from one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.api import InputError, NoMemoryYet, Snapshot, SnapshotKind
from engine.store import archive, bundle
from engine.store.atomic import TEMPORARY, Point, remove_quietly, write_durably
from engine.store.opening import Parts
from engine.store.rows import state_to_json
from engine.store.snapshots import name_by_time
from engine.store.tensors import SlotSpec


def export_snapshot(parts: Parts, identity: str, file: Path, now: float) -> None:
    """Write a snapshot ("" for the present) to `file`. `Store.export_snapshot` has the errors."""
    if not file.parent.is_dir() or file.is_dir():
        raise InputError("The file has to be in a folder that is there.")
    if file.parent.resolve().is_relative_to(parts.home.root.resolve()):
        raise InputError("Please choose a place outside Engram's own folder.")
    if identity:
        manifest, state = parts.snapshots.read(identity)
        path = parts.snapshots.folder(identity) / bundle.SLOT
        ledger = state_to_json(state)
    else:
        slot, state = parts.slot, parts.ledger.state(jobs=False)
        if slot is None:
            raise NoMemoryYet("Nothing has been remembered yet.")
        path, name = slot.path, name_by_time(now)
        manifest, ledger = bundle.describe(
            parts.snapshots.new_id(now), name, SnapshotKind.MANUAL, now, state, slot,
        )  # fmt: skip
    archive.write(parts.files, file, manifest, ledger, path)


def import_snapshot(parts: Parts, file: Path, spec: SlotSpec, now: float) -> Snapshot:
    """Check an exported file and add it to the snapshots, under an id of our own."""
    files, folder = parts.files, parts.home.snapshots
    identity = parts.snapshots.new_id(now)
    temporary = folder / (TEMPORARY + identity)
    try:
        files.make_folder(temporary)
        files.reached(Point.IMPORT_FOLDER_MADE)
        found = archive.unpack(files, file, temporary, spec, parts.base_model)
        manifest = replace(found, id=identity, kind=SnapshotKind.IMPORTED)
        data = bundle.manifest_to_json(manifest)
        write_durably(files, temporary / bundle.MANIFEST, data)
        files.sync_folder(temporary)
        files.reached(Point.IMPORT_MANIFEST_WRITTEN)
        bundle.publish(files, temporary, folder / identity)
    except BaseException:
        remove_quietly(files, temporary)
        raise
    files.reached(Point.IMPORT_RENAMED)
    return manifest.as_snapshot()
