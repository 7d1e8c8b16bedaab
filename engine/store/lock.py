"""One process a memory: a lock of the operating system, which dies with its process."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from engine.api import MemoryLocked
from engine.store.errors import StorageFailed

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Windows locks bytes, not files; a byte far behind the process number leaves that readable.
_LOCKED_BYTE = 1 << 30


class MemoryLock:
    """The lock on `memory.lock`. The file stays; only the system's lock on it counts.

    A file left by a process that died (killed, power loss) therefore never blocks anyone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock and write this process's number into the file.

        Raises:
            MemoryLocked: another process (or another opening in this one) holds it.
            StorageFailed: the disk cannot lock files.
            OSError: the file cannot be opened.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except BlockingIOError as error:
            os.close(descriptor)
            raise MemoryLocked(_who(self._path)) from error
        except OSError as error:
            os.close(descriptor)
            raise StorageFailed(
                f"Engram could not lock its memory at {self._path.parent}: {error.strerror}."
            ) from error
        self._descriptor = descriptor
        # The number is for a person to read; a full disk must not keep anyone from asking.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, b"%d\n" % os.getpid())

    def release(self) -> None:
        """Give the lock back. Does nothing when it is not held."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        # Closing the only descriptor drops the lock.
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """The number of the process that last took the lock at `path`, None if it gave it back."""
    try:
        return int(path.read_bytes()[:32])
    except (OSError, ValueError):
        return None


def _lock(descriptor: int) -> None:
    """Take the system's lock at once or raise `BlockingIOError`."""
    if sys.platform == "win32":
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, error.strerror) from error
    else:
        # flock, not lockf: a POSIX record lock would be lost when anyone in this process closes
        # another descriptor of the same file.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _who(path: Path) -> str:
    process = holder(path)
    by = f" (process {process})" if process is not None else ""
    return f"Engram is already running with the memory at {path.parent}{by}."
