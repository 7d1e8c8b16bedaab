"""The chip that names a note's state with an icon and a word, never by colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import wording
from app.icons import pixmap, tone
from app.widgets.labels import scaled_font
from engine.api import Note, NoteState

SCALE = 0.86
"""Chips and other second-line text, as a share of the application's font."""


@dataclass(frozen=True)
class ChipLook:
    """Icon and colours of a state, by their names in the theme."""

    icon: str
    ground: str
    ink: str


LOOKS = {
    NoteState.WAITING: ChipLook("waiting", "neutral_soft", "on_neutral"),
    NoteState.READING: ChipLook("reading", "neutral_soft", "on_neutral"),
    NoteState.WRITING: ChipLook("writing", "accent_soft", "on_accent_soft"),
    NoteState.REMEMBERED: ChipLook("remembered", "accent_soft", "on_accent_soft"),
    NoteState.WEAK: ChipLook("weak", "warn_soft", "on_warn"),
    NoteState.SKIPPED: ChipLook("skipped", "neutral_soft", "on_neutral"),
    NoteState.FAILED: ChipLook("failed", "bad_soft", "on_bad"),
    NoteState.FORGOTTEN: ChipLook("forgotten", "neutral_soft", "on_neutral"),
    NoteState.REMOVED: ChipLook("removed", "neutral_soft", "on_neutral"),
}


def chip_font() -> QFont:
    """The font of chips."""
    return scaled_font(SCALE)


def chip_size(text: str, metrics: QFontMetrics) -> QSize:
    """Room for a chip with this text."""
    height = metrics.height() + 4
    return QSize(metrics.horizontalAdvance(text) + height + 10, height)


def paint_chip(painter: QPainter, place: QRect, note: Note, ratio: float, ground: str = "") -> None:
    """Paint the chip of a note's state into `place`; `ground` overrides its own."""
    look = LOOKS[note.state]
    metrics = painter.fontMetrics()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(tone(ground or look.ground)))
    painter.drawRoundedRect(place, place.height() / 2, place.height() / 2)
    side = metrics.height()
    icon = pixmap(look.icon, tone(look.ink), side, ratio)
    painter.drawPixmap(place.x() + 4, place.y() + (place.height() - side) // 2, icon)
    painter.setPen(QColor(tone(look.ink)))
    room = place.adjusted(side + 7, 0, -6, 0)
    text = metrics.elidedText(wording.state(note), Qt.TextElideMode.ElideRight, room.width() + 2)
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    painter.restore()


class StateChip(QWidget):
    """The same chip as a widget."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._note: Note | None = None
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_note(self, note: Note) -> None:
        """Show this note's state."""
        self._note = note
        self.setAccessibleName(wording.state(note))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for icon and word."""
        text = wording.state(self._note) if self._note else ""
        return chip_size(text, QFontMetrics(chip_font()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the chip."""
        if self._note is None:
            return
        painter = QPainter(self)
        painter.setFont(chip_font())
        paint_chip(painter, self.rect(), self._note, self.devicePixelRatioF())
