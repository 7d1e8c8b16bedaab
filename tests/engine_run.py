"""A running engine and what it said, for tests: waits for events, never for time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.api import (
    Answered,
    Command,
    Compared,
    Done,
    EngineStatus,
    EngramError,
    Event,
    Failed,
    Mode,
    Note,
    NotesChanged,
    NotesGone,
    NotesReset,
    NoteState,
    RebuildEstimate,
    Remembered,
    Settings,
    SettingsChanged,
    Snapshot,
    SnapshotsChanged,
    StatusChanged,
)
from engine.backing import MemoryFactory
from engine.service import Duties, EngineService
from engine.tasks.folder import Timing
from tests.fake_memory import Script, factory

LAST_WORDS = (Answered, Remembered, Compared, RebuildEstimate, Done, Failed)
PATIENCE = 30.0
"""Seconds after which a test that waits for what never comes fails."""

E = TypeVar("E")


class Clock:
    """A clock that tests move by hand."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Run:
    """An `EngineService` with a fake memory or a given one, and everything it announced."""

    def __init__(
        self,
        home: Path,
        script: Script | None = None,
        *,
        duties: Duties | None = None,
        cells: int = 64,
        clock: Clock | None = None,
        identity: str = "fake 0123456789",
        model: MemoryFactory | None = None,
    ) -> None:
        self.script = script or Script()
        self.events: list[Event] = []
        self.notes: dict[int, Note] = {}
        self.status: EngineStatus | None = None
        self.settings = Settings()
        self.snapshots: tuple[Snapshot, ...] = ()
        self._changed = threading.Condition()
        self.engine = EngineService(
            home,
            model or factory(self.script, cells, identity),
            duties=duties or Duties(watches=False),
            timing=Timing(still=0.0, rescan=3600.0, missing=3600.0),
            clock=clock or Clock(),
        )
        self.engine.subscribe(self._listen)

    def __enter__(self) -> Run:
        self.engine.start()
        self.until(lambda: self.status is not None and self.status.mode is not Mode.STARTING)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        closed = self.engine.close(PATIENCE if kind is None else 0.1)
        assert closed or kind is not None

    def _listen(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            match event:
                case NotesReset(notes):
                    self.notes = {note.id: note for note in notes}
                case NotesChanged(notes):
                    self.notes.update((note.id, note) for note in notes)
                case NotesGone(ids):
                    for each in ids:
                        self.notes.pop(each, None)
                case StatusChanged(status):
                    self.status = status
                case SettingsChanged(settings):
                    self.settings = settings
                case SnapshotsChanged(snapshots):
                    self.snapshots = snapshots
                case _:
                    pass
            self._changed.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds`, which is looked at after each event."""
        with self._changed:
            assert self._changed.wait_for(holds, PATIENCE), self.events[-8:]

    def submit(self, command: Command) -> int:
        return self.engine.submit(command)

    def reply(self, request: int) -> Event:
        """The event that ends a request."""

        def last() -> list[Event]:
            named = [event for event in self.events if isinstance(event, LAST_WORDS)]
            return [event for event in named if event.request == request]

        self.until(lambda: bool(last()))
        return last()[0]

    def do(self, command: Command) -> Event:
        """Submit and wait for the end; a failure is raised."""
        event = self.reply(self.submit(command))
        if isinstance(event, Failed):
            raise event.error
        return event

    def fails(self, command: Command) -> EngramError:
        """Submit a command that must fail, and return its error."""
        event = self.reply(self.submit(command))
        assert isinstance(event, Failed), event
        return event.error

    def note(self, path: str) -> Note:
        return next(note for note in self.notes.values() if note.path == path)

    def has(self, path: str, state: NoteState) -> bool:
        return any(n.path == path and n.state is state for n in tuple(self.notes.values()))

    def until_state(self, path: str, state: NoteState) -> Note:
        self.until(lambda: self.has(path, state))
        return self.note(path)

    def until_idle(self) -> None:
        """Wait until nothing is queued any more and the engine says so."""
        idle = (Mode.IDLE, Mode.PAUSED)
        self.until(
            lambda: self.status is not None
            and self.status.queue == 0
            and self.status.mode in idle
        )

    def of(self, kind: type[E]) -> list[E]:
        """All events of a kind so far."""
        return [event for event in tuple(self.events) if isinstance(event, kind)]


class Gate:
    """Holds the engine at a gradient step until the test lets it go on."""

    def __init__(self, at_step: int = 3) -> None:
        self._at_step = at_step
        self._reached = threading.Event()
        self._open = threading.Event()

    def __call__(self, note_id: int, step: int) -> None:
        if step == self._at_step and not self._open.is_set():
            self._reached.set()
            assert self._open.wait(PATIENCE)

    def wait_reached(self) -> None:
        assert self._reached.wait(PATIENCE)

    def open(self) -> None:
        self._open.set()
