"""Watches the folder of notes. An event is only a hint that a path may have changed.

Events get lost, doubled and reordered, on every platform; nothing is concluded from them but that
it is time to look (see `folder`).
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

POLL_SECONDS = 10.0
"""How often a folder without events (on a network) is listed."""

_NETWORK = frozenset(
    "9p afs afpfs ceph cifs davfs drvfs fuse.davfs fuse.gvfsd-fuse fuse.rclone fuse.sshfs"
    " glusterfs lustre ncpfs nfs nfs4 prl_fs smb2 smb3 smbfs vboxsf virtiofs vmhgfs webdav".split()
)
_NO_MORE_WATCHES = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_QUIET = frozenset({"opened", "closed_no_write"})
_REMOTE_DRIVE = 4

_log = logging.getLogger(__name__)


class FolderWatcher:
    """Calls `on_dirty` with each path that may have changed, from a thread of its own.

    Args:
        root: the folder.
        on_dirty: gets paths relative to the folder with forward slashes; "" for "anything".
            Must be quick and must not raise.
        network: whether the folder must be polled; found out if not given.
        observer: makes the observer for events (tests put in their own).
    """

    def __init__(
        self,
        root: Path,
        on_dirty: Callable[[str], None],
        network: bool | None = None,
        observer: Callable[[], BaseObserver] = Observer,
    ) -> None:
        self._root = root
        self._on_dirty = on_dirty
        self._polls = is_network_folder(root) if network is None else network
        self._make_observer = observer
        self._observer: BaseObserver | None = None

    @property
    def polls(self) -> bool:
        """Whether the folder is listed every `POLL_SECONDS` instead of sending events."""
        return self._polls

    @property
    def is_working(self) -> bool:
        """Whether events still come in; if not, start a new watcher (the folder may be back)."""
        observer = self._observer
        if observer is None or not observer.is_alive():
            return False
        return all(emitter.is_alive() for emitter in observer.emitters)

    def start(self) -> None:
        """Begin to watch.

        Raises:
            OSError: the folder is not there.
        """
        if not self._polls:
            try:
                self._observer = self._started(self._make_observer())
                return
            except OSError as error:
                if error.errno not in _NO_MORE_WATCHES:
                    raise
                _log.warning("no more folder watches to be had, polling instead")
                self._polls = True
        self._observer = self._started(PollingObserver(timeout=POLL_SECONDS))

    def _started(self, observer: BaseObserver) -> BaseObserver:
        handler = _Handler(self._root, self._on_dirty)
        observer.schedule(handler, os.fspath(self._root), recursive=True)
        try:
            observer.start()
        except OSError:
            observer.unschedule_all()
            raise
        return observer

    def stop(self) -> None:
        """End watching and wait until no more calls come. Harmless if not started."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join()


class _Handler(FileSystemEventHandler):
    def __init__(self, root: Path, on_dirty: Callable[[str], None]) -> None:
        self._root = os.fspath(root)
        self._on_dirty = on_dirty

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Pass on which paths an event is about."""
        if event.event_type in _QUIET:
            return
        if event.is_directory:
            if event.event_type != "modified":  # its files' own events tell more
                self._on_dirty("")
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self._on_dirty(relative_path(self._root, os.fsdecode(path)))


def relative_path(root: str, path: str) -> str:
    """Return `path` relative to `root` with forward slashes, "" if it does not lie below."""
    try:
        below = os.path.relpath(path, root)
    except ValueError:  # another drive
        return ""
    below = below.replace(os.sep, "/")
    return "" if below == "." or below.split("/", 1)[0] == ".." else below


def is_network_folder(root: Path) -> bool:
    """Tell whether a folder lies on a file system that sends no events for others' changes."""
    full = os.path.realpath(root)
    if os.name == "nt":
        return full.startswith("\\\\") or _is_remote_drive(full)
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return file_system_of(full, file.read()) in _NETWORK
    except OSError:  # not Linux: FSEvents also serves network folders, and scans do the rest
        return False


def file_system_of(path: str, mountinfo: str) -> str:
    """Return the type of the file system that holds `path`, by Linux's table of mounts."""
    best, kind = "", ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        parts = left.split(" ")
        if len(parts) < 5 or not right:
            continue
        point = parts[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        below = path == point or path.startswith(point.rstrip("/") + "/")
        if below and len(point) >= len(best):  # the last mount on a point is on top
            best, kind = point, right.split(" ", 1)[0]
    return kind


def _is_remote_drive(path: str) -> bool:
    if sys.platform != "win32":
        return False
    import ctypes

    drive = os.path.splitdrive(path)[0] + "\\"
    return bool(ctypes.windll.kernel32.GetDriveTypeW(drive) == _REMOTE_DRIVE)
