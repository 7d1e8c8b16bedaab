"""The icon in the system's tray: status, pause, show, quit; and the desktop notification."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon, QWidget

from app import wording
from app.actions import Act, Actions
from app.icons import app_icon
from engine.api import EngineStatus, Mode, QueueEnded

LONG_QUEUE_SECONDS = 30.0
"""A queue that took at least this long is worth a notification."""


class Tray(QObject):
    """Made only where the system has a tray; `available` says so."""

    show_window = Signal()

    def __init__(self, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.available = QSystemTrayIcon.isSystemTrayAvailable()
        self.icon = QSystemTrayIcon(app_icon(), self)
        self.menu = QMenu(window)
        self.state = self.menu.addAction("")
        self.state.setEnabled(False)
        self.menu.addSeparator()
        show = self.menu.addAction(self.tr("Show the window"))
        show.triggered.connect(lambda: self.show_window.emit())
        self.menu.addAction(actions[Act.PAUSE])
        self.menu.addSeparator()
        self.menu.addAction(actions[Act.QUIT])
        self.icon.setContextMenu(self.menu)
        self.icon.setToolTip("Engram")
        self.icon.activated.connect(self._on_activated)
        self.icon.messageClicked.connect(self.show_window)

    def set_shown(self, shown: bool) -> None:
        """Show the icon, where there is a tray."""
        self.icon.setVisible(shown and self.available)

    def show_status(self, status: EngineStatus) -> None:
        """The status in the menu and the tooltip."""
        words = self._words(status)
        self.state.setText(words)
        self.icon.setToolTip(f"Engram: {words}")

    def _words(self, status: EngineStatus) -> str:
        if status.mode is Mode.BROKEN:
            return self.tr("Memory cannot be used")
        if status.mode is Mode.FOLDER_MISSING:
            return self.tr("Folder missing")
        text = wording.remembered(status)
        if status.mode is Mode.PAUSED:
            return text + ", " + self.tr("paused")
        if status.queue:
            return text + ", " + self.tr("%1 waiting").replace("%1", wording.notes(status.queue))
        return text

    def queue_ended(self, event: QueueEnded) -> None:
        """Tell of the end of a long queue, unless the window is being looked at."""
        if event.seconds < LONG_QUEUE_SECONDS or self._window.isActiveWindow():
            return
        text = self.tr("%1 written in %2").replace("%1", wording.notes(event.written))
        text = text.replace("%2", wording.seconds(event.seconds))
        if event.weak:
            text += ", " + self.tr("%1 weak").replace("%1", wording.number(event.weak))
        if event.failed:
            text += ", " + self.tr("%1 failed").replace("%1", wording.number(event.failed))
        self.notify(text)

    def notify(self, text: str) -> None:
        """A desktop notification; without a tray the window asks for attention."""
        if self.icon.isVisible():
            self.icon.showMessage("Engram", text, app_icon())
        else:
            QApplication.alert(self._window)

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (
            QSystemTrayIcon.ActivationReason.Trigger,
            QSystemTrayIcon.ActivationReason.DoubleClick,
        ):
            self.show_window.emit()
