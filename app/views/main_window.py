"""The main window: three panes, the banner above, the status line below, toasts over all."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QMainWindow, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app import dialogs, wording
from app.actions import Act, Actions, Group, group_words, specs
from app.icons import app_icon
from app.preferences import FONT_PERCENTS
from app.theme import theme
from app.views.about_sheet import AboutSheet
from app.views.chat_pane import ChatPane
from app.views.memory_commands import MemoryCommands
from app.views.memory_pane import MemoryPane
from app.views.note_commands import NoteCommands
from app.views.notes_pane import NotesPane
from app.views.problem_banner import ProblemBanner
from app.views.settings_sheet import SettingsSheet
from app.views.shortcuts_sheet import ShortcutsSheet
from app.views.status_line import StatusLine
from app.views.tray import Tray
from app.views.welcome import Welcome
from app.widgets.drop_zone import DropZone, dropped_paths
from app.widgets.toast import Offer, Toasts
from app.workspace import Workspace
from engine.api import (
    Command,
    EngineStatus,
    EngramError,
    GrowSlot,
    MemoryUnusable,
    Mode,
    QueueEnded,
    Rescan,
    Settings,
    SlotFull,
)

FOCUS_RESCAN_MS = 3000
"""Coming back to the window looks through the folder, but not more often than this."""
ROOM_FOR_THREE_EM = 72
"""Below this width, in widths of an em, the memory pane is folded away."""


class MainWindow(QMainWindow):
    """Puts the panes together; what is done lies in the commands, not here."""

    quitting = Signal()
    """The user wants to leave for good."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.setWindowTitle("Engram")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.actions_ = Actions(self)
        self.toasts = Toasts(self)
        self._folded_for_room = False
        self._leaving = False
        self._build()
        self._connect()
        self._restore_geometry()
        self._fill_menus()
        self.show_status(workspace.client.status)
        self._choose_page()
        self.chat.composer.edit.setFocus()

    # --- building ---

    def _build(self) -> None:
        workspace, actions = self.workspace, self.actions_
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.banner = ProblemBanner(workspace)
        column.addWidget(self.banner)
        self.pages = QStackedWidget()
        column.addWidget(self.pages, 1)
        self.setCentralWidget(centre)
        self.notes = NotesPane(workspace, actions)
        self.chat = ChatPane(workspace, actions, self.toasts)
        self.memory = MemoryPane(workspace, actions, self.toasts)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for pane in (self.notes, self.chat, self.memory):
            self.splitter.addWidget(pane)
        for place, stretch in enumerate((0, 1, 0)):
            self.splitter.setStretchFactor(place, stretch)
        self.welcome = Welcome()
        self.pages.addWidget(self.splitter)
        self.pages.addWidget(self.welcome)
        self.status_line = StatusLine()
        self.setStatusBar(self.status_line)
        self.drop_zone = DropZone(self)
        self.toasts.place = self._toast_place
        self.chat.stack.installEventFilter(self.toasts)
        self.pages.installEventFilter(self.toasts)
        self.tray = Tray(actions, self)
        self.tray.set_shown(workspace.preferences.tray_icon)
        self.note_commands = NoteCommands(workspace, actions, self.toasts, self.notes.chosen, self)
        self.memory_commands = MemoryCommands(workspace, actions, self.toasts, self)
        self._focus_pause = QTimer(self)
        self._focus_pause.setSingleShot(True)
        self._focus_pause.setInterval(FOCUS_RESCAN_MS)

    def _connect(self) -> None:
        client, bridge, actions = self.workspace.client, self.workspace.bridge, self.actions_
        client.status_changed.connect(self.show_status)
        client.settings_changed.connect(self._show_settings)
        client.said.connect(self._say)
        client.refused.connect(self._refused)
        bridge.queue_ended.connect(self._queue_ended)
        bridge.notes_reset.connect(lambda _: self._choose_page())
        bridge.notes_reset.connect(lambda _: self.chat.empty.forget_offers())
        self.notes.selected.connect(self._note_selected)
        self.notes.choose_folder.connect(self.note_commands.choose_folder)
        self.notes.try_samples.connect(
            lambda: self.note_commands.try_samples(self.welcome.samples_folder)
        )
        self.welcome.choose_folder.connect(self.note_commands.choose_folder)
        self.welcome.try_samples.connect(self.note_commands.try_samples)
        self.banner.choose_folder.connect(self.note_commands.choose_folder)
        self.banner.rebuild.connect(self.memory_commands.rebuild)
        self.chat.source_clicked.connect(self.show_note)
        self.memory.note_picked.connect(self.show_note)
        self.memory.snapshots.compare.connect(self.memory_commands.compare)
        self.memory.snapshots.export.connect(self.memory_commands.export)
        self.tray.show_window.connect(self.raise_window)
        theme().changed.connect(self._on_theme)
        actions.on(Act.UNDO, self.toasts.undo_newest)
        actions.on(Act.SETTINGS, self.open_settings)
        actions.on(Act.SHORTCUTS, lambda: ShortcutsSheet(self).show())
        actions.on(Act.ABOUT, lambda: AboutSheet(self.workspace, self).show())
        actions.on(Act.QUIT, self.leave)
        actions.on(Act.EXPORT_CHAT, self._export_chat)
        actions.on(Act.FOCUS_NOTES, lambda: self.notes.view.setFocus())
        actions.on(Act.FOCUS_CHAT, lambda: self.chat.composer.edit.setFocus())
        actions.on(Act.FOCUS_MEMORY, self._focus_memory)
        actions.on(Act.FILTER, self._focus_filter)
        actions.on(Act.LARGER, lambda: self._resize_text(1))
        actions.on(Act.SMALLER, lambda: self._resize_text(-1))
        actions.on(Act.NORMAL_SIZE, lambda: self._resize_text(0))
        fold = actions[Act.FOLD_MEMORY]
        fold.setChecked(not self.workspace.preferences.memory_folded)
        fold.toggled.connect(self._show_memory)
        self.memory.setVisible(fold.isChecked())

    def _fill_menus(self) -> None:
        breaks = {Act.RESCAN, Act.UNDO, Act.QUIT, Act.WRITE_AGAIN, Act.FLAT, Act.NEXT_CHAT}
        breaks |= {Act.STOP, Act.VERIFY, Act.CHAT_LIST, Act.LARGER, Act.EXPORT_MEMORY}
        menus: dict[Group, QMenu] = {}
        for spec in specs():
            if spec.group not in menus:
                menus[spec.group] = self.menuBar().addMenu(group_words(spec.group))
            if spec.act in breaks:
                menus[spec.group].addSeparator()
            menus[spec.group].addAction(self.actions_[spec.act])

    def _restore_geometry(self) -> None:
        preferences = self.workspace.preferences
        room = self.screen().availableGeometry()
        self.resize(min(1280, int(room.width() * 0.92)), min(820, int(room.height() * 0.9)))
        if not preferences.geometry.isEmpty():
            self.restoreGeometry(preferences.geometry)
        if preferences.panes.isEmpty() or not self.splitter.restoreState(preferences.panes):
            self.splitter.setSizes([310, 640, 330])
        self._set_narrowest()

    def _set_narrowest(self) -> None:
        em = self.fontMetrics().horizontalAdvance("m")
        self.notes.setMinimumWidth(min(em * 17, 420))
        self.chat.setMinimumWidth(min(em * 22, 420))
        self.memory.setMinimumWidth(min(em * 18, 440))

    # --- what the engine says ---

    def show_status(self, status: EngineStatus) -> None:
        """Hand the engine's figures to every part that shows them."""
        for part in (self.banner, self.notes, self.chat, self.memory, self.status_line, self.tray):
            part.show_status(status)
        self._choose_page()

    def _show_settings(self, settings: Settings) -> None:
        self.notes.show_settings(settings)
        self._choose_page()

    def _choose_page(self) -> None:
        client = self.workspace.client
        first_run = (
            client.settings_known
            and client.settings.folder is None
            and len(self.workspace.notes) == 0
            and client.status.mode is not Mode.BROKEN
        )
        self.pages.setCurrentWidget(self.welcome if first_run else self.splitter)

    def _say(self, message: str, undo: int) -> None:
        client = self.workspace.client
        offer = Offer(self.tr("Undo"), lambda: client.undo(undo)) if undo >= 0 else None
        self.toasts.say(wording.shown(message), offer)

    def _refused(self, error: EngramError, command: Command | None) -> None:
        if isinstance(error, MemoryUnusable):
            self.banner.show_error(error)
        elif isinstance(error, SlotFull) and self.workspace.client.status.cells:
            grow = GrowSlot(self.workspace.client.status.cells * 2)
            words = self.tr("Make the memory larger")
            offer = Offer(words, lambda: self.workspace.client.send(grow))
            self.toasts.say(str(error), offer, bad=True)
        else:
            self.toasts.say(str(error) or self.tr("That did not work."), bad=True)

    def _queue_ended(self, event: QueueEnded) -> None:
        self.tray.queue_ended(event)

    def _toast_place(self) -> QRect:
        """Messages stand above the question field, where they cover nothing that is read."""
        page: QWidget = (
            self.chat.stack if self.pages.currentWidget() is self.splitter else self.pages
        )
        return QRect(page.mapTo(self, QPoint(0, 0)), page.size())

    def report_bug(self) -> None:
        """Something in the window itself went wrong; it goes on."""
        self.toasts.say(
            self.tr("Something in the window went wrong. The memory is not touched by it."),
            bad=True,
        )

    # --- going somewhere ---

    def show_note(self, note_id: int) -> None:
        """Select a note in the notes pane."""
        if not self.notes.select(note_id):
            self.toasts.say(self.tr("This note is no longer listed."))

    def _note_selected(self, note_id: int) -> None:
        self.memory.mark(note_id)
        chosen = bool(self.notes.chosen())
        for act in (Act.WRITE_AGAIN, Act.FORGET):
            self.actions_[act].setEnabled(chosen)
        for act in (Act.OPEN_NOTE, Act.SHOW_IN_FOLDER, Act.SHOW_REMEMBERED):
            self.actions_[act].setEnabled(note_id != 0)

    def _focus_filter(self) -> None:
        self.notes.filter.setFocus()
        self.notes.filter.selectAll()

    def _focus_memory(self) -> None:
        self.actions_[Act.FOLD_MEMORY].setChecked(True)
        self.memory.snapshots.take_focus()

    def _show_memory(self, shown: bool) -> None:
        self.memory.setVisible(shown)
        if not self._folded_for_room:
            self.workspace.preferences.memory_folded = not shown

    def _export_chat(self) -> None:
        chat = self.chat.chat
        if chat is None or not chat.turns:
            return
        name = dialogs.file_stem(self.workspace.chats.title(chat)) + ".md"
        title = self.tr("Export the conversation")
        file = dialogs.save_file(self, title, name, self.tr("Markdown") + " (*.md)")
        if file is not None:
            self.chat.export(file)

    def open_settings(self) -> SettingsSheet:
        """Open the settings."""
        sheet = SettingsSheet(self.workspace, self.tray.available, self)
        sheet.rebuild.connect(self.memory_commands.rebuild)
        sheet.accepted.connect(lambda: self.tray.set_shown(self.workspace.preferences.tray_icon))
        sheet.show()
        return sheet

    def _resize_text(self, by: int) -> None:
        preferences = self.workspace.preferences
        place = FONT_PERCENTS.index(preferences.font_percent) + by
        percent = FONT_PERCENTS[min(max(place, 0), len(FONT_PERCENTS) - 1)] if by else 100
        preferences.font_percent = percent
        theme().set_font_percent(percent)

    def _on_theme(self) -> None:
        self._set_narrowest()
        self.notes.view.doItemsLayout()
        self.memory.snapshots.view.doItemsLayout()
        self._make_room()
        self.update()

    # --- Qt: size, focus, drops, the end ---

    def sizeHint(self) -> QSize:
        """A comfortable first size."""
        return QSize(1280, 820)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold the memory away where three panes do not fit, and bring it back."""
        super().resizeEvent(event)
        self.toasts.arrange()
        self._make_room()

    def _make_room(self) -> None:
        em = self.fontMetrics().horizontalAdvance("m")
        tight = self.width() < em * ROOM_FOR_THREE_EM
        fold = self.actions_[Act.FOLD_MEMORY]
        if tight and fold.isChecked() and not self._folded_for_room:
            self._folded_for_room = True
            fold.setChecked(False)
        elif not tight and self._folded_for_room:
            fold.setChecked(True)
            self._folded_for_room = False

    def changeEvent(self, event: QEvent) -> None:
        """Look through the folder when the window gets the focus."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            if self.workspace.client.engine is not None and not self._focus_pause.isActive():
                self._focus_pause.start()
                self.workspace.client.send(Rescan())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere."""
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()
            folder = self.workspace.client.settings.folder
            if folder is None:
                self.drop_zone.cover(self.tr("Drop a folder to remember its notes"))
            else:
                words = self.tr("Drop to copy into “%1”")
                name = wording.shown(folder.name or str(folder))
                self.drop_zone.cover(words.replace("%1", name))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """The drag went elsewhere."""
        self.drop_zone.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Copy the files into the folder."""
        self.drop_zone.hide()
        if paths := dropped_paths(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.note_commands.take_in(paths)

    def raise_window(self) -> None:
        """Bring the window to the front (a second start, the tray)."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def leave(self) -> None:
        """Quit, whatever the tray says."""
        self._leaving = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the window; stay in the tray where that is wanted."""
        preferences = self.workspace.preferences
        preferences.geometry = self.saveGeometry()
        preferences.panes = self.splitter.saveState()
        preferences.save()
        if preferences.stay_in_tray and self.tray.icon.isVisible() and not self._leaving:
            event.ignore()
            self.hide()
            return
        self._leaving = True
        self.toasts.expire_all()
        self.tray.set_shown(False)
        event.accept()
        self.quitting.emit()
