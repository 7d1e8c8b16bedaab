"""The head of the notes pane: which folder, how much of it is remembered, pause."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app import wording
from app.actions import Act, Actions
from app.icons import wear
from app.widgets.buttons import IconButton
from app.widgets.labels import ElidedLabel, Label
from engine.api import EngineStatus, Mode, Settings


class NotesHeader(QWidget):
    """Two lines: the folder with its buttons, and the count."""

    order_menu_wanted = Signal(QPoint)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 10, 8)
        column.setSpacing(2)
        line = QHBoxLayout()
        line.setSpacing(2)
        self.folder = ElidedLabel(self.tr("Notes"), bold=True, scale=1.08)
        line.addWidget(self.folder, 1)
        choose = actions[Act.CHOOSE_FOLDER]
        self.choose_button = IconButton("folder", self.tr("Choose another folder"), choose.trigger)
        self.order_button = IconButton("sort", self.tr("Order and layout"), self._order)
        pause = actions[Act.PAUSE]
        self.pause_button = IconButton("pause", pause.text(), pause.trigger)
        for button in (self.choose_button, self.order_button, self.pause_button):
            line.addWidget(button)
        column.addLayout(line)
        self.count = Label(tone="muted", scale=0.92, wrap=True)
        column.addWidget(self.count)

    def show_status(self, status: EngineStatus) -> None:
        """How many of how many are remembered, and what is going on."""
        self.count.setText(self._count_words(status))

    def _count_words(self, status: EngineStatus) -> str:
        if status.mode is Mode.STARTING:
            return self.tr("Opening your memory…")
        if status.notes_total == 0:
            return ""
        text = wording.remembered(status)
        if status.mode is Mode.PAUSED:
            text += " · " + self.tr("paused")
        return text

    def show_settings(self, settings: Settings) -> None:
        """The folder's name, and what the pause button does."""
        if settings.folder is None:
            self.folder.setText(self.tr("Notes"))
        else:
            self.folder.setText(wording.shown(settings.folder.name or str(settings.folder)))
            self.folder.setToolTip(wording.tip(wording.shown(str(settings.folder))))
        action = self._actions[Act.PAUSE]
        words = self.tr("Resume writing") if settings.paused else self.tr("Pause writing")
        name = "play" if settings.paused else "pause"
        action.setText(words)
        action.setChecked(settings.paused)
        wear(action, name, "muted")
        self.pause_button.show_as(name, words, "accent" if settings.paused else "muted")

    def _order(self) -> None:
        self.order_menu_wanted.emit(
            self.order_button.mapToGlobal(QPoint(0, self.order_button.height() + 2))
        )
