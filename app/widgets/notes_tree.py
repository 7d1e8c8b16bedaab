"""The tree of notes: arrows and indentation that grow with the font, and even margins."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QTreeView, QWidget

from app.icons import pixmap, tone
from app.widgets.labels import scaled_font

MARGIN = 8
"""Left and right of the rows, in logical pixels; with a row's own padding, the pane's margin."""


class NotesTree(QTreeView):
    """Paints its own arrows: a style sheet knows only pictures of one size."""

    def __init__(self, padding: int, parent: QWidget | None = None) -> None:
        """`padding` is the room above a row's first line, in logical pixels."""
        super().__init__(parent)
        self._padding = padding
        self.setRootIsDecorated(False)
        self._scale()

    @property
    def inset(self) -> int:
        """What a row leaves free at its right: a scroll bar stands there, where there is one."""
        return 0 if self.verticalScrollBar().isVisible() else MARGIN

    def arrow_place(self, row: QRect) -> QRect:
        """Where the arrow of a row stands: left of the row, level with its first line."""
        line = QFontMetrics(scaled_font()).height()
        at = row.left() - self.indentation() + (self.indentation() - line) // 2
        return QRect(at, row.top() + self._padding, line, line)

    def drawBranches(
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """An arrow for what can be folded, nothing for the rest."""
        model = self.model()
        if not model.hasChildren(index) or not rect.width():
            return
        name = "chevron-down" if self.isExpanded(index) else "chevron-right"
        place = self.arrow_place(self.visualRect(index))
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(place.topLeft(), pixmap(name, tone("muted"), place.width(), ratio))

    def changeEvent(self, event: QEvent) -> None:
        """Grow with the font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self._scale()

    def _scale(self) -> None:
        self.setIndentation(max(18, round(QFontMetrics(scaled_font()).height() * 1.2)))
