"""Files dragged over a window and dropped there, as a file browser does it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from app.views.main_window import MainWindow

_BUTTON, _KEYS = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def file_data(paths: Iterable[Path]) -> QMimeData:
    """What a file browser hands over."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def drop(window: MainWindow, *paths: Path) -> None:
    """Drag files over the window and let go."""
    data, copy = file_data(paths), Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, _BUTTON, _KEYS)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted() and window.drop_zone.isVisible()
    event = QDropEvent(QPointF(50, 50), copy, data, _BUTTON, _KEYS)
    QApplication.sendEvent(window, event)
    assert event.isAccepted() and not window.drop_zone.isVisible()
