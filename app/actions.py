"""Every command of the window, once: its words, its keys, its icon, its group.

Menus, buttons and the shortcuts sheet are all made from here, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from app.icons import wear


class Act(Enum):
    """What can be done."""

    CHOOSE_FOLDER = "choose folder"
    ADD_NOTES = "add notes"
    RESCAN = "rescan"
    PAUSE = "pause"
    SETTINGS = "settings"
    QUIT = "quit"
    UNDO = "undo"
    OPEN_NOTE = "open note"
    SHOW_REMEMBERED = "show remembered"
    WRITE_AGAIN = "write again"
    FORGET = "forget"
    SHOW_IN_FOLDER = "show in folder"
    FLAT = "flat"
    NEW_CHAT = "new chat"
    RENAME_CHAT = "rename chat"
    EXPORT_CHAT = "export chat"
    DELETE_CHAT = "delete chat"
    NEXT_CHAT = "next chat"
    PREVIOUS_CHAT = "previous chat"
    STOP = "stop"
    COPY_ANSWER = "copy answer"
    CHAT_LIST = "chat list"
    TAKE_SNAPSHOT = "take snapshot"
    EXPORT_MEMORY = "export memory"
    IMPORT_MEMORY = "import memory"
    VERIFY = "verify"
    REBUILD = "rebuild"
    FOCUS_NOTES = "focus notes"
    FOCUS_CHAT = "focus chat"
    FOCUS_MEMORY = "focus memory"
    FILTER = "filter"
    FOLD_MEMORY = "fold memory"
    LARGER = "larger"
    SMALLER = "smaller"
    NORMAL_SIZE = "normal size"
    SHORTCUTS = "shortcuts"
    ABOUT = "about"


class Group(Enum):
    """The menus, and the parts of the shortcuts sheet."""

    FILE = "file"
    NOTES = "notes"
    CHAT = "chat"
    MEMORY = "memory"
    VIEW = "view"
    HELP = "help"


@dataclass(frozen=True)
class Spec:
    """One command. The first key is the one shown."""

    act: Act
    group: Group
    words: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    local: bool = False
    """The key works in the notes list only."""


translate = QCoreApplication.translate  # a name that the translators' tools know


def group_words(group: Group) -> str:
    """A menu's name."""
    return {
        Group.FILE: translate("actions", "File"),
        Group.NOTES: translate("actions", "Notes"),
        Group.CHAT: translate("actions", "Chat"),
        Group.MEMORY: translate("actions", "Memory"),
        Group.VIEW: translate("actions", "View"),
        Group.HELP: translate("actions", "Help"),
    }[group]


def specs() -> tuple[Spec, ...]:
    """All commands, in the order of the menus."""
    return (*_file_and_notes(), *_chat(), *_memory(), *_view_and_help())


def _file_and_notes() -> tuple[Spec, ...]:
    file, notes = Group.FILE, Group.NOTES
    return (
        Spec(
            Act.CHOOSE_FOLDER, file, translate("actions", "Choose a folder…"), ("Ctrl+O",), "folder"
        ),
        Spec(Act.ADD_NOTES, file, translate("actions", "Add notes…"), ("Ctrl+Shift+O",), "plus"),
        Spec(
            Act.RESCAN, file, translate("actions", "Look through the folder now"), ("F5",), "again"
        ),
        Spec(
            Act.PAUSE,
            file,
            translate("actions", "Pause writing"),
            ("Ctrl+Shift+P",),
            "pause",
            checkable=True,
        ),
        Spec(Act.UNDO, file, translate("actions", "Undo"), ("Ctrl+Z",), "undo"),
        Spec(Act.SETTINGS, file, translate("actions", "Settings…"), ("Ctrl+,",), "settings"),
        Spec(Act.QUIT, file, translate("actions", "Quit"), ("Ctrl+Q",), "close"),
        Spec(Act.OPEN_NOTE, notes, translate("actions", "Open"), ("Return",), "open", local=True),
        Spec(
            Act.SHOW_REMEMBERED,
            notes,
            translate("actions", "Show what is remembered"),
            ("Ctrl+I",),
            "eye",
        ),
        Spec(Act.WRITE_AGAIN, notes, translate("actions", "Write again"), ("Ctrl+R",), "again"),
        Spec(Act.FORGET, notes, translate("actions", "Forget"), ("Del",), "forget", local=True),
        Spec(
            Act.SHOW_IN_FOLDER,
            notes,
            translate("actions", "Show in folder"),
            ("Ctrl+Shift+E",),
            "folder",
        ),
        Spec(
            Act.FLAT, notes, translate("actions", "Flat list"), ("Ctrl+T",), "list", checkable=True
        ),
    )


