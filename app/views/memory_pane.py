"""How full the slot is, its picture, the running write, snapshots: the right pane."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import wording
from app.actions import Act, Actions
from app.views.snapshots_panel import SnapshotsPanel
from app.widgets.buttons import IconButton, TextButton
from app.widgets.labels import ElidedLabel, Label, Rule
from app.widgets.loss_plot import LossPlot
from app.widgets.slot_picture import SlotView
from app.widgets.toast import Toasts
from app.workspace import Workspace
from engine.api import EngineStatus, GrowSlot, NoteState, SlotPicture, WriteProgress

NEARLY_FULL = 0.85
"""From this share of used cells on, growing the slot is offered."""


class MemoryPane(QWidget):
    """One scrolling column; every figure on it comes from the engine."""

    note_picked = Signal(int)

    def __init__(
        self,
        workspace: Workspace,
        actions: Actions,
        toasts: Toasts,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sidePane")
        self._workspace = workspace
        self._status: EngineStatus | None = None
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer.addWidget(scroll)
        inside = QWidget()
        scroll.setWidget(inside)
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(16, 12, 14, 12)
        self._column.setSpacing(8)
        self._build_slot(actions)
        self._build_write()
        self.snapshots = SnapshotsPanel(workspace, actions, toasts)
        self._column.addWidget(self.snapshots, 1)
        workspace.bridge.slot.connect(self.show_picture)
        workspace.bridge.progress.connect(self.show_progress)
        workspace.notes.counted.connect(self._refresh_write)

    def _build_slot(self, actions: Actions) -> None:
        head = QHBoxLayout()
        head.addWidget(Label(self.tr("Memory"), bold=True, scale=1.08), 1)
        fold = actions[Act.FOLD_MEMORY]
        self.fold_button = IconButton("panel-right", self.tr("Fold the memory away"), fold.trigger)
        head.addWidget(self.fold_button)
        self.fill = ElidedLabel(tone="muted", scale=0.92, mode=Qt.TextElideMode.ElideRight)
        above = QVBoxLayout()
        above.setSpacing(2)
        above.addLayout(head)
        above.addWidget(self.fill)
        self._column.addLayout(above)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.bar.setAccessibleName(self.tr("How full the slot is"))
        self._column.addWidget(self.bar)
        self.grow = TextButton(self.tr("Make the memory larger"), self._grow, kind="link")
        self._column.addWidget(self.grow)
        self.picture = SlotView(self._name_of)
        self.picture.picked.connect(self.note_picked)
        self._column.addWidget(self.picture)
        self._column.addSpacing(4)
        self._column.addWidget(Rule())
        self.grow.hide()

    def _build_write(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        self.write_title = Label(self.tr("Writing"), bold=True)
        head.addWidget(self.write_title)
        self.write_note = ElidedLabel(tone="muted")
        head.addWidget(self.write_note, 1)
        self._column.addLayout(head)
        self.write_text = Label(tone="muted", scale=0.92, wrap=True)
        self._column.addWidget(self.write_text)
        self.plot = LossPlot()
        self._column.addWidget(self.plot)
        self._column.addSpacing(2)
        self._column.addWidget(Rule())
        self._refresh_write()

    # --- what the engine says ---

    def show_status(self, status: EngineStatus) -> None:
        """How full the slot is."""
        self._status = status
        if status.cells == 0:
            self.fill.setText("")
            self.bar.setRange(0, 1)
            self.bar.setValue(0)
            self.grow.hide()
            return
        share = status.cells_used / status.cells
        text = self.tr("%1 of %2 cells used")
        text = text.replace("%1", wording.number(status.cells_used))
        self.fill.setText(
            text.replace("%2", wording.number(status.cells)) + " · " + self._percent(share)
        )
        self.bar.setRange(0, status.cells)
        self.bar.setValue(status.cells_used)
        self.grow.setVisible(share >= NEARLY_FULL)

    def _percent(self, share: float) -> str:
        return self.tr("under 1 %") if 0 < share < 0.01 else wording.percent(share)

    def show_picture(self, picture: SlotPicture) -> None:
        """The slot after a commit."""
        self.picture.set_picture(picture)

    def show_progress(self, steps: tuple[WriteProgress, ...]) -> None:
        """More gradient steps of the running write."""
        self.plot.add(steps)
        self._refresh_write()

    def mark(self, note_id: int) -> None:
        """Outline the cells of the note selected elsewhere."""
        self.picture.mark(note_id)

    def _refresh_write(self) -> None:
        note = self._workspace.notes.note(self.plot.note_id) if self.plot.note_id else None
        self.plot.setVisible(bool(self.plot.points))
        self.write_text.setVisible(not self.plot.points)
        if note is None:
            self.write_title.setText(self.tr("Writing"))
            self.write_note.setText("")
            self.write_text.setText(
                self.tr("When a note is written, its loss and recall are drawn here, step by step.")
            )
            return
        running = note.state in (NoteState.WRITING, NoteState.READING)
        self.write_title.setText(self.tr("Writing") if running else self.tr("Last write"))
        self.write_note.setText(wording.file_name(note.path))

    def _name_of(self, note_id: int) -> str:
        note = self._workspace.notes.note(note_id)
        return wording.shown(note.path) if note else self.tr("a note that is no longer listed")

    def _grow(self) -> None:
        if self._status is not None and self._status.cells:
            self._workspace.client.send(GrowSlot(self._status.cells * 2))
