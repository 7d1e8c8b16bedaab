"""`engram watch DIR`: watches a folder without a window, until Ctrl+C."""

from __future__ import annotations

import argparse
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import (
    ChangeSettings,
    Event,
    InputError,
    Mode,
    NotesChanged,
    NotesGone,
    NoteState,
    QueueEnded,
    StatusChanged,
    WriteProgress,
)
from engine.cli.console import ProgressLine, duration, percent, print_json, printable
from engine.cli.context import Context
from engine.cli.records import note_as_json

if TYPE_CHECKING:
    from engine.cli.session import Session

_SHOWN = (
    NoteState.REMEMBERED,
    NoteState.WEAK,
    NoteState.SKIPPED,
    NoteState.FAILED,
    NoteState.FORGOTTEN,
    NoteState.REMOVED,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("directory", metavar="DIR", type=Path, help="the folder of notes")


def run(context: Context, args: argparse.Namespace) -> int:
    """Watch; every note that comes to rest is one line (with --json one object)."""
    from engine.service import Duties

    folder = args.directory.absolute()
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    # A service manager ends us by SIGTERM: as good a good-bye as Ctrl+C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with context.session(Duties()) as session:
            session.require_usable()
            _watch(context, session, folder)
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _watch(context: Context, session: Session, folder: Path) -> None:
    watcher = _Watcher(context, session)
    try:
        settings = replace(session.settings, folder=folder, paused=False)
        session.do(ChangeSettings(settings), watcher.show)
        for event in session.events():
            watcher.show(event)
    except KeyboardInterrupt:
        watcher.line.clear()


class _Watcher:
    """Prints what happens to notes."""

    def __init__(self, context: Context, session: Session) -> None:
        self._context = context
        self._session = session
        self._problem = ""
        self.line = ProgressLine()

    def show(self, event: Event) -> None:
        """Print an event that is news."""
        match event:
            case WriteProgress():
                note = self._session.notes.get(event.note_id)
                name = note.path if note else ""
                text = f"{name}  step {event.step} of {event.steps}, loss {event.loss:.3f}"
                self.line.show(event.step, event.steps, text)
            case NotesChanged(notes):
                for note in notes:
                    if note.state in _SHOWN:
                        what = f"{note.state.value:10}  {percent(note.recall):>5}  {note.path}"
                        reason = f"  ({note.reason})" if note.reason else ""
                        self._say(what + reason, note_as_json(note))
            case NotesGone(note_ids):
                self._say(f"{len(note_ids)} gone", {"gone": list(note_ids)})
            case QueueEnded(written=written, weak=weak, failed=failed, seconds=seconds):
                self._say(
                    f"{written} written, {weak} weak, {failed} failed, in {duration(seconds)}",
                    {"written": written, "weak": weak, "failed": failed, "seconds": seconds},
                )
            case StatusChanged(status) if status.problem != self._problem:
                self._problem = status.problem
                if status.mode is Mode.FOLDER_MISSING or status.problem:
                    self._say(status.problem, {"problem": status.problem})
            case _:
                pass

    def _say(self, text: str, value: dict[str, object]) -> None:
        self.line.clear()
        if self._context.as_json:
            print_json(value)
        else:
            print(printable(text), flush=True)
