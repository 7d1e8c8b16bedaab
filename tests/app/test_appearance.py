"""The status bar, the tray, and what the system decides: the colours and the font."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontDatabase
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

import app
from app.actions import Act
from app.preferences import Preferences
from app.theme import theme
from app.tones import DARK, LIGHT
from app.views.about_sheet import AboutSheet
from app.views.settings_sheet import SettingsSheet
from app.views.status_line import StatusLine
from app.widgets.drop_zone import DropZone
from engine.api import Mode, Pause
from tests.app.conftest import PATIENCE_MS, Stage

SOURCES = sorted(Path(app.__file__).parent.rglob("*.py"))


def facts(line: StatusLine) -> list[str]:
    """What the status bar shows, from left to right."""
    shown = (line.device, line.model, line.queue, line.speed)
    return [fact.accessibleName() for fact in shown if not fact.isHidden()]


def test_the_status_bar_tells_device_model_queue_and_speed(stage: Stage) -> None:
    line = stage.window.status_line
    status = replace(
        stage.engine.status(),
        device="NVIDIA H200",
        model="tiny, 9.6M parameters",
        queue=12,
        last_write_seconds=2.0,
        last_write_tokens=500,
        mode=Mode.WRITING,
    )
    stage.workspace.bridge.status.emit(status)
    assert facts(line) == [
        "Device: NVIDIA H200",
        "Model: tiny, 9.6M parameters",
        "Queue: 12 notes waiting",
        "Last write: last write 2.0\u00a0s, 250 tokens/s",
    ]
    assert line.mode.text() == "Writing"


def test_the_status_bar_shows_no_figure_that_was_not_measured(stage: Stage) -> None:
    status = replace(
        stage.engine.status(), queue=0, last_write_seconds=None, last_write_tokens=None
    )
    stage.workspace.bridge.status.emit(status)
    assert [fact.partition(":")[0] for fact in facts(stage.window.status_line)] == [
        "Device",
        "Model",
    ]


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode_has_words(stage: Stage, mode: Mode) -> None:
    stage.workspace.bridge.status.emit(replace(stage.engine.status(), mode=mode))
    assert stage.window.status_line.mode.text()


def test_the_tray_pauses_and_brings_the_window_back(stage: Stage) -> None:
    tray = stage.window.tray
    pause = stage.window.actions_[Act.PAUSE]
    assert pause in tray.menu.actions() and stage.window.actions_[Act.QUIT] in tray.menu.actions()
    pause.trigger()
    stage.settle()
    assert stage.engine.commands(Pause) == [Pause(True)]
    assert tray.state.text() == "4 of 4 remembered, paused"
    stage.window.hide()
    tray.icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    assert stage.window.isVisible()


def test_the_tray_settings_are_kept(stage: Stage) -> None:
    sheet = SettingsSheet(stage.workspace, True, stage.window)
    sheet.show()
    assert sheet.tray_icon.isChecked() and not sheet.stay.isChecked()
    sheet.stay.setChecked(True)
    sheet.tray_icon.setChecked(False)
    assert not sheet.stay.isEnabled(), "without an icon there is nothing to stay in"
    sheet.save()
    kept = Preferences(stage.home)
    assert not kept.tray_icon and kept.stay_in_tray
    without = SettingsSheet(stage.workspace, False, stage.window)
    assert not without.tray_icon.isEnabled() and not without.stay.isEnabled()
    without.close()


@pytest.mark.parametrize("stays", [True, False])
def test_closing_leaves_it_in_the_tray_where_that_is_wanted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    left: list[int] = []
    stage.window.quitting.connect(lambda: left.append(1))
    stage.workspace.preferences.stay_in_tray = stays
    monkeypatch.setattr(stage.window.tray.icon, "isVisible", lambda: True)
    stage.window.close()
    assert not stage.window.isVisible() and left == ([] if stays else [1])


class System:
    """The application on a system whose colour scheme the test chooses."""

    def __init__(self, qapp: QApplication) -> None:
        self.scheme = Qt.ColorScheme.Light
        self._qapp = qapp

    def styleHints(self) -> System:
        return self

    def colorScheme(self) -> Qt.ColorScheme:
        return self.scheme

    def __getattr__(self, name: str) -> object:
        return getattr(self._qapp, name)


def test_the_systems_colours_are_followed(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(qapp)
    monkeypatch.setattr(theme(), "_application", system)
    theme().force(None)
    for scheme, tones in ((Qt.ColorScheme.Dark, DARK), (Qt.ColorScheme.Light, LIGHT)):
        system.scheme = scheme
        qapp.styleHints().colorSchemeChanged.emit(scheme)
        assert qapp.palette().window().color() == QColor(tones.window)


def test_the_font_is_the_systems(qapp: QApplication) -> None:
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    assert qapp.font().family() == system.family()
    assert qapp.font().pointSizeF() == pytest.approx(system.pointSizeF())


def test_no_word_of_the_window_is_an_emoji() -> None:
    words = "".join(path.read_text("utf-8") for path in SOURCES)
    assert len(words) > 100_000
    assert not {c for c in words if 0x2600 <= ord(c) <= 0x27BF or ord(c) >= 0x1F000}


def test_words_over_a_drop_have_a_ground_of_their_own(stage: Stage) -> None:
    zone = stage.window.drop_zone
    assert isinstance(zone, DropZone)
    zone.cover("Drop to copy into “Notes”")
    picture = stage.window.grab().toImage()
    middle = zone.rect().center()
    row = [picture.pixelColor(x, middle.y() + 4).name() for x in range(middle.x(), middle.x() + 60)]
    assert set(row) == {LIGHT.surface}, "nothing shines through between icon and words"
    zone.hide()


def test_a_sheet_opens_with_its_button_ready(stage: Stage) -> None:
    stage.window.actions_[Act.ABOUT].trigger()
    sheet = stage.child(AboutSheet)
    sheet.activateWindow()
    stage.qtbot.waitUntil(lambda: sheet.isActiveWindow(), timeout=PATIENCE_MS)
    assert sheet.focusWidget().accessibleName() == "Close"
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    assert not sheet.isVisible()
