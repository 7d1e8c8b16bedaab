"""What a change of a note's file means for its row and the queue."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.api import NoteState, OnDelete, Settings
from engine.desk import Desk, state_at_rest
from engine.notes.reconcile import Change, ChangeKind
from engine.notes.scan import KnownFile, SeenFile
from engine.store.records import JobKind, NoteRow

NOT_READ = "Its file is still there, but is not read with the present settings."


@dataclass(frozen=True)
class Decision:
    """What becomes of a known note.

    Attributes:
        row: as it is from now on.
        drop: it leaves the ledger.
        forget: its cells are to be freed.
        settled: its waiting jobs have no purpose any more.
        disturbs: a write of it that runs now has lost its purpose.
    """

    row: NoteRow
    drop: bool = False
    forget: bool = False
    settled: bool = False
    disturbs: bool = False


def known_file(row: NoteRow) -> KnownFile:
    """A row as `reconcile` wants it."""
    return KnownFile(
        row.id, row.path, row.content_hash, row.size, row.mtime_ns, in_folder=row.in_folder
    )


def new_row(seen: SeenFile) -> NoteRow:
    """The row of a file that was never seen."""
    return NoteRow(0, seen.path, NoteState.WAITING, True, seen.hash, seen.size, seen.mtime_ns)


def decide(change: Change, row: NoteRow, settings: Settings, is_there: bool) -> Decision:
    """What a change means for a known note.

    Args:
        is_there: for a removed one, whether its file exists after all.
    """
    if change.kind is ChangeKind.REMOVED or change.seen is None:
        return _removed(row, settings, is_there)
    seen = change.seen
    was_away = not row.in_folder
    if change.kind in (ChangeKind.RENAMED, ChangeKind.TOUCHED):
        return Decision(_found(row, change.path, seen))
    if row.state is NoteState.FORGOTTEN and not was_away:
        return Decision(_found(row, change.path, seen))  # written again only when asked
    now = _found(row.in_force(), change.path, seen)
    if now.written_hash and now.written_hash == now.content_hash:
        rested = replace(now, state=state_at_rest(now), reason="")
        return Decision(rested, settled=True, disturbs=True)
    return Decision(replace(now, state=NoteState.WAITING, reason=""), disturbs=True)


def _found(row: NoteRow, path: str, seen: SeenFile) -> NoteRow:
    now = replace(row, path=path, in_folder=True)
    return now.with_content(seen.hash, seen.size, seen.mtime_ns)


def _removed(row: NoteRow, settings: Settings, is_there: bool) -> Decision:
    """Nothing is asked: what was written is listed as removed, and by the setting forgotten."""
    if not row.cells:
        return Decision(row, drop=True, disturbs=True)
    reason = NOT_READ if is_there else ""
    now = replace(row.in_force(), state=NoteState.REMOVED, in_folder=False, reason=reason)
    forget = settings.on_delete is OnDelete.FORGET and not is_there
    return Decision(now, forget=forget, settled=True, disturbs=True)


def queue_waiting(desk: Desk) -> None:
    """Give every waiting note a job, where it has none: a kill may have come in between."""
    jobs = desk.store.jobs()
    queued = {job.note_id for job in jobs if job.kind is JobKind.WRITE and not job.running}
    waiting = (row.id for row in desk.rows.values() if row.state is NoteState.WAITING)
    missing = tuple(each for each in waiting if each not in queued and each != desk.in_work)
    if missing:
        desk.store.queue(JobKind.WRITE, missing)
        desk.show_status()
