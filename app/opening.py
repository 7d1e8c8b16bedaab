"""Opening a note in the system's editor and showing it in the system's file browser.

Only plain files with a note's ending are ever handed to the system, so that a double-click can
show a note but never run a program.
"""

from __future__ import annotations

import subprocess
import sys
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from engine.api import Note, Settings


def note_path(note: Note, settings: Settings) -> Path | None:
    """Where the note's file is; None without a folder."""
    if not note.in_folder and Path(note.path).is_absolute():
        return Path(note.path)
    if settings.folder is None:
        return None
    return settings.folder / note.path


class Found(Enum):
    """What lies where a note should be."""

    NOTE = "note"
    SOMETHING_ELSE = "something else"
    NOTHING = "nothing"


def look(path: Path, settings: Settings) -> Found:
    """Is this a plain file of a format that Engram reads? File work."""
    if not path.is_file():
        return Found.NOTHING
    plain = path.suffix.lower() in settings.formats and not path.is_symlink()
    return Found.NOTE if plain else Found.SOMETHING_ELSE


def open_file(path: Path) -> bool:
    """Open with the system's program for such files (GUI thread). False if there is none."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


class Shown(Enum):
    """How far showing a file in its folder came."""

    DONE = "done"
    OPEN_THE_FOLDER = "open the folder"
    """The system cannot select the file, or it is gone: its folder can still be opened."""
    NOTHING = "nothing"


def show_in_folder(path: Path) -> Shown:
    """Show the file, selected where the system can. Waits for the disk and the file browser."""
    if not path.exists():
        return Shown.OPEN_THE_FOLDER if path.parent.is_dir() else Shown.NOTHING
    if sys.platform == "win32":
        subprocess.Popen(["explorer", "/select,", str(path)])
        return Shown.DONE
    if sys.platform == "darwin":
        subprocess.Popen(["open", "-R", "--", str(path)])
        return Shown.DONE
    return Shown.DONE if _show_by_bus(path) else Shown.OPEN_THE_FOLDER


def _show_by_bus(path: Path) -> bool:
    """Ask the desktop's file browser over the session bus (freedesktop's FileManager1)."""
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    message = QDBusMessage.createMethodCall(
        "org.freedesktop.FileManager1",
        "/org/freedesktop/FileManager1",
        "org.freedesktop.FileManager1",
        "ShowItems",
    )
    message.setArguments([[QUrl.fromLocalFile(str(path)).toString()], ""])
    reply = bus.call(message, timeout=800)
    return reply.type() == QDBusMessage.MessageType.ReplyMessage
