"""`Remember`: files and folders named by a person, in the watched folder or elsewhere."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from engine.api import Done, InputError, NoteState, Settings
from engine.desk import Desk
from engine.notes.scan import Rules, SeenFile, Vanished, hash_file, scan
from engine.store.records import Changes, JobKind, NoteRow
from engine.tasks import words

PRIORITY = 3
"""What a person named goes before what was found."""


@dataclass(frozen=True)
class Named:
    """A file that is to be remembered, under the path that the ledger gives it."""

    file: SeenFile
    in_folder: bool


def find(paths: tuple[Path, ...], settings: Settings) -> tuple[Named, ...]:
    """Look at files and folders. May take long.

    Raises:
        InputError: one is not there, or holds no notes.
    """
    named: dict[str, Named] = {}
    for path in paths:
        full = Path(os.path.abspath(path))
        files = _in_folder(full, settings) if full.is_dir() else (_single(full, settings),)
        for file in files:
            named.setdefault(file.file.path, file)
    return tuple(named.values())


def _single(full: Path, settings: Settings) -> Named:
    try:
        found = full.stat()
    except OSError as error:
        if full.is_symlink():
            raise InputError(f"{full} is a link that leads nowhere.") from error
        raise InputError(f"There is no file {full}.") from error
    digest = hash_file(full, follow_links=True)
    seen = SeenFile(full.as_posix(), found.st_size, found.st_mtime_ns, found.st_ino, digest)
    return _placed(seen, full, settings)


def _in_folder(root: Path, settings: Settings) -> tuple[Named, ...]:
    found = scan(root, rules=Rules(settings.formats, settings.follow_links))
    if isinstance(found, Vanished):
        raise InputError(f"{root} cannot be opened.")
    if not found.files:
        raise InputError(f"There are no notes in {root}.")
    return tuple(_placed(file, root / file.path, settings) for file in found.files)


def _placed(seen: SeenFile, full: Path, settings: Settings) -> Named:
    """Under its name in the watched folder if it is a note there, else under its whole path."""
    folder = settings.folder
    if folder is not None:
        rules = Rules(settings.formats, settings.follow_links)
        for root in (folder, folder.resolve()):
            if full.is_relative_to(root):
                below = full.relative_to(root).as_posix()
                if rules.accepts(below):
                    return Named(replace(seen, path=below), in_folder=True)
    return Named(replace(seen, path=full.as_posix()), in_folder=False)


def remember(desk: Desk, request: int, named: tuple[Named, ...]) -> None:
    """Queue these files; ends with `Done`, after the notes' rows have been told.

    Files that are remembered as they are now are not written again.
    """
    by_path = {row.path: row for row in desk.rows.values()}
    old = [_seen_again(by_path[n.file.path], n) for n in named if n.file.path in by_path]
    new = [_new(n) for n in named if n.file.path not in by_path]
    if old:
        desk.update(Changes(notes=tuple(old)))
    rows = (*old, *desk.add(new)) if new else tuple(old)
    waiting = tuple(row.id for row in rows if row.state is NoteState.WAITING)
    if waiting:
        desk.store.queue(JobKind.WRITE, waiting, PRIORITY)
        desk.show_status()
    there = len(rows) - len(waiting)
    message = f"{words.notes(len(waiting))} to write."
    if there:
        message += f" {words.notes(there)} remembered already."
    desk.announce(Done(request, message))


def _seen_again(row: NoteRow, named: Named) -> NoteRow:
    file = named.file
    good = row.state is NoteState.REMEMBERED and row.written_hash == file.hash != ""
    now = row if good else row.as_waiting()
    now = replace(now, in_folder=named.in_folder)
    return now.with_content(file.hash, file.size, file.mtime_ns)


def _new(named: Named) -> NoteRow:
    file = named.file
    return NoteRow(
        0, file.path, NoteState.WAITING, named.in_folder, file.hash, file.size, file.mtime_ns
    )
