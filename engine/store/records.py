"""The records that cross the store's border."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from engine.api import Note, NoteState, Snapshot


@dataclass(frozen=True)
class NoteRow:
    """What the ledger knows of one note. `id` is stable over renames and edits; no note text.

    Change a row with `dataclasses.replace` and hand it to `Store.update` or `Store.commit`.
    """

    id: int
    path: str
    """Relative to the watched folder with forward slashes; absolute for a note from elsewhere.
    Any file name can be told, also one with surrogates from `os.fsdecode`."""
    state: NoteState = NoteState.WAITING
    in_folder: bool = True
    content_hash: str = ""
    """SHA-256 (hex) of the file as last seen; "" when not yet read."""
    size: int = 0
    mtime_ns: int = 0
    """Modification time of the file as last seen, 0 when unknown."""
    written_hash: str = ""
    """`content_hash` of what the slot holds now; "" when the slot holds nothing of the note."""
    written_at: float | None = None
    recall: float | None = None
    """Of what the slot holds; of the write that was refused, where `is_refused`."""
    median_p: float | None = None
    probes: str = ""
    """One "1" (right) or "0" (wrong) for each probe at the last verification, in their order."""
    cells: int = 0
    reason: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether the last write came out weak, so that the slot holds what it held before."""
        return self.state is NoteState.WEAK and self.written_hash != self.content_hash

    def in_force(self) -> NoteRow:
        """The row with the figures of what the slot holds, not those of a refused write."""
        if not self.is_refused:
            return self
        recall = self.probes.count("1") / len(self.probes) if self.probes else None
        return replace(self, recall=recall, median_p=None, reason="")

    def with_content(self, content_hash: str, size: int, mtime_ns: int) -> NoteRow:
        """The row of a file whose content is now this."""
        return replace(self, content_hash=content_hash, size=size, mtime_ns=mtime_ns)

    def as_waiting(self) -> NoteRow:
        """The note as it waits to be written; what the slot holds of it stays till then."""
        return replace(self.in_force(), state=NoteState.WAITING, reason="")

    def as_unwritten(self) -> NoteRow:
        """The note as of a memory that holds nothing of it; one forgotten or skipped stays so."""
        states = (NoteState.FORGOTTEN, NoteState.SKIPPED, NoteState.REMOVED)
        return replace(
            self,
            state=self.state if self.state in states else NoteState.WAITING,
            written_hash="",
            written_at=None,
            recall=None,
            median_p=None,
            probes="",
            cells=0,
            reason=self.reason if self.state in states else "",
        )

    def as_note(self) -> Note:
        """The note as the window and the command line show it."""
        return Note(
            id=self.id,
            path=self.path,
            state=self.state,
            recall=self.recall,
            median_p=self.median_p,
            written_at=self.written_at,
            changed_at=self.mtime_ns / 1e9 if self.mtime_ns else None,
            cells=self.cells,
            reason=self.reason,
            in_folder=self.in_folder,
        )


class JobKind(Enum):
    """What is to be done with a note."""

    WRITE = "write"
    FORGET = "forget"
    VERIFY = "verify"


@dataclass(frozen=True)
class Job:
    """One row of the queue. Higher priorities go first, equal ones in the order of their ids."""

    id: int
    kind: JobKind
    note_id: int
    priority: int = 0
    attempts: int = 0
    """How often it was begun, the present run included. A job that was running when the process
    died is queued again and keeps its count, so that one that kills the process can be given up."""
    reason: str = ""
    """Why it was put back, for a person; "" at first."""
    running: bool = False


@dataclass(frozen=True)
class Changes:
    """What one transaction changes in the ledger.

    Attributes:
        notes: whole rows that replace those of the same ids (which must exist). Paths may be
            swapped among them.
        remove: ids of notes that leave the ledger; their jobs go with them.
        finish: ids of jobs that are done. One that is gone already is passed over.
    """

    notes: tuple[NoteRow, ...] = ()
    remove: tuple[int, ...] = ()
    finish: tuple[int, ...] = ()


@dataclass(frozen=True)
class SlotFile:
    """The slot file that is in force. It never changes; a commit names another one."""

    path: Path
    generation: int
    sha256: str
    size: int
    base_model: str
    """Id of the base model and tokenizer it was written with."""


@dataclass(frozen=True)
class LedgerState:
    """The rows that a snapshot or an undo record keeps."""

    notes: tuple[NoteRow, ...]
    jobs: tuple[Job, ...] = ()


@dataclass(frozen=True)
class Committed:
    """What a commit, a restore or an undo did.

    Attributes:
        slot: the slot file now in force; None for an undo that went back to before the first write.
        undo: the token for `Store.undo`, "" where the step cannot be taken back.
        before: the snapshot of what was in force before a restore, where there was anything.
        lost: after an undo, the rows (as they were just before it) of notes that were written,
            edited or added since the undone step and now are not: the caller queues them again.
    """

    slot: SlotFile | None
    undo: str = ""
    before: Snapshot | None = None
    lost: tuple[NoteRow, ...] = ()
