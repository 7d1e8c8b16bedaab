"""Settings: nothing takes effect before Save, and nothing here rewrites memory by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from app import autostart, dialogs, wording
from app.preferences import FONT_PERCENTS
from app.theme import theme
from app.views.sheet import Sheet
from app.widgets.buttons import TextButton
from app.widgets.flow_layout import FlowLayout
from app.widgets.labels import ElidedLabel, Label
from app.workspace import Workspace
from engine.api import ChangeSettings, Effort, OnDelete, Settings

ALL_FORMATS = Settings().formats
DEVICES = ("auto", "cpu", "cuda")


class SettingsSheet(Sheet):
    """Three parts: notes, memory, window."""

    rebuild = Signal()

    def __init__(self, workspace: Workspace, tray: bool, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Settings"))
        self.title.setText(self.tr("Settings"))
        self._workspace = workspace
        self._settings = workspace.client.settings
        self._folder: Path | None = self._settings.folder
        self._percent = workspace.preferences.font_percent
        self._tray = tray
        self._build_notes()
        self._build_memory()
        self._build_window()
        self.body.addStretch(1)
        self.add_button(TextButton(self.tr("Cancel"), self.reject))
        self.save_button = self.add_button(
            TextButton(self.tr("Save"), self.save, kind="primary"), default=True
        )
        self.fit(46, 50)

    # --- building ---

    def _part(self, words: str) -> None:
        if self.body.count():
            self.body.addSpacing(14)
        self.body.addWidget(Label(words, bold=True, scale=1.08))

    def _row(self, words: str, field: QWidget, hint: str = "") -> None:
        box = QVBoxLayout()
        box.setSpacing(4)
        name = Label(words, wrap=True)
        name.setBuddy(field)
        field.setAccessibleName(words)
        box.addWidget(name)
        box.addWidget(field)
        if hint:
            box.addWidget(Label(hint, tone="muted", scale=0.9, wrap=True))
        self.body.addLayout(box)

    def _choice(self, options: list[tuple[str, object]], present: object) -> QComboBox:
        box = QComboBox()
        for words, value in options:
            box.addItem(words, value)
        box.setCurrentIndex(max(0, [value for _, value in options].index(present)))
        return box

    def _build_notes(self) -> None:
        self._part(self.tr("Notes"))
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        self.folder_label = ElidedLabel()
        row.addWidget(self.folder_label, 1)
        self.folder_button = TextButton(self.tr("Choose…"), self._choose)
        row.addWidget(self.folder_button)
        self._show_folder()
        self._row(self.tr("Folder"), line)
        formats = QWidget()
        flow = FlowLayout(formats, gap=14, line_gap=4)
        self.formats: dict[str, QCheckBox] = {}
        for ending in dict.fromkeys((*ALL_FORMATS, *self._settings.formats)):
            box = QCheckBox(ending)
            box.setChecked(ending in self._settings.formats)
            self.formats[ending] = box
            flow.addWidget(box)
        self._row(self.tr("Formats"), formats)
        self.on_delete = self._choice(
            [
                (self.tr("Forget it"), OnDelete.FORGET),
                (self.tr("Keep what is remembered"), OnDelete.KEEP),
            ],
            self._settings.on_delete,
        )
        self._row(self.tr("When a note's file is deleted"), self.on_delete)
        self.follow = QCheckBox(self.tr("Follow links in the folder"))
        self.follow.setChecked(self._settings.follow_links)
        self.body.addWidget(self.follow)

    def _build_memory(self) -> None:
        self._part(self.tr("Memory"))
        self.effort = self._choice(
            [
                (self.tr("Quick"), Effort.QUICK),
                (self.tr("Normal"), Effort.NORMAL),
                (self.tr("Thorough"), Effort.THOROUGH),
            ],
            self._settings.effort,
        )
        hint = self.tr(
            "For notes written from now on. More effort takes longer and recalls better."
        )
        self._row(self.tr("Write effort"), self.effort, hint)
        words = (self.tr("Automatic"), self.tr("CPU"), self.tr("GPU (CUDA)"))
        there = {*self._workspace.client.status.devices, self._settings.device}
        devices = [each for each in zip(words, DEVICES, strict=True) if each[1] in there]
        self.device = self._choice(list(devices), self._settings.device)
        self._row(self.tr("Device"), self.device)
        self.automatic = QCheckBox(self.tr("Take snapshots automatically"))
        self.automatic.setChecked(self._settings.automatic_snapshots)
        hint = self.tr("Thinned like backups: hourly, daily, weekly. Yours are never removed.")
        pair = QVBoxLayout()
        pair.setSpacing(4)
        pair.addWidget(self.automatic)
        pair.addWidget(Label(hint, tone="muted", scale=0.9, wrap=True))
        self.body.addLayout(pair)
        self.rebuild_button = TextButton(self.tr("Rebuild memory…"), self._rebuild)
        self.body.addSpacing(4)
        self.body.addWidget(self.rebuild_button)

    def _build_window(self) -> None:
        preferences = self._workspace.preferences
        self._part(self.tr("Window"))
        self.font_size = self._choice(
            [(wording.percent_of(p), p) for p in FONT_PERCENTS], self._percent
        )
        self.font_size.currentIndexChanged.connect(self._preview)
        self._row(self.tr("Text size"), self.font_size)
        self.tray_icon = QCheckBox(self.tr("Show an icon in the tray"))
        self.tray_icon.setChecked(preferences.tray_icon)
        self.stay = QCheckBox(self.tr("Keep running in the tray when the window is closed"))
        self.stay.setChecked(preferences.stay_in_tray)
        self.tray_icon.toggled.connect(lambda on: self.stay.setEnabled(on and self._tray))
        self.tray_icon.setEnabled(self._tray)
        self.stay.setEnabled(self._tray and preferences.tray_icon)
        self.start_up = QCheckBox(self.tr("Start Engram with the system"))
        self.start_up.setChecked(autostart.is_on())
        self.start_up.setEnabled(autostart.possible())
        for box in (self.tray_icon, self.stay, self.start_up):
            self.body.addWidget(box)
        if not self._tray:
            words = self.tr("This desktop shows no tray.")
            self.body.addWidget(Label(words, tone="muted", scale=0.9, wrap=True))

    # --- doing ---

    def _show_folder(self) -> None:
        if self._folder is None:
            self.folder_label.setText(self.tr("none yet"))
        else:
            self.folder_label.setText(wording.shown(str(self._folder)))

    def _choose(self) -> None:
        chosen = dialogs.choose_folder(self, self.tr("Choose a folder of notes"), self._folder)
        if chosen is not None:
            self._folder = chosen
            self._show_folder()

    def _rebuild(self) -> None:
        self.rebuild.emit()

    def _preview(self) -> None:
        theme().set_font_percent(int(self.font_size.currentData()))

    def chosen(self) -> Settings:
        """The engine's settings as the sheet shows them."""
        return replace(
            self._settings,
            folder=self._folder,
            formats=tuple(e for e, box in self.formats.items() if box.isChecked()),
            on_delete=self.on_delete.currentData(),
            device=self.device.currentData(),
            effort=self.effort.currentData(),
            automatic_snapshots=self.automatic.isChecked(),
            follow_links=self.follow.isChecked(),
            paused=self._workspace.client.settings.paused,
        )

    def save(self) -> None:
        """Put everything in force and close."""
        preferences = self._workspace.preferences
        preferences.font_percent = int(self.font_size.currentData())
        preferences.tray_icon = self.tray_icon.isChecked()
        preferences.stay_in_tray = self.stay.isChecked()
        preferences.save()
        if self.start_up.isEnabled() and self.start_up.isChecked() != autostart.is_on():
            wish = self.start_up.isChecked()
            home = self._workspace.home
            self._workspace.background.run(lambda: autostart.turn(wish, home))
        chosen = self.chosen()
        if chosen != self._workspace.client.settings:
            self._workspace.client.send(ChangeSettings(chosen))
        self.accept()

    def reject(self) -> None:
        """Leave everything as it was."""
        theme().set_font_percent(self._percent)
        super().reject()
