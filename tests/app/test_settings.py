"""The settings sheet and what the window remembers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app import autostart, dialogs
from app.preferences import Preferences
from app.theme import theme
from app.views.rebuild_sheet import RebuildSheet
from engine.api import ChangeSettings, Effort, OnDelete, Rebuild
from tests.app.conftest import Stage

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def own_autostart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autostart, "entry", lambda: tmp_path / "autostart" / "engram.desktop")


def test_nothing_changes_before_save(stage: Stage) -> None:
    sheet = stage.window.open_settings()
    stage.show()
    sheet.effort.setCurrentIndex(2)
    sheet.formats[".pdf"].setChecked(False)
    sheet.font_size.setCurrentIndex(sheet.font_size.findData(150))
    before = stage.engine.settings
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    stage.settle()
    assert stage.engine.settings == before
    assert stage.workspace.preferences.font_percent == 100
    assert theme()._percent == 100


def test_save_puts_everything_in_force(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "Elsewhere"
    folder.mkdir()
    monkeypatch.setattr(dialogs, "choose_folder", lambda *_: folder)
    QTest.keyClick(stage.window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    sheet = stage.window.open_settings()
    QTest.mouseClick(sheet.folder_button, LEFT)
    sheet.on_delete.setCurrentIndex(1)
    sheet.effort.setCurrentIndex(2)
    sheet.device.setCurrentIndex(1)
    sheet.automatic.setChecked(False)
    sheet.follow.setChecked(True)
    sheet.formats[".pdf"].setChecked(False)
    sheet.font_size.setCurrentIndex(sheet.font_size.findData(125))
    sheet.start_up.setChecked(True)
    QTest.mouseClick(sheet.save_button, LEFT)
    stage.settle()
    settings = stage.engine.settings
    assert settings.folder == folder and settings.on_delete is OnDelete.KEEP
    assert settings.effort is Effort.THOROUGH and settings.device == "cpu"
    assert not settings.automatic_snapshots and settings.follow_links
    assert ".pdf" not in settings.formats and ".md" in settings.formats
    assert len(stage.engine.commands(ChangeSettings)) == 1
    assert stage.engine.commands(Rebuild) == []
    assert Preferences(stage.home).font_percent == 125
    assert autostart.is_on()
    text = autostart.entry().read_text()
    assert "--home" in text and text.startswith("[Desktop Entry]\n")
    autostart.turn(False, stage.home)
    assert not autostart.is_on()


def test_saving_without_a_change_sends_nothing(stage: Stage) -> None:
    sheet = stage.window.open_settings()
    QTest.mouseClick(sheet.save_button, LEFT)
    stage.settle()
    assert stage.engine.commands(ChangeSettings) == []


def test_rebuild_is_reached_from_settings(stage: Stage) -> None:
    sheet = stage.window.open_settings()
    QTest.mouseClick(sheet.rebuild_button, LEFT)
    stage.settle()
    assert isinstance(stage.child(RebuildSheet), RebuildSheet)
    assert stage.engine.commands(Rebuild) == []


def test_exec_line_survives_odd_homes() -> None:
    assert autostart._quoted("/home/a b") == '"/home/a b"'
    assert autostart._quoted('x"y') == '"x\\\\"y"'
    assert autostart._quoted("100%") == '"100%%"'


def test_damaged_preferences_fall_back(tmp_path: Path) -> None:
    (tmp_path / "window.ini").write_bytes(b"[General]\nfont_percent=huge\ngeometry=7\n\xff\xfe")
    preferences = Preferences(tmp_path)
    assert preferences.font_percent == 100
    assert preferences.geometry.isEmpty()
    assert preferences.tray_icon and not preferences.stay_in_tray


def test_the_text_grows_and_shrinks_by_key(stage: Stage) -> None:
    QTest.keyClick(stage.window, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert stage.workspace.preferences.font_percent == 110
    QTest.keyClick(stage.window, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(stage.window, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    assert stage.workspace.preferences.font_percent == 90
    QTest.keyClick(stage.window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert stage.workspace.preferences.font_percent == 100


@pytest.mark.parametrize(
    ("there", "chosen", "offered"),
    [
        (("auto", "cpu"), "auto", ["auto", "cpu"]),
        (("auto", "cpu"), "cuda", ["auto", "cpu", "cuda"]),
        (("auto", "cpu", "cuda"), "auto", ["auto", "cpu", "cuda"]),
    ],
)
def test_only_devices_that_are_there_are_offered(
    stage: Stage, there: tuple[str, ...], chosen: str, offered: list[str]
) -> None:
    client = stage.workspace.client
    client.status = replace(client.status, devices=there)
    client.settings = replace(client.settings, device=chosen)
    sheet = stage.window.open_settings()
    assert [sheet.device.itemData(i) for i in range(sheet.device.count())] == offered
    assert sheet.device.currentData() == chosen
    sheet.reject()
