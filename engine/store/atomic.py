"""The file layer: the few calls through which the store touches the disk.

`Files` is the real one. A test installs another that records the calls, refuses one, or ends the
process at a named `Point`; production code never looks at such things.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from engine.api import DiskFull
from engine.store.errors import DISK_FULL

TEMPORARY = ".tmp-"
"""What the names of unfinished files and folders begin with; swept when a memory is opened."""

BAD = ".bad"
"""What the names of damaged files that were set aside end with; never removed by Engram."""

MARGIN = 8 * 1024 * 1024
"""Bytes that stay free on the disk beyond what is about to be written."""


class Point(Enum):
    """The steps between which a process may die. Tests kill it at each of them."""

    COMMIT_BEGUN = "commit-begun"
    COMMIT_SLOT_WRITTEN = "commit-slot-written"
    COMMIT_SLOT_SYNCED = "commit-slot-synced"
    COMMIT_SLOT_RENAMED = "commit-slot-renamed"
    COMMIT_IN_TRANSACTION = "commit-in-transaction"
    COMMIT_DONE = "commit-done"
    COMMIT_SWEPT = "commit-swept"
    SNAPSHOT_FOLDER_MADE = "snapshot-folder-made"
    SNAPSHOT_SLOT_COPIED = "snapshot-slot-copied"
    SNAPSHOT_LEDGER_WRITTEN = "snapshot-ledger-written"
    SNAPSHOT_MANIFEST_WRITTEN = "snapshot-manifest-written"
    SNAPSHOT_RENAMED = "snapshot-renamed"
    DELETE_MOVED = "delete-moved"
    DELETE_DONE = "delete-done"
    RESTORE_CHECKED = "restore-checked"
    RESTORE_PRESENT_KEPT = "restore-present-kept"
    RESTORE_UNDO_KEPT = "restore-undo-kept"
    UNDO_CHECKED = "undo-checked"
    UNDO_DONE = "undo-done"
    IMPORT_FOLDER_MADE = "import-folder-made"
    IMPORT_UNPACKED = "import-unpacked"
    IMPORT_CHECKED = "import-checked"
    IMPORT_MANIFEST_WRITTEN = "import-manifest-written"
    IMPORT_RENAMED = "import-renamed"
    EXPORT_WRITTEN = "export-written"
    EXPORT_RENAMED = "export-renamed"


class Files:
    """The real file layer. Every method raises `OSError` as the system does."""

    def reached(self, point: Point) -> None:
        """Say that a step is done. Does nothing here; tests end the process in it."""

    def free_space(self, folder: Path) -> int:
        """Bytes free for us on the disk that holds `folder`."""
        return shutil.disk_usage(folder).free

    def make_folder(self, folder: Path) -> None:
        """Make a folder and those above it, for this user only."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, path: Path, data: bytes) -> None:
        """Write a whole file. Not yet durable: `sync` comes after."""
        path.write_bytes(data)

    def produce(self, path: Path, producer: Callable[[Path], None]) -> None:
        """Let `producer` write the file at `path`. Not yet durable: `sync` comes after."""
        producer(path)

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file's bytes. Not yet durable: `sync` comes after."""
        shutil.copyfile(source, target)

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name."""
        os.link(source, target)

    def sync(self, path: Path) -> None:
        """Return when the file's bytes are on the disk."""
        with open(path, "r+b") as file:
            _flush_to_disk(file.fileno())

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in `folder` are on the disk (Windows does this by itself)."""
        if sys.platform == "win32":
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            _flush_to_disk(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, in one step, over what may be there."""
        os.replace(source, target)

    def unlink(self, path: Path) -> None:
        """Remove one file."""
        path.unlink()

    def remove_folder(self, folder: Path) -> None:
        """Remove a folder with all that is in it; links in it are not followed."""
        shutil.rmtree(folder)


def _flush_to_disk(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        # fsync on macOS stops at the drive's own cache; this goes through it.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def ensure_space(files: Files, folder: Path, size: int) -> None:
    """Check that `size` bytes and a margin are free.

    Raises:
        DiskFull: they are not; nothing was written.
    """
    if files.free_space(folder) < size + MARGIN:
        raise DiskFull(DISK_FULL)


def write_durably(files: Files, path: Path, data: bytes) -> None:
    """Write a file whose name nobody looks for yet (in a temporary folder)."""
    files.write(path, data)
    files.sync(path)


def write_atomically(files: Files, path: Path, data: bytes) -> None:
    """Put a file in place so that its name holds the old bytes or the new ones, never a mixture."""
    temporary = path.with_name(TEMPORARY + path.name)
    ensure_space(files, path.parent, len(data))
    try:
        write_durably(files, temporary, data)
        files.replace(temporary, path)
    except OSError:
        remove_quietly(files, temporary)
        raise
    files.sync_folder(path.parent)


def link_or_copy(files: Files, source: Path, target: Path) -> None:
    """Give an immutable file a second name, or a durable copy where the disk knows no links."""
    try:
        files.link(source, target)
        return
    except OSError:
        pass
    copy_durably(files, source, target)


def copy_durably(files: Files, source: Path, target: Path) -> None:
    """Copy a file, with bytes of its own on the disk.

    Raises:
        DiskFull: there is no room for it; nothing was written.
    """
    ensure_space(files, target.parent, source.stat().st_size)
    files.copy(source, target)
    files.sync(target)


def remove_quietly(files: Files, path: Path) -> None:
    """Remove a file or folder that nothing refers to any more.

    What cannot be removed now (open in another program, on Windows) is swept at the next opening.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            files.remove_folder(path)
        else:
            files.unlink(path)
    except OSError:
        pass


def sweep_temporaries(files: Files, folder: Path) -> None:
    """Remove what unfinished steps left in `folder`."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.name.startswith(TEMPORARY):
                remove_quietly(files, path)


def set_aside(files: Files, path: Path) -> Path:
    """Rename a damaged file or folder to a `.bad` name that is free.

    Returns:
        Where it is now.
    """
    target = _free_bad_name(path)
    files.replace(path, target)
    files.sync_folder(path.parent)
    return target


def keep_copy(files: Files, path: Path) -> Path:
    """Keep the bytes of a file that is about to be replaced under a `.bad` name that is free.

    Returns:
        Where the copy is.
    """
    target = _free_bad_name(path)
    copy_durably(files, path, target)
    files.sync_folder(path.parent)
    return target


def _free_bad_name(path: Path) -> Path:
    target = path.with_name(path.name + BAD)
    number = 2
    while target.exists() or target.is_symlink():
        target = path.with_name(f"{path.name}-{number}{BAD}")
        number += 1
    return target
