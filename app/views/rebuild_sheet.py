"""Rebuilding the memory shows what it costs before anything happens."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app import wording
from app.client import EngineClient
from app.views.sheet import Sheet
from app.widgets.buttons import TextButton
from app.widgets.labels import Label
from engine.api import EstimateRebuild, Event, Failed, Rebuild, RebuildEstimate


class RebuildSheet(Sheet):
    """Asks the engine for the cost, then offers to go ahead."""

    def __init__(self, client: EngineClient, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._client = client
        self._open = True
        self.setWindowTitle(self.tr("Rebuild memory"))
        self.title.setText(self.tr("Rebuild memory"))
        self.cost = Label(self.tr("Working out what it costs…"), wrap=True)
        self.body.addWidget(self.cost)
        words = self.tr(
            "Every note in the folder is written anew into an empty memory. What was remembered "
            "of files that are gone is not written again. A snapshot of the present is taken first."
        )
        self.body.addWidget(Label(words, tone="muted", wrap=True))
        self.body.addStretch(1)
        self.add_button(TextButton(self.tr("Cancel"), self.reject), default=True)
        self.go = self.add_button(TextButton(self.tr("Rebuild"), self._rebuild, kind="primary"))
        self.go.setEnabled(False)
        self.fit(40, 20)
        client.send(EstimateRebuild(), self._on_event)

    def done(self, result: int) -> None:
        """Take no more answers."""
        self._open = False
        super().done(result)

    def _on_event(self, event: Event) -> None:
        if not self._open:
            return
        match event:
            case RebuildEstimate(notes=notes, seconds=took):
                if took is None:
                    words = self.tr("%1 would be written. How long it takes is not known yet.")
                else:
                    words = self.tr("%1 would be written, in about %2 at the speed so far.")
                    words = words.replace("%2", wording.seconds(took))
                self.cost.setText(words.replace("%1", wording.notes(notes)))
                self.go.setEnabled(notes > 0)
            case Failed(error=error):
                self.cost.setText(str(error))
            case _:
                pass

    def _rebuild(self) -> None:
        self._client.send(Rebuild())
        self.accept()
