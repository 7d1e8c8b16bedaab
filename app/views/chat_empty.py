"""What a new conversation shows: what to do, and questions the memory can answer.

The questions are the engine's own probes of notes that are remembered, so none is made up.
"""

from __future__ import annotations

from functools import partial
from itertools import islice

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.client import EngineClient
from app.icons import wear_label
from app.models.notes import NotesModel
from app.widgets.buttons import TextButton
from app.widgets.labels import Label
from app.wording import shown
from engine.api import (
    MADE_OF_A_SENTENCE,
    Event,
    Mode,
    NoteState,
    Remembered,
    ShowRemembered,
)

OFFERED = 3
LONGEST_OFFER = 90
MOST_SOUGHT = 12
"""Notes asked for a question worth offering, before giving up."""
LEAST_BEGINNING = 15
"""Characters of a sentence, for one to know what it is about ("There was a" tells nothing)."""


def _fits(question: str) -> bool:
    """Whether a person would ask so: a real question, or a sentence to be completed."""
    if len(question) > LONGEST_OFFER or question.startswith(MADE_OF_A_SENTENCE):
        return False
    begins = question[:1].isupper() and len(question) >= LEAST_BEGINNING
    return question.endswith("?") or begins


def _offered(question: str) -> str:
    """A question as it is; of a sentence's beginning that it goes on."""
    return question if question.endswith("?") else f"{question} …"


class ChatEmpty(QWidget):
    """A title, a sentence, and up to three questions, or beginnings to be completed."""

    asked = Signal(str)

    def __init__(
        self, client: EngineClient, notes: NotesModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._client = client
        self._notes = notes
        self._sought: set[int] = set()
        self._pending = 0
        self._memory = 0
        """Counts the memories that were in force: what an earlier one said is not offered."""
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 24, 32, 24)
        column.setSpacing(8)
        column.addStretch(2)
        mark = Label()
        wear_label(mark, "chats", "disabled", 2.6)
        mark.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(mark)
        self.title = Label(self.tr("Ask about your notes"), bold=True, scale=1.3, wrap=True)
        self.title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.title)
        self.text = Label(tone="muted", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.text)
        column.addSpacing(10)
        self._offers = QVBoxLayout()
        self._offers.setSpacing(4)
        column.addLayout(self._offers)
        column.addStretch(3)
        self.offers: list[TextButton] = []
        self.refresh()

    def refresh(self) -> None:
        """Say what can be asked now; look for questions while the engine is idle."""
        notes = self._notes.notes()
        first = (n.id for n in notes if n.state is NoteState.REMEMBERED)
        remembered = list(islice(first, MOST_SOUGHT))
        if remembered:
            self.text.setText(
                self.tr("Answers come from what Engram has learned, not from the files.")
            )
        elif notes:
            self.text.setText(
                self.tr("Your notes are being written into memory. You can ask all the while.")
            )
        else:
            self.text.setText(self.tr("There is nothing in memory yet. Add some notes first."))
        idle = self._client.status.mode in (Mode.IDLE, Mode.PAUSED)
        if remembered and idle and self.isVisible():
            self._look_for_questions(remembered)

    def _look_for_questions(self, note_ids: list[int]) -> None:
        wanted = OFFERED - len(self.offers) - self._pending
        fresh = [i for i in note_ids if i not in self._sought][:wanted] if wanted > 0 else []
        if len(self._sought) >= MOST_SOUGHT:
            return  # these notes have no question worth offering: leave the engine in peace
        for note_id in fresh:
            self._sought.add(note_id)
            self._pending += 1
            self._client.send(
                ShowRemembered(note_id), partial(self._on_probes, self._memory, note_id)
            )

    def _on_probes(self, asked_of: int, note_id: int, event: Event) -> None:
        if asked_of != self._memory:
            return
        self._pending -= 1
        if not isinstance(event, Remembered):
            self._sought.discard(note_id)  # refused for now: it is asked again at the next change
            return
        for probe in event.probes:
            question = probe.question.strip()
            known = any(button.accessibleName() == _offered(question) for button in self.offers)
            if _fits(question) and probe.right and not known and len(self.offers) < OFFERED:
                self._offer(question)
                return
        self.refresh()  # nothing of this note is worth offering: another may have something

    def _offer(self, question: str) -> None:
        button = TextButton(shown(_offered(question)), kind="link")
        button.clicked.connect(lambda: self.asked.emit(question))
        self.offers.append(button)
        self._offers.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)

    def forget_offers(self) -> None:
        """Another memory is in force: what it knows must be asked anew."""
        self._sought.clear()
        self._memory += 1
        self._pending = 0
        while self.offers:
            button = self.offers.pop()
            button.hide()
            button.deleteLater()
