"""The running write as a live plot: loss by gradient step, and the recall reached so far."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import wording
from app.icons import tone
from app.theme import theme
from app.widgets.labels import scaled_font
from engine.api import WriteProgress

KEPT = 1500
"""Steps kept for one write; beyond, every second one is dropped."""


class LossPlot(QWidget):
    """Left scale: loss in nats. Right scale: recall in per cent. Along: gradient steps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._note_id = 0
        self._steps = 0
        self._points: list[WriteProgress] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Loss and recall of the running write"))
        theme().changed.connect(self.update)

    @property
    def note_id(self) -> int:
        """The note whose write is shown, 0 before any."""
        return self._note_id

    @property
    def points(self) -> tuple[WriteProgress, ...]:
        """The steps shown, oldest first."""
        return tuple(self._points)

    def add(self, steps: Iterable[WriteProgress]) -> None:
        """More steps; another note, or a step number going back, starts a new plot."""
        for step in steps:
            again = bool(self._points) and step.step < self._points[-1].step
            if step.note_id != self._note_id or again:
                self._note_id = step.note_id
                self._points.clear()
            self._steps = step.steps
            self._points.append(step)
        if len(self._points) > KEPT:
            self._points = self._points[::2]
        if self._points:
            last = self._points[-1]
            recall = "" if last.recall is None else f", {wording.percent(last.recall)}"
            self.setAccessibleDescription(f"{last.step}/{last.steps}, {last.loss:.3f}{recall}")
        self.update()

    def clear(self) -> None:
        """Show nothing."""
        self._note_id, self._steps = 0, 0
        self._points.clear()
        self.update()

    def _font(self) -> QFont:
        return scaled_font(0.8)

    def sizeHint(self) -> QSize:
        """Some lines of text high."""
        return QSize(220, QFontMetrics(self._font()).height() * 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint scales, curves and legend."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font())
        metrics = painter.fontMetrics()
        losses = [p.loss for p in self._points if isfinite(p.loss)]
        top = max(losses, default=1.0) * 1.05 or 1.0
        left = metrics.horizontalAdvance(f"{top:.2f}") + 8
        right = metrics.horizontalAdvance(wording.percent(1.0)) + 8
        high = metrics.height()
        room = QRectF(self.rect()).adjusted(left, high * 1.6, -right, -high * 1.5)
        self._paint_scales(painter, room, top)
        if len(self._points) > 1:
            self._paint_curves(painter, room, top)
        self._paint_legend(painter, room)

    def _paint_scales(self, painter: QPainter, room: QRectF, top: float) -> None:
        high = painter.fontMetrics().height()
        for share in (0.0, 0.5, 1.0):
            y = room.bottom() - share * room.height()
            painter.setPen(QPen(QColor(tone("line")), 1))
            painter.drawLine(QPointF(room.left(), y), QPointF(room.right(), y))
            painter.setPen(QColor(tone("muted")))
            line = QRectF(0, y - high / 2, room.left() - 6, high)
            if self._points:
                painter.drawText(line, Qt.AlignmentFlag.AlignRight, f"{top * share:.2f}")
            line = QRectF(room.right() + 6, y - high / 2, self.width() - room.right() - 6, high)
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, wording.percent(share))
        below = QRectF(room.left(), room.bottom() + 3, room.width(), high)
        painter.setPen(QColor(tone("muted")))
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, wording.number(0))
        if self._steps:
            steps = f"{wording.number(self._steps)} {self.tr('steps')}"
            painter.drawText(below, Qt.AlignmentFlag.AlignRight, steps)

    def _curve(self, room: QRectF, values: list[tuple[int, float]], top: float) -> QPolygonF:
        steps = max(self._steps, self._points[-1].step, 1)
        # No more corners than pixels: a long write has thousands of steps.
        every = max(1, len(values) // max(1, int(room.width())))
        kept = values[::every] + values[-1:] if every > 1 else values
        return QPolygonF(
            [
                QPointF(
                    room.left() + step / steps * room.width(),
                    room.bottom() - min(max(value / top, 0.0), 1.0) * room.height(),
                )
                for step, value in kept
            ]
        )

    def _paint_curves(self, painter: QPainter, room: QRectF, top: float) -> None:
        recall = [(p.step, p.recall) for p in self._points if p.recall is not None]
        if len(recall) > 1:
            pen = QPen(QColor(tone("warn")), 1.8, Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawPolyline(self._curve(room, recall, 1.0))
        loss = [(p.step, p.loss) for p in self._points if isfinite(p.loss)]
        if len(loss) > 1:
            painter.setPen(QPen(QColor(tone("accent")), 1.8))
            painter.drawPolyline(self._curve(room, loss, top))

    def _paint_legend(self, painter: QPainter, room: QRectF) -> None:
        metrics = painter.fontMetrics()
        high = metrics.height()
        last = self._points[-1] if self._points else None
        loss = self.tr("loss") + ("" if last is None else f" {last.loss:.3f}")
        painter.setPen(QPen(QColor(tone("accent")), 1.8))
        painter.drawLine(QPointF(room.left(), high / 2), QPointF(room.left() + 14, high / 2))
        painter.setPen(QColor(tone("muted")))
        painter.drawText(QPointF(room.left() + 19, metrics.ascent()), loss)
        recall = self.tr("recall")
        if last is not None and last.recall is not None:
            recall += " " + wording.percent(last.recall)
        width = metrics.horizontalAdvance(recall)
        painter.drawText(QPointF(room.right() - width, metrics.ascent()), recall)
        painter.setPen(QPen(QColor(tone("warn")), 1.8, Qt.PenStyle.DashLine))
        start = room.right() - width - 20
        painter.drawLine(QPointF(start, high / 2), QPointF(start + 15, high / 2))
