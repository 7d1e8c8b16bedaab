"""Snapshots: take, name, restore, compare, export, import, delete."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import wording
from app.actions import Act, Actions
from app.icons import wear
from app.views.snapshot_delegate import SnapshotDelegate
from app.widgets.buttons import IconButton, TextButton
from app.widgets.labels import Label
from app.widgets.toast import Offer, Toasts
from app.workspace import Workspace
from engine.api import (
    DeleteSnapshot,
    Done,
    Event,
    RestoreSnapshot,
    Snapshot,
    TakeSnapshot,
)


class SnapshotsPanel(QWidget):
    """The list with its commands; they are also in the context menu and on keys."""

    compare = Signal(str, str)
    export = Signal(str)

    def __init__(
        self,
        workspace: Workspace,
        actions: Actions,
        toasts: Toasts,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._client = workspace.client
        self._model = workspace.snapshots
        self._actions = actions
        self._toasts = toasts
        self._make_commands()
        self._build()
        actions.on(Act.TAKE_SNAPSHOT, self.take)
        self._model.modelReset.connect(self._on_reset)
        self._on_selection()

    # --- building ---

    def _make_commands(self) -> None:
        def command(words: str, icon: str, key: str, do: Callable[[], object]) -> QAction:
            action = QAction(words, self)
            wear(action, icon, "muted")
            if key:
                action.setShortcut(QKeySequence(key))
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.triggered.connect(lambda _=False: do())
            return action

        self.restore_action = command(self.tr("Restore"), "restore", "", self.restore)
        self.rename_action = command(self.tr("Rename"), "rename", "", self.rename)
        self.compare_action = command(
            self.tr("Compare with the present"), "compare", "", self._compare
        )
        self.export_action = command(self.tr("Export to a file…"), "export", "", self._export)
        self.delete_action = command(self.tr("Delete"), "trash", "Del", self.delete)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(Label(self.tr("Snapshots"), bold=True))
        head.addStretch(1)
        take = self._actions[Act.TAKE_SNAPSHOT]
        self.take_button = IconButton("snapshot", take.text(), take.trigger)
        head.addWidget(self.take_button)
        self.more_button = IconButton("more", self.tr("More for the memory"))
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        for act in (Act.EXPORT_MEMORY, Act.IMPORT_MEMORY, Act.VERIFY, Act.REBUILD):
            menu.addAction(self._actions[act])
        self.more_button.setMenu(menu)
        head.addWidget(self.more_button)
        column.addLayout(head)
        self.stack = QStackedWidget()
        self.view = self._list()
        self.stack.addWidget(self.view)
        self.stack.addWidget(self._empty())
        column.addWidget(self.stack, 1)
        self.commands = self._command_row()
        column.addWidget(self.commands)

    def _list(self) -> QListView:
        view = QListView()
        view.setModel(self._model)
        view.setItemDelegate(SnapshotDelegate(self._model, view))
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setMinimumHeight(90)
        view.setAccessibleName(self.tr("Snapshots"))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._menu)
        view.selectionModel().selectionChanged.connect(lambda *_: self._on_selection())
        view.addActions(self._row_actions())
        return view

    def _row_actions(self) -> list[QAction]:
        return [
            self.restore_action,
            self.compare_action,
            self.rename_action,
            self.export_action,
            self.delete_action,
        ]

    def _empty(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(8)
        words = self.tr("A snapshot keeps the memory as it is now, so that you can return to it.")
        column.addWidget(Label(words, tone="muted", wrap=True))
        take = self._actions[Act.TAKE_SNAPSHOT]
        column.addWidget(TextButton(take.text(), take.trigger, icon="snapshot"))
        column.addStretch(1)
        return page

    def _command_row(self) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        self.buttons: dict[QAction, IconButton] = {}
        names = ("restore", "compare", "rename", "export", "trash")
        for action, name in zip(self._row_actions(), names, strict=True):
            button = IconButton(name, action.text(), action.trigger)
            self.buttons[action] = button
            line.addWidget(button)
        line.addStretch(1)
        return row

    def take_focus(self) -> None:
        """Go to the list, or to the button that fills it."""
        (self.view if self._model.rowCount() else self.take_button).setFocus()

    # --- selection ---

    def chosen(self) -> list[Snapshot]:
        """The selected snapshots, newest first."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [s for row in rows if (s := self._model.at(row)) is not None]

    def _on_reset(self) -> None:
        self._on_selection()

    def _on_selection(self) -> None:
        count = len(self.chosen())
        self.stack.setCurrentIndex(0 if self._model.rowCount() else 1)
        self.commands.setVisible(count > 0)
        for action in (self.restore_action, self.rename_action, self.export_action):
            action.setEnabled(count == 1)
        self.compare_action.setEnabled(count in (1, 2))
        self.compare_action.setText(
            self.tr("Compare the two") if count == 2 else self.tr("Compare with the present")
        )
        self.delete_action.setEnabled(count > 0)
        for action, button in self.buttons.items():
            button.setEnabled(action.isEnabled())
            button.setToolTip(wording.tip(action.text()))
            button.setAccessibleName(action.text())

    def _menu(self, at: QPoint) -> None:
        if self.chosen():
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addActions(self._row_actions())
            menu.popup(self.view.viewport().mapToGlobal(at))

    # --- commands ---

    def take(self) -> None:
        """Take a snapshot; the toast offers to name it."""
        known = {s.id for row in range(self._model.rowCount()) if (s := self._model.at(row))}

        def done(event: Event) -> None:
            if not isinstance(event, Done):
                self._client.report(event)
                return
            words = event.message or self.tr("Snapshot taken.")
            self._toasts.say(words, Offer(self.tr("Name it"), lambda: self._name_new(known)))

        self._client.send(TakeSnapshot(), done)

    def _name_new(self, known: set[str]) -> None:
        for row in range(self._model.rowCount()):
            snapshot = self._model.at(row)
            if snapshot is not None and snapshot.id not in known:
                self._edit(row)
                return

    def _edit(self, row: int) -> None:
        index = self._model.index(row, 0)
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index)
        self.view.edit(index)

    def rename(self) -> None:
        """Edit the name in place."""
        if len(chosen := self.chosen()) == 1:
            self._edit(self._model.place(chosen[0].id))

    def restore(self) -> None:
        """Go back to the snapshot. The engine keeps the present first; the toast undoes."""
        if len(chosen := self.chosen()) == 1:
            self._client.send(RestoreSnapshot(chosen[0].id))

    def _compare(self) -> None:
        chosen = self.chosen()
        if len(chosen) == 1:
            self.compare.emit(chosen[0].id, "")
        elif len(chosen) == 2:
            older, newer = sorted(chosen, key=lambda s: s.taken_at)
            self.compare.emit(older.id, newer.id)

    def _export(self) -> None:
        if len(chosen := self.chosen()) == 1:
            self.export.emit(chosen[0].id)

    def delete(self) -> None:
        """Delete, once the toast with Undo has gone: the engine cannot bring a snapshot back."""
        chosen = self.chosen()
        if not chosen:
            return
        for snapshot in chosen:
            self._model.hide(snapshot.id, True)

        def back() -> None:
            for snapshot in chosen:
                self._model.hide(snapshot.id, False)

        def for_good() -> None:
            for snapshot in chosen:
                self._client.send(DeleteSnapshot(snapshot.id), self._deleted(snapshot.id))

        if len(chosen) == 1:
            words = self.tr("Deleted “%1”.").replace("%1", self._model.title(chosen[0]))
        else:
            words = self.tr("Deleted %1 snapshots.").replace("%1", wording.number(len(chosen)))
        self._toasts.say(words, Offer(self.tr("Undo"), back), expired=for_good)

    def _deleted(self, snapshot: str) -> Callable[[Event], None]:
        def handler(event: Event) -> None:
            if not isinstance(event, Done):
                self._model.hide(snapshot, False)
                self._client.report(event)

        return handler
