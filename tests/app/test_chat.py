"""Conversations, driven as a person drives them."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app import dialogs
from app.actions import Act
from app.models import chat_store
from app.models.chat_records import from_json, to_json, to_markdown
from app.views.conversation import SHOWN_TURNS
from app.widgets.labels import ElidedLabel, Label
from app.widgets.message import Message
from app.widgets.token_strip import TokenStrip
from engine.api import (
    MADE_OF_A_SENTENCE,
    AlternativeAnswer,
    Ask,
    DiskFull,
    Mode,
    NotesReset,
    SettingsChanged,
    Source,
    StopAnswer,
)
from tests.app.conftest import Stage
from tests.app.fake_engine import NOT_KNOWN, FakeEngine

CTRL = Qt.KeyboardModifier.ControlModifier
QUESTION = "Who is the treasurer?"


OTHERS = ("people/club.txt", "travel/lisbon.md")


def type_question(stage: Stage, text: str) -> None:
    """Type a question and press Enter."""
    edit = stage.window.chat.composer.edit
    QTest.keyClicks(edit, text)
    QTest.keyClick(edit, Qt.Key.Key_Return)


def last(stage: Stage) -> Message:
    """The newest message."""
    return stage.window.chat.conversation.messages[-1]


def test_a_known_answer_with_everything_about_it(stage: Stage) -> None:
    type_question(stage, QUESTION)
    stage.settle()
    message = last(stage)
    assert message.text.toPlainText() == "Mira Okonkwo, since March."
    assert message.sure.accessibleName() == "How sure 96\u00a0%"
    assert [link.accessibleName() for link in message.links] == ["club.txt"]
    assert "2 Feb 2026" in [label.text() for label in message.findChildren(Label)]
    assert stage.window.chat.title.text() == QUESTION
    assert stage.window.chat.composer.edit.toPlainText() == ""


def test_the_source_link_selects_the_note(stage: Stage) -> None:
    type_question(stage, QUESTION)
    stage.settle()
    QTest.mouseClick(last(stage).links[0], Qt.MouseButton.LeftButton)
    assert [note.path for note in stage.window.notes.chosen()] == ["people/club.txt"]


def test_what_else_it_may_be_stands_below_with_its_note(stage: Stage) -> None:
    club, lisbon = (n for n in stage.engine.notes.values() if n.path in OTHERS)
    long = "the second of the three who stood for it, by eleven votes to seven " * 3
    stage.engine.alternatives = (
        AlternativeAnswer("Pedro\nLima", Source(club.id, club.path, 0.4)),
        AlternativeAnswer(long.strip(), Source(lisbon.id, lisbon.path, 0.2)),
    )
    type_question(stage, QUESTION)
    stage.settle()
    message = last(stage)
    first, second = message.findChildren(ElidedLabel)
    assert (first.text(), second.text()) == ("Pedro Lima", long.strip())
    assert second.width() < second.sizeHint().width()
    assert second.mapTo(message, second.rect().topRight()).x() < message.width()
    assert [link.accessibleName() for link in message.links] == [
        "club.txt", "club.txt", "lisbon.md",
    ]  # fmt: skip
    QTest.mouseClick(message.links[2], Qt.MouseButton.LeftButton)
    assert [note.path for note in stage.window.notes.chosen()] == ["travel/lisbon.md"]


def test_the_prompt_is_folded_and_holds_no_note(stage: Stage) -> None:
    type_question(stage, QUESTION)
    stage.settle()
    message = last(stage)
    assert not message.given.isVisible()
    QTest.mouseClick(message.fold, Qt.MouseButton.LeftButton)
    assert message.given.isVisible()
    strip = message.given.findChild(TokenStrip)
    assert isinstance(strip, TokenStrip)
    assert strip.accessibleDescription() == "<question> Who  is  the  treasurer? <answer>"
    QTest.mouseClick(message.fold, Qt.MouseButton.LeftButton)
    assert not message.given.isVisible()


def test_an_answer_streams(stage: Stage) -> None:
    type_question(stage, QUESTION)
    stage.show()
    assert not last(stage).text.isVisible() and last(stage).stop_button.isVisible()
    seen = []
    while last(stage).stop_button.isVisible():
        stage.steps(1)
        seen.append(last(stage).text.toPlainText())
    grown = list(dict.fromkeys(text for text in seen if text))
    assert grown == ["Mira", "Mira Okonkwo,", "Mira Okonkwo, since", "Mira Okonkwo, since March."]
    stage.settle()
    assert not last(stage).stop_button.isVisible()


@pytest.mark.parametrize("how", ["key", "round button", "button"])
def test_stop_keeps_what_is_there(stage: Stage, how: str) -> None:
    type_question(stage, QUESTION)
    while not last(stage).text.toPlainText():
        stage.steps(1)
    if how == "key":
        QTest.keyClick(stage.window, Qt.Key.Key_Escape)
    elif how == "round button":
        QTest.mouseClick(stage.window.chat.composer.button, Qt.MouseButton.LeftButton)
    else:
        QTest.mouseClick(last(stage).stop_button, Qt.MouseButton.LeftButton)
    stage.settle()
    assert len(stage.engine.commands(StopAnswer)) == 1
    answer = last(stage).turn.answer
    assert answer is not None and answer.stopped and answer.text.startswith("Mira")
    assert "since March" not in answer.text
    assert stage.window.chat.composer.button.accessibleName() == "Ask"


def test_what_is_not_in_memory_withdraws_the_pieces_and_offers_the_nearest(stage: Stage) -> None:
    type_question(stage, "What is the boiling point of tungsten?")
    stage.settle()
    message = last(stage)
    assert message.text.toPlainText() == NOT_KNOWN
    assert len(message.links) == 2
    words = [w.text() for w in message.findChildren(type(message._waiting))]
    assert "Nearest in memory" in words and "Learned from" not in words


def test_asking_goes_on_while_notes_are_written(stage: Stage) -> None:
    (stage.folder / "more.md").write_text("more")
    stage.window.actions_[Act.RESCAN].trigger()
    while stage.workspace.client.status.mode is not Mode.WRITING:
        stage.steps(1)
    stage.steps(5)
    assert stage.workspace.client.status.mode is Mode.WRITING
    type_question(stage, QUESTION)
    stage.steps(10)
    assert last(stage).turn.answer is not None
    assert stage.workspace.client.status.queue == 1


def test_shift_enter_breaks_the_line_and_blank_questions_are_not_asked(stage: Stage) -> None:
    edit = stage.window.chat.composer.edit
    QTest.keyClick(edit, Qt.Key.Key_Return)
    QTest.keyClicks(edit, "   ")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert not stage.window.chat.composer.button.isEnabled()
    edit.clear()
    low = edit.height()
    QTest.keyClicks(edit, "one")
    QTest.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(edit, "two")
    assert edit.height() > low
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert stage.engine.commands(Ask) == [Ask("one\ntwo")]
    stage.settle()


def test_a_refused_question_says_why_in_its_place_and_can_be_asked_again(stage: Stage) -> None:
    stage.engine.refuse[Ask] = DiskFull("There is no room on the disk.")
    type_question(stage, QUESTION)
    stage.settle()
    assert last(stage).turn.problem == "There is no room on the disk."
    assert not stage.window.toasts.shown
    stage.engine.refuse.clear()
    QTest.mouseClick(last(stage).again_button, Qt.MouseButton.LeftButton)
    stage.settle()
    assert len(stage.window.chat.conversation.messages) == 2
    assert last(stage).turn.answer is not None


def test_an_empty_memory_declines_calmly_and_leads_to_adding_notes(
    new_user: Stage, notes_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, mine = new_user, tmp_path / "Mine"
    mine.mkdir()
    stage.engine.settings = replace(stage.engine.settings, folder=mine, paused=True)
    stage.engine.emit(SettingsChanged(stage.engine.settings))
    stage.show()
    type_question(stage, QUESTION)
    stage.settle()
    message = last(stage)
    assert message.text.toPlainText() == "I don't have anything in memory yet."
    assert message.turn.empty and message.turn.problem == "" and message.turn.answer is None
    assert not stage.window.toasts.shown
    assert "bad" not in {label.property("tone") for label in message.findChildren(Label)}
    monkeypatch.setattr(dialogs, "choose_files", lambda *_: (notes_folder / "garden.md",))
    QTest.mouseClick(message.add_button, Qt.MouseButton.LeftButton)
    stage.files()
    assert (mine / "garden.md").exists()
    chat = stage.window.chat.chat
    assert chat is not None and from_json(to_json(chat)) == chat
    assert "> I don't have anything in memory yet." in to_markdown(chat)


def test_an_answer_can_be_asked_again_and_tells_its_time(stage: Stage) -> None:
    type_question(stage, QUESTION)
    stage.settle()
    assert "0.42\u00a0s" in [label.text() for label in last(stage).findChildren(Label)]
    QTest.mouseClick(last(stage).again_button, Qt.MouseButton.LeftButton)
    stage.settle()
    assert stage.engine.commands(Ask) == [Ask(QUESTION), Ask(QUESTION)]
    assert len(stage.window.chat.conversation.messages) == 2


def test_no_room_for_a_conversation_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(chat_store, "write_atomically", full)
    type_question(stage, QUESTION)
    stage.settle()
    assert "could not be saved" in stage.toast().label.text()
    assert last(stage).turn.answer is not None


def test_copy(stage: Stage) -> None:
    type_question(stage, QUESTION)
    stage.settle()
    QTest.mouseClick(last(stage).copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "Mira Okonkwo, since March."


def test_new_rename_delete_undo(stage: Stage) -> None:
    chat = stage.window.chat
    type_question(stage, QUESTION)
    stage.settle()
    first = chat.chat
    assert first is not None
    QTest.keyClick(stage.window, Qt.Key.Key_N, CTRL)
    assert chat.empty.isVisible() and chat.chat != first
    assert len(stage.workspace.chats) == 2
    QTest.keyClick(stage.window, Qt.Key.Key_N, CTRL)
    assert len(stage.workspace.chats) == 2, "an unused conversation is taken again"
    QTest.keyClick(stage.window, Qt.Key.Key_PageDown, CTRL)
    assert chat.chat is not None and chat.chat.id == first.id
    QTest.keyClick(stage.window, Qt.Key.Key_F2)
    assert chat.title_edit.isVisible()
    QTest.keyClicks(chat.title_edit, "The club")
    QTest.keyClick(chat.title_edit, Qt.Key.Key_Return)
    assert chat.title.text() == "The club"
    stage.window.actions_[Act.DELETE_CHAT].trigger()
    assert stage.workspace.chats.chat(first.id) is None
    assert "The club" in stage.toast().label.text()
    QTest.mouseClick(stage.toast().button, Qt.MouseButton.LeftButton)
    assert chat.chat is not None and chat.chat.title == "The club" and len(chat.chat.turns) == 1


def test_a_deleted_conversation_takes_no_late_answer(stage: Stage) -> None:
    type_question(stage, QUESTION)
    stage.steps(3)
    stage.window.actions_[Act.DELETE_CHAT].trigger()
    stage.settle()
    assert len(stage.workspace.chats) == 1
    assert stage.window.chat.empty.isVisible()


def test_an_answer_reaches_its_own_conversation(stage: Stage) -> None:
    type_question(stage, QUESTION)
    asked_in = stage.window.chat.chat
    assert asked_in is not None
    stage.steps(2)
    stage.window.actions_[Act.NEW_CHAT].trigger()
    stage.settle()
    chat = stage.workspace.chats.chat(asked_in.id)
    assert chat is not None and chat.turns[0].answer is not None
    assert stage.window.chat.conversation.messages == []


def test_conversations_come_back_at_the_next_start(
    stage: Stage, make_stage: object, qtbot: object
) -> None:
    assert callable(make_stage)
    type_question(stage, QUESTION)
    stage.settle()
    later: Stage = make_stage(FakeEngine())
    later.open()
    assert later.window.chat.title.text() == QUESTION
    assert later.window.chat.conversation.messages[0].turn.answer is not None


def test_a_question_cut_off_by_the_end_says_that_it_was_not_answered(
    stage: Stage, make_stage: object
) -> None:
    assert callable(make_stage)
    type_question(stage, QUESTION)
    stage.files()
    later: Stage = make_stage(FakeEngine())
    later.open()
    later.show()
    message = later.window.chat.conversation.messages[0]
    assert message.again_button.isVisibleTo(message) and message.turn.answer is None


def test_export_as_markdown(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "out.md"
    names: list[str] = []

    def save_file(_parent: object, _title: str, name: str, _pattern: str) -> Path:
        names.append(name)
        return file

    monkeypatch.setattr(dialogs, "save_file", save_file)
    assert not stage.window.actions_[Act.EXPORT_CHAT].isEnabled()
    type_question(stage, QUESTION)
    stage.settle()
    QTest.keyClick(stage.window, Qt.Key.Key_E, CTRL)
    stage.settle()
    assert names == ["Who is the treasurer.md"]
    assert "> Mira Okonkwo, since March." in file.read_text()
    assert stage.toast().label.text() == "Conversation exported."


def test_an_export_that_fails_says_so(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "save_file", lambda *_: tmp_path / "no" / "such" / "x.md")
    type_question(stage, QUESTION)
    stage.settle()
    stage.window.actions_[Act.EXPORT_CHAT].trigger()
    stage.settle()
    assert stage.toast().label.text() == "The file could not be written."


def test_an_empty_conversation_offers_questions_the_memory_answers(stage: Stage) -> None:
    empty = stage.window.chat.empty
    stage.settle()
    offered = [button.accessibleName() for button in empty.offers]
    assert offered and set(offered) <= {k.question for k in stage.engine.knows}
    QTest.mouseClick(empty.offers[0], Qt.MouseButton.LeftButton)
    stage.settle()
    answer = last(stage).turn.answer
    assert answer is not None and answer.known


def test_what_a_rule_made_of_a_sentence_is_not_offered_but_its_beginning_is(stage: Stage) -> None:
    known = stage.engine.knows[0]
    made = (f"{MADE_OF_A_SENTENCE[0]}is in the shed?", "in the", "The key of the shed is")
    stage.engine.knows = tuple(replace(known, question=question) for question in made)
    empty = stage.window.chat.empty
    empty.forget_offers()
    empty.refresh()
    stage.settle()
    assert [button.text() for button in empty.offers] == ["The key of the shed is …"]
    QTest.mouseClick(empty.offers[0], Qt.MouseButton.LeftButton)
    stage.settle()
    assert last(stage).turn.question == "The key of the shed is"


def test_a_question_is_offered_once(stage: Stage) -> None:
    empty = stage.window.chat.empty
    stage.settle()
    before = [button.accessibleName() for button in empty.offers]
    # The answers to what was asked of a memory that is gone are on their way when another comes.
    empty.forget_offers()
    empty.refresh()
    stage.engine.emit(NotesReset(tuple(stage.engine.notes.values())))
    stage.settle()
    offered = [button.accessibleName() for button in empty.offers]
    assert offered == before and len(set(offered)) == len(offered)


def test_a_long_history_opens_from_its_end(stage: Stage) -> None:
    chats = stage.workspace.chats
    chat = stage.window.chat.chat
    assert chat is not None
    for number in range(SHOWN_TURNS + 15):
        chats.add_turn(chat.id, f"Question {number}?")
    fresh = chats.chat(chat.id)
    assert fresh is not None
    stage.window.chat.open_chat(fresh)
    conversation = stage.window.chat.conversation
    assert len(conversation.messages) == SHOWN_TURNS
    assert conversation._earlier.isVisible()
    conversation._earlier.click()
    assert len(conversation.messages) == SHOWN_TURNS + 15
    assert not conversation._earlier.isVisible()


def test_files_on_the_question_field_belong_to_the_window(stage: Stage) -> None:
    edit = stage.window.chat.composer.edit
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/etc/hosts")])
    assert not edit.canInsertFromMimeData(data)
    edit.insertFromMimeData(data)
    assert edit.toPlainText() == ""


def test_html_in_questions_and_answers_is_text(stage: Stage) -> None:
    stage.engine.knows = (
        type(stage.engine.knows[0])("garden.md", "<b>bold?</b>", "<img src=x> & <i>so</i>"),
    )
    type_question(stage, "<b>bold?</b>")
    stage.settle()
    assert last(stage).text.toPlainText() == "<img src=x> & <i>so</i>"
    assert stage.window.chat.title.text() == "<b>bold?</b>"


def test_an_overlong_word_wraps(stage: Stage) -> None:
    type_question(stage, "x" * 700)
    stage.settle()
    message = last(stage)
    assert message.width() <= stage.window.chat.conversation.viewport().width()
