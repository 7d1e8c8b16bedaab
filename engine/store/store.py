"""The store: everything of a memory that is on disk, behind one object."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from engine.api import (
    Comparison,
    InputError,
    NoMemoryYet,
    Snapshot,
    SnapshotKind,
)
from engine.store import bundle, transfer
from engine.store.atomic import Files
from engine.store.commits import Commits
from engine.store.compare import compare
from engine.store.errors import NoSuchNote, storage_errors
from engine.store.home import Home
from engine.store.lock import MemoryLock
from engine.store.opening import Parts, open_parts, recover_parts
from engine.store.records import Changes, Committed, Job, JobKind, NoteRow, SlotFile
from engine.store.settings import SettingsFile
from engine.store.snapshots import name_by_time
from engine.store.tensors import SlotSpec

Clock = Callable[[], float]
"""Seconds since the epoch."""


class Store:
    """One open memory. Used by one thread, the engine's; held by one process at a time.

    Every method may raise `StorageFailed` or `DiskFull`; what was there before is then unchanged.

    Attributes:
        home: the paths of this memory.
        settings: its settings file (`SettingsFile.load`, `.save`).
    """

    def __init__(self, parts: Parts, lock: MemoryLock, clock: Clock) -> None:
        """For `open` and `recover`, which are the ways in."""
        self._parts = parts
        self._ledger = parts.ledger
        self._lock = lock
        self._clock = clock
        self._commits = Commits(parts, clock)
        self.home = parts.home
        self.settings = SettingsFile(parts.home.settings, parts.files)

    @classmethod
    def open(
        cls,
        root: Path,
        base_model: str,
        *,
        accept_other_model: bool = False,
        files: Files | None = None,
        clock: Clock = time.time,
    ) -> Store:
        """Open the memory in the home folder `root`; a new one is made where there is none.

        Takes the lock, checks the ledger and the slot file's SHA-256, sweeps what unfinished steps
        left, and queues again the jobs (and notes) that were in work when the process died.

        Args:
            base_model: id of base model and tokenizer, with a name that a person can tell apart.
            accept_other_model: open although the slot was written with another base model; for
                `Rebuild` only: `slot` then is of that other model, which its `base_model` tells.

        Raises:
            MemoryLocked: another process has it open.
            MemoryDamaged: a file fails its checks; it was set aside, `recover` can go on.
            WrongBaseModel: the slot was written with another base model; names both.
            MemoryTooNew: a newer Engram wrote it.
        """
        files, home = files or Files(), Home(root)
        return cls._locked(
            home, files, clock, lambda: open_parts(home, files, base_model, accept_other_model)
        )

    @classmethod
    def recover(
        cls,
        root: Path,
        base_model: str,
        snapshot: str,
        *,
        files: Files | None = None,
        clock: Clock = time.time,
    ) -> Store:
        """Open a memory that `open` refused with `MemoryDamaged`, going back to a snapshot.

        Whatever of the damaged memory is left is kept as `.bad` files. A memory that is not damaged
        is opened as it is, and the snapshot restored in the ordinary way.

        Args:
            snapshot: id of an intact snapshot; "" begins with an empty memory, in which an intact
                ledger's notes wait to be written again.

        Raises:
            SnapshotCorrupt, NoSuchSnapshot, WrongBaseModel: nothing was changed.
        """
        files, home = files or Files(), Home(root)
        store = cls._locked(
            home, files, clock, lambda: recover_parts(home, files, base_model, snapshot)
        )
        if snapshot:
            try:
                store._commits.restore(snapshot, undoable=False)
            except BaseException:
                store.close()
                raise
        return store

    @classmethod
    def _locked(
        cls, home: Home, files: Files, clock: Clock, open_them: Callable[[], Parts]
    ) -> Store:
        with storage_errors("open its memory"):
            files.make_folder(home.root)
            lock = MemoryLock(home.lock)
            lock.acquire()
            try:
                return cls(open_them(), lock, clock)
            except BaseException:
                lock.release()
                raise

    def close(self) -> None:
        """Drop the undo record, close the ledger and give the lock back. Twice does no harm."""
        try:
            with contextlib.suppress(OSError):
                self.discard_undo()
            with storage_errors("close its ledger"):
                self._ledger.close()
        finally:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences for a person about snapshots that were found damaged and set aside."""
        return tuple(self._parts.snapshots.notices)

    # --- slot and notes --------------------------------------------------------------------------

    @property
    def slot(self) -> SlotFile | None:
        """The slot file in force; None before the first write. Load it from its `path`."""
        with storage_errors("read its ledger"):
            return self._parts.slot

    def commit(
        self,
        write_slot: Callable[[Path], None],
        changes: Changes,
        *,
        undoable: bool = False,
        expected_size: int = 0,
    ) -> Committed:
        """Put a new slot file and the ledger's changes in force, both or neither.

        Args:
            write_slot: writes the whole slot to the path it is given (`save_file`), in a folder of
                its own; what else it leaves there is removed.
            undoable: keep what this replaces, so that `undo` can bring it back byte for byte.
            expected_size: bytes of the new slot where it is larger than the present one.

        Raises:
            DiskFull, StorageFailed, PathTaken, NoSuchNote: memory is as it was before. What
                `write_slot` raises of its own comes through.
        """
        return self._commits.commit(write_slot, changes, undoable, expected_size)

    def update(self, changes: Changes) -> None:
        """Change the ledger alone, in one transaction.

        Raises:
            PathTaken, NoSuchNote: nothing was changed.
        """
        with self._changing():
            self._ledger.apply(changes)

    def notes(self) -> tuple[NoteRow, ...]:
        """All notes, by id."""
        with storage_errors("read its ledger"):
            return self._ledger.notes()

    def note(self, note_id: int) -> NoteRow:
        """One note. Raises: NoSuchNote."""
        with storage_errors("read its ledger"):
            return self._ledger.note(note_id)

    def find(self, path: str) -> NoteRow | None:
        """The note of this path."""
        with storage_errors("read its ledger"):
            return self._ledger.find(path)

    def add_notes(self, notes: tuple[NoteRow, ...]) -> tuple[NoteRow, ...]:
        """Add notes, in one transaction; their ids (0 in what is given) are set here, for good.

        Raises:
            PathTaken: nothing was added.
        """
        with self._changing():
            return self._ledger.add_notes(notes)

    def rename_note(self, note_id: int, path: str) -> NoteRow:
        """Give a note another path; it keeps its id and its memory. Raises: PathTaken, NoSuchNote.

        Several at once, also swapped ones, go through `update`.
        """
        with self._changing():
            renamed = replace(self._ledger.note(note_id), path=path)
            self._ledger.apply(Changes(notes=(renamed,)))
            return renamed

    # --- queue -----------------------------------------------------------------------------------

    def queue(
        self, kind: JobKind, note_ids: tuple[int, ...], priority: int = 0, reason: str = ""
    ) -> tuple[Job, ...]:
        """Queue a job for each of these notes, in one transaction.

        One of this kind for the same note that waits already is kept, at the higher priority; one
        that runs does not count. Raises: NoSuchNote.
        """
        with self._changing():
            for note_id in note_ids:
                if not self._ledger.has_note(note_id):
                    raise NoSuchNote("This note is no longer known.")
            add = self._ledger.queue.add
            return tuple(add(kind, note_id, priority, reason) for note_id in note_ids)

    def next_job(self) -> Job | None:
        """Begin the next job: it is running from now on, until finished or put back."""
        with self._changing():
            return self._ledger.queue.begin_next()

    def put_back(self, job_id: int, reason: str = "", priority: int = 0) -> None:
        """Queue a running job again, behind those that wait with the same priority."""
        with self._changing():
            self._ledger.queue.put_back(job_id, reason, priority)

    def drop_jobs(self, note_id: int) -> None:
        """Take the waiting jobs of a note out of the queue."""
        with self._changing():
            self._ledger.queue.forget_note(note_id, running=False)

    def jobs(self) -> tuple[Job, ...]:
        """Running jobs first, then the waiting ones in the order in which they will be begun."""
        with storage_errors("read its ledger"):
            return self._ledger.queue.jobs()

    def queue_length(self) -> int:
        """How many jobs wait or run."""
        with storage_errors("read its ledger"):
            return self._ledger.queue.length()

    def get_meta(self, key: str) -> str:
        """A fact the engine keeps across restarts, "" where there is none."""
        with storage_errors("read its ledger"):
            return self._ledger.get_meta(key)

    def set_meta(self, key: str, value: str) -> None:
        """Keep such a fact. It belongs to this home, not to snapshots; never note text."""
        with self._changing():
            self._ledger.set_meta(key, value)

    # --- snapshots -------------------------------------------------------------------------------

    def snapshots(self) -> tuple[Snapshot, ...]:
        """All snapshots, newest first. A damaged one is set aside, with a notice."""
        with storage_errors("list the snapshots"):
            return tuple(each.as_snapshot() for each in self._parts.snapshots.manifests())

    def take_snapshot(self, name: str = "", kind: SnapshotKind = SnapshotKind.MANUAL) -> Snapshot:
        """Keep slot and notes as they are now. "" is named by the time.

        Raises:
            NoMemoryYet: nothing was remembered yet.
        """
        with storage_errors("take a snapshot"):
            if self._parts.slot is None:
                raise NoMemoryYet("Nothing has been remembered yet.")
            name = name.strip() or name_by_time(self._clock())
            return self._commits.keep(name, kind)

    def take_automatic_snapshot(self) -> Snapshot | None:
        """Take one if the last is an hour old and memory has changed; then thin out old ones."""
        with storage_errors("take a snapshot"):
            return self._commits.keep_automatic()

    def rename_snapshot(self, snapshot: str, name: str) -> Snapshot:
        """Give it another name. Raises: NoSuchSnapshot, InputError for an empty name."""
        if not name.strip():
            raise InputError("A snapshot needs a name.")
        with storage_errors("rename the snapshot"):
            return self._parts.snapshots.rename(snapshot, name.strip())

    def delete_snapshot(self, snapshot: str) -> None:
        """Remove it for good. Raises: NoSuchSnapshot."""
        with storage_errors("delete the snapshot"):
            self._parts.snapshots.delete(snapshot)

    def restore_snapshot(self, snapshot: str) -> Committed:
        """Go back to a snapshot; one of the present is taken first, and `undo` takes it back.

        The queue is emptied: a scan finds what is to be written.

        Raises:
            SnapshotCorrupt, WrongBaseModel, NoSuchSnapshot: memory is as it was before.
        """
        return self._commits.restore(snapshot)

    def snapshot_slot(self, snapshot: str) -> Path:
        """A snapshot's slot file, checked, for reading. Raises: SnapshotCorrupt, NoSuchSnapshot."""
        with storage_errors("read the snapshot"):
            self._parts.snapshots.read(snapshot)
            return self._parts.snapshots.folder(snapshot) / bundle.SLOT

    def compare(self, first: str, second: str = "") -> Comparison:
        """What differs between two snapshots, by their ledgers; "" is the present.

        Raises:
            SnapshotCorrupt, NoSuchSnapshot: as the case may be.
        """
        with storage_errors("compare the snapshots"):
            notes = [
                self._parts.snapshots.read(each)[1].notes if each else self._ledger.notes()
                for each in (first, second)
            ]
            return compare(first, second, notes[0], notes[1])

    def export_snapshot(self, snapshot: str, file: Path) -> None:
        """Write a snapshot ("" for the present) to one file, over what may be there.

        Raises:
            NoMemoryYet, NoSuchSnapshot, SnapshotCorrupt: no file was written.
            InputError: the file would lie inside the home folder, or in no folder.
        """
        with storage_errors(f"write {file.name!r}"):
            transfer.export_snapshot(self._parts, snapshot, file, self._clock())

    def import_snapshot(self, file: Path, spec: SlotSpec) -> Snapshot:
        """Check an exported file and add it to the snapshots. Nothing is restored.

        Raises:
            BadArchive: it is not an intact export, or its tensors are not this model's.
            WrongBaseModel: it was written with another base model; names both.
            MemoryTooNew: a newer Engram wrote it.
        """
        with storage_errors("import the file"):
            return transfer.import_snapshot(self._parts, file, spec, self._clock())

    # --- undo ------------------------------------------------------------------------------------

    @property
    def undoable(self) -> str:
        """The token that `undo` would take now, "" for none. Does not outlive the process."""
        return self._commits.undoable

    def undo(self, token: str) -> Committed:
        """Put exactly the slot file and the ledger rows before that step in force again.

        Raises:
            NothingToUndo: the token is not the newest one's, or what was kept is damaged.
        """
        return self._commits.undo(token)

    def discard_undo(self) -> None:
        """Drop the undo record, and with it the last trace of what was forgotten."""
        with storage_errors("drop what was kept for undo"):
            self._commits.discard_undo()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with storage_errors("write its ledger"), self._ledger.transaction():
            yield
