"""Conversations on the disk: one file each, written whole or not at all. No Qt here."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from app.models.chat_records import Chat, from_json, to_json
from engine.api import InputError

_NAME = re.compile(r"[0-9a-f]{32}\.json")


class ChatStore:
    """The folder ``home/chats``. Every method works on files: call them off the GUI thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> tuple[Chat, ...]:
        """All conversations. A file that cannot be read is set aside as ``.bad``."""
        if not self._folder.is_dir():
            return ()
        chats = []
        for path in sorted(self._folder.iterdir()):
            if path.suffix == ".part":
                path.unlink(missing_ok=True)  # left behind by a killed write
            if not _NAME.fullmatch(path.name):
                continue
            try:
                chat = from_json(path.read_text(encoding="utf-8"))
                if f"{chat.id}.json" != path.name:
                    raise InputError("This conversation carries another one's name.")
            except (InputError, UnicodeDecodeError):
                path.replace(path.with_suffix(".bad"))
                continue
            chats.append(chat)
        return tuple(chats)

    def save(self, chat: Chat) -> None:
        """Write a conversation: to a temporary file, to the disk, then onto its name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._folder / f"{chat.id}.json", to_json(chat))

    def delete(self, chat_id: str) -> None:
        """Remove a conversation's file; it may be gone already."""
        (self._folder / f"{chat_id}.json").unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Put `text` at `path` so that a reader sees the old file or the new one, never half."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