def _chat() -> tuple[Spec, ...]:
    chat = Group.CHAT
    return (
        Spec(Act.NEW_CHAT, chat, translate("actions", "New conversation"), ("Ctrl+N",), "plus"),
        Spec(Act.RENAME_CHAT, chat, translate("actions", "Rename conversation"), ("F2",), "rename"),
        Spec(
            Act.EXPORT_CHAT,
            chat,
            translate("actions", "Export conversation…"),
            ("Ctrl+E",),
            "export",
        ),
        Spec(
            Act.DELETE_CHAT,
            chat,
            translate("actions", "Delete conversation"),
            ("Ctrl+Shift+Backspace",),
            "trash",
        ),
        Spec(Act.NEXT_CHAT, chat, translate("actions", "Next conversation"), ("Ctrl+PgDown",)),
        Spec(
            Act.PREVIOUS_CHAT, chat, translate("actions", "Previous conversation"), ("Ctrl+PgUp",)
        ),
        Spec(Act.STOP, chat, translate("actions", "Stop the answer"), ("Esc",), "stop"),
        Spec(
            Act.COPY_ANSWER,
            chat,
            translate("actions", "Copy the last answer"),
            ("Ctrl+Shift+C",),
            "copy",
        ),
    )


def _memory() -> tuple[Spec, ...]:
    memory = Group.MEMORY
    return (
        Spec(
            Act.TAKE_SNAPSHOT,
            memory,
            translate("actions", "Take a snapshot"),
            ("Ctrl+S",),
            "snapshot",
        ),
        Spec(Act.EXPORT_MEMORY, memory, translate("actions", "Export the memory…"), (), "export"),
        Spec(Act.IMPORT_MEMORY, memory, translate("actions", "Import a memory…"), (), "import"),
        Spec(Act.VERIFY, memory, translate("actions", "Check every note again"), (), "check"),
        Spec(Act.REBUILD, memory, translate("actions", "Rebuild memory…"), (), "memory"),
    )


def _view_and_help() -> tuple[Spec, ...]:
    view, about = Group.VIEW, Group.HELP
    return (
        Spec(Act.FOCUS_NOTES, view, translate("actions", "Go to the notes"), ("Ctrl+1",)),
        Spec(
            Act.FOCUS_CHAT, view, translate("actions", "Go to the question"), ("Ctrl+2", "Ctrl+L")
        ),
        Spec(Act.FOCUS_MEMORY, view, translate("actions", "Go to the memory"), ("Ctrl+3",)),
        Spec(Act.FILTER, view, translate("actions", "Filter the notes"), ("Ctrl+F",), "search"),
        Spec(
            Act.CHAT_LIST,
            view,
            translate("actions", "List of conversations"),
            ("Ctrl+B",),
            "chats",
            checkable=True,
        ),
        Spec(
            Act.FOLD_MEMORY,
            view,
            translate("actions", "Memory"),
            ("F9",),
            "panel-right",
            checkable=True,
        ),
        Spec(Act.LARGER, view, translate("actions", "Larger text"), ("Ctrl++", "Ctrl+="), "plus"),
        Spec(Act.SMALLER, view, translate("actions", "Smaller text"), ("Ctrl+-",), "minus"),
        Spec(Act.NORMAL_SIZE, view, translate("actions", "Text in the system's size"), ("Ctrl+0",)),
        Spec(
            Act.SHORTCUTS,
            about,
            translate("actions", "Keyboard shortcuts"),
            ("F1", "Ctrl+/"),
            "keyboard",
        ),
        Spec(Act.ABOUT, about, translate("actions", "About Engram"), (), "info"),
    )


class Actions(QObject):
    """The window's `QAction`s, by name."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._by_act: dict[Act, QAction] = {}
        for spec in specs():
            action = QAction(spec.words, self)
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            action.setCheckable(spec.checkable)
            if spec.icon:
                wear(action, spec.icon, "muted")
            if spec.local:
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            if spec.act is Act.QUIT:
                action.setMenuRole(QAction.MenuRole.QuitRole)
            elif spec.act is Act.SETTINGS:
                action.setMenuRole(QAction.MenuRole.PreferencesRole)
            elif spec.act is Act.ABOUT:
                action.setMenuRole(QAction.MenuRole.AboutRole)
            self._by_act[spec.act] = action

    def __getitem__(self, act: Act) -> QAction:
        return self._by_act[act]

    def on(self, act: Act, do: Callable[[], object]) -> None:
        """Call `do` when the command is given."""
        self._by_act[act].triggered.connect(lambda _checked=False: do())
