"""What lies over the window while files are dragged across it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.icons import pixmap, tone
from app.widgets.labels import scaled_font


def dropped_paths(data: QMimeData) -> tuple[Path, ...]:
    """The local files and folders in a drag; () when it holds none."""
    if not data.hasUrls():
        return ()
    return tuple(Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile())


class DropZone(QWidget):
    """A veil with a dashed frame and a sentence. It takes no events of its own."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._covered = parent
        self._words = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def cover(self, words: str) -> None:
        """Lie over the parent, saying what a drop does."""
        self._words = words
        self.setAccessibleName(words)
        self.setGeometry(self._covered.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint veil, frame, icon and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(tone("surface"))
        veil.setAlphaF(0.93)
        painter.fillRect(self.rect(), veil)
        frame = QRectF(self.rect()).adjusted(18, 18, -18, -18)
        painter.setPen(QPen(QColor(tone("accent")), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(frame, 14, 14)
        side = 44
        middle = frame.center()
        painter.setFont(scaled_font(1.25))
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        flags |= int(Qt.TextFlag.TextWordWrap)
        below = frame.adjusted(54, 0, -54, 0)
        below.setTop(middle.y() + 10)
        words = QRectF(painter.boundingRect(below, flags, self._words))
        self._paint_card(painter, words.adjusted(-28, -side - 34, 28, 24))
        icon = pixmap("file-drop", tone("accent"), side, self.devicePixelRatioF())
        painter.drawPixmap(int(middle.x() - side / 2), int(middle.y() - side), icon)
        painter.setPen(QColor(tone("text")))
        painter.drawText(words, flags, self._words)

    def _paint_card(self, painter: QPainter, place: QRectF) -> None:
        """A ground of its own for the words: what shines through the veil would disturb them."""
        painter.setPen(QPen(QColor(tone("line")), 1))
        painter.setBrush(QColor(tone("surface")))
        painter.drawRoundedRect(place, 14, 14)
        painter.setBrush(Qt.BrushStyle.NoBrush)
