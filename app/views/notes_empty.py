"""What the notes pane shows when there is no note."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.icons import wear_label
from app.widgets.buttons import TextButton
from app.widgets.labels import Label
from engine.api import EngineStatus, Mode, Settings


class NotesEmpty(QWidget):
    """A sentence and, without a folder, the two ways to begin."""

    choose_folder = Signal()
    try_samples = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(10)
        column.addStretch(2)
        mark = Label()
        wear_label(mark, "note", "disabled", 2.4)
        mark.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(mark)
        self.title = Label(bold=True, wrap=True)
        self.title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.title)
        self.text = Label(tone="muted", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.text)
        column.addSpacing(6)
        self.choose = TextButton(
            self.tr("Choose a folder"), self.choose_folder.emit, kind="primary", icon="folder"
        )
        self.samples = TextButton(
            self.tr("Try it with sample notes"), self.try_samples.emit, kind="link"
        )
        for button in (self.choose, self.samples):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def show_for(self, settings: Settings, status: EngineStatus) -> None:
        """Say why there is no note."""
        without = settings.folder is None
        if status.mode is Mode.STARTING:
            title, text = self.tr("Opening your memory…"), ""
        elif without:
            title = self.tr("No folder yet")
            text = self.tr("Engram remembers the notes of one folder.")
        elif status.mode is Mode.FOLDER_MISSING:
            title = self.tr("The folder is not there")
            text = self.tr("What is remembered is kept. Nothing is forgotten because of it.")
        else:
            title = self.tr("No notes here yet")
            text = self.tr("Drop files anywhere in this window, or save a note into the folder.")
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.choose.setVisible(without and status.mode is not Mode.STARTING)
        self.samples.setVisible(without and status.mode is not Mode.STARTING)
