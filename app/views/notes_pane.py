"""The notes of the folder, each with its state: the left pane."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QMenu,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import wording
from app.actions import Act, Actions
from app.icons import icon
from app.models.note_rows import Order
from app.views.note_delegate import PAD, NoteDelegate
from app.views.note_details import NoteDetails
from app.views.notes_empty import NotesEmpty
from app.views.notes_header import NotesHeader
from app.widgets.labels import Label
from app.widgets.notes_tree import MARGIN, NotesTree
from app.widgets.search_field import SearchField
from app.workspace import Workspace
from engine.api import EngineStatus, Note, Settings

MINUTE_MS = 60_000


class NotesPane(QWidget):
    """Folder, pause, filter, the list itself, and the selected note's details."""

    selected = Signal(int)
    """The note that is current now, 0 for none."""
    choose_folder = Signal()
    try_samples = Signal()

    def __init__(
        self, workspace: Workspace, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sidePane")
        self._workspace = workspace
        self._model = workspace.notes
        self._actions = actions
        self._folded: set[str] = set()
        self._current = 0
        self._build()
        self._connect()
        self._restore_choices()

    # --- building ---

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.header = NotesHeader(self._actions)
        column.addWidget(self.header)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.bar.setAccessibleName(self.tr("Share of the notes that is remembered"))
        holder = QVBoxLayout()
        holder.setContentsMargins(16, 0, 16, 10)
        holder.setSpacing(10)
        holder.addWidget(self.bar)
        self.filter = SearchField(self.tr("Filter by name or state"))
        self.filter.setAccessibleName(self.tr("Filter the notes"))
        holder.addWidget(self.filter)
        column.addLayout(holder)
        self.stack = QStackedWidget()
        self.view = self._tree()
        self._list = QWidget()
        beside = QVBoxLayout(self._list)
        beside.setContentsMargins(MARGIN, 0, 0, 0)
        beside.addWidget(self.view)
        self.stack.addWidget(self._list)
        self.empty = NotesEmpty()
        self.stack.addWidget(self.empty)
        self.nothing = Label(self.tr("No note matches the filter."), tone="muted", wrap=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.nothing.setContentsMargins(16, 24, 16, 16)
        self.stack.addWidget(self.nothing)
        column.addWidget(self.stack, 1)
        self.details = NoteDetails(self._actions)
        column.addWidget(self.details)

    def _tree(self) -> NotesTree:
        view = NotesTree(PAD)
        view.setModel(self._model)
        self._delegate = NoteDelegate(self._model, self._workspace.clock, view)
        view.setItemDelegate(self._delegate)
        view.setHeaderHidden(True)
        view.setUniformRowHeights(True)
        view.setMouseTracking(True)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setAnimated(False)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setExpandsOnDoubleClick(True)
        view.setAccessibleName(self.tr("Notes"))
        for act in (Act.OPEN_NOTE, Act.FORGET):
            view.addAction(self._actions[act])
        return view

    def _connect(self) -> None:
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.doubleClicked.connect(self._open)
        self.view.selectionModel().currentChanged.connect(lambda *_: self._on_current())
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._on_current())
        self.view.collapsed.connect(lambda index: self._fold(index, True))
        self.view.expanded.connect(lambda index: self._fold(index, False))
        self.filter.textChanged.connect(self._model.set_filter)
        self._model.modelAboutToBeReset.connect(self._before_arranged)
        self._model.arranged.connect(self._after_arranged)
        self._model.counted.connect(self._show_right_page)
        self._model.dataChanged.connect(lambda index, *_: self._refresh_details(index))
        self.empty.choose_folder.connect(self.choose_folder)
        self.empty.try_samples.connect(self.try_samples)
        self.header.order_menu_wanted.connect(self._order_menu)
        self._minute = QTimer(self)
        self._minute.setInterval(MINUTE_MS)
        self._minute.timeout.connect(self.view.viewport().update)
        self._minute.start()

    def _restore_choices(self) -> None:
        preferences = self._workspace.preferences
        self._model.set_flat(preferences.flat_notes)
        self._actions[Act.FLAT].setChecked(preferences.flat_notes)
        self._actions[Act.FLAT].toggled.connect(self._set_flat)
        orders = {order.value: order for order in Order}
        self._model.set_order(orders.get(preferences.notes_order, Order.NAME))
        self._show_right_page()

    # --- what the engine says ---

    def show_status(self, status: EngineStatus) -> None:
        """Counts, pause, the folder's state."""
        self.header.show_status(status)
        self.bar.setRange(0, max(1, status.notes_total))
        self.bar.setValue(status.notes_remembered)
        self._show_right_page()

    def show_settings(self, settings: Settings) -> None:
        """The folder's name and the pause button."""
        self.header.show_settings(settings)
        self._show_right_page()

    def _show_right_page(self) -> None:
        if len(self._model) == 0:
            self.empty.show_for(self._workspace.client.settings, self._workspace.client.status)
            page: QWidget = self.empty
        elif self._model.filtered and self._model.shown_count == 0:
            page = self.nothing
        else:
            page = self._list
        self.stack.setCurrentWidget(page)
        self.filter.setEnabled(len(self._model) > 0)

    # --- selection ---

    def chosen(self) -> tuple[Note, ...]:
        """The selected notes; a selected folder stands for the notes in it."""
        found: dict[int, Note] = {}
        for index in self.view.selectionModel().selectedRows():
            rows = [self._model.row_at(index)]
            while rows:
                row = rows.pop()
                if row is not None:
                    rows += row.children
                    if row.note is not None:
                        found[row.note.id] = row.note
        return tuple(found.values())

    def select(self, note_id: int) -> bool:
        """Show a note and make it current, lifting the filter where it is in the way."""
        if self._model.note(note_id) is None:
            return False
        if not self._model.index_of(note_id).isValid():
            self.filter.clear()
        index = self._model.index_of(note_id)
        if not index.isValid():
            return False
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        return True

    def _on_current(self) -> None:
        notes = self.chosen()
        note = notes[0] if len(notes) == 1 else None
        self._current = note.id if note else 0
        self.details.show_note(note)
        self.selected.emit(self._current)

    def _refresh_details(self, changed: QModelIndex) -> None:
        note = self._model.note_at(changed) if self._current else None
        if note is not None and note.id == self._current:
            self.details.show_note(note)

    def _open(self, index: QModelIndex) -> None:
        if self._model.note_at(index) is not None:
            self._actions[Act.OPEN_NOTE].trigger()

    # --- arranging ---

    def _before_arranged(self) -> None:
        self._kept = [note.id for note in self.chosen()]
        self._kept_current = self._current
        self._kept_scroll = self.view.verticalScrollBar().value()

    def _after_arranged(self) -> None:
        self.view.blockSignals(True)
        folders = self._model.folder_rows()
        self.view.setRootIsDecorated(bool(folders))
        self.view.expandAll()
        for key, index in folders:
            if key in self._folded and not self._model.filtered:
                self.view.collapse(index)
        self.view.blockSignals(False)
        selection = self.view.selectionModel()
        flags = QItemSelectionModel.SelectionFlag
        for note_id in self._kept[:1000]:
            index = self._model.index_of(note_id)
            if index.isValid():
                selection.select(index, flags.Select | flags.Rows)
        if self._kept_current:
            index = self._model.index_of(self._kept_current)
            if index.isValid():
                selection.setCurrentIndex(index, flags.NoUpdate)
        self.view.verticalScrollBar().setValue(self._kept_scroll)
        self._on_current()

    def _fold(self, index: QModelIndex, folded: bool) -> None:
        row = self._model.row_at(index)
        if row is not None:
            (self._folded.add if folded else self._folded.discard)(row.key)

    def _set_flat(self, flat: bool) -> None:
        self._model.set_flat(flat)
        self._workspace.preferences.flat_notes = flat

    def _order_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        group = QActionGroup(menu)
        words = {
            Order.NAME: self.tr("By name"),
            Order.NEWEST: self.tr("Newest first"),
            Order.ATTENTION: self.tr("What needs attention first"),
            Order.RECALL: self.tr("Lowest recall first"),
        }
        for order, text in words.items():
            action = group.addAction(text)
            action.setCheckable(True)
            action.setChecked(order is self._model.order)
            action.triggered.connect(lambda _=False, o=order: self.set_order(o))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction(self._actions[Act.FLAT])
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    def set_order(self, order: Order) -> None:
        """Put the notes in this order and keep it."""
        self._model.set_order(order)
        self._workspace.preferences.notes_order = order.value

    def _menu(self, at: QPoint) -> None:
        if not self.chosen():
            return
        self.context_menu().popup(self.view.viewport().mapToGlobal(at))

    def context_menu(self) -> QMenu:
        """The menu for the selected notes."""
        notes = self.chosen()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if len(notes) > 1:
            menu.addAction(icon("note", "muted"), wording.notes(len(notes))).setEnabled(False)
            menu.addSeparator()
            acts: tuple[Act, ...] = (Act.WRITE_AGAIN, Act.FORGET)
        else:
            acts = (
                Act.OPEN_NOTE,
                Act.SHOW_IN_FOLDER,
                Act.SHOW_REMEMBERED,
                Act.WRITE_AGAIN,
                Act.FORGET,
            )
        for act in acts:
            menu.addAction(self._actions[act])
        return menu
