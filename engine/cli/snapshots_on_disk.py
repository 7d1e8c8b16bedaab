"""The snapshots of a memory that may itself not open."""

from __future__ import annotations

from pathlib import Path

from engine.api import Snapshot
from engine.store.atomic import Files
from engine.store.errors import storage_errors
from engine.store.home import Home
from engine.store.lock import MemoryLock
from engine.store.snapshots import Snapshots


def listed(root: Path) -> tuple[Snapshot, ...]:
    """All intact ones, newest first. Raises: MemoryLocked, StorageFailed."""
    home = Home(root)
    lock = MemoryLock(home.lock)
    with storage_errors("list the snapshots"):
        lock.acquire()
        try:
            manifests = Snapshots(home.snapshots, Files()).manifests()
        finally:
            lock.release()
    return tuple(manifest.as_snapshot() for manifest in manifests)
