"""Labels: plain text always, sized by the system font, eliding where a name may be long."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QSizePolicy, QWidget

from app import wording


def scaled_font(scale: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The application's font, larger or smaller, of another weight."""
    font = QFont(QApplication.font())
    font.setPointSizeF(max(6.0, font.pointSizeF() * scale))
    font.setWeight(weight)
    return font


class Label(QLabel):
    """Plain text in a share of the application's font, in a tone of the theme."""

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        *,
        scale: float = 1.0,
        bold: bool = False,
        tone: str = "",
        wrap: bool = False,
    ) -> None:
        super().__init__(parent)
        self._scale = scale
        self._weight = QFont.Weight.DemiBold if bold else QFont.Weight.Normal
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        self.setText(text)
        if tone:
            self.set_tone(tone)
        self._dress()

    def set_tone(self, tone: str) -> None:
        """Colour the text: "", "muted", "accent", "warn" or "bad"."""
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            self.style().unpolish(self)
            self.style().polish(self)

    def changeEvent(self, event: QEvent) -> None:
        """Follow a new font size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.ApplicationFontChange, QEvent.Type.StyleChange):
            self._dress()

    def showEvent(self, event: QShowEvent) -> None:
        """Put the size back that a style sheet takes away when a label gets its parent."""
        super().showEvent(event)
        self._dress()

    def _dress(self) -> None:
        font = scaled_font(self._scale, self._weight)
        if font != self.font():
            self.setFont(font)


class ElidedLabel(Label):
    """A label that gives way: its text is cut in the middle, whole in the tooltip."""

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        *,
        scale: float = 1.0,
        bold: bool = False,
        tone: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
    ) -> None:
        self._mode = mode
        super().__init__(text, parent, scale=scale, bold=bold, tone=tone)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        """Set the text and the tooltip that shows all of it."""
        super().setText(text)
        self.setToolTip(wording.tip(text))

    def minimumSizeHint(self) -> QSize:
        """May shrink to a few characters."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), self.fontMetrics().averageCharWidth() * 6), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much of the text as there is room for."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        room = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), self._mode, room.width())
        painter.drawText(room, int(self.alignment() | Qt.TextFlag.TextSingleLine), text)


class Rule(QFrame):
    """A hairline between two parts."""

    def __init__(self, parent: QWidget | None = None, *, upright: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName("rule")
        if upright:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)
