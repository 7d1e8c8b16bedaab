"""Freeing notes' cells, by command or because their files are gone, and taking that back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.api import Done, InputError, NoteState
from engine.desk import Desk, Undoable, state_at_rest
from engine.store.errors import NothingToUndo
from engine.store.records import Changes, JobKind, NoteRow
from engine.tasks import words

FILE_GONE = "Its file left the folder."


def forget(desk: Desk, request: int, note_ids: Iterable[int]) -> None:
    """Free the cells of these notes; one whose file is there stays listed as forgotten.

    Raises:
        InputError: none of them is known.
    """
    rows = [desk.rows[each] for each in dict.fromkeys(note_ids) if each in desk.rows]
    if not rows:
        raise InputError("This note is no longer known.")
    ids = {row.id for row in rows}
    jobs = tuple(job.id for job in desk.store.jobs() if job.note_id in ids)
    stay = tuple(_forgotten(row) for row in rows if row.in_folder)
    go = tuple(row.id for row in rows if not row.in_folder)
    freed = any(row.cells for row in rows)
    _apply(desk, request, Changes(stay, go, jobs), rows, freed)
    desk.announce(Done(request, f"Forgot {words.notes(len(rows))}.", undoable=freed))


def forget_removed(desk: Desk, request: int) -> None:
    """Carry out all jobs for notes whose files are gone, in one commit."""
    jobs = [job for job in desk.store.jobs() if job.kind is JobKind.FORGET]
    found = (desk.rows.get(job.note_id) for job in jobs)
    rows = [row for row in found if row is not None and not row.in_folder]
    finish = tuple(job.id for job in jobs)
    if not rows:
        desk.update(Changes(finish=finish))
        return
    stay = tuple(replace(_forgotten(row), reason=FILE_GONE) for row in rows)
    freed = any(row.cells for row in rows)
    _apply(desk, request, Changes(stay, (), finish), rows, freed)
    what = "whose file is" if len(rows) == 1 else "whose files are"
    message = f"Forgot {words.notes(len(rows))} {what} gone."
    desk.announce(Done(request, message, undoable=freed))


def _apply(
    desk: Desk, request: int, changes: Changes, rows: list[NoteRow], freed: bool
) -> None:
    if not freed:
        desk.update(changes)
        return
    desk.memory.forget([row.id for row in rows])
    done = desk.commit(changes, undoable=True)
    desk.undoable = Undoable(request, done.undo)


def _forgotten(row: NoteRow) -> NoteRow:
    return replace(row.as_unwritten(), state=NoteState.FORGOTTEN, reason="")


def undo(desk: Desk, request: int, undone: int) -> None:
    """Take back the newest `Forget` or `RestoreSnapshot`, byte for byte.

    What was written since is queued again.

    Raises:
        NothingToUndo: `undone` is not the newest such step.
    """
    step = desk.undoable
    if step is None or step.request != undone:
        raise NothingToUndo("This can no longer be taken back.")
    desk.undoable = None
    done = desk.store.undo(step.token)
    if step.paused:
        desk.save_settings(replace(desk.settings, paused=False))
    desk.opened.reload()
    desk.rows = {row.id: row for row in desk.store.notes()}
    # A note whose file is gone would be forgotten once more by the job that was waiting then.
    forgets = tuple(job.id for job in desk.store.jobs() if job.kind is JobKind.FORGET)
    desk.store.update(Changes(finish=forgets))
    for row in done.lost:
        _bring_back(desk, row)
    desk.reset()
    desk.announce(Done(request, "It is as it was before."))


def _bring_back(desk: Desk, lost: NoteRow) -> None:
    """Queue a note that was written or added after the step that is taken back."""
    row = desk.rows.get(lost.id) or desk.store.find(lost.path)
    waiting = (NoteState.WAITING, NoteState.REMEMBERED, NoteState.WEAK)
    if row is None:
        if lost.state not in waiting:
            return
        fresh = replace(lost.as_unwritten(), state=NoteState.WAITING)
        (row,) = desk.store.add_notes((fresh,))
    elif lost.content_hash == row.written_hash:
        row = row.in_force()
        row = replace(row, content_hash=lost.content_hash, state=state_at_rest(row))
        desk.store.update(Changes(notes=(row,)))
        return
    else:
        state = NoteState.WAITING if lost.state in waiting else lost.state
        row = replace(row.in_force(), state=state)
        row = row.with_content(lost.content_hash, lost.size, lost.mtime_ns)
        desk.store.update(Changes(notes=(row,)))
    if row.state is NoteState.WAITING:
        desk.store.queue(JobKind.WRITE, (row.id,))
    desk.rows[row.id] = row
