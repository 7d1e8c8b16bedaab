"""What is known about the selected note, with what can be done to it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app import wording
from app.actions import Act, Actions
from app.widgets.buttons import OUTDENT, IconButton
from app.widgets.labels import ElidedLabel, Label, Rule
from app.widgets.state_chip import StateChip
from engine.api import Note, NoteState


class NoteDetails(QWidget):
    """The foot of the notes pane. Hidden while no note is selected."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Rule())
        inside = QVBoxLayout()
        inside.setContentsMargins(16, 11, 12, 4)
        inside.setSpacing(5)
        column.addLayout(inside)
        self.name = ElidedLabel(bold=True)
        inside.addWidget(self.name)
        self.path = ElidedLabel(tone="muted", scale=0.86)
        inside.addWidget(self.path)
        line = QHBoxLayout()
        line.setSpacing(8)
        self._chip = StateChip()
        line.addWidget(self._chip)
        line.addStretch(1)
        inside.addLayout(line)
        self.facts = Label(tone="muted", scale=0.86, wrap=True)
        inside.addWidget(self.facts)
        self.reason = Label(tone="muted", scale=0.92, wrap=True)
        inside.addWidget(self.reason)
        self.buttons: dict[Act, IconButton] = {}
        row = QHBoxLayout()
        row.setSpacing(2)
        row.setContentsMargins(16 - OUTDENT, 0, 12, 10)
        for act, icon in (
            (Act.OPEN_NOTE, "open"),
            (Act.SHOW_REMEMBERED, "eye"),
            (Act.WRITE_AGAIN, "again"),
            (Act.FORGET, "forget"),
            (Act.SHOW_IN_FOLDER, "folder"),
        ):
            action = actions[act]
            button = IconButton(icon, action.text(), action.trigger)
            self.buttons[act] = button
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        self.hide()

    def show_note(self, note: Note | None) -> None:
        """Show this note, or nothing."""
        self.setVisible(note is not None)
        if note is None:
            return
        self.name.setText(wording.file_name(note.path))
        self.path.setText(wording.shown(note.path))
        self.path.setVisible("/" in note.path)
        self._chip.show_note(note)
        self.facts.setText(self._facts(note))
        self.facts.setVisible(bool(self.facts.text()))
        self.reason.setText(wording.shown(note.reason))
        self.reason.setVisible(bool(note.reason))
        self.reason.set_tone(
            {NoteState.FAILED: "bad", NoteState.WEAK: "warn"}.get(note.state, "muted")
        )
        retry = note.state in (NoteState.FAILED, NoteState.WEAK, NoteState.SKIPPED)
        words = self.tr("Try again") if retry else self.tr("Write again")
        self.buttons[Act.WRITE_AGAIN].show_as("again", words)
        self.buttons[Act.FORGET].setEnabled(note.cells > 0)
        self.buttons[Act.SHOW_REMEMBERED].setEnabled(note.cells > 0)

    def _facts(self, note: Note) -> str:
        facts = []
        if note.recall is not None and note.state is not NoteState.WRITING:
            facts.append(self.tr("recall") + " " + wording.percent(note.recall))
        if note.cells:
            facts.append(wording.cells(note.cells))
        if note.written_at is not None and note.cells:
            facts.append(wording.date(note.written_at))
        # A line may break between two facts, not inside of one.
        return " · ".join(fact.replace(" ", wording.NBSP) for fact in facts)
