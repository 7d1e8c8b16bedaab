"""`engram remember PATH…`: writes files or folders now."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import (
    EngineStatus,
    EngramError,
    Event,
    InputError,
    Mode,
    Note,
    NotesChanged,
    NoteState,
    Remember,
    StatusChanged,
    WriteAgain,
    WriteProgress,
)
from engine.cli.console import (
    ProgressLine,
    duration,
    note_line,
    percent,
    print_json,
    print_table,
)
from engine.cli.context import Context
from engine.cli.records import note_as_json

if TYPE_CHECKING:
    from engine.cli.session import Session

_WORKING = (NoteState.WAITING, NoteState.READING, NoteState.WRITING)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a file or a folder")
    parser.add_argument(
        "--again", action="store_true", help="write also what is remembered as it is now"
    )


@dataclass
class _Round:
    """The notes of one run: those that were named, and which of them are at rest."""

    named: dict[int, Note] = field(default_factory=dict)

    def take_named(self, event: Event) -> None:
        """Until `Remember` is done, what changes is what was named."""
        if isinstance(event, NotesChanged):
            self.named.update((note.id, note) for note in event.notes)

    def keep_below(self, paths: tuple[Path, ...], folder: Path | None) -> None:
        """Leave out what a write of some other note said meanwhile."""
        roots = [Path(os.path.realpath(path)) for path in paths]
        self.named = {
            note.id: note
            for note in self.named.values()
            if any(_file_of(note, folder).is_relative_to(root) for root in roots)
        }

    def follow(self, event: Event) -> None:
        """Keep the named notes up to date."""
        if isinstance(event, NotesChanged):
            self.named.update((n.id, n) for n in event.notes if n.id in self.named)

    @property
    def at_rest(self) -> int:
        """How many are written, skipped or failed."""
        return sum(note.state not in _WORKING for note in self.named.values())

    @property
    def is_over(self) -> bool:
        """Whether all are."""
        return self.at_rest == len(self.named)


def run(context: Context, args: argparse.Namespace) -> int:
    """Write them; returns 3 if a file that was named could not be, or nothing at all."""
    from engine.service import WRITING_ONLY

    paths = tuple(Path(os.path.abspath(path)) for path in args.paths)
    for path in paths:
        if not os.path.exists(path):
            raise InputError(f"There is no file or folder {path}.")
    began = time.perf_counter()
    with context.session(WRITING_ONLY) as session:
        session.require_usable()
        notes = _write(session, paths, args.again)
    seconds = time.perf_counter() - began
    _report(context, notes, seconds)
    return _exit_code(notes, paths, session.settings.folder)


def _write(session: Session, paths: tuple[Path, ...], again: bool) -> list[Note]:
    this = _Round()
    session.do(Remember(paths), this.take_named)
    this.keep_below(paths, session.settings.folder)
    if again:
        there = tuple(n.id for n in this.named.values() if n.state is NoteState.REMEMBERED)
        if there:
            session.do(WriteAgain(there), this.follow)
    line = ProgressLine()
    try:
        if not this.is_over:
            _follow(session, this, line)
    finally:
        line.clear()
    return sorted(this.named.values(), key=lambda note: note.path)


def _follow(session: Session, this: _Round, line: ProgressLine) -> None:
    for event in session.events():
        this.follow(event)
        if isinstance(event, WriteProgress) and event.note_id in this.named:
            note = this.named[event.note_id]
            share = event.step / max(1, event.steps)
            text = (
                f"{this.at_rest + 1}/{len(this.named)} {Path(note.path).name}"
                f"  step {event.step} of {event.steps}, loss {event.loss:.3f}"
            )
            whole = 1000 * len(this.named)
            line.show(round(1000 * (this.at_rest + share)), whole, text)
        status = session.status
        if status is not None and status.problem and this.at_rest < len(this.named):
            _stop_if_held(status.problem)
        if this.is_over or (isinstance(event, StatusChanged) and _is_idle(event.status)):
            return


def _is_idle(status: EngineStatus) -> bool:
    return status.queue == 0 and status.mode in (Mode.IDLE, Mode.PAUSED)


def _file_of(note: Note, folder: Path | None) -> Path:
    return Path(os.path.realpath(folder / note.path if folder is not None else note.path))


def _stop_if_held(problem: str) -> None:
    """A disk that is full will not be emptied by waiting."""
    if problem.startswith("Writing waits."):
        raise _Held(problem.removeprefix("Writing waits. "))


class _Held(EngramError):
    """The disk refused; what was written before is safe, the rest stays queued."""

    exit_code = 3


def _report(context: Context, notes: list[Note], seconds: float) -> None:
    if context.as_json:
        print_json({"notes": [note_as_json(note) for note in notes], "seconds": seconds})
    else:
        good = sum(note.state is NoteState.REMEMBERED for note in notes)
        weak = sum(note.state is NoteState.WEAK for note in notes)
        if good or weak:
            rows = [
                (percent(n.recall), str(n.cells), n.state.value, n.path)
                for n in notes
                if n.state in (NoteState.REMEMBERED, NoteState.WEAK)
            ]
            print_table(("recall", "cells", "state", "note"), rows)
        count = f"{good} of {len(notes)} remembered" + (f", {weak} weak" if weak else "")
        print(f"{count}, {duration(seconds)}")
    for note in notes:
        if note.state is not NoteState.REMEMBERED:
            hint = " (engram grow CELLS)" if "Give it more cells" in note.reason else ""
            note_line(f"engram: {note.path}: {note.reason or note.state.value}{hint}")


def _exit_code(notes: list[Note], paths: tuple[Path, ...], folder: Path | None) -> int:
    bad = [note for note in notes if note.state is not NoteState.REMEMBERED]
    files = {Path(os.path.realpath(path)) for path in paths if not path.is_dir()}
    named = any(_file_of(note, folder) in files for note in bad)
    return InputError.exit_code if named or len(bad) == len(notes) else 0
