"""The folder of snapshots, and that of the undo record, which is one too."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from pathlib import Path

from engine.api import MemoryCorrupt, Snapshot, SnapshotKind
from engine.store import bundle
from engine.store.atomic import TEMPORARY, Files, Point, remove_quietly, set_aside
from engine.store.bundle import Manifest
from engine.store.errors import MemoryTooNew, NoSuchSnapshot, SnapshotCorrupt
from engine.store.records import LedgerState, SlotFile


def name_by_time(now: float) -> str:
    """The name of a snapshot that nobody named, in the local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(now))


class Snapshots:
    """Makes, lists, reads and removes the bundles of one folder.

    Attributes:
        notices: sentences for a person about bundles that were set aside.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        self._folder = folder
        self._files = files
        self.notices: list[str] = []

    def new_id(self, now: float) -> str:
        """An id that is not in use: the time in UTC and some chance."""
        while True:
            stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
            identity = f"{stamp}-{secrets.token_hex(3)}"
            if not (self._folder / identity).exists():
                return identity

    def keep(
        self,
        state: LedgerState,
        slot: SlotFile | None,
        name: str,
        kind: SnapshotKind,
        now: float,
    ) -> Manifest:
        """Make a bundle of this state. One that a person asks for has a slot file of its own.

        Raises:
            DiskFull, OSError, SnapshotCorrupt: nothing is left of it.
        """
        identity = self.new_id(now)
        manifest, ledger = bundle.describe(identity, name, kind, now, state, slot)
        own = kind is SnapshotKind.MANUAL
        path = slot.path if slot else None
        bundle.write(self._files, self._folder, manifest, ledger, path, own)
        return manifest

    def manifests(self) -> list[Manifest]:
        """The manifests of all bundles, newest first.

        A damaged bundle is set aside; one that a newer Engram wrote is left alone.
        """
        found: list[Manifest] = []
        for identity in self.ids():
            try:
                found.append(bundle.read_manifest(self._folder / identity))
            except SnapshotCorrupt:
                self._set_aside(identity)
            except MemoryTooNew as error:
                self._notice(str(error))
        return sorted(found, key=lambda each: (each.taken_at, each.id), reverse=True)

    def ids(self) -> list[str]:
        """The ids of all bundles, whole or not."""
        if not self._folder.is_dir():
            return []
        names = (path.name for path in self._folder.iterdir())
        return sorted(name for name in names if bundle.is_id(name))

    def manifest(self, identity: str) -> Manifest:
        """One bundle's manifest.

        Raises:
            NoSuchSnapshot, SnapshotCorrupt, MemoryTooNew: as the case may be.
        """
        folder = self.folder(identity)
        try:
            return bundle.read_manifest(folder)
        except SnapshotCorrupt:
            self._set_aside(identity)
            raise

    def read(self, identity: str) -> tuple[Manifest, LedgerState]:
        """One bundle, every byte of it checked.

        Raises:
            SnapshotCorrupt: it is damaged and has been set aside.
            NoSuchSnapshot, MemoryTooNew: as the case may be.
        """
        folder = self.folder(identity)
        try:
            return bundle.read_checked(folder)
        except SnapshotCorrupt:
            self._set_aside(identity)
            raise

    def newest_good(self, base_model: str) -> str:
        """The id of the newest snapshot of this model that is intact to the last byte, or ""."""
        for manifest in self.manifests():
            if manifest.slot_sha256 and manifest.base_model == base_model:
                try:
                    self.read(manifest.id)
                except MemoryCorrupt:
                    continue
                return manifest.id
        return ""

    def rename(self, identity: str, name: str) -> Snapshot:
        """Give a bundle another name."""
        manifest = replace(self.manifest(identity), name=name[: bundle.MAX_NAME])
        bundle.rewrite_manifest(self._files, self.folder(identity), manifest)
        return manifest.as_snapshot()

    def delete(self, identity: str) -> None:
        """Remove a bundle: first from sight, in one step, then from the disk."""
        gone = self._folder / (TEMPORARY + "gone-" + identity)
        self._files.replace(self.folder(identity), gone)
        self._files.sync_folder(self._folder)
        self._files.reached(Point.DELETE_MOVED)
        remove_quietly(self._files, gone)
        self._files.reached(Point.DELETE_DONE)

    def folder(self, identity: str) -> Path:
        """The folder of a bundle that is there. Raises: NoSuchSnapshot."""
        if not bundle.is_id(identity) or not (self._folder / identity).is_dir():
            raise NoSuchSnapshot("There is no such snapshot.")
        return self._folder / identity

    def _set_aside(self, identity: str) -> None:
        bad = set_aside(self._files, self._folder / identity)
        self._notice(f"The snapshot {identity} is damaged and was set aside as {bad.name}.")

    def _notice(self, sentence: str) -> None:
        if sentence not in self.notices:
            self.notices.append(sentence)
