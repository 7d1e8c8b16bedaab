"""Putting settings in force. None of them rewrites memory by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath

from engine.api import InputError, NoteState, Settings
from engine.desk import Desk, state_at_rest
from engine.store.records import Changes, JobKind, NoteRow


def change_settings(desk: Desk, settings: Settings) -> bool:
    """Put settings in force.

    Returns:
        Whether the folder, or which of its files are notes, is another now.

    Raises:
        InputError: the folder is none.
        EngramError: nothing was changed.
    """
    before = desk.settings
    if settings.folder is not None:
        settings = replace(settings, folder=Path(settings.folder).absolute())
    moved = settings.folder != before.folder
    if moved and settings.folder is not None and not settings.folder.is_dir():
        raise InputError(f"There is no folder {settings.folder}.")
    if settings.device != before.device and desk.opened.has_store:
        desk.opened.use_device(settings.device)
        desk.drop_write = True
        desk.show_slot()
    desk.save_settings(settings)
    if moved and desk.opened.has_store:
        _move(desk, before.folder, settings.folder)
    rules = ("folder", "formats", "follow_links")
    return any(getattr(settings, name) != getattr(before, name) for name in rules)


def _move(desk: Desk, old: Path | None, new: Path | None) -> None:
    """Notes of the folder watched before keep their memory, as notes from elsewhere.

    Those of the new folder that were notes from elsewhere become its notes.
    """
    taken = {row.path for row in desk.rows.values()}
    changed: list[NoteRow] = []
    gone: list[int] = []
    for row in desk.rows.values():
        now = _outside(row, old) if row.in_folder and old is not None else row
        now = _inside(now, new) if new is not None else now
        if now == row:
            continue
        if not now.in_folder and not now.cells:
            gone.append(row.id)
        elif now.path == row.path or now.path not in taken:
            taken.add(now.path)
            changed.append(now)
    idle = {row.id for row in changed if not row.in_folder} | set(gone)
    jobs = (job for job in desk.store.jobs() if job.note_id in idle)
    obsolete = tuple(job.id for job in jobs if job.kind is JobKind.WRITE)
    desk.update(Changes(tuple(changed), tuple(gone), obsolete))
    desk.store.set_meta("folder-device", "")


def _outside(row: NoteRow, folder: Path) -> NoteRow:
    state = state_at_rest(row) if row.state is NoteState.WAITING else row.state
    return replace(row, path=(folder / row.path).as_posix(), in_folder=False, state=state)


def _inside(row: NoteRow, folder: Path) -> NoteRow:
    path = PurePath(row.path)
    if row.in_folder or not path.is_absolute() or not path.is_relative_to(folder):
        return row
    return replace(row, path=path.relative_to(folder).as_posix(), in_folder=True)
