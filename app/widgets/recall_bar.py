"""A small bar with its number: how sure an answer is, how much of a note is recalled."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import wording
from app.icons import tone
from app.widgets.labels import scaled_font

UNSURE = 0.5
"""Below this share a bar takes the warning tone."""


def bar_tone(share: float) -> str:
    """The bar's colour: the accent when high, a warning tone when low. The number says it too."""
    return "accent" if share >= UNSURE else "warn"


def paint_bar(painter: QPainter, place: QRectF, share: float, ink: str = "") -> None:
    """Paint a bar filled to `share` (0 to 1) into `place`; `ink` overrides its tone."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(tone("free_cell")))
    radius = place.height() / 2
    painter.drawRoundedRect(place, radius, radius)
    filled = QRectF(place)
    filled.setWidth(max(place.height(), place.width() * min(max(share, 0.0), 1.0)))
    if share > 0:
        painter.setBrush(QColor(tone(ink or bar_tone(share))))
        painter.drawRoundedRect(filled, radius, radius)
    painter.restore()


class RecallBar(QWidget):
    """Words, a bar and the number, e.g. ``sure ▬▬▬▬ 96 %``."""

    def __init__(self, words: str, share: float = 0.0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._share = share
        self._scale = 0.9
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.set_share(share)

    def set_share(self, share: float) -> None:
        """Show another share, 0 to 1."""
        self._share = share
        self.setAccessibleName(f"{self._words} {wording.percent(share)}")
        self.setToolTip(wording.tip(f"{self._words} {wording.percent(share)}"))
        self.update()

    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(scaled_font(self._scale))

    def _bar_width(self) -> int:
        return self._metrics().averageCharWidth() * 8

    def sizeHint(self) -> QSize:
        """Room for words, bar and "100 %"."""
        metrics = self._metrics()
        words = metrics.horizontalAdvance(self._words) + 8 if self._words else 0
        number = metrics.horizontalAdvance(wording.percent(1.0))
        return QSize(words + self._bar_width() + 8 + number, metrics.height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint words, bar and number."""
        painter = QPainter(self)
        painter.setFont(scaled_font(self._scale))
        metrics = painter.fontMetrics()
        painter.setPen(QColor(tone("muted")))
        x = 0
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        if self._words:
            painter.drawText(self.rect(), middle, self._words)
            x = metrics.horizontalAdvance(self._words) + 8
        thick = max(5.0, metrics.height() * 0.32)
        top = (self.height() - thick) / 2
        paint_bar(painter, QRectF(x, top, self._bar_width(), thick), self._share)
        x += self._bar_width() + 8
        painter.setPen(QColor(tone("text")))
        painter.drawText(self.rect().adjusted(x, 0, 0, 0), middle, wording.percent(self._share))
