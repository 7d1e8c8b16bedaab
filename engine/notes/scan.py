"""Walks the folder of notes: what is there, with a content hash where it may have changed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.api import Settings
from engine.notes.limits import Limits
from engine.notes.openfile import locate, open_note
from engine.notes.readers.registry import extension, format_of
from engine.notes.skip import NoteSkipped

_TEMPORARY_ENDINGS = ("~", ".swp", ".swo", ".swx", ".tmp", ".temp", ".part", ".crdownload", ".bak")
_TEMPORARY_STARTS = (".", "~$", "#", "~lock", "~syncthing~")
_HIDDEN_FLAG = 0x2
"""FILE_ATTRIBUTE_HIDDEN, on Windows."""
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Rules:
    """Which files of the folder are notes.

    Attributes:
        formats: endings in lower case with their dot.
        follow_links: whether symbolic links to files and folders are followed.
        limits: files larger than these allow are seen, but not hashed.
    """

    formats: tuple[str, ...] = Settings().formats
    follow_links: bool = False
    limits: Limits = Limits()

    def accepts(self, path: str) -> bool:
        """Tell whether a path below the folder (forward slashes) is that of a note."""
        *folders, name = path.split("/")
        return not (
            any(map(is_hidden, folders)) or is_hidden(name) or extension(name) not in self.formats
        )


@dataclass(frozen=True)
class SeenFile:
    """A note's file as found.

    Attributes:
        path: relative to the folder, forward slashes; bytes that are no UTF-8 as surrogates.
        size: in bytes.
        mtime_ns: modification time in nanoseconds since the epoch.
        inode: the file system's number of the file; 0 where there is none.
        hash: SHA-256 of the content in hexadecimal; "" where it could not or need not be read.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int
    hash: str = ""


@dataclass(frozen=True)
class KnownFile:
    """A note's file as the ledger knows it; `inode` 0 is not known, `hash` "" never read.

    `in_folder` is False for one that had left the folder and whose memory was kept.
    """

    id: int
    path: str
    hash: str
    size: int
    mtime_ns: int
    inode: int = 0
    in_folder: bool = True


@dataclass(frozen=True)
class Scan:
    """What the folder holds.

    Attributes:
        files: the notes' files, by path.
        unseen: folders (relative, "/" at the end) that could not be listed: nothing is known about
            what they hold.
        device: the file system's number, to notice a disk that is no longer mounted.
    """

    files: tuple[SeenFile, ...]
    unseen: tuple[str, ...]
    device: int


@dataclass(frozen=True)
class Vanished:
    """The folder itself is not there (or not the one it was); says nothing about any note.

    Attributes:
        reason: a sentence for a person.
    """

    reason: str


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder name is hidden, or an editor's or a download's temporary."""
    return name.startswith(_TEMPORARY_STARTS) or name.endswith(_TEMPORARY_ENDINGS)


def scan(
    root: Path,
    known: Iterable[KnownFile] = (),
    rules: Rules | None = None,
    device: int | None = None,
) -> Scan | Vanished:
    """Look at the whole folder. Reads file contents only where size, time or inode changed.

    Args:
        root: the folder of notes; may itself be a link.
        known: what the ledger knows.
        rules: which files are notes.
        device: `Scan.device` of an earlier scan, if there was one.
    """
    rules = rules or Rules()
    before = {file.path: file for file in known}
    try:
        found = os.stat(root)
        if not stat.S_ISDIR(found.st_mode):
            return Vanished("The folder of notes is no longer a folder.")
        unseen: list[str] = []
        files = sorted(_walk(root, rules, unseen), key=lambda file: file.path)
    except _RootFailed as failed:
        return Vanished(_why(failed.error))
    except OSError as error:
        return Vanished(_why(error))
    moved = device is not None and device != found.st_dev
    if not files and moved and any(file.in_folder for file in before.values()):
        return Vanished("The folder of notes is empty, as if its disk were not connected.")
    hashed = tuple(_with_hash(root, file, before.get(file.path), rules) for file in files)
    return Scan(hashed, tuple(sorted(unseen)), found.st_dev)


def look(root: Path, path: str, rules: Rules) -> SeenFile | None:
    """Return the state of one file, without its hash; None if it is not there or is no note."""
    if not rules.accepts(path):
        return None
    try:
        full = locate(path, root, rules.follow_links)
        found = os.stat(full) if rules.follow_links else os.lstat(full)
    except (NoteSkipped, OSError, ValueError):
        return None
    return _seen(path, found) if stat.S_ISREG(found.st_mode) else None


def hash_file(full: Path, follow_links: bool = False) -> str:
    """Return the SHA-256 of a file's content in hexadecimal, "" if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open_note(full, follow_links) as (file, _):
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except (NoteSkipped, OSError):
        return ""
    return digest.hexdigest()


