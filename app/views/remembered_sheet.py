"""What is remembered of a note: its probes, asked of the slot just now."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app import wording
from app.client import EngineClient
from app.icons import wear_label
from app.views.sheet import Sheet
from app.widgets.buttons import TextButton
from app.widgets.labels import Label
from app.widgets.recall_bar import RecallBar
from app.widgets.text_block import TextBlock
from engine.api import Event, Failed, Note, Probe, Remembered, ShowRemembered

MOST_CARDS = 200
"""Probes shown; a very long note has thousands."""


class RememberedSheet(Sheet):
    """Asks when it opens; each probe becomes a card."""

    def __init__(self, client: EngineClient, note: Note, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._open = True
        self.note = note
        title = self.tr("What is remembered")
        self.setWindowTitle(title)
        self.title.setText(wording.file_name(note.path))
        self.say(self.tr("Asking the memory…"))
        self.add_button(TextButton(self.tr("Close"), self.close), default=True)
        self.cards: list[QFrame] = []
        self.fit(50, 44)
        client.send(ShowRemembered(note.id), self._on_event)

    def done(self, result: int) -> None:
        """Take no more answers."""
        self._open = False
        super().done(result)

    def _on_event(self, event: Event) -> None:
        if not self._open:
            return
        match event:
            case Remembered(probes=probes, recited=recited):
                self._show(probes, recited)
            case Failed(error=error):
                self.say(str(error))
            case _:
                pass

    def _show(self, probes: tuple[Probe, ...], recited: str) -> None:
        right = sum(probe.right for probe in probes)
        if probes:
            words = self.tr("%1 of %2 probes answered right, asked just now.")
            words = words.replace("%1", wording.number(right))
            self.say(words.replace("%2", wording.number(len(probes))))
        else:
            self.say(self.tr("There is nothing to ask about this note."))
        for probe in probes[:MOST_CARDS]:
            card = self._card(probe)
            self.cards.append(card)
            self.body.addWidget(card)
        if recited:
            self.body.addWidget(Label(self.tr("What its cells recite"), bold=True))
            self.body.addWidget(TextBlock(recited))
        self.body.addStretch(1)

    def _card(self, probe: Probe) -> QFrame:
        card = QFrame()
        card.setObjectName("card")
        row = QHBoxLayout(card)
        row.setContentsMargins(14, 11, 14, 11)
        row.setSpacing(12)
        mark = Label()
        icon, role = ("remembered", "accent") if probe.right else ("weak", "on_warn")
        wear_label(mark, icon, role)
        words = self.tr("answered right") if probe.right else self.tr("answered wrong")
        mark.setToolTip(wording.tip(words))
        mark.setAccessibleName(words)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(Label(wording.shown(probe.question), tone="muted", wrap=True))
        answer = TextBlock(probe.answer or wording.DASH)
        answer.setAccessibleName(self.tr("Answer"))
        column.addWidget(answer)
        if not probe.right:
            expected = self.tr("The note says:") + " " + wording.shown(probe.expected)
            column.addWidget(Label(expected, tone="muted", wrap=True))
        column.addWidget(RecallBar(self.tr("probability"), probe.p))
        row.addLayout(column, 1)
        return card
