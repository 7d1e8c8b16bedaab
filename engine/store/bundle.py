"""A folder that keeps one state of the memory: slot file, ledger rows, and a manifest.

Snapshots and the undo record are such folders; an export is one in a single file.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine.api import Snapshot, SnapshotKind
from engine.store.atomic import (
    TEMPORARY,
    Files,
    Point,
    copy_durably,
    ensure_space,
    link_or_copy,
    remove_quietly,
    write_atomically,
    write_durably,
)
from engine.store.errors import MemoryTooNew, SnapshotCorrupt
from engine.store.records import LedgerState, SlotFile
from engine.store.rows import parse_object, state_from_json, state_to_json
from engine.store.slots import hash_file

SLOT = "slot.safetensors"
LEDGER = "ledger.json"
MANIFEST = "manifest.json"

FORMAT = 1
"""Version of the manifest."""

MAX_NAME = 200
"""Characters of a snapshot's name."""

MAX_MANIFEST = 64 * 1024
MAX_MODEL = 1_000

_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Manifest:
    """What a bundle holds. Hashes are SHA-256 in hex, sizes bytes.

    Attributes:
        slot_sha256: "" (and size 0) in an undo record from before the first write.
        notes, cells: as in `api.Snapshot`, of the notes that the slot holds.
    """

    id: str
    name: str
    kind: SnapshotKind
    taken_at: float
    notes: int
    cells: int
    base_model: str
    slot_sha256: str
    slot_size: int
    ledger_sha256: str
    ledger_size: int

    def as_snapshot(self) -> Snapshot:
        """As the window and the command line show it."""
        return Snapshot(
            id=self.id,
            name=self.name,
            kind=self.kind,
            taken_at=self.taken_at,
            notes=self.notes,
            cells=self.cells,
            size=self.slot_size + self.ledger_size,
        )


def is_id(text: str) -> bool:
    """Is this the id of a bundle? Nothing else is ever made part of a path."""
    return bool(_ID.match(text))


def describe(
    identity: str,
    name: str,
    kind: SnapshotKind,
    taken_at: float,
    state: LedgerState,
    slot: SlotFile | None,
) -> tuple[Manifest, bytes]:
    """The manifest and the ledger's bytes of a bundle with this state and slot."""
    ledger = state_to_json(state)
    held = [note for note in state.notes if note.written_hash]
    manifest = Manifest(
        id=identity,
        name=name[:MAX_NAME],
        kind=kind,
        taken_at=taken_at,
        notes=len(held),
        cells=sum(note.cells for note in held),
        base_model=slot.base_model if slot else "",
        slot_sha256=slot.sha256 if slot else "",
        slot_size=slot.size if slot else 0,
        ledger_sha256=hashlib.sha256(ledger).hexdigest(),
        ledger_size=len(ledger),
    )
    return manifest, ledger


def manifest_to_json(manifest: Manifest) -> bytes:
    """The manifest as JSON, with a seal over it."""
    values: dict[str, Any] = asdict(manifest)
    values["kind"] = manifest.kind.value
    values["format"] = FORMAT
    values["seal"] = _seal(values)
    return (json.dumps(values, indent=1, allow_nan=False) + "\n").encode("ascii")


def manifest_from_json(data: bytes) -> Manifest:
    """The inverse of `manifest_to_json`, for bytes of any origin.

    Raises:
        ValueError: it is not an intact manifest; says what is wrong.
        MemoryTooNew: a newer Engram wrote it.
    """
    values = parse_object(data, "the manifest")
    version = values.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise MemoryTooNew(
            f"This was written by a newer Engram (format {version}; this one knows {FORMAT}). "
            "Please use that version or a newer one."
        )
    seal = values.pop("seal", None)
    if version != FORMAT or seal != _seal(values):
        raise ValueError("the manifest is damaged")
    del values["format"]
    if set(values) != {field.name for field in fields(Manifest)}:
        raise ValueError("the manifest has missing or unexpected fields")
    return _checked(Manifest(**{**values, "kind": SnapshotKind(values["kind"])}))


def _checked(manifest: Manifest) -> Manifest:
    texts = [manifest.id, manifest.name, manifest.base_model]
    texts += [manifest.slot_sha256, manifest.ledger_sha256]
    numbers = [manifest.notes, manifest.cells]
    numbers += [manifest.slot_size, manifest.ledger_size]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("the manifest has a field of the wrong type")
    if not all(type(number) is int and 0 <= number < 1 << 63 for number in numbers):
        raise ValueError("the manifest has a number out of its range")
    if type(manifest.taken_at) not in (int, float) or not math.isfinite(manifest.taken_at):
        raise ValueError("the manifest has no valid time")
    if abs(manifest.taken_at) > 1e11:  # the year 5138; what no calendar shows is not a time
        raise ValueError("the manifest has no valid time")
    if not is_id(manifest.id) or len(manifest.name) > MAX_NAME:
        raise ValueError("the manifest has no valid id or name")
    if len(manifest.base_model) > MAX_MODEL:
        raise ValueError("the manifest has no valid base model")
    slot = bool(_SHA256.match(manifest.slot_sha256))
    none = manifest.slot_sha256 == "" and manifest.slot_size == 0
    if not (slot or none) or not _SHA256.match(manifest.ledger_sha256):
        raise ValueError("the manifest has no valid hash")
    return replace(manifest, taken_at=float(manifest.taken_at))