class _RootFailed(Exception):
    """The folder itself could not be listed to its end."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


def _why(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "The folder of notes may not be opened: permission was denied."
    return "The folder of notes is not there."


def _walk(root: Path, rules: Rules, unseen: list[str]) -> Iterator[SeenFile]:
    """Yield the notes' files below `root`; folders that cannot be listed go into `unseen`."""
    waiting = [""]
    linked: list[str] = []  # last, so that a folder in two places is seen in its own
    visited: set[tuple[int, int]] = set()
    while waiting or linked:
        if not waiting:
            linked.sort(reverse=True)
        folder = waiting.pop() if waiting else linked.pop()
        try:
            if rules.follow_links and _was_visited(root / folder, visited):
                continue
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    yield from _entry(entry, folder, rules, waiting, linked)
        except OSError as error:
            if not folder:
                raise _RootFailed(error) from error
            if error.errno != errno.ENOENT:  # deleted since its parent was listed
                unseen.append(folder)


def _was_visited(folder: Path, visited: set[tuple[int, int]]) -> bool:
    found = os.stat(folder)
    place = (found.st_dev, found.st_ino)
    if place in visited:
        return True
    visited.add(place)
    return False


def _entry(
    entry: os.DirEntry[str], folder: str, rules: Rules, waiting: list[str], linked: list[str]
) -> Iterator[SeenFile]:
    """Yield the entry if it is a note's file; a folder goes into `waiting` or `linked`."""
    if is_hidden(entry.name):
        return
    path = folder + entry.name
    try:
        if entry.is_dir(follow_symlinks=rules.follow_links):
            is_link = entry.is_symlink() or _is_junction(entry)
            if rules.follow_links or not is_link:
                (linked if is_link else waiting).append(path + "/")
            return
        if extension(entry.name) not in rules.formats:
            return
        # On Windows an entry's own status has no inode and may be stale.
        found = os.stat(entry.path, follow_symlinks=rules.follow_links)
    except OSError:
        return  # deleted since, or a link that leads nowhere or in a circle
    hidden = getattr(found, "st_file_attributes", 0) & _HIDDEN_FLAG
    if stat.S_ISREG(found.st_mode) and not hidden:
        yield _seen(path, found)


def _is_junction(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is one of Windows' other links (known to Python since 3.12)."""
    return bool(getattr(entry, "is_junction", lambda: False)())


def _seen(path: str, found: os.stat_result) -> SeenFile:
    return SeenFile(path, found.st_size, found.st_mtime_ns, found.st_ino)


def _with_hash(root: Path, file: SeenFile, known: KnownFile | None, rules: Rules) -> SeenFile:
    """Take the hash over from the ledger where nothing changed, else compute it."""
    if known is not None and known.hash:
        same = (known.size, known.mtime_ns) == (file.size, file.mtime_ns)
        if same and known.inode in (0, file.inode):
            return replace(file, hash=known.hash)
    found = format_of(file.path)
    is_text = found is not None and found.is_text
    most = rules.limits.text_bytes if is_text else rules.limits.binary_bytes
    if file.size > most:
        return file
    return replace(file, hash=hash_file(root / file.path, rules.follow_links))
