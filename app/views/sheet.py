"""The frame of every dialog: a title, a scrolling body, buttons; Esc closes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.widgets.buttons import TextButton
from app.widgets.labels import ElidedLabel, Label, Rule


class Sheet(QDialog):
    """Never blocks the window behind it, and deletes itself when it is closed."""

    def __init__(self, title: str, parent: QWidget | None = None, *, scrolls: bool = True) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.WindowContextHelpButtonHint, False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QVBoxLayout()
        head.setContentsMargins(24, 20, 24, 10)
        head.setSpacing(4)
        self.title = ElidedLabel(title, bold=True, scale=1.25)
        head.addWidget(self.title)
        self.subtitle = Label(tone="muted", wrap=True)
        self.subtitle.hide()
        head.addWidget(self.subtitle)
        column.addLayout(head)
        inside = QWidget()
        self.body = QVBoxLayout(inside)
        self.body.setContentsMargins(24, 8, 24, 16)
        self.body.setSpacing(10)
        if scrolls:
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setFrameShape(QFrame.Shape.NoFrame)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            area.setWidget(inside)
            column.addWidget(area, 1)
        else:
            column.addWidget(inside, 1)
        column.addWidget(Rule())
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 12, 20, 14)
        foot.setSpacing(8)
        self.foot_left = QHBoxLayout()
        foot.addLayout(self.foot_left)
        foot.addStretch(1)
        self._foot = foot
        column.addLayout(foot)

    def say(self, text: str) -> None:
        """A sentence below the title."""
        self.subtitle.setText(text)
        self.subtitle.setVisible(bool(text))

    def add_button(self, button: TextButton, *, default: bool = False) -> TextButton:
        """A button at the foot, right; the default one answers to Enter."""
        button.setDefault(default)
        button.setAutoDefault(default)
        self._foot.addWidget(button)
        if default:
            button.setFocus()
        return button

    def fit(self, em_wide: int, em_high: int) -> None:
        """A size in widths of an em, held within the screen."""
        em = self.fontMetrics().horizontalAdvance("m")
        room = self.screen().availableGeometry()
        self.resize(
            min(em * em_wide, int(room.width() * 0.94)), min(em * em_high, int(room.height() * 0.9))
        )
