"""Putting another slot file in force: a commit, a restore, an undo.

All three are: the new slot file, durable under its own name; then one transaction that changes the
ledger's rows and names that file; then the old file goes. Killed anywhere, the memory is the old
one or the new one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.api import Snapshot, SnapshotKind, WrongBaseModel
from engine.store import thinning
from engine.store.atomic import Point
from engine.store.bundle import SLOT
from engine.store.errors import NothingToUndo, SnapshotCorrupt, storage_errors
from engine.store.opening import Parts
from engine.store.records import Changes, Committed, LedgerState, NoteRow
from engine.store.snapshots import name_by_time


@dataclass(frozen=True)
class _Undo:
    """The newest undoable step: its record's id, and the notes as they were just after it."""

    token: str
    after: dict[int, NoteRow]


@dataclass(frozen=True)
class _New:
    """A slot file that is durable and not yet in force; no hash stands for no slot."""

    generation: int
    sha256: str = ""
    size: int = 0


class Commits:
    """Changes what is in force, and keeps what the newest undoable step replaced."""

    def __init__(self, parts: Parts, clock: Callable[[], float]) -> None:
        self._parts = parts
        self._clock = clock
        self._undo: _Undo | None = None

    @property
    def undoable(self) -> str:
        """The token of the newest undoable step, or ""."""
        return self._undo.token if self._undo else ""

    def commit(
        self,
        write_slot: Callable[[Path], None],
        changes: Changes,
        undoable: bool,
        expected_size: int,
    ) -> Committed:
        """Put a new slot file and the ledger's changes in force."""
        parts = self._parts
        with storage_errors("write its memory"):
            parts.files.reached(Point.COMMIT_BEGUN)
            row = parts.ledger.memory
            generation = parts.slots.next_generation(row.generation)
            room = max(expected_size, row.slot_size)
            new = _New(generation, *parts.slots.write(generation, write_slot, room))
            token = self._put_in_force(new, lambda: parts.ledger.apply(changes), undoable)
            return Committed(parts.slot, token)

    def restore(self, identity: str, *, undoable: bool = True) -> Committed:
        """Put a snapshot in force, after taking one of the present."""
        parts = self._parts
        with storage_errors("restore the snapshot"):
            manifest, state = parts.snapshots.read(identity)
            if manifest.base_model != parts.base_model:
                raise WrongBaseModel(
                    f'This snapshot was written with the base model "{manifest.base_model}", but '
                    f'this Engram has "{parts.base_model}". It cannot be restored here.'
                )
            parts.files.reached(Point.RESTORE_CHECKED)
            name = f"Before going back to {manifest.name}"
            before = self.keep(name, SnapshotKind.BEFORE_RESTORE) if parts.slot else None
            parts.files.reached(Point.RESTORE_PRESENT_KEPT)
            try:
                source = parts.snapshots.folder(identity) / SLOT
                new = self._bring_back(source, manifest.slot_sha256, own_bytes=True)
                token = self._replace_state(new, state, undoable)
            except BaseException:
                if before is not None:
                    with contextlib.suppress(OSError):
                        parts.snapshots.delete(before.id)
                raise
            return Committed(parts.slot, token, before)

    def undo(self, token: str) -> Committed:
        """Put what the newest undoable step replaced in force again."""
        parts, undo = self._parts, self._undo
        if undo is None or token != undo.token:
            raise NothingToUndo("This can no longer be taken back.")
        with storage_errors("take the step back"):
            try:
                manifest, state = parts.undo.read(token)
            except SnapshotCorrupt as error:
                self._undo = None
                raise NothingToUndo(
                    "This cannot be taken back: what was kept of it is damaged."
                ) from error
            parts.files.reached(Point.UNDO_CHECKED)
            if manifest.slot_sha256:
                source = parts.undo.folder(token) / SLOT
                new = self._bring_back(source, manifest.slot_sha256, own_bytes=False)
            else:
                new = _New(parts.slots.next_generation(parts.ledger.memory.generation))
            lost = tuple(note for note in parts.ledger.notes() if _is_since(undo, note))
            self._replace_state(new, state, undoable=False, base_model=manifest.base_model)
            with contextlib.suppress(OSError):
                self.discard_undo()
            parts.files.reached(Point.UNDO_DONE)
            return Committed(parts.slot, lost=lost)

    def discard_undo(self) -> None:
        """Drop the undo record."""
        undo, self._undo = self._undo, None
        if undo is not None and undo.token in self._parts.undo.ids():
            self._parts.undo.delete(undo.token)

    def keep(self, name: str, kind: SnapshotKind) -> Snapshot:
        """Take a snapshot of the present."""
        parts = self._parts
        state = parts.ledger.state(jobs=False)
        manifest = parts.snapshots.keep(state, parts.slot, name, kind, self._clock())
        return manifest.as_snapshot()

    def keep_automatic(self) -> Snapshot | None:
        """Take an automatic snapshot if one is due and memory has changed; then thin out."""
        parts, now = self._parts, self._clock()
        manifests = parts.snapshots.manifests()
        existing = [each.as_snapshot() for each in manifests]
        slot, taken = parts.slot, None
        known = slot is None or any(each.slot_sha256 == slot.sha256 for each in manifests)
        if not known and thinning.is_due(existing, now):
            taken = self.keep(name_by_time(now), SnapshotKind.AUTOMATIC)
            existing.append(taken)
        for identity in thinning.superfluous(existing, now):
            parts.snapshots.delete(identity)
        return taken

    def _bring_back(self, source: Path, sha256: str, *, own_bytes: bool) -> _New:
        slots = self._parts.slots
        generation = slots.next_generation(self._parts.ledger.memory.generation)
        new = _New(generation, *slots.bring_back(generation, source, own_bytes=own_bytes))
        if new.sha256 != sha256:
            slots.remove(self._parts.home.slot(generation))
            raise SnapshotCorrupt("The kept slot file came off the disk damaged.")
        return new

    def _replace_state(
        self, new: _New, state: LedgerState, undoable: bool, base_model: str | None = None
    ) -> str:
        ledger = self._parts.ledger
        return self._put_in_force(new, lambda: ledger.replace_state(state), undoable, base_model)

    def _put_in_force(
        self,
        new: _New,
        change_rows: Callable[[], None],
        undoable: bool,
        base_model: str | None = None,
    ) -> str:
        """Make the one transaction; afterwards the old file may go.

        Returns:
            The undo token, "" if not `undoable`.
        """
        parts = self._parts
        token = ""
        try:
            if undoable:
                token = self._keep_for_undo()
            with parts.ledger.transaction():
                change_rows()
                parts.ledger.set_memory(
                    replace(
                        parts.ledger.memory,
                        generation=new.generation,
                        slot_sha256=new.sha256,
                        slot_size=new.size,
                        base_model=parts.base_model if base_model is None else base_model,
                    )
                )
                parts.files.reached(Point.COMMIT_IN_TRANSACTION)
        except BaseException:
            self._withdraw(new, token)
            raise
        parts.files.reached(Point.COMMIT_DONE)
        # The commit is durable: what cannot be tidied up now is swept at the next opening.
        with contextlib.suppress(OSError):
            if undoable:
                self.discard_undo()
        if undoable:
            self._undo = _Undo(token, {note.id: note for note in parts.ledger.notes()})
        with contextlib.suppress(OSError):
            if self._log_is_empty():
                parts.slots.sweep(new.generation if new.sha256 else None)
        parts.files.reached(Point.COMMIT_SWEPT)
        return token

    def _keep_for_undo(self) -> str:
        parts = self._parts
        state = parts.ledger.state(jobs=True)
        kind = SnapshotKind.BEFORE_RESTORE
        manifest = parts.undo.keep(state, parts.slot, "", kind, self._clock())
        parts.files.reached(Point.RESTORE_UNDO_KEPT)
        return manifest.id

    def _withdraw(self, new: _New, token: str) -> None:
        """Remove what a commit that failed has made.

        A transaction that failed while becoming durable may still be in SQLite's log, naming the
        new slot file. So that file goes only once the log is known to be empty; otherwise it
        stays until the next commit or opening, which knows which of the two is in force.
        """
        with contextlib.suppress(OSError):
            if token:
                self._parts.undo.delete(token)
        if new.sha256 and self._log_is_empty():
            self._parts.slots.remove(self._parts.home.slot(new.generation))

    def _log_is_empty(self) -> bool:
        try:
            return self._parts.ledger.checkpoint()
        except sqlite3.Error:
            return False


def _is_since(undo: _Undo, note: NoteRow) -> bool:
    """Was this note written, edited or added since the undoable step?"""
    after = undo.after.get(note.id)
    if after is None:
        return True
    was = (after.content_hash, after.written_hash, after.written_at)
    return was != (note.content_hash, note.written_hash, note.written_at)
