"""What can be done with the memory as a whole: compare, export, import, check, rebuild."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app import dialogs, wording
from app.actions import Act, Actions
from app.views.compare_sheet import CompareSheet
from app.views.rebuild_sheet import RebuildSheet
from app.widgets.toast import Toasts
from app.workspace import Workspace
from engine.api import (
    Compared,
    CompareSnapshots,
    Event,
    ExportSnapshot,
    ImportSnapshot,
    Verify,
)

SUFFIX = ".engram"


class MemoryCommands(QObject):
    """Connects the memory actions to the engine."""

    def __init__(
        self, workspace: Workspace, actions: Actions, toasts: Toasts, window: QWidget
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._client = workspace.client
        self._toasts = toasts
        self._window = window
        actions.on(Act.EXPORT_MEMORY, lambda: self.export(""))
        actions.on(Act.IMPORT_MEMORY, self.import_file)
        actions.on(Act.VERIFY, self.verify)
        actions.on(Act.REBUILD, self.rebuild)

    def compare(self, first: str, second: str) -> None:
        """Compare two snapshots ("" for the present) and show what comes."""

        def done(event: Event) -> None:
            if isinstance(event, Compared):
                names = (self._name(first), self._name(second))
                CompareSheet(event.comparison, *names, self._window).show()
            else:
                self._client.report(event)

        self._client.send(CompareSnapshots(first, second), done)

    def _name(self, snapshot: str) -> str:
        found = self._workspace.snapshots.by_id(snapshot) if snapshot else None
        if found is None:
            return self.tr("the present")
        return f"“{self._workspace.snapshots.title(found)}”"

    def export(self, snapshot: str) -> None:
        """Ask where to, and write a snapshot ("" for the present) to one file."""
        name = dialogs.file_stem(self._name(snapshot) if snapshot else "engram memory") + SUFFIX
        file = dialogs.save_file(self._window, self.tr("Export the memory"), name, self._pattern())
        if file is not None:
            file = file if file.suffix else file.with_suffix(SUFFIX)
            self._client.send(ExportSnapshot(snapshot, file))

    def import_file(self) -> None:
        """Ask for a file and add it to the snapshots."""
        file = dialogs.choose_file(self._window, self.tr("Import a memory"), self._pattern())
        if file is not None:
            self._client.send(ImportSnapshot(file))

    def verify(self) -> None:
        """Ask every note's probes again."""
        count = len(self._workspace.notes)
        if count:
            words = self.tr("Asking the probes of %1…").replace("%1", wording.notes(count))
            self._toasts.say(words)
            self._client.send(Verify())

    def rebuild(self) -> None:
        """Show what a rebuild costs."""
        RebuildSheet(self._client, self._window).show()

    def _pattern(self) -> str:
        return self.tr("Engram memory") + f" (*{SUFFIX})"
