"""The notes as a Qt model: a tree by folder or a flat list, filtered and in order.

Filtering and sorting happen in Python's own sort over plain records, not in a proxy that calls
back for each pair, so that 5,000 notes are arranged within a frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from app import wording
from app.models.note_rows import (
    Arrangement,
    Order,
    Row,
    RowKind,
    is_remembered,
    matches,
    moves,
)
from engine.api import Note, NoteState, WriteProgress

ROW_ROLE = Qt.ItemDataRole.UserRole + 1
NOTE_ROLE = Qt.ItemDataRole.UserRole + 2

REBUILD_MS = 120
"""Changes that move rows are gathered this long (longer with thousands of notes) before the
rows are arranged anew."""

_Index = QModelIndex | QPersistentModelIndex


class NotesModel(QAbstractItemModel):
    """All notes by id, and the rows shown of them."""

    arranged = Signal()
    """The rows were built anew; views put back what was folded and selected."""
    counted = Signal()
    """How many notes there are, or how many the filter lets through, may be new."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notes: dict[int, Note] = {}
        self._in_force: set[int] = set()
        self._rows = Arrangement(self._in_force)
        self._order = Order.NAME
        self._flat = False
        self._words: tuple[str, ...] = ()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(REBUILD_MS)
        self._later.timeout.connect(self.arrange)

    # --- what the engine says ---

    def reset(self, notes: Iterable[Note]) -> None:
        """These are all the notes there are."""
        self._notes = {note.id: note for note in notes}
        self._in_force.clear()
        self._in_force.update(n.id for n in self._notes.values() if is_remembered(n))
        self.arrange()

    def change(self, notes: Iterable[Note]) -> None:
        """These notes are new or different."""
        moved = False
        touched: dict[int, Row] = {}
        for note in notes:
            before = self._notes.get(note.id)
            self._notes[note.id] = note
            (self._in_force.add if is_remembered(note) else self._in_force.discard)(note.id)
            moved |= before is None or moves(self._order, before, note)
            moved |= before is not None and (
                matches(before, self._words) != matches(note, self._words)
            )
            self._collect(self._rows.replace(note), touched)
        self._touch(touched)
        if moved and not self._later.isActive():
            self._later.start(REBUILD_MS + len(self._notes) // 10)
        self.counted.emit()

    def drop(self, note_ids: Iterable[int]) -> None:
        """These notes are gone."""
        for note_id in note_ids:
            self._notes.pop(note_id, None)
            self._in_force.discard(note_id)
        self.arrange()

    def progress(self, steps: Iterable[WriteProgress]) -> None:
        """Show how far the running write is."""
        touched: dict[int, Row] = {}
        for step in {s.note_id: s for s in steps}.values():
            note = self._notes.get(step.note_id)
            if note is None or note.state not in (NoteState.WRITING, NoteState.READING):
                continue
            note = replace(
                note,
                state=NoteState.WRITING,
                step=step.step,
                steps=step.steps,
                loss=step.loss,
                recall=step.recall if step.recall is not None else note.recall,
            )
            self._notes[note.id] = note
            if (row := self._rows.replace(note)) is not None:
                touched[row.serial] = row
        self._touch(touched)

    # --- how they are shown ---

    @property
    def order(self) -> Order:
        """The order in force."""
        return self._order

    @property
    def flat(self) -> bool:
        """True for a list without folders."""
        return self._flat

    def set_order(self, order: Order) -> None:
        """Put the notes in this order."""
        if order is not self._order:
            self._order = order
            self.arrange()

    def set_flat(self, flat: bool) -> None:
        """Show a flat list (True) or the folders (False)."""
        if flat != self._flat:
            self._flat = flat
            self.arrange()

    def set_filter(self, text: str) -> None:
        """Show the notes whose path, state or reason hold every word of `text`."""
        words = tuple(text.casefold().split())
        if words != self._words:
            self._words = words
            self.arrange()

    def arrange(self) -> None:
        """Build the rows anew, now."""
        self._later.stop()
        self.beginResetModel()
        self._rows.build(self._notes.values(), self._order, self._flat, self._words)
        self.endResetModel()
        self.arranged.emit()
        self.counted.emit()

    # --- looking things up ---

    def __len__(self) -> int:
        return len(self._notes)

    @property
    def shown_count(self) -> int:
        """How many notes the filter lets through."""
        return len(self._rows.by_note)

    @property
    def filtered(self) -> bool:
        """True while a filter is set."""
        return bool(self._words)

    def note(self, note_id: int) -> Note | None:
        """The note with this id."""
        return self._notes.get(note_id)

    def notes(self) -> tuple[Note, ...]:
        """All notes, in no order."""
        return tuple(self._notes.values())

    def index_of(self, note_id: int) -> QModelIndex:
        """Where a note is shown; invalid when the filter hides it."""
        row = self._rows.by_note.get(note_id)
        return QModelIndex() if row is None else self._index_for(row)

    def folder_rows(self) -> list[tuple[str, QModelIndex]]:
        """Key and place of every row that can be folded."""
        return [(row.key, self._index_for(row)) for row in self._rows.rows.values() if row.children]

    def row_at(self, index: _Index) -> Row | None:
        """The row behind an index."""
        return self._rows.rows.get(index.internalId()) if index.isValid() else None

    def note_at(self, index: _Index) -> Note | None:
        """The note behind an index; None for a folder."""
        row = self.row_at(index)
        return row.note if row else None

    def _index_for(self, row: Row) -> QModelIndex:
        return self.createIndex(row.place, 0, row.serial)

    def _collect(self, row: Row | None, touched: dict[int, Row]) -> None:
        """Add a row and the folders above it, whose counts change with it."""
        while row is not None and row.kind is not RowKind.TOP and row.serial not in touched:
            touched[row.serial] = row
            row = row.parent

    def _touch(self, touched: dict[int, Row]) -> None:
        for row in touched.values():
            index = self._index_for(row)
            self.dataChanged.emit(index, index)

    # --- QAbstractItemModel ---

    def index(self, row: int, column: int, parent: _Index | None = None) -> QModelIndex:
        """The index of a child row."""
        above = self._rows.top if parent is None or not parent.isValid() else self.row_at(parent)
        if above is None or column != 0 or not 0 <= row < len(above.children):
            return QModelIndex()
        return self._index_for(above.children[row])

    def parent(self, index: _Index | None = None) -> Any:
        """The index of the row above; without an index, the QObject's parent."""
        if index is None:
            return super().parent()
        row = self.row_at(index)
        if row is None or row.parent is None or row.parent.kind is RowKind.TOP:
            return QModelIndex()
        return self._index_for(row.parent)

    def rowCount(self, parent: _Index | None = None) -> int:
        """How many children."""
        if parent is None or not parent.isValid():
            return len(self._rows.top.children)
        row = self.row_at(parent)
        return len(row.children) if row else 0

    def columnCount(self, parent: _Index | None = None) -> int:
        """Always one; the delegate paints the parts of a row."""
        return 1

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The row's name, tooltip, accessible text, or the records behind it."""
        row = self.row_at(index)
        if row is None:
            return None
        if role == ROW_ROLE:
            return row
        if role == NOTE_ROLE:
            return row.note
        if role == Qt.ItemDataRole.DisplayRole:
            return self.title(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return wording.tip(self._tooltip(row))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._accessible(row)
        return None

    def title(self, row: Row) -> str:
        """The row's name as shown."""
        if row.kind is RowKind.REMOVED:
            return self.tr("Removed from folder")
        if row.kind is RowKind.ELSEWHERE:
            return self.tr("From elsewhere")
        return row.title

    def summary(self, row: Row) -> str:
        """The second line of a folder or group."""
        if row.kind is RowKind.REMOVED:
            return wording.notes(row.notes)
        text = self.tr("%1 of %2 remembered")
        return text.replace("%1", wording.number(row.remembered)).replace(
            "%2", wording.number(row.notes)
        )

    def _tooltip(self, row: Row) -> str:
        if row.note is None:
            return f"{self.title(row)}\n{self.summary(row)}"
        lines = [wording.shown(row.note.path), wording.state(row.note)]
        if row.note.recall is not None and row.note.state is not NoteState.WRITING:
            lines[1] += ", " + self.tr("recall") + " " + wording.percent(row.note.recall)
        if row.note.reason:
            lines.append(wording.shown(row.note.reason))
        return "\n".join(lines)

    def _accessible(self, row: Row) -> str:
        if row.note is None:
            return f"{self.title(row)}, {self.summary(row)}"
        parts = [row.title, wording.state(row.note)]
        if row.note.recall is not None:
            parts.append(self.tr("recall") + " " + wording.percent(row.note.recall))
        if row.note.reason:
            parts.append(wording.shown(row.note.reason))
        return ", ".join(parts)
