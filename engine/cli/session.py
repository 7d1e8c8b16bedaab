"""A running engine that is spoken to in order: one command, then its end."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from engine.api import (
    Answered,
    Command,
    Compared,
    Done,
    EngineStatus,
    EngramError,
    EstimateRebuild,
    Event,
    Failed,
    Mode,
    Note,
    NotesChanged,
    NotesGone,
    NotesReset,
    RebuildEstimate,
    Remembered,
    Settings,
    SettingsChanged,
    Snapshot,
    SnapshotsChanged,
    StatusChanged,
)
from engine.cli.context import ModelFactory
from engine.service import Duties, EngineService, embedded_model
from engine.store.errors import MemoryDamaged

_LAST_WORDS = (Answered, Remembered, Compared, RebuildEstimate, Done, Failed)
_CLOSE_SECONDS = 5.0


class Session:
    """Opens the engine in `with`, closes it at the end.

    Attributes:
        notes: as last told, by id.
        status: as last told.
        settings: as last told.
        snapshots: as last told, newest first.
    """

    def __init__(self, home: Path, duties: Duties, model_factory: ModelFactory | None) -> None:
        self._engine = EngineService(home, model_factory or embedded_model, duties=duties)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.notes: dict[int, Note] = {}
        self.status: EngineStatus | None = None
        self.settings = Settings()
        self.snapshots: tuple[Snapshot, ...] = ()

    def __enter__(self) -> Session:
        self._engine.subscribe(self._events.put)
        self._engine.start()
        for _ in self.events():
            if self.status is not None and self.status.mode is not Mode.STARTING:
                break
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._engine.close(_CLOSE_SECONDS)

    def require_usable(self) -> None:
        """Raise what keeps the memory from being used, if anything does."""
        if self.status is not None and self.status.mode is Mode.BROKEN:
            self.do(EstimateRebuild())

    def submit(self, command: Command) -> int:
        """Queue a command."""
        return self._engine.submit(command)

    def events(self) -> Iterator[Event]:
        """Every event from here on, as it comes, for as long as the engine runs."""
        while True:
            was_running = self._engine.is_running
            try:
                # With a timeout, so that Ctrl+C is heard on every platform.
                event = self._events.get(timeout=0.5)
            except queue.Empty:
                if was_running:
                    continue
                return
            self._keep(event)
            yield event

    def do(self, command: Command, on_event: Callable[[Event], None] | None = None) -> Event:
        """Submit a command and return the event that ends it.

        Raises:
            EngramError: it failed.
        """
        return self.result(self.submit(command), on_event)

    def result(self, request: int, on_event: Callable[[Event], None] | None = None) -> Event:
        """The event that ends a request. Raises: EngramError."""
        for event in self.events():
            if on_event is not None:
                on_event(event)
            if isinstance(event, _LAST_WORDS) and event.request == request:
                if isinstance(event, Failed):
                    raise _with_hint(event.error)
                return event
        raise EngramError("The engine ended.")

    def _keep(self, event: Event) -> None:
        match event:
            case StatusChanged(status):
                self.status = status
            case SettingsChanged(settings):
                self.settings = settings
            case SnapshotsChanged(snapshots):
                self.snapshots = snapshots
            case NotesReset(notes):
                self.notes = {note.id: note for note in notes}
            case NotesChanged(notes):
                self.notes.update((note.id, note) for note in notes)
            case NotesGone(note_ids):
                for note_id in note_ids:
                    self.notes.pop(note_id, None)
            case _:
                pass


def _with_hint(error: EngramError) -> EngramError:
    """The error with the command that helps, where there is one."""
    if isinstance(error, MemoryDamaged) and error.offered_snapshot:
        hint = f"{error} Restore it with: engram snapshot restore {error.offered_snapshot}"
        return MemoryDamaged(hint, error.offered_snapshot, error.set_aside)
    return error
