"""A field to filter by: the magnifier and the button that empties it grow with the font."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.icons import pixmap, tone
from app.widgets.buttons import IconButton

GAP = 8
"""Between the frame, the magnifier and the text, in logical pixels."""


class SearchField(QLineEdit):
    """Qt's own line edit draws its icons in one size, whatever the font."""

    def __init__(self, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(words)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 2, 0)
        row.addStretch(1)
        self.empty_button = IconButton("close", self.tr("Empty the filter"), self.clear)
        self.empty_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.empty_button.setCursor(Qt.CursorShape.ArrowCursor)
        self.empty_button.hide()
        row.addWidget(self.empty_button)
        self.textChanged.connect(lambda text: self.empty_button.setVisible(bool(text)))
        self._make_room()

    def icon_side(self) -> int:
        """The magnifier's side in logical pixels."""
        return max(16, self.fontMetrics().height())

    def changeEvent(self, event: QEvent) -> None:
        """Grow with the font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self._make_room()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the magnifier into the room left of the text."""
        super().paintEvent(event)
        side = self.icon_side()
        picture = pixmap("search", tone("muted"), side, self.devicePixelRatioF())
        painter = QPainter(self)
        painter.drawPixmap(GAP, (self.height() - side) // 2, picture)

    def _make_room(self) -> None:
        side = self.icon_side()
        self.setTextMargins(side + GAP, 0, side + GAP, 0)
