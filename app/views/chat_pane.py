"""Conversations: the middle pane."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.actions import Act, Actions
from app.models.chat_records import Chat, to_markdown
from app.models.chat_store import write_atomically
from app.views.chat_empty import ChatEmpty
from app.views.composer import Composer
from app.views.conversation import Conversation
from app.widgets.buttons import IconButton
from app.widgets.labels import ElidedLabel
from app.widgets.toast import Offer, Toasts
from app.workspace import Workspace
from engine.api import EngineStatus, Mode

ROOM_FOR_LIST_EM = 42
"""Below this width, in widths of an em, the list of conversations is folded away."""


class ChatPane(QWidget):
    """The list of conversations (can be hidden), the one on show, and the question field."""

    source_clicked = Signal(int)

    def __init__(
        self,
        workspace: Workspace,
        actions: Actions,
        toasts: Toasts,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("chatPane")
        self._workspace = workspace
        self._chats = workspace.chats
        self._chatting = workspace.chatting
        self._actions = actions
        self._toasts = toasts
        self._chat_id = ""
        self._folded_for_room = False
        self._loaded = False
        self._build()
        self._connect()
        self.open_chat(self._chats.create())

    # --- building ---

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        row.addWidget(self.splitter)
        self.list = self._list()
        self.splitter.addWidget(self.list)
        main = QWidget()
        main.setObjectName("surface")
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._header())
        self.stack = QStackedWidget()
        self.conversation = Conversation(self._chats, self._chatting)
        self.empty = ChatEmpty(self._workspace.client, self._workspace.notes)
        self.stack.addWidget(self.conversation)
        self.stack.addWidget(self.empty)
        column.addWidget(self.stack, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(20, 4, 20, 16)
        self.composer = Composer()
        foot.addWidget(self.composer)
        column.addLayout(foot)
        self.splitter.addWidget(main)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([170, 600])

    def _list(self) -> QListView:
        view = QListView()
        view.setObjectName("chats")
        view.setModel(self._chats)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setMinimumWidth(120)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setAccessibleName(self.tr("Conversations"))
        view.setViewportMargins(6, 8, 6, 6)
        return view

    def _header(self) -> QWidget:
        header = QWidget()
        row = QHBoxLayout(header)
        row.setContentsMargins(12, 10, 10, 6)
        row.setSpacing(4)
        chat_list = self._actions[Act.CHAT_LIST]
        self.list_button = IconButton("chats", chat_list.text(), checkable=True)
        self.list_button.toggled.connect(chat_list.setChecked)
        chat_list.toggled.connect(self.list_button.setChecked)
        row.addWidget(self.list_button)
        self.titles = QStackedWidget()
        self.title = ElidedLabel(bold=True, mode=Qt.TextElideMode.ElideRight)
        self.title_edit = QLineEdit()
        self.title_edit.setAccessibleName(self.tr("Name of the conversation"))
        self.titles.addWidget(self.title)
        self.titles.addWidget(self.title_edit)
        self.titles.setFixedHeight(max(self.title_edit.sizeHint().height(), 28))
        row.addWidget(self.titles, 1)
        new = self._actions[Act.NEW_CHAT]
        self.new_button = IconButton("plus", new.text(), new.trigger)
        row.addWidget(self.new_button)
        self.more_button = IconButton("more", self.tr("More for this conversation"))
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more_button.setMenu(self._menu())
        row.addWidget(self.more_button)
        return header

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        for act in (Act.RENAME_CHAT, Act.EXPORT_CHAT, Act.COPY_ANSWER, Act.DELETE_CHAT):
            menu.addAction(self._actions[act])
        return menu

    def _connect(self) -> None:
        actions = self._actions
        actions.on(Act.NEW_CHAT, self.new_chat)
        actions.on(Act.RENAME_CHAT, self.rename)
        actions.on(Act.DELETE_CHAT, self.delete)
        actions.on(Act.NEXT_CHAT, lambda: self._step(1))
        actions.on(Act.PREVIOUS_CHAT, lambda: self._step(-1))
        actions.on(Act.STOP, self.stop)
        actions.on(Act.COPY_ANSWER, self._copy)
        shown = self._workspace.preferences.chats_shown
        actions[Act.CHAT_LIST].setChecked(shown)
        self.list_button.setChecked(shown)
        self.list.setVisible(shown)
        actions[Act.CHAT_LIST].toggled.connect(self._show_list)
        self.composer.asked.connect(self.ask)
        self.composer.stopped.connect(self.stop)
        self.empty.asked.connect(self.ask)
        self.conversation.again.connect(self.ask)
        self.conversation.stop.connect(self.stop)
        self.conversation.source_clicked.connect(self.source_clicked)
        self.conversation.add_notes.connect(actions[Act.ADD_NOTES].trigger)
        self.title_edit.editingFinished.connect(self._rename_done)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        self.list.customContextMenuRequested.connect(
            lambda at: self.more_button.menu().popup(self.list.viewport().mapToGlobal(at))
        )
        self._chats.changed.connect(self._on_changed)
        self._chats.loaded.connect(self._on_loaded)
        self._chats.trouble.connect(lambda text: self._toasts.say(text, bad=True))
        self._chatting.answered.connect(lambda *_: self._refresh())
        self._workspace.notes.counted.connect(self._refresh_empty)

    # --- which conversation ---

    @property
    def chat(self) -> Chat | None:
        """The conversation on show."""
        return self._chats.chat(self._chat_id)

    def open_chat(self, chat: Chat) -> None:
        """Show a conversation."""
        if self.titles.currentWidget() is self.title_edit:
            self._rename_done()
        self._chat_id = chat.id
        if self._loaded:
            self._workspace.preferences.current_chat = chat.id
        self.conversation.show_chat(chat)
        self._refresh()
        self._select_in_list()

    def new_chat(self) -> None:
        """Begin a conversation, ready to type."""
        self.open_chat(self._chats.create())
        self.composer.edit.setFocus()

    def _on_loaded(self) -> None:
        self._loaded = True
        wanted = self._chats.chat(self._workspace.preferences.current_chat)
        current = self.chat
        if wanted is not None and (current is None or not current.turns):
            self.open_chat(wanted)
        elif current is not None and not current.turns and len(self._chats) > 1:
            self.open_chat(self._chats.at(0) or current)

    def _on_current(self, index: QModelIndex) -> None:
        chat = self._chats.at(index.row()) if index.isValid() else None
        if chat is not None and chat.id != self._chat_id:
            self.open_chat(chat)

    def _select_in_list(self) -> None:
        index = self._chats.index(self._chats.place(self._chat_id), 0)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.list.selectionModel().setCurrentIndex(index, flags)

    def _step(self, by: int) -> None:
        if count := len(self._chats):
            chat = self._chats.at((self._chats.place(self._chat_id) + by) % count)
            if chat is not None:
                self.open_chat(chat)

    def _on_changed(self, chat_id: str) -> None:
        if chat_id == self._chat_id:
            self._refresh()

    def _refresh(self) -> None:
        chat = self.chat
        if chat is None:
            return
        self.title.setText(self._chats.title(chat))
        self.stack.setCurrentWidget(self.conversation if chat.turns else self.empty)
        self.composer.set_busy(self._chatting.busy(chat.id))
        for act in (Act.EXPORT_CHAT, Act.COPY_ANSWER):
            self._actions[act].setEnabled(bool(chat.turns))
        if not chat.turns:
            self.empty.refresh()

    def _show_list(self, shown: bool) -> None:
        if not self._folded_for_room:
            self._workspace.preferences.chats_shown = shown
        self.list.setVisible(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold the list away where it would squeeze the conversation, and bring it back."""
        super().resizeEvent(event)
        tight = self.width() < self.fontMetrics().horizontalAdvance("m") * ROOM_FOR_LIST_EM
        action = self._actions[Act.CHAT_LIST]
        if tight and action.isChecked() and not self._folded_for_room:
            self._folded_for_room = True
            action.setChecked(False)
        elif not tight and self._folded_for_room:
            action.setChecked(True)
            self._folded_for_room = False

    # --- asking ---

    def ask(self, question: str) -> None:
        """Ask in the conversation on show."""
        number = self._chatting.ask(self._chat_id, question)
        self.conversation.add_turn(number)
        self._refresh()
        self._select_in_list()

    def stop(self) -> None:
        """Stop the answer on its way."""
        self._chatting.stop(self._chat_id)
        self.conversation.refresh_running()

    def show_status(self, status: EngineStatus) -> None:
        """Whether there is a memory to ask."""
        self.composer.set_usable(status.mode is not Mode.BROKEN)
        self._refresh_empty()

    def _refresh_empty(self) -> None:
        if self.stack.currentWidget() is self.empty:
            self.empty.refresh()

    def _copy(self) -> None:
        message = self.conversation.last_answered()
        if message is not None:
            message.copy()
            self._toasts.say(self.tr("Answer copied."))

    # --- names, files, the end ---

    def rename(self) -> None:
        """Edit the name in place."""
        chat = self.chat
        if chat is not None:
            self.title_edit.setText(self._chats.title(chat))
            self.titles.setCurrentWidget(self.title_edit)
            self.title_edit.selectAll()
            self.title_edit.setFocus()

    def _rename_done(self) -> None:
        if self.titles.currentWidget() is not self.title_edit:
            return
        self.titles.setCurrentWidget(self.title)
        chat = self.chat
        if chat is not None and self.title_edit.text() != self._chats.title(chat):
            self._chats.rename(chat.id, self.title_edit.text())

    def delete(self) -> None:
        """Delete the conversation on show; a toast brings it back."""
        place = self._chats.place(self._chat_id)
        current = self.chat
        if current is None or not (current.turns or current.title):
            return
        self._chatting.stop(current.id)
        title = self._chats.title(current)
        chat = self._chats.delete(current.id)
        following = self._chats.at(min(place, len(self._chats) - 1))
        self.open_chat(following or self._chats.create())
        if chat is not None:
            words = self.tr("Deleted “%1”.").replace("%1", title)
            self._toasts.say(words, Offer(self.tr("Undo"), lambda: self._bring_back(chat)))

    def _bring_back(self, chat: Chat) -> None:
        self._chats.insert(chat)
        self.open_chat(chat)

    def export(self, file: Path) -> None:
        """Write the conversation on show as Markdown."""
        chat = self.chat
        if chat is None:
            return
        text = to_markdown(chat)
        self._workspace.background.run(
            lambda: write_atomically(file, text),
            lambda _: self._toasts.say(self.tr("Conversation exported.")),
            lambda _: self._toasts.say(self.tr("The file could not be written."), bad=True),
        )
