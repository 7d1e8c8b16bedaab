"""The status bar: device, model, queue, speed. An empty place means: not measured yet."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStatusBar, QWidget

from app import wording
from app.icons import wear_label
from app.widgets.labels import ElidedLabel, Label
from engine.api import EngineStatus, Mode


class _Fact(QWidget):
    """An icon and a few words, hidden while there is nothing to say."""

    def __init__(self, icon: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        mark = Label()
        wear_label(mark, icon, "muted", 0.95)
        row.addWidget(mark)
        self.label = ElidedLabel(tone="muted", scale=0.9, mode=Qt.TextElideMode.ElideRight)
        row.addWidget(self.label)
        self.hide()

    def set_words(self, text: str) -> None:
        """Show these words; "" hides the fact."""
        if text != self.label.text():
            self.label.setText(text)
            self.label.setToolTip(wording.tip(f"{self._name}: {text}"))
            self.setAccessibleName(f"{self._name}: {text}")
        self.setVisible(bool(text))


class StatusLine(QStatusBar):
    """Four facts in a row, left; what the engine does, right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(12, 3, 12, 3)
        row.setSpacing(20)
        self.device = _Fact("device", self.tr("Device"))
        self.model = _Fact("model", self.tr("Model"))
        self.queue = _Fact("queue", self.tr("Queue"))
        self.speed = _Fact("speed", self.tr("Last write"))
        for fact in (self.device, self.model, self.queue, self.speed):
            row.addWidget(fact)
        row.addStretch(1)
        self.mode = Label(tone="muted", scale=0.9)
        self.mode.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        row.addWidget(self.mode)
        self.addWidget(line, 1)

    def show_status(self, status: EngineStatus) -> None:
        """Show the engine's figures."""
        self.device.set_words(status.device)
        self.model.set_words(status.model)
        self.queue.set_words(
            self.tr("%1 waiting").replace("%1", wording.notes(status.queue)) if status.queue else ""
        )
        self.speed.set_words(self._speed(status))
        self.mode.setText(self._mode(status.mode))

    def _speed(self, status: EngineStatus) -> str:
        took, tokens = status.last_write_seconds, status.last_write_tokens
        if took is None:
            return ""
        text = self.tr("last write") + " " + wording.seconds(took)
        if tokens is not None and took > 0:
            rate = self.tr("%1 tokens/s").replace("%1", wording.number(int(tokens / took)))
            text += ", " + rate
        return text

    def _mode(self, mode: Mode) -> str:
        return {
            Mode.STARTING: self.tr("Opening…"),
            Mode.IDLE: self.tr("Up to date"),
            Mode.WRITING: self.tr("Writing"),
            Mode.ANSWERING: self.tr("Answering"),
            Mode.PAUSED: self.tr("Paused"),
            Mode.FOLDER_MISSING: self.tr("Folder missing"),
            Mode.BROKEN: self.tr("Memory cannot be used"),
        }[mode]
