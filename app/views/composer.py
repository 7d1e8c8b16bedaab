"""Where a question is written: grows with its text, Enter asks, Shift+Enter breaks the line."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent, QTextOption
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QSizePolicy, QWidget

from app.widgets.buttons import RoundButton

MOST_LINES = 7
LONGEST = 4000
"""Characters of a question; more is no question."""


class QuestionEdit(QPlainTextEdit):
    """The text itself. Files dragged over it are left to the window."""

    asked = Signal()
    focused = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(2)
        self.textChanged.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter asks."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.asked.emit()
            return
        super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Text only: files belong to the window."""
        return source.hasText() and not source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste plain text, within the limit."""
        if not source.hasUrls():
            room = LONGEST - len(self.toPlainText())
            self.insertPlainText(source.text()[: max(0, room)])

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell the frame."""
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell the frame."""
        super().focusOutEvent(event)
        self.focused.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap anew."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a new font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self._fit()

    def _fit(self) -> None:
        # A plain text document counts its height in lines, not in pixels.
        lines = max(1, round(self.document().size().height()))
        policy = Qt.ScrollBarPolicy
        more = policy.ScrollBarAsNeeded if lines > MOST_LINES else policy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(more)
        high = min(lines, MOST_LINES) * self.fontMetrics().lineSpacing() + 8
        if self.minimumHeight() != high:
            self.setFixedHeight(high)


class Composer(QFrame):
    """The question with its button: ask, or stop while an answer comes."""

    asked = Signal(str)
    stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composer")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(8)
        self.edit = QuestionEdit()
        self.edit.setAccessibleName(self.tr("Your question"))
        row.addWidget(self.edit, 1, Qt.AlignmentFlag.AlignVCenter)
        self.button = RoundButton("send", self.tr("Ask"), self._pressed)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignBottom)
        self.edit.asked.connect(self._ask)
        self.edit.textChanged.connect(self._refresh)
        self.edit.focused.connect(self._frame)
        self._busy = False
        self._usable = True
        self.set_usable(True)

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way."""
        return self._busy

    def set_busy(self, busy: bool) -> None:
        """An answer is on its way (True): the button stops it."""
        if busy != self._busy:
            self._busy = busy
            if busy:
                self.button.show_as("stop", self.tr("Stop the answer"))
            else:
                self.button.show_as("send", self.tr("Ask"))
            self._refresh()

    def set_usable(self, usable: bool) -> None:
        """Without a usable memory there is nobody to ask."""
        self._usable = usable
        self.edit.setEnabled(usable)
        self.edit.setPlaceholderText(
            self.tr("Ask about your notes") if usable else self.tr("The memory cannot be used now")
        )
        self._refresh()

    def put(self, text: str) -> None:
        """Write a question into the field."""
        self.edit.setPlainText(text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)

    def _refresh(self) -> None:
        text = self.edit.toPlainText().strip()
        self.button.setEnabled(self._busy or (self._usable and bool(text)))

    def _pressed(self) -> None:
        if self._busy:
            self.stopped.emit()
        else:
            self._ask()

    def _ask(self) -> None:
        question = self.edit.toPlainText().strip()[:LONGEST]
        if question and self._usable:
            self.edit.clear()
            self.asked.emit(question)

    def _frame(self, focused: bool) -> None:
        self.setProperty("focused", "true" if focused else "false")
        self.style().unpolish(self)
        self.style().polish(self)
