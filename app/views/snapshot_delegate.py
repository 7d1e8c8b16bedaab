"""Paints a snapshot's row: its name, and below it when, how much and by whom."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.icons import pixmap, tone
from app.models.snapshots import SNAPSHOT_ROLE, SnapshotsModel
from app.widgets.labels import scaled_font
from engine.api import Snapshot, SnapshotKind

PAD = 6
SCALE = 0.86
_ICONS = {
    SnapshotKind.MANUAL: "snapshot",
    SnapshotKind.AUTOMATIC: "waiting",
    SnapshotKind.BEFORE_RESTORE: "restore",
    SnapshotKind.IMPORTED: "import",
}

_Index = QModelIndex | QPersistentModelIndex


class SnapshotDelegate(QStyledItemDelegate):
    """Two lines and an icon; the name is edited in place."""

    def __init__(self, model: SnapshotsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Two lines of text."""
        high = QFontMetrics(scaled_font()).height() + QFontMetrics(scaled_font(SCALE)).height()
        return QSize(140, high + 2 + 2 * PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one row."""
        snapshot = index.data(SNAPSHOT_ROLE)
        if not isinstance(snapshot, Snapshot):
            return
        state: QStyle.StateFlag = option.state
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = None
        if state & QStyle.StateFlag.State_Selected:
            ground = "selected"
        elif state & QStyle.StateFlag.State_MouseOver:
            ground = "hover"
        if ground:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tone(ground)))
            painter.drawRoundedRect(rect.adjusted(0, 1, -1, -1), 7, 7)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(tone("accent")))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 1.5, -1.5, -1.5), 7, 7)
        place = rect.adjusted(8, PAD, -8, -PAD)
        painter.setFont(scaled_font())
        side = painter.fontMetrics().height()
        icon = pixmap(
            _ICONS[snapshot.kind], tone("muted"), side, painter.device().devicePixelRatioF()
        )
        painter.drawPixmap(place.x(), place.y() + (place.height() - side) // 2, icon)
        self._lines(painter, snapshot, place.adjusted(side + 9, 0, 0, 0))
        painter.restore()

    def _lines(self, painter: QPainter, snapshot: Snapshot, place: QRect) -> None:
        single = int(Qt.TextFlag.TextSingleLine)
        metrics = painter.fontMetrics()
        name = metrics.elidedText(
            self._model.title(snapshot), Qt.TextElideMode.ElideMiddle, place.width()
        )
        painter.setPen(QColor(tone("text")))
        painter.drawText(place, single | int(Qt.AlignmentFlag.AlignTop), name)
        painter.setFont(scaled_font(SCALE))
        painter.setPen(QColor(tone("muted")))
        line = painter.fontMetrics().elidedText(
            self._model.second_line(snapshot), Qt.TextElideMode.ElideRight, place.width()
        )
        painter.drawText(place, single | int(Qt.AlignmentFlag.AlignBottom), line)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        """A plain line."""
        editor = QLineEdit(parent)
        editor.setAccessibleName(self.tr("Name of the snapshot"))
        editor.setMaxLength(120)
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        """Over the name."""
        rect: QRect = option.rect
        side = QFontMetrics(scaled_font()).height()
        editor.setGeometry(rect.adjusted(side + 12, 4, -6, -4))
