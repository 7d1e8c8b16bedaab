"""Opening a note in the system's editor and showing it in the system's file browser.

Only plain files with a note's ending are ever handed to the system, so that a double-click can
show a note but never run a program.
"""

from __future__ import annotations

import subprocess
import sys
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


def may_open(path: Path, settings: Settings) -> bool:
    """Is this a plain file of a format that Engram reads?"""
    return path.suffix.lower() in settings.formats and path.is_file() and not path.is_symlink()


def open_file(path: Path) -> bool:
    """Open with the system's program for such files. False if there is none."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def show_in_folder(path: Path) -> bool:
    """Show the file, selected where the system can; else the folder it lies in."""
    if not path.exists():
        return open_file(path.parent) if path.parent.is_dir() else False
    if sys.platform == "win32":
        subprocess.Popen(["explorer", "/select,", str(path)])
        return True
    if sys.platform == "darwin":
        subprocess.Popen(["open", "-R", "--", str(path)])
        return True
    return _show_by_bus(path) or open_file(path.parent)


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
