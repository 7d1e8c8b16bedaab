"""Asking every note again, growing the slot, and writing everything anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from engine.api import (
    Done,
    InputError,
    NoMemoryYet,
    NoteState,
    RebuildEstimate,
    WrongBaseModel,
)
from engine.desk import SLOT_FULL, Desk, state_at_rest
from engine.memory.report import Verified
from engine.store.records import Changes, JobKind, NoteRow
from engine.tasks import words
from engine.tasks.changes import queue_waiting
from engine.tasks.forgetting import FILE_GONE
from engine.tasks.places import is_elsewhere
from engine.tasks.speed import Speed

MOST_CELLS = 16_777_216
_RESTING = (NoteState.REMEMBERED, NoteState.WEAK)


def write_again(desk: Desk, request: int, note_ids: Iterable[int]) -> None:
    """Put notes back to waiting. Raises: InputError: none of them is known."""
    rows = [desk.rows[each] for each in dict.fromkeys(note_ids) if each in desk.rows]
    if not rows:
        raise InputError("This note is no longer known.")
    desk.update(Changes(notes=tuple(row.as_waiting() for row in rows)))
    desk.store.queue(JobKind.WRITE, tuple(row.id for row in rows), priority=2)
    desk.show_status()
    desk.announce(Done(request))


def verify(desk: Desk, request: int, between_notes: Callable[[], bool]) -> None:
    """Ask every note's probes again and bring the ledger's recall up to date.

    Args:
        between_notes: serves what is urgent; False when the engine ends.

    Raises:
        NoMemoryYet: there is nothing to verify.
    """
    ids = [row.id for row in desk.rows.values() if row.cells]
    if not ids:
        raise NoMemoryYet("Nothing has been remembered yet.")
    # What is shown of a refused write is of that write, and no question to the slot tells it.
    ids = [each for each in ids if not desk.rows[each].is_refused]
    changed: list[NoteRow] = []
    for note_id in ids:
        if not between_notes():
            return
        row = desk.rows.get(note_id)
        if row is None or not row.cells:
            continue
        found = _verified(desk, note_id)
        now = replace(row, recall=found.recall, median_p=found.median_p)
        if row.state in _RESTING:
            now = replace(now, state=state_at_rest(now))
        if now != row:
            changed.append(now)
    desk.update(Changes(notes=tuple(changed)))
    weak = sum(desk.rows[each].state is NoteState.WEAK for each in ids if each in desk.rows)
    desk.announce(Done(request, f"Asked {words.notes(len(ids))} again; weak: {weak}."))


def _verified(desk: Desk, note_id: int) -> Verified:
    return desk.with_fallback(lambda memory: memory.verify(note_id))


def grow(desk: Desk, request: int, cells: int) -> None:
    """Give the slot more cells; notes that found no room wait again.

    Raises:
        InputError: not more than there are, or too many.
    """
    if cells <= desk.memory.cells:
        raise InputError(f"The memory has {desk.memory.cells:,} cells already.")
    if cells > MOST_CELLS:
        raise InputError(f"A memory can have at most {MOST_CELLS:,} cells.")
    desk.with_fallback(lambda memory: memory.grow(cells))
    full = (row for row in desk.rows.values() if row.reason == SLOT_FULL)
    desk.commit(Changes(notes=tuple(row.as_waiting() for row in full)))
    queue_waiting(desk)
    desk.announce(Done(request, f"The memory has {cells:,} cells now."))


def estimate(desk: Desk, request: int, speed: Speed) -> None:
    """Say what a rebuild would cost, as writes have taken so far."""
    rows = _to_rebuild(desk)
    desk.announce(RebuildEstimate(request, len(rows), speed.estimate(rows)))


def rebuild(desk: Desk, request: int) -> None:
    """Write every note whose file is there anew. A snapshot of the present is taken first.

    What is remembered of files that are gone stays, where the slot can be used at all.

    Raises:
        DiskFull, EngramError: memory is as it was before.
    """
    if desk.opened.trouble is not None:
        _begin_anew(desk)
    if desk.store.slot is not None:
        desk.store.take_snapshot("Before rebuilding")
        desk.show_snapshots()
    rebuilt = {row.id for row in _to_rebuild(desk)}
    desk.memory.forget(sorted(rebuilt))
    kept = desk.memory.note_ids()
    emptied = tuple(
        _emptied(row, row.id in rebuilt)
        for row in desk.rows.values()
        if row.id in rebuilt or (row.cells and row.id not in kept)
    )
    desk.commit(Changes(notes=emptied))
    queue_waiting(desk)
    desk.announce(Done(request, f"{words.notes(len(rebuilt))} to be written anew."))


def _emptied(row: NoteRow, is_rebuilt: bool) -> NoteRow:
    state = NoteState.WAITING if is_rebuilt else NoteState.FORGOTTEN
    reason = "" if is_rebuilt else FILE_GONE
    return replace(row.as_unwritten(), state=state, reason=reason)


def _begin_anew(desk: Desk) -> None:
    """Put an empty slot in the place of one that cannot be used."""
    if desk.opened.has_store or isinstance(desk.opened.trouble, WrongBaseModel):
        desk.opened.open_emptied()
    else:
        desk.opened.recover("")
    desk.reset()


def _to_rebuild(desk: Desk) -> list[NoteRow]:
    """The notes whose files are there, as far as is known; those forgotten by hand stay so."""
    rows = (row for row in desk.rows.values() if row.state is not NoteState.FORGOTTEN)
    return [row for row in rows if row.in_folder or (is_elsewhere(row) and _exists(row))]


def _exists(row: NoteRow) -> bool:
    return Path(row.path).is_file()
