"""Opens a note's file without being led astray: no links, no pipes, no devices, no way out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from engine.notes.skip import NoteSkipped, SkipReason

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENOTCONN, errno.ENODEV})
_DENIED = frozenset({errno.EACCES, errno.EPERM})


def skip_of(error: OSError) -> NoteSkipped:
    """Return the reason for a person that stands for an error of the file system."""
    if error.errno in _GONE:
        return NoteSkipped(SkipReason.VANISHED)
    if error.errno in _DENIED:
        return NoteSkipped(SkipReason.UNREADABLE)
    if error.errno == errno.ELOOP:
        return NoteSkipped(SkipReason.NOT_A_FILE, "This is a link, and links are not followed.")
    return NoteSkipped(SkipReason.UNREADABLE, "This file cannot be read from the disk.")


def locate(path: str | Path, root: Path | None, follow_links: bool = False) -> Path:
    """Return where the note `path` lies.

    Args:
        path: relative to `root`, with forward slashes; or absolute, where `root` is None.
        root: the folder of notes that the file must lie in.
        follow_links: whether links below `root` may be followed (also out of it).

    Raises:
        NoteSkipped: the path leads out of the folder, or through a link.
    """
    if root is None:
        return Path(path)
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts:
        raise NoteSkipped(SkipReason.OUTSIDE)
    full = root.joinpath(*parts)
    if not full.is_relative_to(root):  # a drive letter, on Windows
        raise NoteSkipped(SkipReason.OUTSIDE)
    if not follow_links:
        for folder in [root.joinpath(*parts[:i]) for i in range(1, len(parts))]:
            if folder.is_symlink():
                raise NoteSkipped(SkipReason.OUTSIDE)
    return full


@contextmanager
def open_note(full: Path, follow_links: bool = False) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    """Open an ordinary file for reading; a pipe or a device is not even opened.

    Yields:
        The open file and its status.

    Raises:
        NoteSkipped: it is gone, is no ordinary file, or may not be read.
    """
    try:
        found = os.stat(full) if follow_links else os.lstat(full)
        _require_file(found)
        flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        flags |= getattr(os, "O_NONBLOCK", 0)  # should it have become a pipe since
        flags |= 0 if follow_links else getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(full, flags)
    except ValueError:  # a NUL in the name
        raise NoteSkipped(SkipReason.VANISHED) from None
    except OSError as error:
        raise skip_of(error) from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        _require_file(found)
        yield file, found


def _require_file(found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise NoteSkipped(SkipReason.NOT_A_FILE, "This is a link, and links are not followed.")
    if not stat.S_ISREG(found.st_mode):
        raise NoteSkipped(SkipReason.NOT_A_FILE)
