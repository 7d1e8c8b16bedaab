"""One memory in one file: a zip with exactly a manifest, a ledger and a slot file.

Exports are made by `write`. `unpack` reads a file of any origin: no member's name is ever made a
path, sizes are capped before and while unpacking, and everything is checked before it is let in.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO

from engine.api import WrongBaseModel
from engine.store.atomic import TEMPORARY, Files, Point, ensure_space, remove_quietly
from engine.store.bundle import (
    LEDGER,
    MANIFEST,
    MAX_MANIFEST,
    SLOT,
    Manifest,
    manifest_from_json,
    manifest_to_json,
)
from engine.store.errors import BadArchive, SnapshotCorrupt
from engine.store.records import LedgerState
from engine.store.rows import state_from_json
from engine.store.tensors import SlotSpec, check_slot

SUFFIX = ".engram"
"""What the name of an export ends with by custom; nothing depends on it."""

MEMBERS = (MANIFEST, LEDGER, SLOT)

MAX_LEDGER = 32 * 1024 * 1024
"""Bytes; a note takes about 500."""

MAX_SLOT = (1 << 32) - (1 << 26)
"""Bytes; keeps an export below what needs the 64-bit form of zip."""

_CHUNK = 1 << 20
_END = struct.Struct("<4s4H2LH")  # the end record of a zip without a comment
_LOCATOR_SIZE = 20
_MAX_DIRECTORY = 4096
_COMPRESSION_LEVEL = 1  # free cells are zeros and shrink at any level; the others hardly do

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
)


def write(files: Files, target: Path, manifest: Manifest, ledger: bytes, slot: Path) -> None:
    """Write an export to `target`, over what may be there, whole or not at all.

    Raises:
        SnapshotCorrupt: the slot file is not what the manifest says.
        DiskFull, OSError: the old file at `target`, if any, is as it was.
    """
    if manifest.slot_size > MAX_SLOT:
        raise BadArchive("This memory is too large to be exported into one file.")
    ensure_space(files, target.parent, manifest.slot_size + manifest.ledger_size)
    # Not made from the target's own name, which may be as long as names can be.
    temporary = target.with_name(TEMPORARY + "engram-export")
    try:
        files.produce(temporary, lambda path: _pack(path, manifest, ledger, slot))
        files.sync(temporary)
        files.reached(Point.EXPORT_WRITTEN)
        files.replace(temporary, target)
    except BaseException:
        remove_quietly(files, temporary)
        raise
    files.sync_folder(target.parent)
    files.reached(Point.EXPORT_RENAMED)


def _pack(path: Path, manifest: Manifest, ledger: bytes, slot: Path) -> None:
    digest = hashlib.sha256()
    with zipfile.ZipFile(path, "w", compresslevel=_COMPRESSION_LEVEL) as archive:
        for name, data in ((MANIFEST, manifest_to_json(manifest)), (LEDGER, ledger)):
            archive.writestr(_member(name), data, compresslevel=_COMPRESSION_LEVEL)
        member = _member(SLOT)
        member.file_size = manifest.slot_size
        with archive.open(member, "w") as packed, open(slot, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                packed.write(chunk)
    if digest.hexdigest() != manifest.slot_sha256:
        raise SnapshotCorrupt("The slot file on the disk is damaged and cannot be exported.")


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)  # dated 1980, so that the same memory gives the same bytes
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = (stat.S_IFREG | 0o600) << 16
    return member


def unpack(files: Files, source: Path, folder: Path, spec: SlotSpec, base_model: str) -> Manifest:
    """Check an export of any origin and unpack its slot and ledger into `folder`.

    Args:
        folder: an empty temporary folder of ours.
        base_model: the only model whose slot is let in.

    Returns:
        The manifest as the archive has it.

    Raises:
        BadArchive: it is not an intact export, or its tensors are not this model's.
        WrongBaseModel: it was written with another base model; names both.
        MemoryTooNew: a newer Engram wrote it.
        DiskFull, OSError: as the case may be.
    """
    if not source.is_file():  # asked before opening: a pipe would wait for ever
        raise BadArchive("There is no such file.")
    with _bad_archives(), open(source, "rb") as file:
        _check_end(file)
        with zipfile.ZipFile(file) as archive:
            members = _members(archive)
            manifest = manifest_from_json(_read(archive, members[MANIFEST], MAX_MANIFEST))
            if manifest.base_model != base_model:
                raise WrongBaseModel(
                    f'This file was written with the base model "{manifest.base_model}", but '
                    f'this Engram has "{base_model}". It cannot be used here.'
                )
            _check_sizes(manifest, members, spec)
            ensure_space(files, folder, manifest.slot_size + manifest.ledger_size)
            ledger = _read(archive, members[LEDGER], MAX_LEDGER)
            if hashlib.sha256(ledger).hexdigest() != manifest.ledger_sha256:
                raise ValueError("its ledger is damaged")
            state = state_from_json(ledger)
            _check_state(state, manifest)
            files.write(folder / LEDGER, ledger)
            slot = members[SLOT]
            files.produce(folder / SLOT, lambda path: _unpack_slot(archive, slot, manifest, path))
    files.sync(folder / LEDGER)
    files.sync(folder / SLOT)
    files.reached(Point.IMPORT_UNPACKED)
    with _bad_archives():
        check_slot(folder / SLOT, spec, {note.id for note in state.notes})
    files.reached(Point.IMPORT_CHECKED)
    return manifest


@contextmanager
def _bad_archives() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        why = str(error)[:300]
        raise BadArchive(f"This file is not an intact export of a memory: {why}.") from error


def _check_end(file: BinaryIO) -> None:
    """Look at the zip's end record before `zipfile` reads a directory of any length into memory."""
    size = file.seek(0, 2)
    if not _END.size <= size <= MAX_SLOT + MAX_LEDGER:
        raise ValueError("its size is not that of an export")
    file.seek(max(0, size - _END.size - _LOCATOR_SIZE))
    tail = file.read()
    mark, disk, first, here, entries, directory, _, comment = _END.unpack(tail[-_END.size :])
    if mark != b"PK\x05\x06" or comment or disk or first:
        raise ValueError("it has no end, or something after it")
    if entries != len(MEMBERS) or here != entries or directory > _MAX_DIRECTORY:
        raise ValueError("it does not have exactly the expected members")
    if tail.startswith(b"PK\x06\x07"):
        raise ValueError("it is in the form for very large files")
    file.seek(0)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members by name, if they are the expected ones and plain files."""
    members = {member.orig_filename: member for member in archive.infolist()}
    if set(members) != set(MEMBERS) or len(archive.infolist()) != len(MEMBERS):
        raise ValueError("it does not have exactly the expected members")
    for member in members.values():
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or member.is_dir():
            raise ValueError("a member is not a plain file")
        if member.flag_bits & 0x1:
            raise ValueError("a member is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("a member is packed in an unexpected way")
    return members


def _check_sizes(manifest: Manifest, members: dict[str, zipfile.ZipInfo], spec: SlotSpec) -> None:
    if not 0 < manifest.slot_size <= min(MAX_SLOT, spec.max_bytes):
        raise ValueError("its slot file has a size that does not fit this model")
    if manifest.ledger_size > MAX_LEDGER:
        raise ValueError("its ledger is too large")
    declared = (members[LEDGER].file_size, members[SLOT].file_size)
    if declared != (manifest.ledger_size, manifest.slot_size):
        raise ValueError("its sizes are not those of its manifest")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    if member.file_size > limit:
        raise ValueError("a member is too large")
    with archive.open(member) as packed:
        # Whatever the directory says, no more than this comes into memory.
        data = packed.read(limit + 1)
    if len(data) != member.file_size:
        raise ValueError("a member does not have its size")
    return data


def _unpack_slot(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, manifest: Manifest, path: Path
) -> None:
    digest = hashlib.sha256()
    size = 0
    with archive.open(member) as packed, open(path, "xb") as file:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            if size > manifest.slot_size:
                raise ValueError("its slot file is larger than it says")
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != manifest.slot_sha256:
        raise ValueError("its slot file is damaged")


def _check_state(state: LedgerState, manifest: Manifest) -> None:
    """Check what a path of a foreign ledger could do, and the counts of the manifest."""
    if state.jobs:
        raise ValueError("its ledger has a queue")
    held = [note for note in state.notes if note.written_hash]
    if (len(held), sum(note.cells for note in held)) != (manifest.notes, manifest.cells):
        raise ValueError("its manifest does not agree with its ledger")
    for note in state.notes:
        # A note is opened by its path when it is double-clicked: none may lead out of the folder,
        # as this system reads paths (on Linux a note may well be called "a:b" or "a\\b").
        for path in (PurePosixPath(note.path), PurePath(note.path)):
            outside = path.drive or path.root
            if ".." in path.parts or (outside and note.in_folder):
                raise ValueError("a note's path leads out of the folder")
