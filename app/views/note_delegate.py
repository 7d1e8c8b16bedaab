"""Paints a note's row: name and age above, state chip and recall (or the reason) below."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app import wording
from app.icons import pixmap, tone
from app.models.note_rows import Row, RowKind
from app.models.notes import ROW_ROLE, NotesModel
from app.widgets.labels import scaled_font
from app.widgets.notes_tree import NotesTree
from app.widgets.recall_bar import paint_bar
from app.widgets.state_chip import SCALE, chip_font, chip_size, paint_chip
from engine.api import Note, NoteState

PAD = 7
"""Above and below the text of a row, in logical pixels."""
SIDE = 8
"""Left and right of it."""
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

_Index = QModelIndex | QPersistentModelIndex


class NoteDelegate(QStyledItemDelegate):
    """Every row has the same height, so a list of thousands knows its length at once."""

    def __init__(
        self, model: NotesModel, clock: Callable[[], float], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._clock = clock

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Two lines of text with room to breathe."""
        small = QFontMetrics(chip_font())
        return QSize(160, QFontMetrics(scaled_font()).height() + small.height() + 4 + 3 + 2 * PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one row."""
        row = index.data(ROW_ROLE)
        if not isinstance(row, Row):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tree = option.widget
        whole = option.rect.adjusted(0, 0, -tree.inset if isinstance(tree, NotesTree) else 0, 0)
        self._paint_ground(painter, option.state, whole)
        place: QRect = whole.adjusted(SIDE, PAD, -SIDE, -PAD)
        font = scaled_font()
        painter.setFont(font)
        high = painter.fontMetrics().height()
        first = QRect(place.x(), place.y(), place.width(), high)
        second = QRect(
            place.x(), first.bottom() + 4, place.width(), place.bottom() - first.bottom() - 3
        )
        if row.note is None:
            self._paint_folder(painter, row, first, second)
        else:
            # On a selected row a chip's own ground would be lost.
            chosen = bool(option.state & QStyle.StateFlag.State_Selected)
            self._paint_note(painter, row.note, row.title, first, second, chosen)
        painter.restore()

    def _paint_ground(self, painter: QPainter, state: QStyle.StateFlag, rect: QRect) -> None:
        ground = None
        if state & QStyle.StateFlag.State_Selected:
            ground = "selected"
        elif state & QStyle.StateFlag.State_MouseOver:
            ground = "hover"
        if ground:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tone(ground)))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 7, 7)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(tone("accent")))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 1.5, -0.5, -1.5), 7, 7)

    def _paint_folder(self, painter: QPainter, row: Row, first: QRect, second: QRect) -> None:
        side = first.height()
        icon = "removed" if row.kind is RowKind.REMOVED else "folder"
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(first.x(), first.y(), pixmap(icon, tone("muted"), side, ratio))
        painter.setPen(QColor(tone("text")))
        room = first.adjusted(side + 7, 0, 0, 0)
        self._text(painter, room, self._model.title(row), Qt.TextElideMode.ElideMiddle)
        painter.setFont(scaled_font(SCALE))
        painter.setPen(QColor(tone("muted")))
        self._text(painter, second.adjusted(side + 7, 0, 0, 0), self._model.summary(row))

    def _paint_note(
        self,
        painter: QPainter,
        note: Note,
        title: str,
        first: QRect,
        second: QRect,
        chosen: bool,
    ) -> None:
        faded = note.state in (NoteState.FORGOTTEN, NoteState.REMOVED, NoteState.SKIPPED)
        age = self._age(note)
        painter.setFont(scaled_font(SCALE))
        painter.setPen(QColor(tone("muted")))
        wide = painter.fontMetrics().horizontalAdvance(age)
        painter.drawText(first, _RIGHT, age)
        painter.setFont(scaled_font())
        painter.setPen(QColor(tone("muted" if faded else "text")))
        room = first.adjusted(0, 0, -(wide + 12) if wide else 0, 0)
        self._text(painter, room, title, Qt.TextElideMode.ElideMiddle)
        self._paint_second(painter, note, second, "surface" if chosen else "")

    def _paint_second(self, painter: QPainter, note: Note, line: QRect, ground: str) -> None:
        painter.setFont(chip_font())
        metrics = painter.fontMetrics()
        size = chip_size(wording.state(note), metrics)
        chip = QRect(line.x(), line.y(), min(size.width(), line.width()), size.height())
        paint_chip(painter, chip, note, painter.device().devicePixelRatioF(), ground)
        rest = QRect(chip.right() + 10, chip.y(), line.right() - chip.right() - 9, chip.height())
        if note.state is NoteState.WRITING and note.steps:
            self._bar(painter, rest, note.step / note.steps, "", "accent")
        elif note.reason and note.state is not NoteState.REMEMBERED:
            if note.state is NoteState.WEAK and note.recall is not None:
                number = wording.percent(note.recall)
                painter.setPen(QColor(tone("text")))
                painter.drawText(rest, _RIGHT, number)
                rest.adjust(0, 0, -painter.fontMetrics().horizontalAdvance(number) - 8, 0)
            painter.setPen(QColor(tone("muted")))
            self._text(painter, rest, wording.shown(note.reason))
        elif note.recall is not None and note.state in (NoteState.REMEMBERED, NoteState.WEAK):
            self._bar(painter, rest, note.recall, wording.percent(note.recall))

    def _bar(
        self, painter: QPainter, room: QRect, share: float, number: str, ink: str = ""
    ) -> None:
        metrics = painter.fontMetrics()
        text = metrics.horizontalAdvance(wording.percent(1.0)) + 2
        if number:
            painter.setPen(QColor(tone("text")))
            painter.drawText(room, _RIGHT, number)
        wide = min(room.width() - text - 8, metrics.averageCharWidth() * 9)
        if wide > 18:
            thick = max(4.0, metrics.height() * 0.28)
            left = room.right() - text - 8 - wide + 1
            top = room.y() + (room.height() - thick) / 2
            paint_bar(painter, QRectF(left, top, wide, thick), share, ink)

    def _text(
        self,
        painter: QPainter,
        room: QRect,
        text: str,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        shown = painter.fontMetrics().elidedText(text, mode, room.width())
        painter.drawText(room, int(_LEFT) | int(Qt.TextFlag.TextSingleLine), shown)

    def _age(self, note: Note) -> str:
        then = note.written_at if note.written_at is not None else note.changed_at
        return "" if then is None else wording.age(then, self._clock())
