"""What the views share: the engine's client, the models, the window's own memory."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QObject

from app.background import Background
from app.bridge import EngineBridge
from app.chatting import Chatting
from app.client import EngineClient
from app.models.chat_store import ChatStore
from app.models.chats import ChatsModel
from app.models.notes import NotesModel
from app.models.snapshots import SnapshotsModel
from app.preferences import Preferences


class Workspace(QObject):
    """Makes these parts, connects the engine's events to the models, and ends them."""

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.home = home
        self.preferences = Preferences(home)
        self.background = Background(self)
        self.bridge = EngineBridge(self)
        self.client = EngineClient(self.bridge, self)
        self.notes = NotesModel(self)
        self.snapshots = SnapshotsModel(self.client, self)
        self.chats = ChatsModel(ChatStore(home / "chats"), self.background, self)
        self.chatting = Chatting(self.client, self.chats, self)
        self.clock = time.time
        self.bridge.notes_reset.connect(self.notes.reset)
        self.bridge.notes_changed.connect(self.notes.change)
        self.bridge.notes_gone.connect(self.notes.drop)
        self.bridge.progress.connect(self.notes.progress)
        self.bridge.snapshots.connect(self.snapshots.reset)

    def close(self, timeout: float = 1.0) -> bool:
        """End the engine and the file work; False if the engine took longer than `timeout`."""
        self.preferences.save()
        ended = self.client.close(timeout)
        self.background.close()
        return ended
