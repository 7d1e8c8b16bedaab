"""The system's own dialogs for files and folders."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget


def choose_folder(parent: QWidget, title: str, start: Path | None) -> Path | None:
    """Ask for a folder; None when cancelled."""
    chosen = QFileDialog.getExistingDirectory(parent, title, str(start or Path.home()))
    return Path(chosen) if chosen else None


def choose_files(parent: QWidget, title: str, pattern: str) -> tuple[Path, ...]:
    """Ask for files to read; () when cancelled. `pattern` is ``Notes (*.md *.txt)``."""
    chosen, _ = QFileDialog.getOpenFileNames(parent, title, str(Path.home()), pattern)
    return tuple(Path(name) for name in chosen)


def choose_file(parent: QWidget, title: str, pattern: str) -> Path | None:
    """Ask for one file to read; None when cancelled."""
    chosen, _ = QFileDialog.getOpenFileName(parent, title, str(Path.home()), pattern)
    return Path(chosen) if chosen else None


def save_file(parent: QWidget, title: str, name: str, pattern: str) -> Path | None:
    """Ask where to write, with a suggested name; None when cancelled."""
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(Path.home() / name), pattern)
    return Path(chosen) if chosen else None


def file_stem(title: str) -> str:
    """A safe file name from any title: letters, digits, spaces and dashes."""
    kept = "".join(c if c.isalnum() or c in " -_" else " " for c in title)
    return " ".join(kept.split())[:80] or "engram"
