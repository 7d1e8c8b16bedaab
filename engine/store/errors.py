"""The store's own errors, and how errors of the system become sentences for a person."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from engine.api import (
    DiskFull,
    EngramError,
    InputError,
    MemoryCorrupt,
    MemoryLocked,
    MemoryUnusable,
)


class MemoryDamaged(MemoryCorrupt):
    """The present memory fails its checks; what is bad has been set aside.

    Attributes:
        offered_snapshot: id of the newest snapshot that passes its checks, "" if there is none.
        set_aside: where the bad files are now.
    """

    def __init__(self, message: str, offered_snapshot: str, set_aside: tuple[Path, ...]) -> None:
        super().__init__(message)
        self.offered_snapshot = offered_snapshot
        self.set_aside = set_aside


class SnapshotCorrupt(MemoryCorrupt):
    """A snapshot fails its checks; the present memory is untouched."""


class LedgerCorrupt(MemoryCorrupt):
    """The ledger fails its checks."""


class MemoryTooNew(MemoryUnusable):
    """The memory was written by a newer version of Engram."""


class StorageFailed(MemoryUnusable):
    """The disk or the system refused: no permission, read-only, an input/output error."""


class NoSuchSnapshot(InputError):
    """There is no snapshot of this id."""


class NoSuchNote(InputError):
    """There is no note of this id."""


class PathTaken(InputError):
    """Another note of the ledger has this path."""


class BadArchive(InputError):
    """A file that was to be imported is not an intact export; nothing of it was let in."""


class NothingToUndo(InputError):
    """The step that was to be taken back is not the newest one, or is too long ago."""


_FULL = {errno.ENOSPC, errno.EDQUOT}
# safetensors writes in Rust and reports the system's number in words: 28 is ENOSPC, 122 EDQUOT,
# 112 ERROR_DISK_FULL of Windows.
_FULL_IN_WORDS = ("os error 28)", "os error 122)", "os error 112)")

DISK_FULL = "There is not enough room on the disk. Nothing was changed; free some space, try again."


def from_os_error(error: OSError, doing: str) -> EngramError:
    """The typed error for a system error that came up while `doing` ("write the slot")."""
    if error.errno in _FULL:
        return DiskFull(DISK_FULL)
    why = error.strerror or type(error).__name__
    return StorageFailed(f"Engram could not {doing}: {why}. What was there before is unchanged.")


def from_sqlite_error(error: sqlite3.Error, doing: str) -> EngramError:
    """The typed error for an SQLite error that came up while `doing`."""
    code = getattr(error, "sqlite_errorcode", None)
    # Extended codes carry the primary code in their low byte.
    primary = code & 0xFF if isinstance(code, int) else sqlite3.SQLITE_ERROR
    if primary == sqlite3.SQLITE_FULL:
        return DiskFull(DISK_FULL)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return MemoryLocked("Another program has this memory's ledger open.")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
        return LedgerCorrupt("The ledger of this memory is damaged.")
    return StorageFailed(f"Engram could not {doing}: {error}. What was there before is unchanged.")


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn errors of the system, of SQLite and of safetensors into typed ones.

    Raises:
        DiskFull, MemoryLocked, LedgerCorrupt, StorageFailed: as the case may be.
    """
    try:
        yield
    except OSError as error:
        raise from_os_error(error, doing) from error
    except sqlite3.Error as error:
        raise from_sqlite_error(error, doing) from error
    except SafetensorError as error:
        if any(words in str(error) for words in _FULL_IN_WORDS):
            raise DiskFull(DISK_FULL) from error
        raise StorageFailed(f"Engram could not {doing}: {error}.") from error
