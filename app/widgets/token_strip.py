"""The exact tokens that the model was given, each in its own box."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontDatabase, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import wording
from app.icons import tone

GAP = 3


def token_text(token: str) -> str:
    """A token as shown: spaces as a raised dot, anything invisible escaped."""
    return wording.shown(token).replace(" ", "·") or "∅"


def is_special(token: str) -> bool:
    """Special tokens come by name, in angle brackets."""
    return token.startswith("<") and token.endswith(">") and len(token) > 2


class TokenStrip(QWidget):
    """Boxes in lines, as wide as there is room."""

    def __init__(self, tokens: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("What the model was given"))
        self.setAccessibleDescription(" ".join(wording.shown(token) for token in tokens))

    def _metrics(self) -> QFontMetrics:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF() * 0.9)
        self._mono = font
        return QFontMetrics(font)

    def _boxes(self, width: int) -> tuple[list[tuple[QRectF, str, bool]], int]:
        metrics = self._metrics()
        high = metrics.height() + 4
        boxes: list[tuple[QRectF, str, bool]] = []
        x = y = 0
        for token in self._tokens:
            text = metrics.elidedText(token_text(token), Qt.TextElideMode.ElideMiddle, width - 10)
            wide = metrics.horizontalAdvance(text) + 8
            if x and x + wide > width:
                x, y = 0, y + high + GAP
            boxes.append((QRectF(x, y, wide, high), text, is_special(token)))
            x += wide + GAP
        return boxes, y + high

    def hasHeightForWidth(self) -> bool:
        """More lines in less width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height in pixels of the lines in this width."""
        return self._boxes(width)[1]

    def sizeHint(self) -> QSize:
        """As wide as there is room for."""
        width = max(self.width(), 120)
        return QSize(120, self.heightForWidth(width))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the boxes."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        boxes, _ = self._boxes(self.width())
        painter.setFont(self._mono)
        for place, text, special in boxes:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tone("accent_soft" if special else "neutral_soft")))
            painter.drawRoundedRect(place, 4, 4)
            painter.setPen(QColor(tone("on_accent_soft" if special else "on_neutral")))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
