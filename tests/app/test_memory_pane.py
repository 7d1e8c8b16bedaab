"""The memory pane: fill, picture, plot, snapshots."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QDate, QDateTime, QEvent, QPointF, Qt, QTime
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from app import dialogs
from app.actions import Act
from app.views.compare_sheet import CompareSheet
from app.views.rebuild_sheet import RebuildSheet
from engine.api import (
    CompareSnapshots,
    DeleteSnapshot,
    DiskFull,
    ExportSnapshot,
    GrowSlot,
    ImportSnapshot,
    NoteState,
    Rebuild,
    RenameSnapshot,
    RestoreSnapshot,
    SlotFull,
    Snapshot,
    SnapshotKind,
    TakeSnapshot,
    Verify,
    WriteAgain,
)
from tests.app.conftest import Stage

LEFT = Qt.MouseButton.LeftButton


def take(stage: Stage, name: str) -> str:
    """A snapshot taken behind the window's back; its id."""
    saved = stage.engine.take(name, SnapshotKind.MANUAL)
    stage.show()
    return saved.row.id


def choose(stage: Stage, *rows: int) -> None:
    """Select snapshots by clicking their rows."""
    view = stage.window.memory.snapshots.view
    QApplication.processEvents()
    for number, row in enumerate(rows):
        at = view.visualRect(view.model().index(row, 0)).center()
        keys = Qt.KeyboardModifier.ControlModifier if number else Qt.KeyboardModifier.NoModifier
        QTest.mouseClick(view.viewport(), LEFT, keys, at)


def test_the_fill_is_the_engines_figure(stage: Stage) -> None:
    used = stage.engine.status().cells_used
    memory = stage.window.memory
    assert memory.fill.text().startswith(f"{used} of 65,536 cells used")
    assert memory.bar.value() == used and memory.bar.maximum() == 65_536
    assert not memory.grow.isVisible()


