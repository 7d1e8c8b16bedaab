"""The ledger: the SQLite file that knows which note was written when, and which slot is in force.

It holds no note text and no questions. The row of the table `memory` names the slot file in force;
the transaction that changes it is the one commit point of the whole memory.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from engine.api import NoteState
from engine.store import migrations
from engine.store.errors import LedgerCorrupt, NoSuchNote, PathTaken, StorageFailed
from engine.store.queue import Queue
from engine.store.records import Changes, LedgerState, NoteRow
from engine.store.rows import (
    JOB_COLUMNS,
    MAX_ID,
    NOTE_COLUMNS,
    from_blob,
    job_to_row,
    note_from_row,
    note_to_row,
    to_blob,
)
from engine.store.sealed import SealedTable

_PRAGMAS = (
    # The memory's own lock keeps other processes out; so the WAL needs no shared-memory file and
    # works on network disks as well.
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    # What is forgotten does not stay behind in free pages.
    "PRAGMA secure_delete = ON",
)
_WORK_STATES = (NoteState.READING, NoteState.WRITING)


@dataclass(frozen=True)
class MemoryRow:
    """The one row of the table `memory`.

    Attributes:
        generation: of the slot file in force; grows with every commit, never goes back.
        slot_sha256: "" before the first write.
        base_model: id of the model the slot was written with.
        next_note, next_job: ids that were never used.
    """

    generation: int = 0
    slot_sha256: str = ""
    slot_size: int = 0
    base_model: str = ""
    next_note: int = 1
    next_job: int = 1


class Ledger:
    """One open ledger. Methods that change it run inside `transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._memory = SealedTable(
            connection,
            "memory",
            ("id", "generation", "slot_sha256", "slot_size", "base_model", "next_note", "next_job"),
        )
        self._notes = SealedTable(connection, "notes", NOTE_COLUMNS)
        self._jobs = SealedTable(connection, "jobs", JOB_COLUMNS)
        self._meta = SealedTable(connection, "meta", ("key", "value"))
        self.queue = Queue(self._jobs, self._next_job_id)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        may_create: bool,
    ) -> Ledger:
        """Open the file at `path` and check all of it.

        Args:
            may_create: make a new ledger where there is none, or an empty file.

        Raises:
            LedgerCorrupt: it is missing, or fails SQLite's check or a seal.
            StorageFailed: it may not be written to.
            MemoryTooNew: it was written by a newer Engram.
            sqlite3.Error: as SQLite has it; a damaged file shows in many ways.
        """
        if not may_create and not path.exists():
            raise LedgerCorrupt("The ledger of this memory is missing.")
        connection = sqlite3.connect(path, isolation_level=None, timeout=0.0)
        try:
            ledger = cls(connection)
            ledger._prepare(path, may_create)
        except UnicodeDecodeError as error:  # damaged text in one of SQLite's own messages
            connection.close()
            raise LedgerCorrupt("The ledger of this memory is damaged.") from error
        except BaseException:
            connection.close()
            raise
        return ledger

    def _prepare(self, path: Path, may_create: bool) -> None:
        for pragma in _PRAGMAS:
            self._connection.execute(pragma)
        empty = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if empty and not may_create:
            raise LedgerCorrupt("The ledger of this memory is empty.")
        if self._connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise LedgerCorrupt("The ledger of this memory is damaged.")
        if self._connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            # A flipped byte in the header says so as well; that is damage, a permission is not.
            if not os.access(path, os.W_OK):
                raise StorageFailed("Engram may not write to the ledger of this memory.")
            raise LedgerCorrupt("The ledger of this memory is damaged.")
        migrations.migrate(self._connection)
        for table in (self._memory, self._notes, self._jobs, self._meta):
            table.check()
        if empty:
            with self.transaction():
                self.set_memory(MemoryRow())
        if len(self._memory.rows()) != 1:
            raise LedgerCorrupt("The ledger does not say which slot is in force.")

    def close(self) -> None:
        """Bring everything into the one file and close it."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside become durable together, or none of them."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def checkpoint(self) -> bool:
        """Bring what was committed from the write-ahead log into the ledger's own file.

        Returns:
            True if all of it is there now and the log is empty.
        """
        row = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return bool(row[0] == 0)

    @property
    def memory(self) -> MemoryRow:
        """Which slot is in force."""
        (row,) = self._memory.rows()
        _, generation, sha256, size, base_model, next_note, next_job = row
        return MemoryRow(generation, sha256, size, from_blob(base_model), next_note, next_job)

    def set_memory(self, row: MemoryRow) -> None:
        """Name another slot as the one in force."""
        slot = (row.generation, row.slot_sha256, row.slot_size, to_blob(row.base_model))
        self._memory.put((1, *slot, row.next_note, row.next_job))

    def notes(self) -> tuple[NoteRow, ...]:
        """All notes, by id."""
        return tuple(note_from_row(row) for row in self._notes.rows("ORDER BY id"))

    def note(self, note_id: int) -> NoteRow:
        """One note. Raises: NoSuchNote."""
        row = self._notes.get(note_id)
        if row is None:
            raise NoSuchNote("This note is no longer known.")
        return note_from_row(row)

    def has_note(self, note_id: int) -> bool:
        """Is there a note of this id?"""
        return self._notes.get(note_id) is not None

    def find(self, path: str) -> NoteRow | None:
        """The note of this path."""
        rows = self._notes.rows("WHERE path = ?", (to_blob(path),))
        return note_from_row(rows[0]) if rows else None

    def add_notes(self, notes: Sequence[NoteRow]) -> tuple[NoteRow, ...]:
        """Add notes; their ids are set here. Raises: PathTaken."""
        memory = self.memory
        end = memory.next_note + len(notes)
        if end > MAX_ID:
            raise ValueError("all note ids are used up")
        added = tuple(
            replace(note, id=number) for number, note in enumerate(notes, memory.next_note)
        )
        self._insert(added)
        self.set_memory(replace(memory, next_note=end))
        return added

    def apply(self, changes: Changes) -> None:
        """Make these changes. Raises: NoSuchNote, PathTaken."""
        for note in changes.notes:
            if not self.has_note(note.id):
                raise NoSuchNote("This note is no longer known.")
        # All old rows go before the new ones come, so that two notes can swap their paths.
        self._notes.drop([note.id for note in changes.notes])
        self._insert(changes.notes)
        self._notes.drop(changes.remove)
        for note_id in changes.remove:
            self.queue.forget_note(note_id)
        self._jobs.drop(changes.finish)

    def state(self, *, jobs: bool) -> LedgerState:
        """The rows as a snapshot keeps them; for an undo record with the queue."""
        notes = tuple(_at_rest(note) for note in self.notes())
        return LedgerState(notes, self.queue.jobs() if jobs else ())

    def replace_state(self, state: LedgerState) -> None:
        """Put these rows in the place of all notes and jobs. Ids in use later stay new ones."""
        self._notes.clear()
        self._insert(state.notes)
        self._jobs.clear()
        self._jobs.insert(job_to_row(replace(job, running=False)) for job in state.jobs)
        memory = self.memory
        next_note = max([memory.next_note, *(note.id + 1 for note in state.notes)])
        next_job = max([memory.next_job, *(job.id + 1 for job in state.jobs)])
        self.set_memory(replace(memory, next_note=next_note, next_job=next_job))

    def has_interrupted(self) -> bool:
        """Was anything in work when the process died?"""
        working = any(note.state in _WORK_STATES for note in self.notes())
        return working or any(job.running for job in self.queue.jobs())

    def requeue_interrupted(self) -> None:
        """Queue again what was in work when the process died."""
        self.queue.requeue_running()
        working = (note for note in self.notes() if note.state in _WORK_STATES)
        self.apply(Changes(notes=tuple(_at_rest(note) for note in working)))

    def get_meta(self, key: str) -> str:
        """A fact kept across restarts, "" where there is none."""
        row = self._meta.get(key)
        return from_blob(row[1]) if row is not None and isinstance(row[1], bytes) else ""

    def set_meta(self, key: str, value: str) -> None:
        """Keep a fact across restarts."""
        self._meta.put((key, to_blob(value)))

    def _insert(self, notes: Sequence[NoteRow]) -> None:
        rows = [note_to_row(note) for note in notes]
        try:
            self._notes.insert(rows)
        except sqlite3.IntegrityError as error:
            raise PathTaken("Another note already has this path.") from error

    def _next_job_id(self) -> int:
        memory = self.memory
        self.set_memory(replace(memory, next_job=memory.next_job + 1))
        return memory.next_job


def _at_rest(note: NoteRow) -> NoteRow:
    """The note as it is when nobody works on it."""
    return replace(note, state=NoteState.WAITING) if note.state in _WORK_STATES else note
