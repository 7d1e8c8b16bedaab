"""What Engram is, which model it runs, and where the memory lies."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app import wording
from app.views.sheet import Sheet
from app.widgets.buttons import TextButton
from app.widgets.labels import Label
from app.widgets.text_block import TextBlock
from app.workspace import Workspace


class AboutSheet(Sheet):
    """A few plain lines."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__("Engram", parent)
        self.say(self.tr("Your notes, remembered by a small language model on this computer."))
        words = self.tr(
            "Each note is written into the model's slow memory by gradient steps. Questions are "
            "answered from that memory, without the files. Nothing leaves this computer: Engram "
            "opens no network connection."
        )
        self.body.addWidget(Label(words, wrap=True))
        status = workspace.client.status
        for name, value in (
            (self.tr("Model"), status.model),
            (self.tr("Device"), status.device),
            (self.tr("Memory kept in"), wording.shown(str(workspace.home))),
        ):
            if value:
                pair = QVBoxLayout()
                pair.setSpacing(1)
                pair.addWidget(Label(name, tone="muted", scale=0.9))
                block = TextBlock(value)
                block.setAccessibleName(name)
                pair.addWidget(block)
                self.body.addLayout(pair)
        self.body.addStretch(1)
        self.add_button(TextButton(self.tr("Close"), self.close), default=True)
        self.fit(40, 28)
