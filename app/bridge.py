"""Engine events, from any thread, as signals on the GUI thread.

Events pour in faster than a window can paint: a write reports every gradient step, a scan of
5,000 notes reports them all. So events are gathered for one frame, folded (only the newest
status, one change a note, steps as a batch) and handed out within a time budget.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

from engine.api import (
    AnswerPiece,
    Event,
    NotesChanged,
    NotesGone,
    NotesReset,
    QueueEnded,
    SettingsChanged,
    SlotChanged,
    SnapshotsChanged,
    StatusChanged,
    WriteProgress,
)

FRAME_MS = 16
BUDGET_MS = 12


@dataclass(frozen=True)
class ProgressBatch:
    """The gradient steps of one frame, oldest first."""

    steps: tuple[WriteProgress, ...]


Folded = Event | ProgressBatch


def fold(events: Iterable[Event]) -> list[Folded]:
    """Fewer events with the same outcome, in an order that means the same.

    Changes of notes merge until a reset or a removal stands between them; states that replace
    one another (status, slot, snapshots, settings) keep only the newest; gradient steps come
    last, because a step means nothing before its note is known to be written.
    """
    out: list[Folded] = []
    place: dict[type, int] = {}
    steps: list[WriteProgress] = []
    for event in events:
        match event:
            case WriteProgress():
                steps.append(event)
            case NotesReset() | NotesGone():
                place.pop(NotesChanged, None)
                out.append(event)
            case StatusChanged() | SlotChanged() | SnapshotsChanged() | SettingsChanged():
                _replace(out, place, event)
            case NotesChanged(notes):
                before = out[place[NotesChanged]] if NotesChanged in place else None
                if isinstance(before, NotesChanged):
                    merged = {note.id: note for note in (*before.notes, *notes)}
                    event = NotesChanged(tuple(merged.values()))
                _replace(out, place, event)
            case AnswerPiece(request, text):
                last = out[-1] if out else None
                if isinstance(last, AnswerPiece) and last.request == request:
                    out[-1] = AnswerPiece(request, last.text + text)
                else:
                    out.append(event)
            case _:
                out.append(event)
    if steps:
        out.append(ProgressBatch(tuple(steps)))
    return out


def _replace(out: list[Folded], place: dict[type, int], event: Event) -> None:
    """Put `event` where the last one of its type stands, or at the end."""
    at = place.setdefault(type(event), len(out))
    if at == len(out):
        out.append(event)
    else:
        out[at] = event


class EngineBridge(QObject):
    """The listener that an engine is given, and the signals that come of its events."""

    status = Signal(object)
    settings = Signal(object)
    notes_reset = Signal(object)
    notes_changed = Signal(object)
    notes_gone = Signal(object)
    progress = Signal(object)
    snapshots = Signal(object)
    slot = Signal(object)
    queue_ended = Signal(object)
    reply = Signal(object)
    """Any event that names a request."""

    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = Lock()
        self._incoming: list[Event] = []
        self._folded: list[Folded] = []
        self._awake = False
        self._closed = False
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(FRAME_MS)
        self._frame.timeout.connect(self.drain)
        self._woken.connect(self._frame.start, Qt.ConnectionType.QueuedConnection)

    def listen(self, event: Event) -> None:
        """Take an event. Called on the engine's thread; never blocks on the window."""
        with self._lock:
            if self._closed:
                return
            self._incoming.append(event)
            wake, self._awake = not self._awake, True
        if wake:
            self._woken.emit()

    def drain(self) -> None:
        """Hand out what has gathered, for at most about `BUDGET_MS`; the rest next frame."""
        with self._lock:
            taken, self._incoming = self._incoming, []
            self._awake = False
        self._folded.extend(fold(taken))
        clock = QElapsedTimer()
        clock.start()
        while self._folded and clock.elapsed() < BUDGET_MS:
            self._deliver(self._folded.pop(0))
        if self._folded:
            self._frame.start()

    def close(self) -> None:
        """Take no more events."""
        with self._lock:
            self._closed = True
            self._incoming.clear()
        self._folded.clear()
        self._frame.stop()

    def _deliver(self, event: Folded) -> None:
        match event:
            case StatusChanged(status):
                self.status.emit(status)
            case SettingsChanged(settings):
                self.settings.emit(settings)
            case NotesReset(notes):
                self.notes_reset.emit(notes)
            case NotesChanged(notes):
                self.notes_changed.emit(notes)
            case NotesGone(note_ids):
                self.notes_gone.emit(note_ids)
            case ProgressBatch(steps):
                self.progress.emit(steps)
            case SnapshotsChanged(snapshots):
                self.snapshots.emit(snapshots)
            case SlotChanged(picture):
                self.slot.emit(picture)
            case QueueEnded():
                self.queue_ended.emit(event)
            case _:
                self.reply.emit(event)
