"""What the fake engine remembers: notes, the slot's picture, snapshots and how they compare."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from engine.api import (
    WEAK_BELOW,
    Change,
    Command,
    Compared,
    CompareSnapshots,
    Comparison,
    DeleteSnapshot,
    Done,
    EngineStatus,
    Event,
    ExportSnapshot,
    Failed,
    ImportSnapshot,
    InputError,
    Listener,
    Mode,
    Note,
    NoteDifference,
    NotesChanged,
    NotesReset,
    NoteState,
    RenameSnapshot,
    RestoreSnapshot,
    Settings,
    SettingsChanged,
    SlotBlock,
    SlotChanged,
    SlotPicture,
    Snapshot,
    SnapshotKind,
    SnapshotsChanged,
    StatusChanged,
    TakeSnapshot,
)

EPOCH = 1_770_000_000.0
"""The fake's present: early February 2026."""


@dataclass
class Saved:
    """A snapshot with what a restore brings back."""

    row: Snapshot
    notes: dict[int, Note]


class FakeMemory:
    """The state behind `FakeEngine`, and the events that tell it."""

    def __init__(self, notes: Iterable[Note], settings: Settings, device: str) -> None:
        self.now = EPOCH
        self.settings = settings
        self.notes: dict[int, Note] = {note.id: note for note in notes}
        self.device = device
        self.cells = 65_536
        self.mode = Mode.IDLE
        self.problem = ""
        self.offered = ""
        self.snapshots: list[Saved] = []
        self._asks: list[Iterator[None]] = []
        self._written = 0
        self._listeners: list[Listener] = []
        self._snapshot_ids = itertools.count(1)
        self._undo: dict[int, Callable[[], None]] = {}

    def emit(self, event: Event) -> None:
        """Send any event, as a test likes."""
        for listener in list(self._listeners):
            listener(event)

    def put(self, *notes: Note) -> None:
        """Add or change notes."""
        for note in notes:
            self.notes[note.id] = note
        self.emit(NotesChanged(notes))
        self.emit(StatusChanged(self.status()))

    # --- state ---

    def _state(self) -> tuple[Event, ...]:
        return (
            StatusChanged(self.status()),
            SettingsChanged(self.settings),
            NotesReset(tuple(self.notes.values())),
            SnapshotsChanged(tuple(s.row for s in self.snapshots)),
            SlotChanged(self.picture()),
        )

    def status(self) -> EngineStatus:
        """The status bar's facts."""
        states = [note.state for note in self.notes.values()]
        mode = self.mode
        if mode is Mode.IDLE:
            if self.settings.paused:
                mode = Mode.PAUSED
            elif self._asks:
                mode = Mode.ANSWERING
            elif NoteState.WRITING in states or NoteState.WAITING in states:
                mode = Mode.WRITING
        return EngineStatus(
            mode=mode,
            device=self.device,
            model="Engram base 29M",
            folder=self.settings.folder,
            notes_total=sum(s is not NoteState.SKIPPED for s in states),
            notes_remembered=sum(self._in_force(note) for note in self.notes.values()),
            notes_weak=states.count(NoteState.WEAK),
            queue=sum(
                s in (NoteState.WAITING, NoteState.READING, NoteState.WRITING) for s in states
            ),
            cells=self.cells,
            cells_used=sum(note.cells for note in self.notes.values()),
            last_write_seconds=2.1 if self._written else None,
            last_write_tokens=204 if self._written else None,
            problem=self.problem,
            offered_snapshot=self.offered,
        )

    @staticmethod
    def _in_force(note: Note) -> bool:
        """Is it remembered, be it as it was before an edit that waits?"""
        if note.state in (NoteState.REMEMBERED, NoteState.WEAK):
            return note.state is NoteState.REMEMBERED
        return note.cells > 0 and (note.recall or 0.0) >= WEAK_BELOW

    def picture(self) -> SlotPicture:
        """Cells by note, one run each, in order of id."""
        blocks, at = [], 0
        for note in sorted(self.notes.values(), key=lambda n: n.id):
            if note.cells:
                blocks.append(SlotBlock(at, note.cells, note.id))
                at += note.cells
        blocks.append(SlotBlock(at, self.cells - at, 0))
        return SlotPicture(self.cells, tuple(blocks))

    def _tell(self, *notes: Note) -> None:
        self.put(*notes)
        self.emit(SlotChanged(self.picture()))

    # --- snapshots ---

    def take(self, name: str, kind: SnapshotKind) -> Saved:
        """Copy the present."""
        self.now += 60
        used = sum(note.cells for note in self.notes.values())
        row = Snapshot(
            f"s{next(self._snapshot_ids)}",
            name or "Snapshot",
            kind,
            self.now,
            self.status().notes_remembered,
            used,
            used * 1024 + 4096,
        )
        saved = Saved(row, dict(self.notes))
        self.snapshots.insert(0, saved)
        self._tell_snapshots()
        return saved

    def _tell_snapshots(self) -> None:
        self.emit(SnapshotsChanged(tuple(s.row for s in self.snapshots)))

    def _saved(self, snapshot: str) -> Saved:
        return next(s for s in self.snapshots if s.row.id == snapshot)

    def _snapshots(self, request: int, command: Command) -> None:
        match command:
            case TakeSnapshot(name):
                self.take(name, SnapshotKind.MANUAL)
                self.emit(Done(request, "Snapshot taken."))
            case RenameSnapshot(snapshot, name):
                saved = self._saved(snapshot)
                saved.row = replace(saved.row, name=name)
                self._tell_snapshots()
                self.emit(Done(request))
            case RestoreSnapshot(snapshot):
                self._restore(request, self._saved(snapshot))
            case DeleteSnapshot(snapshot):
                self.snapshots.remove(self._saved(snapshot))
                self._tell_snapshots()
                self.emit(Done(request))
            case CompareSnapshots(first, second):
                self.emit(Compared(request, self._compare(first, second)))
            case ExportSnapshot(_, file):
                file.write_bytes(b"a memory")
                self.emit(Done(request, f"Exported to {file.name}."))
            case ImportSnapshot(file):
                if file.read_bytes() != b"a memory":
                    problem = "This file is not an Engram memory."
                    self.emit(Failed(request, InputError(problem)))
                    return
                self.take(file.stem, SnapshotKind.IMPORTED)
                self.emit(Done(request, "Imported. Nothing was restored."))
            case _:
                raise TypeError(command)

    def _restore(self, request: int, saved: Saved) -> None:
        before = self.take("Before a restore", SnapshotKind.BEFORE_RESTORE)

        def put_back(notes: dict[int, Note]) -> None:
            self.notes = dict(notes)
            for event in self._state():
                self.emit(event)

        self._undo[request] = lambda: put_back(before.notes)
        if self.mode is Mode.BROKEN:
            self.mode, self.problem, self.offered = Mode.IDLE, "", ""
        put_back(saved.notes)
        self.emit(Done(request, f"Restored “{saved.row.name}”.", undoable=True))

    def _compare(self, first: str, second: str) -> Comparison:
        one = self._saved(first).notes
        two = self._saved(second).notes if second else self.notes
        paths = {n.path: n for n in one.values() if n.cells}
        others = {n.path: n for n in two.values() if n.cells}
        rows = []
        for path in sorted(paths.keys() | others.keys()):
            a, b = paths.get(path), others.get(path)
            if a == b:
                continue
            change = Change.REWRITTEN
            if a is None or b is None:
                change = Change.ONLY_IN_FIRST if b is None else Change.ONLY_IN_SECOND
            rows.append(
                NoteDifference(path, change, a.recall if a else None, b.recall if b else None)
            )
        return Comparison(first, second, tuple(rows), 900, 40 * len(rows), 3 * len(rows))
