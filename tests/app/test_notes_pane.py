"""The notes pane, driven as a person drives it."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest

from app import dialogs, opening
from app.actions import Act
from app.models.note_rows import Order
from app.views.remembered_sheet import RememberedSheet
from engine.api import (
    Forget,
    Mode,
    NoteState,
    Pause,
    Rescan,
    ShowRemembered,
    Undo,
    WriteAgain,
)
from tests.app.conftest import Stage
from tests.app.fake_engine import FakeEngine

N = NoteState


def by_path(stage: Stage, path: str) -> int:
    """The id of a note."""
    return next(note.id for note in stage.engine.notes.values() if note.path == path)


def click_note(stage: Stage, path: str, double: bool = False) -> None:
    """Click a note's row."""
    view = stage.window.notes.view
    index = stage.workspace.notes.index_of(by_path(stage, path))
    view.scrollTo(index)
    at = view.visualRect(index).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    if double:
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def catch_opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is handed to the system from now on, instead of it being opened."""
    opened: list[str] = []

    def open_url(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    return opened


def test_head_tells_folder_and_count(stage: Stage) -> None:
    header = stage.window.notes.header
    assert header.folder.text() == "Notes"
    assert header.count.text() == "4 of 4 remembered"
    assert stage.window.notes.bar.value() == stage.window.notes.bar.maximum() == 4


def test_a_click_shows_what_is_known_of_a_note(stage: Stage) -> None:
    click_note(stage, "people/club.txt")
    details = stage.window.notes.details
    assert details.isVisible() and details.name.text() == "club.txt"
    note = stage.engine.notes[by_path(stage, "people/club.txt")]
    assert f"{note.cells}\u00a0cells" in details.facts.text()
    assert stage.window.memory.picture.marked == note.id


def test_double_click_opens_the_file_in_the_systems_editor(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = catch_opened(monkeypatch)
    click_note(stage, "garden.md", double=True)
    assert opened == [], "the disk is not waited for"
    stage.files()
    assert opened == [str(stage.folder / "garden.md")]
    QTest.keyClick(stage.window.notes.view, Qt.Key.Key_Return)
    stage.files()
    assert len(opened) == 2


def test_a_link_or_a_program_is_never_opened(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = catch_opened(monkeypatch)
    note = stage.engine.notes[by_path(stage, "garden.md")]
    (stage.folder / "run.sh").write_text("#!/bin/sh")
    (stage.folder / "link.md").symlink_to("/bin/sh")
    for name in ("run.sh", "link.md"):
        stage.engine.put(replace(note, path=name))
        stage.show()
        stage.window.notes.select(note.id)
        stage.window.actions_[Act.OPEN_NOTE].trigger()
        stage.files()
        assert "only plain notes" in stage.toast().label.text()
    assert opened == []


def test_a_vanished_file_says_so(stage: Stage) -> None:
    (stage.folder / "garden.md").unlink()
    stage.window.notes.select(by_path(stage, "garden.md"))
    stage.window.actions_[Act.OPEN_NOTE].trigger()
    stage.files()
    assert stage.toast().label.text() == "This file is no longer there."


@pytest.mark.parametrize("gone", [False, True])
def test_show_in_folder_opens_the_folder_where_nothing_can_select_the_file(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    opened = catch_opened(monkeypatch)
    asked_on: list[int] = []

    def no_file_browser(_path: Path) -> bool:
        asked_on.append(threading.get_ident())
        return False

    monkeypatch.setattr(opening, "_show_by_bus", no_file_browser)
    monkeypatch.setattr(sys, "platform", "linux")
    if gone:
        (stage.folder / "people" / "club.txt").unlink()
    stage.window.notes.select(by_path(stage, "people/club.txt"))
    stage.window.actions_[Act.SHOW_IN_FOLDER].trigger()
    stage.files()
    assert opened == [str(stage.folder / "people")]
    assert threading.get_ident() not in asked_on, "the window does not wait for the file browser"
    assert len(asked_on) == (not gone)


def test_a_folder_that_cannot_be_shown_says_so(stage: Stage, tmp_path: Path) -> None:
    note = by_path(stage, "people/club.txt")
    stage.window.notes.select(note)
    stage.folder.rename(tmp_path / "away")
    stage.window.actions_[Act.SHOW_IN_FOLDER].trigger()
    stage.files()
    assert stage.toast().label.text() == "The folder could not be shown."


def test_forget_with_the_key_and_undo_with_the_toast(stage: Stage) -> None:
    note = by_path(stage, "garden.md")
    before = stage.engine.notes[note]
    click_note(stage, "garden.md")
    QTest.keyClick(stage.window.notes.view, Qt.Key.Key_Delete)
    stage.settle()
    assert stage.engine.commands(Forget) == [Forget((note,))]
    assert stage.engine.notes[note].state is N.FORGOTTEN
    QTest.mouseClick(stage.toast().button, Qt.MouseButton.LeftButton)
    stage.settle()
    assert len(stage.engine.commands(Undo)) == 1
    assert stage.engine.notes[note] == before


def test_ctrl_z_takes_the_newest_forgetting_back(stage: Stage) -> None:
    click_note(stage, "garden.md")
    QTest.keyClick(stage.window.notes.view, Qt.Key.Key_Delete)
    stage.settle()
    QTest.keyClick(stage.window.notes.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    stage.settle()
    assert stage.engine.notes[by_path(stage, "garden.md")].state is N.REMEMBERED


def test_what_is_not_remembered_cannot_be_forgotten(stage: Stage) -> None:
    note = stage.engine.notes[by_path(stage, "garden.md")]
    stage.engine.put(replace(note, state=N.SKIPPED, cells=0, reason="It is encrypted."))
    stage.show()
    click_note(stage, "garden.md")
    assert not stage.window.notes.details.buttons[Act.FORGET].isEnabled()
    stage.window.actions_[Act.FORGET].trigger()
    assert stage.engine.commands(Forget) == []


def test_a_failed_note_says_why_and_can_be_tried_again(stage: Stage) -> None:
    note = stage.engine.notes[by_path(stage, "garden.md")]
    stage.engine.put(replace(note, state=N.FAILED, reason="The loss became infinite."))
    stage.show()
    click_note(stage, "garden.md")
    details = stage.window.notes.details
    assert details.reason.isVisible() and "infinite" in details.reason.text()
    button = details.buttons[Act.WRITE_AGAIN]
    assert button.accessibleName() == "Try again"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    stage.settle()
    assert stage.engine.commands(WriteAgain) == [WriteAgain((note.id,))]
    assert stage.engine.notes[note.id].state is N.REMEMBERED


def test_a_weak_edit_says_that_the_earlier_version_is_still_remembered(stage: Stage) -> None:
    stage.engine.weak.add("garden.md")
    stage.show()
    click_note(stage, "garden.md")
    before = stage.engine.notes[by_path(stage, "garden.md")]
    details, count = stage.window.notes.details, stage.window.notes.header.count
    QTest.mouseClick(details.buttons[Act.WRITE_AGAIN], Qt.MouseButton.LeftButton)
    stage.settle()
    assert details.reason.isVisible() and "still remembered" in details.reason.text()
    facts = details.facts.text().replace("\u00a0", " ")
    assert "recall 62 %" in facts and f"{before.cells} cells" in facts
    assert all(details.buttons[a].isEnabled() for a in (Act.SHOW_REMEMBERED, Act.FORGET))
    assert count.text() == "3 of 4 remembered, 1 weak"


def test_a_weak_new_note_is_not_in_memory_and_can_be_tried_again(stage: Stage) -> None:
    note = stage.engine.notes[by_path(stage, "garden.md")]
    new = replace(note, state=N.WAITING, cells=0, recall=None, median_p=None, written_at=None)
    stage.engine.weak.add("garden.md")
    stage.engine.put(new)
    stage.settle()
    click_note(stage, "garden.md")
    details, count = stage.window.notes.details, stage.window.notes.header.count
    assert "not in memory" in details.reason.text() and "Trying again" in details.reason.text()
    assert "cells" not in details.facts.text()
    assert not any(details.buttons[a].isEnabled() for a in (Act.SHOW_REMEMBERED, Act.FORGET))
    assert count.text() == "3 of 4 remembered, 1 weak"
    stage.window.notes.view.setFocus()
    QTest.keyClick(stage.window.notes.view, Qt.Key.Key_Delete)
    stage.settle()
    assert "nothing to forget" in stage.toast().label.text()
    assert not stage.engine.commands(Forget)
    stage.engine.weak.clear()
    button = details.buttons[Act.WRITE_AGAIN]
    assert button.accessibleName() == "Try again"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    stage.settle()
    assert stage.engine.notes[note.id].state is N.REMEMBERED
    assert count.text() == "4 of 4 remembered"


def test_show_what_is_remembered_asks_live(stage: Stage) -> None:
    click_note(stage, "people/club.txt")
    QTest.keyClick(stage.window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    sheet = stage.child(RememberedSheet)
    assert isinstance(sheet, RememberedSheet) and not sheet.cards
    stage.settle()
    assert ShowRemembered(by_path(stage, "people/club.txt")) in stage.engine.commands(
        ShowRemembered
    )
    assert len(sheet.cards) == 1
    assert sheet.subtitle.text() == "1 of 1 probes answered right, asked just now."
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_a_sheet_closed_early_takes_no_answer(stage: Stage) -> None:
    click_note(stage, "people/club.txt")
    stage.window.actions_[Act.SHOW_REMEMBERED].trigger()
    stage.child(RememberedSheet).close()
    stage.settle()


def test_filter_by_typing(stage: Stage) -> None:
    QTest.keyClick(stage.window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    field = stage.window.notes.filter
    assert stage.window.focusWidget() is field
    QTest.keyClicks(field, "lisbon")
    assert stage.workspace.notes.shown_count == 1
    QTest.keyClicks(field, "xyz")
    assert stage.window.notes.nothing.isVisible()
    field.clear()
    assert stage.workspace.notes.shown_count == 4


def test_selecting_a_filtered_note_lifts_the_filter(stage: Stage) -> None:
    stage.window.notes.filter.setText("garden")
    assert stage.window.notes.select(by_path(stage, "travel/lisbon.md"))
    assert stage.window.notes.filter.text() == ""
    assert stage.window.notes.chosen()[0].path == "travel/lisbon.md"


def test_selection_folding_and_scroll_survive_new_notes(stage: Stage) -> None:
    pane = stage.window.notes
    click_note(stage, "garden.md")
    folder = dict(stage.workspace.notes.folder_rows())["travel"]
    pane.view.collapse(folder)
    (stage.folder / "brand new.md").write_text("x")
    stage.workspace.client.send(Rescan())
    stage.settle()
    assert [note.path for note in pane.chosen()] == ["garden.md"]
    assert not pane.view.isExpanded(dict(stage.workspace.notes.folder_rows())["travel"])
    assert pane.view.isExpanded(dict(stage.workspace.notes.folder_rows())["people"])


def test_a_folder_stands_for_its_notes(stage: Stage) -> None:
    view = stage.window.notes.view
    view.setCurrentIndex(dict(stage.workspace.notes.folder_rows())["people"])
    assert [note.path for note in stage.window.notes.chosen()] == ["people/club.txt"]


def test_pause_and_resume(stage: Stage) -> None:
    button = stage.window.notes.header.pause_button
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    stage.settle()
    assert stage.engine.commands(Pause) == [Pause(True)]
    assert button.accessibleName() == "Resume writing"
    assert stage.window.notes.header.count.text().endswith("paused")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    stage.settle()
    assert stage.engine.commands(Pause)[-1] == Pause(False)
    assert button.accessibleName() == "Pause writing"


def test_layout_and_order_are_remembered(stage: Stage) -> None:
    stage.window.actions_[Act.FLAT].trigger()
    stage.window.notes.set_order(Order.RECALL)
    assert stage.workspace.notes.flat
    assert stage.workspace.preferences.flat_notes
    assert stage.workspace.preferences.notes_order == "recall"


def test_the_context_menu_offers_what_fits(stage: Stage) -> None:
    click_note(stage, "garden.md")
    menu = stage.window.notes.context_menu()
    assert [a.text() for a in menu.actions()] == [
        "Open",
        "Show in folder",
        "Show what is remembered",
        "Write again",
        "Forget",
    ]
    stage.window.notes.view.selectAll()
    several = stage.window.notes.context_menu()
    words = [a.text() for a in several.actions() if a.text()]
    assert words == ["4 notes", "Write again", "Forget"]
    menu.close()
    several.close()


def test_another_folder(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "Other & more"
    other.mkdir()
    monkeypatch.setattr(dialogs, "choose_folder", lambda *_: other)
    QTest.mouseClick(stage.window.notes.header.choose_button, Qt.MouseButton.LeftButton)
    stage.settle()
    assert stage.engine.settings.folder == other
    assert stage.window.notes.header.folder.text() == "Other & more"
    assert stage.window.notes.empty.title.text() == "No notes here yet"


def test_a_removed_file_is_listed_apart_when_kept(stage: Stage) -> None:
    note = stage.engine.notes[by_path(stage, "garden.md")]
    stage.engine.put(replace(note, state=N.REMOVED, in_folder=False))
    stage.show()
    keys = dict(stage.workspace.notes.folder_rows())
    group = keys["\0removed"]
    assert group.data() == "Removed from folder"
    assert stage.workspace.notes.rowCount(group) == 1


@pytest.mark.parametrize("mode", [Mode.STARTING, Mode.FOLDER_MISSING])
def test_an_empty_pane_says_why(stage: Stage, mode: Mode) -> None:
    stage.engine.notes.clear()
    stage.workspace.notes.reset(())
    stage.engine.fail(mode, "")
    stage.show()
    title = stage.window.notes.empty.title.text()
    assert (
        title
        == {
            Mode.STARTING: "Opening your memory…",
            Mode.FOLDER_MISSING: "The folder is not there",
        }[mode]
    )


def test_only_visible_rows_are_painted(make_stage: object, tmp_path: Path) -> None:
    assert callable(make_stage)
    from engine.api import Note, Settings

    notes = [
        Note(i, f"f{i % 40}/note {i}.md", N.REMEMBERED, recall=0.9, cells=4, written_at=1.0)
        for i in range(1, 5001)
    ]
    stage: Stage = make_stage(FakeEngine(notes=notes, settings=Settings(paused=True)))
    stage.open()
    view = stage.window.notes.view
    painted: list[int] = []
    paint = stage.window.notes._delegate.paint

    class Counting(type(stage.window.notes._delegate)):  # type: ignore[misc]
        def paint(self, *args: object) -> None:
            painted.append(1)
            paint(*args)  # type: ignore[arg-type]

    delegate = Counting(stage.workspace.notes, stage.workspace.clock, view)
    view.setItemDelegate(delegate)
    view.grab()
    assert 5 <= len(painted) <= 40
    painted.clear()
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    view.grab()
    assert 5 <= len(painted) <= 80
    assert view.indexAt(QPoint(20, 20)).isValid()
