"""The picture of the slot: every cell a dot, coloured by the note that owns it.

Cells run down columns of `STRIP` cells, strip below strip, so that a note's run of cells becomes
a compact patch and not a hairline. The picture is an indexed image: a byte a cell.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from math import sqrt

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    qRgb,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app import wording
from app.icons import tone
from app.theme import theme
from engine.api import SlotBlock, SlotPicture

STRIP = 8
SHAPE = 1.75
"""Width over height of the whole picture."""
HUES = 200


def note_tint(note_id: int) -> int:
    """The colour number (1 to `HUES`) of a note; neighbours in time lie far apart in hue."""
    return 1 + int(note_id * 0.61803398875 * HUES) % HUES


def tint(number: int, dark: bool) -> QColor:
    """The colour with this number, of even lightness."""
    hue = (number - 1) / HUES
    level = 0.62 if dark else 0.50
    return QColor.fromHslF(hue, 0.42, level + 0.07 * ((number % 3) - 1))


def columns_for(cells: int) -> int:
    """How many cells side by side."""
    return max(STRIP, round(sqrt(cells * SHAPE)))


def raster(picture: SlotPicture, columns: int) -> tuple[bytes, int]:
    """The cells as image rows of one byte each.

    Returns:
        The bytes (rows * stride, stride a multiple of 4) and the number of rows.
    """
    strips = max(1, -(-picture.cells // (columns * STRIP)))
    line = bytearray(strips * columns * STRIP)
    tints: dict[int, bytes] = {}
    for block in picture.blocks:
        if note := block.note_id:
            byte = tints.get(note)
            if byte is None:
                byte = tints[note] = bytes((note_tint(note),))
            end = min(block.start + block.length, picture.cells)
            line[block.start : end] = byte * (end - block.start)
    stride = (columns + 3) // 4 * 4
    padding = bytes(stride - columns)
    rows = []
    for strip in range(strips):
        part = line[strip * columns * STRIP : (strip + 1) * columns * STRIP]
        rows += [bytes(part[row::STRIP]) + padding for row in range(STRIP)]
    return b"".join(rows), strips * STRIP


class SlotView(QWidget):
    """Shows a `SlotPicture`; hover names the note, click or Enter picks it."""

    picked = Signal(int)
    """A note's cells were clicked."""

    def __init__(self, name_of: Callable[[int], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name_of = name_of
        self._picture = SlotPicture(0, ())
        self._starts: list[int] = []
        self._owned: list[SlotBlock] = []
        self._columns = STRIP
        self._rows = STRIP
        self._bytes = b""
        self._image = QImage()
        self._marked = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("Picture of the slot"))
        theme().changed.connect(self._colour)

    def set_picture(self, picture: SlotPicture) -> None:
        """Show this slot."""
        self._picture = picture
        self._starts = [block.start for block in picture.blocks]
        self._owned = [block for block in picture.blocks if block.note_id]
        self._columns = columns_for(picture.cells)
        self._bytes, self._rows = raster(picture, self._columns)
        self._colour()
        owners = len({block.note_id for block in self._owned})
        self.setAccessibleDescription(
            self.tr("%1 in the slot").replace("%1", wording.notes(owners))
        )
        self.updateGeometry()

    def mark(self, note_id: int) -> None:
        """Outline a note's cells; 0 for none."""
        if note_id != self._marked:
            self._marked = note_id
            self.update()

    @property
    def marked(self) -> int:
        """The note whose cells are outlined, 0 for none."""
        return self._marked

    def note_at(self, point: QPoint | QPointF) -> int:
        """The note that owns the cell at a point of the widget; 0 for a free cell or none."""
        place = self._place()
        if not self._starts or not place.contains(QPointF(point)) or place.width() <= 0:
            return 0
        column = int((point.x() - place.x()) / place.width() * self._columns)
        row = int((point.y() - place.y()) / place.height() * self._rows)
        cell = (row // STRIP) * self._columns * STRIP + column * STRIP + row % STRIP
        at = bisect_right(self._starts, cell) - 1
        if at < 0:
            return 0
        block = self._picture.blocks[at]
        return block.note_id if cell < block.start + block.length else 0

    def _colour(self) -> None:
        if not self._bytes:
            return
        stride = (self._columns + 3) // 4 * 4
        image = QImage(
            self._bytes, self._columns, self._rows, stride, QImage.Format.Format_Indexed8
        )
        dark = theme().dark
        free = QColor(tone("free_cell"))
        table = [qRgb(free.red(), free.green(), free.blue())]
        table += [tint(number, dark).rgb() for number in range(1, HUES + 1)]
        image.setColorTable(table)
        self._image = image.convertToFormat(QImage.Format.Format_RGB32)
        self.update()

    def _place(self) -> QRectF:
        ratio = self._columns / self._rows
        width = min(self.width() - 2.0, (self.height() - 2.0) * ratio)
        return QRectF(1, 1, width, width / ratio)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        """As wide as there is room for."""
        return QSize(260, self.heightForWidth(260))

    def minimumSizeHint(self) -> QSize:
        """Small enough for a narrow pane."""
        return QSize(120, 60)

    def heightForWidth(self, width: int) -> int:
        """Height in pixels at this width."""
        return round((width - 2) * self._rows / self._columns) + 2

    def hasHeightForWidth(self) -> bool:
        """The picture keeps its shape."""
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the cells, the outline of the marked note, and the focus."""
        painter = QPainter(self)
        place = self._place()
        if not self._image.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
            painter.drawImage(place, self._image)
        if self._marked:
            self._paint_mark(painter, place)
        if self.hasFocus():
            painter.setPen(QPen(QColor(tone("accent")), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))

    def _paint_mark(self, painter: QPainter, place: QRectF) -> None:
        across, down = place.width() / self._columns, place.height() / self._rows
        painter.setPen(QPen(QColor(tone("text")), 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for block in self._owned:
            if block.note_id == self._marked:
                for patch in self._patches(block):
                    painter.drawRect(
                        QRectF(
                            place.x() + patch.x() * across,
                            place.y() + patch.y() * down,
                            patch.width() * across,
                            patch.height() * down,
                        )
                    )

    def _patches(self, block: SlotBlock) -> list[QRect]:
        """The rectangles, in cells, that a block covers: one in each strip it touches."""
        strip_cells = self._columns * STRIP
        patches = []
        at, end = block.start, block.start + block.length
        while at < end:
            strip, inside = divmod(at, strip_cells)
            stop = min(end, (strip + 1) * strip_cells)
            first, last = inside // STRIP, (stop - 1 - strip * strip_cells) // STRIP
            patches.append(QRect(first, strip * STRIP, last - first + 1, STRIP))
            at = stop
        return patches

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show that a patch can be clicked."""
        note = self.note_at(event.position())
        self.setCursor(Qt.CursorShape.PointingHandCursor if note else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the note under the mouse."""
        if event.button() == Qt.MouseButton.LeftButton and (note := self.note_at(event.position())):
            self.mark(note)
            self.picked.emit(note)
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right walk from note to note, Enter picks."""
        notes = list(dict.fromkeys(block.note_id for block in self._owned))
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None and notes:
            here = notes.index(self._marked) if self._marked in notes else -step
            self.mark(notes[(here + step) % len(notes)])
            self.setAccessibleDescription(self._name_of(self._marked))
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._marked:
            self.picked.emit(self._marked)
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Paint without the focus."""
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        """Name the note under the mouse."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            note = self.note_at(event.pos())
            text = self._name_of(note) if note else self.tr("free")
            inside = self._place().contains(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), wording.tip(text) if inside else "", self)
            return True
        return super().event(event)