def test_a_nearly_full_slot_offers_to_grow(stage: Stage) -> None:
    stage.engine.cells = stage.engine.status().cells_used + 10
    stage.engine.put(*stage.engine.notes.values())
    stage.show()
    QTest.mouseClick(stage.window.memory.grow, LEFT)
    stage.settle()
    assert stage.engine.commands(GrowSlot) == [GrowSlot(2 * (stage.engine.cells // 2))]
    assert not stage.window.memory.grow.isVisible()


def test_clicking_the_picture_selects_the_note(stage: Stage) -> None:
    view = stage.window.memory.picture
    block = stage.engine.picture().blocks[2]
    place = view._place()
    across = place.width() / view._columns
    at = QPointF(place.x() + (block.start // 8 + 3.5) * across, place.y() + 1)
    assert view.note_at(at) == block.note_id
    QTest.mouseClick(view, LEFT, pos=at.toPoint())
    assert [note.id for note in stage.window.notes.chosen()] == [block.note_id]
    assert view.marked == block.note_id


def test_the_plot_follows_the_running_write(stage: Stage) -> None:
    note = next(iter(stage.engine.notes))
    stage.workspace.client.send(WriteAgain((note,)))
    memory = stage.window.memory
    while memory.plot.note_id != note or memory.plot.points[-1].step != 17:
        stage.steps(1)
    assert memory.plot.isVisible() and memory.plot.note_id == note
    assert memory.write_title.text() == "Writing"
    assert len(memory.plot.points) == 17
    assert memory.plot.points[-1].step == 17
    stage.settle()
    assert memory.write_title.text() == "Last write"
    assert len(memory.plot.points) == 40


def test_before_any_write_the_plot_is_a_sentence(new_user: Stage) -> None:
    memory = new_user.window.memory
    assert memory.plot.isHidden() and not memory.write_text.isHidden()


def test_take_and_name(stage: Stage) -> None:
    panel = stage.window.memory.snapshots
    assert panel.stack.currentIndex() == 1
    QTest.keyClick(stage.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    stage.settle()
    assert stage.engine.commands(TakeSnapshot) == [TakeSnapshot("")]
    assert panel.stack.currentIndex() == 0
    QTest.mouseClick(stage.toast().button, LEFT)
    editor = stage.window.focusWidget()
    assert editor is not None
    QTest.keyClicks(editor, "Before the move")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    stage.settle()
    assert [c.name for c in stage.engine.commands(RenameSnapshot)] == ["Before the move"]  # type: ignore[union-attr]
    assert stage.workspace.snapshots.index(0, 0).data() == "Before the move"


def test_a_snapshot_that_nobody_named_is_called_by_its_time(stage: Stage) -> None:
    then = QDateTime(QDate(2026, 2, 3), QTime(4, 5)).toSecsSinceEpoch()
    row = Snapshot("s", "2026-02-03 04:05", SnapshotKind.AUTOMATIC, then + 7.5, 3, 90, 2048)
    model = stage.workspace.snapshots
    model.reset((row, replace(row, id="t", name="Mine", kind=SnapshotKind.MANUAL)))
    assert model.index(0, 0).data() == "3 Feb 2026, 04:05"
    assert model.second_line(row) == "3 notes · 2.0 kB · automatic"
    mine = model.at(1)
    assert mine is not None and model.title(mine) == "Mine"
    assert model.second_line(mine) == "3 Feb 2026, 04:05 · 3 notes · 2.0 kB · taken by you"


def test_hovering_the_picture_names_the_note(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _at, text, *_: said.append(text))
    view = stage.window.memory.picture
    place = view._place()
    for block in stage.engine.picture().blocks[:2]:
        x = place.x() + (block.start // 8 + 3.5) * place.width() / view._columns
        at = QPointF(x, place.y() + 1).toPoint()
        event = QHelpEvent(QEvent.Type.ToolTip, at, view.mapToGlobal(at))
        QApplication.sendEvent(view, event)
        assert html.escape(stage.engine.notes[block.note_id].path) in said[-1]
    at = QPointF(place.right() - 2, place.bottom() - 2).toPoint()
    QApplication.sendEvent(view, QHelpEvent(QEvent.Type.ToolTip, at, view.mapToGlobal(at)))
    assert "free" in said[-1]


def test_restore_and_undo(stage: Stage) -> None:
    snapshot = take(stage, "Good")
    remembered = dict(stage.engine.notes)
    stage.engine.put(*(replace(n, state=NoteState.FORGOTTEN, cells=0) for n in remembered.values()))
    stage.show()
    choose(stage, 0)
    panel = stage.window.memory.snapshots
    QTest.mouseClick(panel.buttons[panel.restore_action], LEFT)
    stage.settle()
    assert stage.engine.commands(RestoreSnapshot) == [RestoreSnapshot(snapshot)]
    assert stage.engine.notes == remembered
    assert stage.window.notes.header.count.text() == "4 of 4 remembered"
    assert [s.row.kind for s in stage.engine.snapshots][0] is SnapshotKind.BEFORE_RESTORE
    assert "Good" in stage.toast().label.text()
    QTest.mouseClick(stage.toast().button, LEFT)
    stage.settle()
    assert {n.state for n in stage.engine.notes.values()} == {NoteState.FORGOTTEN}


def test_delete_waits_for_the_toast_and_undo_keeps_it(stage: Stage) -> None:
    take(stage, "One")
    two = take(stage, "Two")
    choose(stage, 0)
    QTest.keyClick(stage.window.memory.snapshots.view, Qt.Key.Key_Delete)
    assert stage.workspace.snapshots.rowCount() == 1
    assert stage.engine.commands(DeleteSnapshot) == []
    QTest.mouseClick(stage.toast().button, LEFT)
    assert stage.workspace.snapshots.rowCount() == 2
    choose(stage, 0)
    QTest.keyClick(stage.window.memory.snapshots.view, Qt.Key.Key_Delete)
    stage.toast().expire()
    stage.settle()
    assert stage.engine.commands(DeleteSnapshot) == [DeleteSnapshot(two)]
    assert [s.row.name for s in stage.engine.snapshots] == ["One"]


def test_a_delete_that_is_refused_brings_the_row_back(stage: Stage) -> None:
    take(stage, "One")
    stage.engine.refuse[DeleteSnapshot] = DiskFull("The disk is write-protected.")
    choose(stage, 0)
    stage.window.memory.snapshots.delete()
    stage.toast().expire()
    stage.settle()
    assert stage.workspace.snapshots.rowCount() == 1
    assert stage.toast().label.text() == "The disk is write-protected."


def test_compare_with_the_present_and_two_with_each_other(stage: Stage) -> None:
    one = take(stage, "One")
    note = next(iter(stage.engine.notes.values()))
    stage.engine.put(replace(note, cells=0, state=NoteState.FORGOTTEN))
    two = take(stage, "Two")
    choose(stage, 1)
    panel = stage.window.memory.snapshots
    assert panel.compare_action.text() == "Compare with the present"
    panel.compare_action.trigger()
    stage.settle()
    assert stage.engine.commands(CompareSnapshots) == [CompareSnapshots(one, "")]
    sheet = stage.child(CompareSheet)
    assert isinstance(sheet, CompareSheet)
    model = sheet.table.model()
    assert model.rowCount() == 1
    assert model.index(0, 0).data() == note.path
    assert model.index(0, 1).data() == "only in the first"
    assert model.index(0, 3).data() == "–"
    sheet.close()
    choose(stage, 0, 1)
    assert panel.compare_action.text() == "Compare the two"
    panel.compare_action.trigger()
    stage.settle()
    assert stage.engine.commands(CompareSnapshots)[-1] == CompareSnapshots(one, two)


def test_equal_memories_say_so(stage: Stage) -> None:
    take(stage, "One")
    choose(stage, 0)
    stage.window.memory.snapshots.compare_action.trigger()
    stage.settle()
    sheet = stage.child(CompareSheet)
    words = [w.text() for w in sheet.findChildren(type(stage.window.memory.write_title))]
    assert "They remember the same notes, equally well." in words


def test_export_and_import(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine"
    monkeypatch.setattr(dialogs, "save_file", lambda *_: file)
    stage.window.actions_[Act.EXPORT_MEMORY].trigger()
    stage.settle()
    written = file.with_suffix(".engram")
    assert stage.engine.commands(ExportSnapshot) == [ExportSnapshot("", written)]
    assert written.exists()
    monkeypatch.setattr(dialogs, "choose_file", lambda *_: written)
    stage.window.actions_[Act.IMPORT_MEMORY].trigger()
    stage.settle()
    assert stage.engine.commands(ImportSnapshot) == [ImportSnapshot(written)]
    assert stage.workspace.snapshots.rowCount() == 1
    written.write_bytes(b"something else")
    stage.window.actions_[Act.IMPORT_MEMORY].trigger()
    stage.settle()
    assert stage.toast().label.text() == "This file is not an Engram memory."


def test_rebuild_shows_its_cost_first(stage: Stage) -> None:
    stage.window.actions_[Act.REBUILD].trigger()
    sheet = stage.child(RebuildSheet)
    assert isinstance(sheet, RebuildSheet) and not sheet.go.isEnabled()
    stage.settle()
    assert sheet.cost.text() == "4 notes would be written, in about 8.4\u00a0s at the speed so far."
    assert stage.engine.commands(Rebuild) == []
    QTest.mouseClick(sheet.go, LEFT)
    stage.settle()
    assert len(stage.engine.commands(Rebuild)) == 1


def test_verify(stage: Stage) -> None:
    stage.window.actions_[Act.VERIFY].trigger()
    stage.settle()
    assert len(stage.engine.commands(Verify)) == 1
    assert stage.toast().label.text() == "Every note was asked again."


def test_a_full_slot_offers_room(stage: Stage) -> None:
    stage.engine.refuse[WriteAgain] = SlotFull("There is no room for this note.")
    stage.window.notes.select(1)
    stage.window.actions_[Act.WRITE_AGAIN].trigger()
    stage.settle()
    QTest.mouseClick(stage.toast().button, LEFT)
    stage.settle()
    assert stage.engine.commands(GrowSlot) == [GrowSlot(131_072)]


def test_folding_is_remembered(stage: Stage) -> None:
    QTest.keyClick(stage.window, Qt.Key.Key_F9)
    assert not stage.window.memory.isVisible()
    assert stage.workspace.preferences.memory_folded
    QTest.keyClick(stage.window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert stage.window.memory.isVisible()


def test_a_narrow_window_folds_the_memory_for_the_time_being(stage: Stage) -> None:
    stage.window.resize(760, 700)
    stage.show()
    assert not stage.window.memory.isVisible()
    assert not stage.workspace.preferences.memory_folded
    stage.window.resize(1280, 820)
    stage.show()
    assert stage.window.memory.isVisible()
