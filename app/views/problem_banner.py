"""What is wrong with the memory or the folder as a whole, with the way out."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app import wording
from app.widgets.banner import Banner
from app.widgets.toast import Offer
from app.workspace import Workspace
from engine.api import EngineStatus, EngramError, Mode, Rescan, RestoreSnapshot


class ProblemBanner(Banner):
    """Stands at the top of the window until the engine says that all is well."""

    choose_folder = Signal()
    rebuild = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._client = workspace.client
        self._error = ""
        self._read = ""

    def show_status(self, status: EngineStatus) -> None:
        """Show the problem in the engine's status, if there is one."""
        if status.mode is Mode.BROKEN:
            words = status.problem or self._error or self.tr("The memory cannot be used.")
            self.show_problem(words, "bad", self._way_out(status))
        elif status.mode is Mode.FOLDER_MISSING:
            self.show_problem(
                status.problem or self.tr("The folder of your notes is not there."),
                "warn",
                (
                    Offer(self.tr("Look again"), lambda: self._client.send(Rescan())),
                    Offer(self.tr("Choose another folder"), self.choose_folder.emit),
                ),
            )
        elif status.problem and status.problem != self._read:
            offer = Offer(self.tr("OK"), lambda: self._dismiss(status.problem))
            self.show_problem(status.problem, "warn", (offer,))
        elif not self._error:
            self.clear()

    def show_error(self, error: EngramError) -> None:
        """An error that concerns the whole memory, told before any status does."""
        self._error = str(error)
        if self._client.status.mode is not Mode.BROKEN:
            offer = Offer(self.tr("OK"), self._dismiss_error)
            self.show_problem(self._error, "bad", (offer,))

    def _way_out(self, status: EngineStatus) -> tuple[Offer, ...]:
        rebuild = Offer(self.tr("Rebuild memory…"), self.rebuild.emit)
        rest = (rebuild,) if status.may_rebuild else ()
        if not status.offered_snapshot:
            return rest
        snapshot = self._workspace.snapshots.by_id(status.offered_snapshot)
        if snapshot is None:
            words = self.tr("Restore the newest good snapshot")
        else:
            title = self._workspace.snapshots.title(snapshot)
            when = wording.moment(snapshot.taken_at)
            words = self.tr("Restore “%1” of %2") if title != when else self.tr("Restore %1")
            words = words.replace("%1", title).replace("%2", when)
        offered = status.offered_snapshot
        return (Offer(words, lambda: self._client.send(RestoreSnapshot(offered))), *rest)

    def _dismiss(self, problem: str) -> None:
        self._read = problem
        self.clear()

    def _dismiss_error(self) -> None:
        self._error = ""
        self.clear()
        self.show_status(self._client.status)
