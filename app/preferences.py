"""What the window itself remembers between runs: places and sizes, font, tray.

An ini file under the home, so that a copied home brings its window along. QSettings writes
through a temporary file and a rename.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

FONT_PERCENTS = (80, 90, 100, 110, 125, 150, 175, 200)


class Preferences:
    """Typed access to the window's ini file."""

    def __init__(self, home: Path) -> None:
        self._settings = QSettings(str(home / "window.ini"), QSettings.Format.IniFormat)

    def _flag(self, key: str, default: bool) -> bool:
        return str(self._settings.value(key, default)).lower() in ("true", "1")

    def _bytes(self, key: str) -> QByteArray:
        value = self._settings.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()

    def _put(self, key: str, value: object) -> None:
        self._settings.setValue(key, value)

    @property
    def font_percent(self) -> int:
        """Font size as a share of the system's, one of `FONT_PERCENTS`."""
        try:
            value = int(str(self._settings.value("font_percent", 100)))
        except ValueError:
            return 100
        return min(FONT_PERCENTS, key=lambda p: abs(p - value))

    @font_percent.setter
    def font_percent(self, value: int) -> None:
        self._put("font_percent", value)

    @property
    def tray_icon(self) -> bool:
        """Show an icon in the system's tray, where there is one."""
        return self._flag("tray_icon", True)

    @tray_icon.setter
    def tray_icon(self, value: bool) -> None:
        self._put("tray_icon", value)

    @property
    def stay_in_tray(self) -> bool:
        """Closing the window leaves Engram running in the tray."""
        return self._flag("stay_in_tray", False)

    @stay_in_tray.setter
    def stay_in_tray(self, value: bool) -> None:
        self._put("stay_in_tray", value)

    @property
    def flat_notes(self) -> bool:
        """Show notes as a flat list instead of a tree."""
        return self._flag("flat_notes", False)

    @flat_notes.setter
    def flat_notes(self, value: bool) -> None:
        self._put("flat_notes", value)

    @property
    def notes_order(self) -> str:
        """The name of the notes' order (`models.note_rows.Order`)."""
        return str(self._settings.value("notes_order", ""))

    @notes_order.setter
    def notes_order(self, value: str) -> None:
        self._put("notes_order", value)

    @property
    def memory_folded(self) -> bool:
        """The memory pane is folded away."""
        return self._flag("memory_folded", False)

    @memory_folded.setter
    def memory_folded(self, value: bool) -> None:
        self._put("memory_folded", value)

    @property
    def chats_shown(self) -> bool:
        """The list of conversations is shown beside the conversation."""
        return self._flag("chats_shown", True)

    @chats_shown.setter
    def chats_shown(self, value: bool) -> None:
        self._put("chats_shown", value)

    @property
    def current_chat(self) -> str:
        """Id of the conversation that was open last."""
        return str(self._settings.value("current_chat", ""))

    @current_chat.setter
    def current_chat(self, value: str) -> None:
        self._put("current_chat", value)

    @property
    def geometry(self) -> QByteArray:
        """The window's place and size, as Qt saves them."""
        return self._bytes("geometry")

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._put("geometry", value)

    @property
    def panes(self) -> QByteArray:
        """The widths of the three panes, as Qt saves them."""
        return self._bytes("panes")

    @panes.setter
    def panes(self, value: QByteArray) -> None:
        self._put("panes", value)

    def save(self) -> None:
        """Write to the disk now."""
        self._settings.sync()
