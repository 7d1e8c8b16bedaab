"""The list of conversations as a Qt model, saved behind the window's back after each change."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from app import wording
from app.background import Background
from app.models.chat_records import Chat, Turn, title_from
from app.models.chat_store import ChatStore

CHAT_ROLE = Qt.ItemDataRole.UserRole + 1

_Index = QModelIndex | QPersistentModelIndex


class ChatsModel(QAbstractListModel):
    """Conversations, the one used last first."""

    loaded = Signal()
    changed = Signal(str)
    """The conversation with this id has another title or other turns."""
    trouble = Signal(str)
    """Saving failed: a sentence for a person."""

    def __init__(
        self,
        store: ChatStore,
        background: Background,
        parent: QObject | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._background = background
        self._clock = clock
        self._chats: list[Chat] = []

    def load(self) -> None:
        """Read the conversations from the disk; `loaded` follows."""
        self._background.run(self._store.load, self._loaded, self._load_failed)

    def _loaded(self, chats: tuple[Chat, ...]) -> None:
        self.beginResetModel()
        known = {chat.id for chat in self._chats}
        self._chats += [chat for chat in chats if chat.id not in known]
        self._chats.sort(key=lambda chat: (not chat.turns, -chat.used_at))
        self.endResetModel()
        self.loaded.emit()

    def _load_failed(self, error: Exception) -> None:
        self.trouble.emit(self.tr("Your conversations could not be read."))
        self.loaded.emit()

    # --- looking things up ---

    def __len__(self) -> int:
        return len(self._chats)

    def chat(self, chat_id: str) -> Chat | None:
        """The conversation with this id."""
        return next((chat for chat in self._chats if chat.id == chat_id), None)

    def place(self, chat_id: str) -> int:
        """Its row, -1 when it is not there."""
        return next((i for i, chat in enumerate(self._chats) if chat.id == chat_id), -1)

    def at(self, row: int) -> Chat | None:
        """The conversation in a row."""
        return self._chats[row] if 0 <= row < len(self._chats) else None

    def title(self, chat: Chat) -> str:
        """Its name, or a stand-in before it has one."""
        return wording.shown(chat.title) if chat.title else self.tr("New conversation")

    # --- changing ---

    def create(self) -> Chat:
        """A new conversation on top. An unused one is taken again instead of a second one."""
        unused = next((c for c in self._chats if not c.turns and not c.title), None)
        if unused is not None:
            return unused
        chat = Chat(id=uuid.uuid4().hex, title="", created_at=self._clock())
        self.insert(chat)
        return chat

    def insert(self, chat: Chat) -> None:
        """Put a conversation (back) in its place."""
        row = sum(1 for other in self._chats if other.used_at > chat.used_at)
        self.beginInsertRows(QModelIndex(), row, row)
        self._chats.insert(row, chat)
        self.endInsertRows()
        self._save(chat)

    def rename(self, chat_id: str, title: str) -> None:
        """Give a conversation a name; an empty one is ignored."""
        title = " ".join(title.split())
        chat = self.chat(chat_id)
        if chat is not None and title and title != chat.title:
            self._put(replace(chat, title=title))

    def delete(self, chat_id: str) -> Chat | None:
        """Remove a conversation; `insert` with the result brings it back."""
        row = self.place(chat_id)
        if row < 0:
            return None
        self.beginRemoveRows(QModelIndex(), row, row)
        chat = self._chats.pop(row)
        self.endRemoveRows()
        self._background.run(lambda: self._store.delete(chat_id), None, self._save_failed)
        return chat

    def add_turn(self, chat_id: str, question: str) -> int:
        """Add a question; the number of its turn. The first one names the conversation."""
        chat = self.chat(chat_id)
        if chat is None:
            raise KeyError(chat_id)
        turns = (*chat.turns, Turn(question, self._clock()))
        self._put(replace(chat, turns=turns, title=chat.title or title_from(question)))
        self._to_top(chat_id)
        return len(turns) - 1

    def set_turn(self, chat_id: str, number: int, turn: Turn) -> None:
        """Put a finished turn in place of the open one. A deleted conversation is let be."""
        chat = self.chat(chat_id)
        if chat is None or number >= len(chat.turns):
            return
        turns = (*chat.turns[:number], turn, *chat.turns[number + 1 :])
        self._put(replace(chat, turns=turns))

    def _put(self, chat: Chat) -> None:
        row = self.place(chat.id)
        self._chats[row] = chat
        index = self.index(row, 0)
        self.dataChanged.emit(index, index)
        self._save(chat)
        self.changed.emit(chat.id)

    def _to_top(self, chat_id: str) -> None:
        row = self.place(chat_id)
        if row > 0:
            self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), 0)
            self._chats.insert(0, self._chats.pop(row))
            self.endMoveRows()

    def _save(self, chat: Chat) -> None:
        if chat.turns or chat.title:
            self._background.run(lambda: self._store.save(chat), None, self._save_failed)

    def _save_failed(self, error: Exception) -> None:
        self.trouble.emit(
            self.tr("This conversation could not be saved. Is the disk full or write-protected?")
        )

    # --- QAbstractListModel ---

    def rowCount(self, parent: _Index | None = None) -> int:
        """How many conversations."""
        return 0 if parent is not None and parent.isValid() else len(self._chats)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Title, tooltip with the date, or the record."""
        chat = self.at(index.row())
        if chat is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole or role == Qt.ItemDataRole.AccessibleTextRole:
            return self.title(chat)
        if role == Qt.ItemDataRole.EditRole:
            return chat.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return wording.tip(f"{self.title(chat)}\n{wording.moment(chat.used_at)}")
        if role == CHAT_ROLE:
            return chat
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename in place."""
        chat = self.at(index.row())
        if chat is None or role != Qt.ItemDataRole.EditRole:
            return False
        self.rename(chat.id, str(value))
        return True

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Every conversation can be renamed in place."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable
