"""The window as a whole: first run, drops, problems, keys, tray, the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QDragLeaveEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLineEdit,
    QMenu,
    QWidget,
)

from app import dialogs
from app.actions import Act, specs
from app.theme import theme
from app.views import note_commands
from app.views.about_sheet import AboutSheet
from app.views.rebuild_sheet import RebuildSheet
from app.views.settings_sheet import SettingsSheet
from app.views.shortcuts_sheet import ShortcutsSheet
from app.views.tray import LONG_QUEUE_SECONDS
from app.widgets.labels import ElidedLabel, Label
from engine.api import (
    EngramError,
    Failed,
    MemoryLocked,
    Mode,
    NoteState,
    QueueEnded,
    Rescan,
    RestoreSnapshot,
    SnapshotKind,
)
from tests import drags
from tests.app.conftest import PATIENCE_MS, Stage
from tests.app.fake_engine import FakeEngine

LEFT = Qt.MouseButton.LeftButton


def drop(stage: Stage, *paths: Path) -> None:
    """Drag files over the window and let go."""
    drags.drop(stage.window, *paths)


# --- first run ---


def test_a_new_user_with_sample_notes(
    new_user: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "samples"
    source.mkdir()
    for name in ("a.md", "b.txt", "picture.png"):
        (source / name).write_text(name)
    monkeypatch.setattr(note_commands, "resource", lambda *_: source)
    welcome = new_user.window.welcome
    assert welcome.isVisible()
    welcome.samples_folder = tmp_path / "Documents" / "Engram notes"
    QTest.mouseClick(welcome.samples, LEFT)
    new_user.settle()
    assert not welcome.isVisible() and new_user.window.splitter.isVisible()
    assert sorted(p.name for p in welcome.samples_folder.iterdir()) == ["a.md", "b.txt"]
    assert new_user.window.notes.header.count.text() == "2 of 2 remembered"


def test_samples_never_overwrite(
    new_user: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "samples", tmp_path / "mine"
    source.mkdir()
    target.mkdir()
    (source / "a.md").write_text("sample")
    (target / "a.md").write_text("my own words")
    monkeypatch.setattr(note_commands, "resource", lambda *_: source)
    new_user.window.note_commands.try_samples(target)
    new_user.settle()
    assert (target / "a.md").read_text() == "my own words"


def test_samples_that_cannot_be_copied_say_so(
    new_user: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(note_commands, "resource", lambda *_: tmp_path / "missing")
    new_user.window.note_commands.try_samples(tmp_path / "x")
    new_user.settle()
    assert "could not be copied" in new_user.toast().label.text()


def test_choosing_a_folder(
    new_user: Stage, notes_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "choose_folder", lambda *_: notes_folder)
    QTest.mouseClick(new_user.window.welcome.choose, LEFT)
    new_user.settle()
    assert new_user.engine.settings.folder == notes_folder
    assert new_user.window.notes.header.count.text() == "4 of 4 remembered"


def test_cancelling_changes_nothing(new_user: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogs, "choose_folder", lambda *_: None)
    QTest.mouseClick(new_user.window.welcome.choose, LEFT)
    new_user.settle()
    assert new_user.engine.settings.folder is None and new_user.window.welcome.isVisible()


def test_a_folder_dropped_at_first_becomes_the_folder(new_user: Stage, notes_folder: Path) -> None:
    drop(new_user, notes_folder)
    new_user.settle()
    assert new_user.engine.settings.folder == notes_folder


def test_files_dropped_at_first_go_into_the_folder_chosen_then(
    new_user: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "Notes"
    home.mkdir()
    file = tmp_path / "idea.md"
    file.write_text("An idea")
    monkeypatch.setattr(dialogs, "choose_folder", lambda *_: home)
    drop(new_user, file)
    new_user.settle()
    assert (home / "idea.md").read_text() == "An idea"
    assert new_user.engine.notes


# --- drops ---


def test_dropped_files_are_copied_remembered_and_can_be_taken_back(
    stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "idea.md"
    file.write_text("An idea")
    picture = tmp_path / "cat.png"
    picture.write_text("")
    drop(stage, file, picture)
    stage.settle()
    assert (stage.folder / "idea.md").read_text() == "An idea"
    words = stage.toast().label.text()
    assert words == "Copied 1 file. 1 file left out: not a format Engram reads."
    assert any(n.path == "idea.md" for n in stage.engine.notes.values())
    QTest.mouseClick(stage.toast().button, LEFT)
    stage.settle()
    assert not (stage.folder / "idea.md").exists() and file.exists()
    assert not any(n.path == "idea.md" for n in stage.engine.notes.values())


def test_a_drag_that_leaves_lifts_the_veil(stage: Stage) -> None:
    data = drags.file_data([stage.folder])
    enter = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(stage.window, enter)
    assert stage.window.drop_zone.accessibleName() == "Drop to copy into “Notes”"
    QApplication.sendEvent(stage.window, QDragLeaveEvent())
    assert not stage.window.drop_zone.isVisible()


def test_dragged_text_is_not_for_the_window(stage: Stage) -> None:
    data = QMimeData()
    data.setText("words")
    enter = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
    )
    enter.ignore()
    QApplication.sendEvent(stage.window, enter)
    assert not enter.isAccepted()


def test_add_notes_by_menu(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.txt"
    file.write_text("x")
    monkeypatch.setattr(dialogs, "choose_files", lambda *_: (file,))
    stage.window.actions_[Act.ADD_NOTES].trigger()
    stage.settle()
    assert (stage.folder / "x.txt").exists()


def test_a_folder_that_cannot_be_written_says_so(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("x")
    stage.engine.settings = replace(stage.engine.settings, folder=tmp_path / "x.txt")
    stage.workspace.client.settings = stage.engine.settings
    (tmp_path / "y.md").write_text("y")
    stage.window.note_commands.take_in((tmp_path / "y.md",))
    stage.files()
    stage.show()
    assert "could not be copied" in stage.toast().label.text()


# --- what can go wrong ---


def test_a_vanished_folder_is_told_with_two_ways_out(stage: Stage, tmp_path: Path) -> None:
    moved = stage.folder.rename(tmp_path / "away")
    stage.workspace.client.send(Rescan())
    stage.settle()
    banner = stage.window.banner
    assert banner.isVisible() and banner.property("tone") == "warn"
    assert [b.accessibleName() for b in banner.buttons()] == [
        "Look again",
        "Choose another folder",
    ]
    assert stage.window.notes.header.count.text() == "4 of 4 remembered"
    moved.rename(stage.folder)
    QTest.mouseClick(banner.buttons()[0], LEFT)
    stage.settle()
    assert not banner.isVisible()


def test_a_broken_memory_offers_the_newest_good_snapshot(stage: Stage) -> None:
    saved = stage.engine.take("Sunday", SnapshotKind.AUTOMATIC)
    stage.engine.fail(Mode.BROKEN, "The slot's checksum is wrong.", saved.row.id)
    stage.show()
    banner = stage.window.banner
    assert banner.property("tone") == "bad"
    assert banner.label.text() == "The slot's checksum is wrong."
    assert not stage.window.chat.composer.edit.isEnabled()
    button = banner.buttons()[0]
    assert button.accessibleName().startswith("Restore “Sunday” of ")
    QTest.mouseClick(button, LEFT)
    stage.settle()
    assert stage.engine.commands(RestoreSnapshot) == [RestoreSnapshot(saved.row.id)]
    assert not banner.isVisible() and stage.window.chat.composer.edit.isEnabled()


def test_a_broken_memory_without_snapshot_is_told_even_to_a_new_user(new_user: Stage) -> None:
    new_user.engine.fail(Mode.BROKEN, "The base model is missing.")
    new_user.show()
    assert new_user.window.banner.isVisible() and not new_user.window.welcome.isVisible()
    assert new_user.window.banner.buttons() == []


def test_a_fall_back_to_the_cpu_is_told_once(stage: Stage) -> None:
    words = "The GPU's memory is full; Engram goes on with the CPU."
    stage.engine.fail(Mode.IDLE, words)
    stage.show()
    banner = stage.window.banner
    assert banner.isVisible() and banner.label.text() == words
    QTest.mouseClick(banner.buttons()[0], LEFT)
    stage.engine.fail(Mode.IDLE, words)
    stage.show()
    assert not banner.isVisible()


def test_an_unusable_memory_is_a_banner_and_other_errors_are_toasts(stage: Stage) -> None:
    stage.engine.emit(Failed(0, MemoryLocked("Another Engram has this memory open.")))
    stage.engine.emit(Failed(0, EngramError("That did not go well.")))
    stage.show()
    assert stage.window.banner.label.text() == "Another Engram has this memory open."
    assert stage.toast().label.text() == "That did not go well."
    assert stage.toast().property("tone") == "bad"
    QTest.mouseClick(stage.window.banner.buttons()[0], LEFT)
    assert not stage.window.banner.isVisible()


# --- keys, names, sizes ---


def test_no_two_commands_share_a_key() -> None:
    keys = [QKeySequence(key).toString() for spec in specs() for key in spec.keys]
    assert len(keys) == len(set(keys)) and all(keys)


@pytest.mark.parametrize(
    ("key", "modifier"),
    [
        (Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Slash, Qt.KeyboardModifier.ControlModifier),
    ],
)
def test_the_sheet_shows_every_key(
    stage: Stage, key: Qt.Key, modifier: Qt.KeyboardModifier
) -> None:
    QTest.keyClick(stage.window, key, modifier)
    sheet = stage.child(ShortcutsSheet)
    shown = " ".join(label.text() for label in sheet.findChildren(Label))
    for spec in specs():
        for k in spec.keys:
            assert QKeySequence(k).toString(QKeySequence.SequenceFormat.NativeText) in shown


def test_about_tells_model_and_place(stage: Stage) -> None:
    stage.window.actions_[Act.ABOUT].trigger()
    assert isinstance(stage.child(AboutSheet), AboutSheet)


def test_panes_are_reached_by_key(stage: Stage) -> None:
    ctrl = Qt.KeyboardModifier.ControlModifier
    for key, widget in (
        (Qt.Key.Key_1, stage.window.notes.view),
        (Qt.Key.Key_2, stage.window.chat.composer.edit),
        (Qt.Key.Key_3, stage.window.memory.snapshots.take_button),
    ):
        QTest.keyClick(stage.window, key, ctrl)
        assert stage.window.focusWidget() is widget


def test_every_command_is_in_a_menu(stage: Stage) -> None:
    menus = [action.menu() for action in stage.window.menuBar().actions()]
    listed = {action for menu in menus if isinstance(menu, QMenu) for action in menu.actions()}
    assert {stage.window.actions_[spec.act] for spec in specs()} <= listed


def test_tab_walks_through_all_three_panes(stage: Stage) -> None:
    window = stage.window
    stage.engine.take("One", SnapshotKind.MANUAL)
    window.notes.select(1)
    stage.show()
    window.chat.composer.edit.setFocus()
    seen = {window.focusWidget()}
    while True:
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        if window.focusWidget() in seen:
            break
        seen.add(window.focusWidget())
    wanted = {
        window.notes.filter,
        window.notes.view,
        window.notes.header.pause_button,
        window.notes.details.buttons[Act.FORGET],
        window.chat.list,
        window.chat.composer.edit,
        window.memory.picture,
        window.memory.snapshots.view,
        window.memory.snapshots.take_button,
    }
    assert wanted <= seen, wanted - seen


def test_the_menu_key_opens_the_notes_menu(stage: Stage) -> None:
    view = stage.window.notes.view
    stage.window.notes.select(1)
    at = view.visualRect(view.currentIndex()).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, view.mapToGlobal(at))
    QApplication.sendEvent(view.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "Forget" in [action.text() for action in menu.actions()]
    menu.close()


def named(widget: QWidget) -> bool:
    """Does a screen reader have words for it?"""
    return bool(widget.accessibleName() or getattr(widget, "text", lambda: "")())


def test_everything_that_takes_the_focus_has_a_name(stage: Stage) -> None:
    stage.window.chat.ask("Who is the treasurer?")
    stage.settle()
    stage.window.notes.select(1)
    sheet = stage.window.open_settings()
    nameless = [
        widget
        for root in (stage.window, sheet)
        for widget in root.findChildren(QWidget)
        if isinstance(widget, QAbstractButton | QAbstractItemView | QLineEdit)
        and widget.isVisibleTo(root)
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not named(widget)
    ]
    assert nameless == []


@pytest.mark.parametrize("percent", [100, 200])
def test_no_words_are_cut_off(stage: Stage, percent: int) -> None:
    from app.theme import theme

    stage.window.resize(1500, 1000)
    theme().set_font_percent(percent)
    stage.window.chat.ask("Who is the treasurer?")
    stage.settle()
    stage.window.notes.select(1)
    sheet = stage.window.open_settings()
    stage.show()
    QApplication.processEvents()
    cut = []
    for root in (stage.window, sheet):
        for label in root.findChildren(Label):
            if not label.isVisible() or not label.text() or isinstance(label, ElidedLabel):
                continue
            need = label.heightForWidth(label.width()) if label.wordWrap() else 0
            wide = 0 if label.wordWrap() else label.sizeHint().width()
            if label.height() + 1 < max(need, label.fontMetrics().height()):
                cut.append((label.text(), "height", label.height(), need))
            if label.width() + 1 < wide:
                cut.append((label.text(), "width", label.width(), wide))
    assert cut == []


def test_hostile_folder_names_are_shown_escaped(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a\u202eb<b>&\n"
    folder.mkdir()
    monkeypatch.setattr(dialogs, "choose_folder", lambda *_: folder)
    stage.window.actions_[Act.CHOOSE_FOLDER].trigger()
    stage.settle()
    header = stage.window.notes.header
    assert header.folder.text() == "a\\u{202e}b<b>&\\n"
    assert "<b>" not in header.folder.toolTip()


# --- tray, the end ---


def test_the_tray_tells_the_same_as_the_window(stage: Stage) -> None:
    assert stage.window.tray.state.text() == "4 of 4 remembered"
    stage.engine.fail(Mode.BROKEN, "x")
    stage.show()
    assert stage.window.tray.state.text() == "Memory cannot be used"


def test_a_long_queue_is_notified_and_a_short_one_is_not(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(stage.window.tray, "notify", said.append)
    monkeypatch.setattr(stage.window, "isActiveWindow", lambda: False)
    stage.engine.emit(QueueEnded(3, 0, 0, LONG_QUEUE_SECONDS - 1))
    stage.engine.emit(QueueEnded(120, 2, 1, 754.0))
    stage.show()
    assert said == ["120 notes written in 13\u00a0min, 2 weak, 1 failed"]


def test_geometry_comes_back(stage: Stage, make_stage: object) -> None:
    assert callable(make_stage)
    room = stage.window.screen().availableGeometry()
    stage.window.resize(room.width() - 20, room.height() - 130)  # Qt keeps it on the screen
    stage.window.splitter.setSizes([250, 400, 360])
    size, panes = stage.window.size(), stage.window.splitter.sizes()
    stage.window.leave()
    later: Stage = make_stage(FakeEngine())
    later.window.show()
    later.window._restore_geometry()
    assert later.window.size() == size != QSize(1280, 820)
    assert panes[0] == 250
    for now, before in zip(later.window.splitter.sizes(), panes, strict=True):
        assert abs(now - before) <= 2


def test_closing_in_the_middle_of_a_write_ends_the_engine(stage: Stage) -> None:
    (stage.folder / "more.md").write_text("more")
    stage.workspace.client.send(Rescan())
    stage.steps(10)
    assert any(n.state is NoteState.WRITING for n in stage.engine.notes.values())
    stage.window.close()
    stage.workspace.close()
    assert stage.engine.closed and not stage.window.isVisible()


def test_a_pending_delete_is_carried_out_at_the_end(stage: Stage) -> None:
    from engine.api import DeleteSnapshot

    saved = stage.engine.take("One", SnapshotKind.MANUAL)
    stage.show()
    stage.window.memory.snapshots.view.selectAll()
    stage.window.memory.snapshots.delete()
    stage.window.leave()
    assert stage.engine.commands(DeleteSnapshot) == [DeleteSnapshot(saved.row.id)]


def test_focus_looks_through_the_folder_but_not_all_the_time(stage: Stage) -> None:
    before = len(stage.engine.commands(Rescan))
    stage.window._focus_pause.stop()
    other = SettingsSheet(stage.workspace, False, None)
    other.show()
    other.activateWindow()
    stage.window.activateWindow()
    stage.qtbot.waitUntil(lambda: stage.window.isActiveWindow(), timeout=PATIENCE_MS)
    other.activateWindow()
    stage.window.activateWindow()
    stage.qtbot.waitUntil(lambda: stage.window.isActiveWindow(), timeout=PATIENCE_MS)
    other.close()
    stage.settle()
    assert len(stage.engine.commands(Rescan)) - before == 1


# --- what a person reads of the memory ---


def test_weak_notes_are_told_apart_from_remembered_ones(stage: Stage) -> None:
    note = next(iter(stage.engine.notes.values()))
    stage.engine.put(replace(note, state=NoteState.WEAK))
    stage.show()
    assert stage.window.notes.header.count.text() == "3 of 4 remembered, 1 weak"
    assert stage.window.tray.state.text() == "3 of 4 remembered, 1 weak"
    assert stage.window.notes.bar.value() == 3


@pytest.mark.parametrize("possible", [True, False])
def test_a_broken_memory_offers_a_rebuild_where_it_helps(stage: Stage, possible: bool) -> None:
    status = stage.engine.status()
    broken = replace(status, mode=Mode.BROKEN, problem="Damaged.", may_rebuild=possible)
    stage.workspace.bridge.status.emit(broken)
    buttons = stage.window.banner.buttons()
    assert [button.text() for button in buttons] == (["Rebuild memory…"] if possible else [])
    if possible:
        QTest.mouseClick(buttons[0], LEFT)
        sheet = stage.child(RebuildSheet)
        sheet.close()


def test_the_magnifier_grows_with_the_text(stage: Stage) -> None:
    field = stage.window.notes.filter
    before, room = field.icon_side(), field.textMargins().left()
    theme().set_font_percent(200)
    QApplication.processEvents()
    assert field.icon_side() > 1.6 * before and field.textMargins().left() > 1.4 * room
    assert field.empty_button.isHidden()
    QTest.keyClicks(field, "md")
    assert field.empty_button.isVisible()
    QTest.mouseClick(field.empty_button, LEFT)
    assert field.text() == "" and field.empty_button.isHidden()


def test_an_answers_small_print_is_small_from_the_start(stage: Stage) -> None:
    stage.window.chat.ask("Which tram goes to the castle?")
    stage.settle()
    message = stage.window.chat.conversation.messages[-1]
    (words,) = [label for label in message.findChildren(Label) if label.text() == "Learned from"]
    assert words.font().pointSizeF() < QApplication.font().pointSizeF()
