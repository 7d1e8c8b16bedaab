"""The turns of one conversation, in a column that scrolls."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.chatting import Chatting
from app.models.chat_records import Chat
from app.models.chats import ChatsModel
from app.widgets.buttons import OUTDENT, TextButton
from app.widgets.message import Message

SHOWN_TURNS = 60
"""Turns shown at first; earlier ones come on demand, so that a long history opens at once."""
WIDEST_EM = 58
"""Widest column of text, in widths of an em: longer lines are hard to read."""


class Conversation(QScrollArea):
    """Follows the newest text as long as the reader has not scrolled up."""

    source_clicked = Signal(int)
    again = Signal(str)
    stop = Signal()
    add_notes = Signal()

    def __init__(
        self, chats: ChatsModel, chatting: Chatting, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._chats = chats
        self._chatting = chatting
        self._chat_id = ""
        self._first = 0
        self.messages: list[Message] = []
        self._at_end = True
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Conversation"))
        self._inside = QWidget()
        self._column = QVBoxLayout(self._inside)
        self._column.setContentsMargins(24, 20, 24, 12)
        self._column.setSpacing(26)
        self._earlier = TextButton(
            self.tr("Show earlier questions"), self._show_earlier, kind="link"
        )
        self._column.addWidget(self._earlier, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(1)
        self.setWidget(self._inside)
        self._inside.installEventFilter(self)
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(lambda value: self._note_place(value))
        bar.rangeChanged.connect(lambda _low, high: self._follow(high))
        chatting.moved.connect(self._on_moved)

    def show_chat(self, chat: Chat | None) -> None:
        """Show a conversation from its end."""
        self._chat_id = chat.id if chat else ""
        turns = chat.turns if chat else ()
        self._first = max(0, len(turns) - SHOWN_TURNS)
        self._rebuild()

    def _rebuild(self) -> None:
        for message in self.messages:
            message.hide()
            self._column.removeWidget(message)
            message.deleteLater()
        self.messages = []
        chat = self._chats.chat(self._chat_id)
        self._earlier.setVisible(self._first > 0)
        self._at_end = True
        if chat is not None:
            for number in range(self._first, len(chat.turns)):
                self._append(chat, number)

    def _append(self, chat: Chat, number: int) -> None:
        running = self._chatting.running(chat.id, number)
        message = Message(chat.turns[number], running)
        message.source_clicked.connect(self.source_clicked)
        message.again.connect(self.again)
        message.stop.connect(self.stop)
        message.add_notes.connect(self.add_notes)
        self.messages.append(message)
        self._column.insertWidget(self._column.count() - 1, message)

    def add_turn(self, number: int) -> None:
        """A question was asked in the conversation on show."""
        chat = self._chats.chat(self._chat_id)
        if chat is not None and number == self._first + len(self.messages):
            self._at_end = True
            self._append(chat, number)

    def refresh_running(self) -> None:
        """Show what changed about answers on their way (they are being stopped)."""
        for number in range(self._first, self._first + len(self.messages)):
            if self._chatting.running(self._chat_id, number) is not None:
                self._on_moved(self._chat_id, number)

    def last_answered(self) -> Message | None:
        """The newest message with an answer."""
        return next((m for m in reversed(self.messages) if m.turn.answer is not None), None)

    def _on_moved(self, chat_id: str, number: int) -> None:
        place = number - self._first
        chat = self._chats.chat(chat_id)
        if chat_id != self._chat_id or chat is None or not 0 <= place < len(self.messages):
            return
        running = self._chatting.running(chat_id, number)
        self.messages[place].update_turn(chat.turns[number], running)

    def _show_earlier(self) -> None:
        self._first = max(0, self._first - SHOWN_TURNS)
        self._rebuild()
        self._at_end = False
        self.verticalScrollBar().setValue(0)

    def _note_place(self, value: int) -> None:
        self._at_end = value >= self.verticalScrollBar().maximum() - 8

    def _follow(self, high: int) -> None:
        if self._at_end:
            self.verticalScrollBar().setValue(high)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the column readable in a wide window."""
        if watched is self._inside and event.type() == QEvent.Type.Resize:
            widest = self.fontMetrics().horizontalAdvance("m") * WIDEST_EM
            side = max(24, (self._inside.width() - widest) // 2)
            left = side - OUTDENT  # a message's buttons stand that far left of its text
            if self._column.contentsMargins().left() != left:
                self._column.setContentsMargins(left, 20, side, 12)
        return False
