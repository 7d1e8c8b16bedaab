"""Starting Engram with the system, by the means each system has for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtCore import QSettings, QStandardPaths

from app.models.chat_store import write_atomically

_WINDOWS_RUN = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run"
_LABEL = "org.engram.Engram"


def possible() -> bool:
    """True where this knows how."""
    return sys.platform in ("win32", "darwin") or sys.platform.startswith("linux")


def entry() -> Path:
    """The file that makes the system start Engram (Linux, macOS)."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents" / f"{_LABEL}.plist"
    config = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    return Path(config) / "autostart" / "engram.desktop"


def command(home: Path) -> list[str]:
    """How this very Engram was started, as one would start it again."""
    if getattr(sys, "frozen", False):
        start = [sys.executable]
    else:
        start = [sys.executable, str(Path(sys.argv[0]).resolve())]
    return [*start, "--home", str(home)]


def is_on() -> bool:
    """Does the system start Engram now?"""
    if sys.platform == "win32":
        return QSettings(_WINDOWS_RUN, QSettings.Format.NativeFormat).contains("Engram")
    return entry().exists()


def turn(on: bool, home: Path) -> None:
    """Switch it on or off. File work.

    Raises:
        OSError: the entry cannot be written.
    """
    if sys.platform == "win32":
        run = QSettings(_WINDOWS_RUN, QSettings.Format.NativeFormat)
        if on:
            run.setValue("Engram", " ".join(f'"{part}"' for part in command(home)))
        else:
            run.remove("Engram")
        return
    path = entry()
    if not on:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _launch_agent(home) if sys.platform == "darwin" else _desktop_entry(home)
    write_atomically(path, text)
    os.chmod(path, 0o644)


def _desktop_entry(home: Path) -> str:
    quoted = " ".join(_quoted(part) for part in command(home))
    return (
        "[Desktop Entry]\nType=Application\nName=Engram\n"
        f"Exec={quoted}\nIcon=engram\nX-GNOME-Autostart-enabled=true\n"
    )


def _quoted(part: str) -> str:
    """An argument of an Exec key: quoted, with the entry format's own escapes."""
    for special in ("\\", '"', "`", "$"):
        part = part.replace(special, "\\\\" + special if special != "\\" else "\\\\\\\\")
    return f'"{part.replace("%", "%%")}"'


def _launch_agent(home: Path) -> str:
    from xml.sax.saxutils import escape

    parts = "".join(f"<string>{escape(part)}</string>" for part in command(home))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict>'
        f"<key>Label</key><string>{_LABEL}</string>"
        f"<key>ProgramArguments</key><array>{parts}</array>"
        "<key>RunAtLoad</key><true/></dict></plist>\n"
    )
