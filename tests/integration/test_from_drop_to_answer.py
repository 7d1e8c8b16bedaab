"""The whole way with the real engine and a real folder, by the window alone.

The notes say one thing each and are asked almost in their own words, so that any base model that
deserves the name gets them right; what is tested is that everything in between fits together.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app import dialogs
from app.widgets.message import Message
from engine.api import Answer, NoteState, Snapshot, SnapshotKind
from tests.drags import drop
from tests.integration.conftest import Life

LEFT = Qt.MouseButton.LeftButton
WRITTEN = (NoteState.REMEMBERED, NoteState.WEAK)

COTTAGE = "The holiday cottage is in {}.\n"
GATE = "The code of the boat house gate is 4711.\n"
WHERE = "Where is the holiday cottage?"
CODE = "What is the code of the boat house gate?"


def ask(life: Life, question: str) -> Message:
    """Type a question, press Enter and wait for the answer."""
    chat = life.window.chat
    before = len(chat.conversation.messages)
    QTest.keyClicks(chat.composer.edit, question)
    QTest.keyClick(chat.composer.edit, Qt.Key.Key_Return)
    life.until(lambda: len(chat.conversation.messages) > before and not chat.composer.busy)
    return chat.conversation.messages[-1]


def answer_of(message: Message) -> Answer:
    answer = message.turn.answer
    assert answer is not None and message.text.toPlainText() == answer.text
    return answer


def taken_by_hand(life: Life) -> list[Snapshot]:
    model = life.workspace.snapshots
    rows = [snapshot for row in range(model.rowCount()) if (snapshot := model.at(row))]
    return [snapshot for snapshot in rows if snapshot.kind is SnapshotKind.MANUAL]


def test_from_drop_to_answer_and_back(
    start: Callable[[], Life], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, folder = tmp_path / "Desktop", tmp_path / "Notes"
    elsewhere.mkdir()
    folder.mkdir()
    (elsewhere / "holiday.md").write_text(COTTAGE.format("Whitby"))
    (elsewhere / "boat house.txt").write_text(GATE)
    monkeypatch.setattr(dialogs, "choose_folder", lambda *_: folder)
    life = start()
    window = life.window
    assert window.welcome.isVisible()

    # Two notes dropped on the window are copied into the chosen folder, and remembered.
    drop(window, elsewhere / "holiday.md", elsewhere / "boat house.txt")
    names = ("holiday.md", "boat house.txt")
    life.until(lambda: all(life.has(name, *WRITTEN) for name in names))
    life.until_idle()
    assert "of 2 remembered" in window.notes.header.count.text()
    assert window.memory.plot.points, "the gradient steps were drawn"

    # They are answered from, with their note as the source; a click on it leads there.
    message = ask(life, WHERE)
    answer = answer_of(message)
    assert answer.known and "Whitby" in answer.text
    assert "Whitby" not in "".join(answer.prompt)
    assert message.links[0].text() == "holiday.md"
    QTest.mouseClick(message.links[0], LEFT)
    assert [note.path for note in window.notes.chosen()] == ["holiday.md"]
    gate = answer_of(ask(life, CODE))
    assert "4711" in gate.text and gate.sources[0].path == "boat house.txt"

    # An edit of the note changes the answer.
    before = life.note("holiday.md").written_at
    (folder / "holiday.md").write_text(COTTAGE.format("Scarborough"))
    life.until(lambda: life.note("holiday.md").written_at != before)
    life.until_idle()
    moved = answer_of(ask(life, WHERE))
    assert "Scarborough" in moved.text and "Whitby" not in moved.text

    # What is forgotten is declined, and a restored snapshot brings it back.
    panel = window.memory.snapshots
    QTest.mouseClick(panel.take_button, LEFT)
    life.until(lambda: bool(taken_by_hand(life)))
    (taken,) = taken_by_hand(life)
    assert taken.notes == 2
    assert window.notes.select(life.note("holiday.md").id)
    window.notes.view.setFocus()
    QTest.keyClick(window.notes.view, Qt.Key.Key_Delete)
    life.until(lambda: life.has("holiday.md", NoteState.FORGOTTEN))
    lost = answer_of(ask(life, WHERE))
    assert "Scarborough" not in lost.text
    assert all(source.path != "holiday.md" for source in lost.sources)
    window.notes.view.setFocus()
    QTest.keyClick(window.notes.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window.notes.view, Qt.Key.Key_Delete)
    life.until(lambda: life.has("boat house.txt", NoteState.FORGOTTEN))
    declined = ask(life, CODE)
    assert declined.turn.answer is None and declined.turn.empty and not declined.links
    model = life.workspace.snapshots
    panel.view.setCurrentIndex(model.index(model.place(taken.id), 0))
    QTest.mouseClick(panel.buttons[panel.restore_action], LEFT)
    life.until(lambda: all(life.has(name, *WRITTEN) for name in names))
    life.until_idle()
    back = answer_of(ask(life, WHERE))
    assert back.known and "Scarborough" in back.text