def _seal(values: dict[str, Any]) -> str:
    rest = {key: value for key, value in values.items() if key != "seal"}
    try:
        text = json.dumps(rest, sort_keys=True, allow_nan=False)
    except RecursionError as error:
        raise ValueError("the manifest is nested too deeply") from error
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def write(
    files: Files, folder: Path, manifest: Manifest, ledger: bytes, slot: Path | None, own: bool
) -> None:
    """Make the bundle `folder`/id: whole and durable, or not at all.

    Args:
        slot: the slot file to keep; None where the manifest names none.
        own: copy the slot file rather than give it a second name.

    Raises:
        SnapshotCorrupt: the slot file is not what the manifest says (the disk is going bad).
        DiskFull, OSError: nothing is left of it.
    """
    temporary = folder / (TEMPORARY + manifest.id)
    try:
        files.make_folder(temporary)
        files.reached(Point.SNAPSHOT_FOLDER_MADE)
        if slot is not None:
            (copy_durably if own else link_or_copy)(files, slot, temporary / SLOT)
            # What is kept before a restore or an undoable step is checked when it is used: a
            # person waits for that step, and here it is mostly a second name of a known file.
            facts = (manifest.slot_sha256, manifest.slot_size)
            checked = manifest.kind is not SnapshotKind.BEFORE_RESTORE
            if checked and hash_file(temporary / SLOT) != facts:
                raise SnapshotCorrupt("The slot file on the disk is damaged and cannot be kept.")
        files.reached(Point.SNAPSHOT_SLOT_COPIED)
        ensure_space(files, folder, len(ledger))
        write_durably(files, temporary / LEDGER, ledger)
        files.reached(Point.SNAPSHOT_LEDGER_WRITTEN)
        write_durably(files, temporary / MANIFEST, manifest_to_json(manifest))
        files.sync_folder(temporary)
        files.reached(Point.SNAPSHOT_MANIFEST_WRITTEN)
        publish(files, temporary, folder / manifest.id)
    except BaseException:
        remove_quietly(files, temporary)
        raise
    files.reached(Point.SNAPSHOT_RENAMED)


def publish(files: Files, temporary: Path, target: Path) -> None:
    """Give a finished bundle its name."""
    files.replace(temporary, target)
    files.sync_folder(target.parent)


def rewrite_manifest(files: Files, folder: Path, manifest: Manifest) -> None:
    """Put another manifest into a bundle (a new name)."""
    write_atomically(files, folder / MANIFEST, manifest_to_json(manifest))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the bundle in `folder`, if all its files are there at their sizes.

    Raises:
        SnapshotCorrupt: they are not, or the manifest is damaged.
        MemoryTooNew: a newer Engram wrote it.
    """
    try:
        with open(folder / MANIFEST, "rb") as file:
            manifest = manifest_from_json(file.read(MAX_MANIFEST))
        expected = {LEDGER: manifest.ledger_size}
        if manifest.slot_sha256:
            expected[SLOT] = manifest.slot_size
        whole = all((folder / name).stat().st_size == size for name, size in expected.items())
    except (ValueError, FileNotFoundError, NotADirectoryError) as error:
        raise SnapshotCorrupt(f"The snapshot {folder.name} is damaged: {error}.") from error
    if not whole or manifest.id != folder.name:
        raise SnapshotCorrupt(f"The snapshot {folder.name} is not whole.")
    return manifest


def read_checked(folder: Path) -> tuple[Manifest, LedgerState]:
    """Manifest and ledger rows of the bundle in `folder`, every file compared with its SHA-256.

    Raises:
        SnapshotCorrupt: a file is not what the manifest says.
        MemoryTooNew: a newer Engram wrote it.
    """
    manifest = read_manifest(folder)
    if manifest.slot_sha256 and hash_file(folder / SLOT)[0] != manifest.slot_sha256:
        raise SnapshotCorrupt(f"The slot file of the snapshot {folder.name} is damaged.")
    ledger = (folder / LEDGER).read_bytes()
    if hashlib.sha256(ledger).hexdigest() != manifest.ledger_sha256:
        raise SnapshotCorrupt(f"The ledger of the snapshot {folder.name} is damaged.")
    try:
        return manifest, state_from_json(ledger)
    except ValueError as error:
        raise SnapshotCorrupt(f"The snapshot {folder.name} is damaged: {error}.") from error
