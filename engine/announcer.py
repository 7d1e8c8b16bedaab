"""Tells listeners what happens, and newcomers what is."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from engine.api import (
    EngineStatus,
    Event,
    Listener,
    Mode,
    Note,
    NotesChanged,
    NotesGone,
    NotesReset,
    Settings,
    SettingsChanged,
    SlotChanged,
    SlotPicture,
    SnapshotsChanged,
    StatusChanged,
)
from engine.errands import log_unexpected

NOTHING_YET = EngineStatus(
    mode=Mode.STARTING,
    device="",
    model="",
    folder=None,
    notes_total=0,
    notes_remembered=0,
    queue=0,
    cells=0,
    cells_used=0,
)
"""The status before anything was opened."""


class Announcer:
    """Hands events to all listeners in order, and keeps the present state for those who come."""

    def __init__(self) -> None:
        # Reentrant: a listener may unsubscribe, or subscribe another, while it is called.
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._notes: dict[int, Note] = {}
        self._status = StatusChanged(NOTHING_YET)
        self._settings = SettingsChanged(Settings())
        self._snapshots = SnapshotsChanged(())
        self._slot = SlotChanged(SlotPicture(0, ()))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` the present state, then everything; the returned function ends that."""
        with self._lock:
            present = (
                self._status,
                self._settings,
                NotesReset(tuple(self._notes[each] for each in sorted(self._notes))),
                self._snapshots,
                self._slot,
            )
            for event in present:
                self._tell(listener, event)
            self._listeners.append(listener)
        return lambda: self._unsubscribe(listener)

    def _unsubscribe(self, listener: Listener) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._listeners.remove(listener)

    def __call__(self, event: Event) -> None:
        """Announce an event. A status that is no news is left out."""
        with self._lock:
            if isinstance(event, StatusChanged) and event == self._status:
                return
            self._keep(event)
            for listener in tuple(self._listeners):
                self._tell(listener, event)

    def _tell(self, listener: Listener, event: Event) -> None:
        """A listener's fault is its own: it neither stops a write nor keeps others untold."""
        try:
            listener(event)
        except Exception as error:  # the border to other people's code
            log_unexpected("listener", error)

    def _keep(self, event: Event) -> None:
        match event:
            case StatusChanged():
                self._status = event
            case SettingsChanged():
                self._settings = event
            case SnapshotsChanged():
                self._snapshots = event
            case SlotChanged():
                self._slot = event
            case NotesReset(notes):
                self._notes = {note.id: note for note in notes}
            case NotesChanged(notes):
                self._notes.update((note.id, note) for note in notes)
            case NotesGone(note_ids):
                for note_id in note_ids:
                    self._notes.pop(note_id, None)
            case _:
                pass
