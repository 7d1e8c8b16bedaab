"""The snapshots as a Qt model, newest first; a deleted one is hidden until it is really gone."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QDateTime,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from app import wording
from app.client import EngineClient
from engine.api import RenameSnapshot, Snapshot

SNAPSHOT_ROLE = Qt.ItemDataRole.UserRole + 1

_Index = QModelIndex | QPersistentModelIndex


def _named_by_time(snapshot: Snapshot) -> bool:
    """Is its name only the minute it was taken in, as the engine names what nobody named?"""
    taken = QDateTime.fromSecsSinceEpoch(int(snapshot.taken_at))
    return snapshot.name == taken.toString("yyyy-MM-dd HH:mm")


class SnapshotsModel(QAbstractListModel):
    """What `SnapshotsChanged` told last, less the ones waiting to be deleted."""

    def __init__(self, client: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._all: tuple[Snapshot, ...] = ()
        self._shown: list[Snapshot] = []
        self._hidden: set[str] = set()

    def reset(self, snapshots: tuple[Snapshot, ...]) -> None:
        """These are all the snapshots there are."""
        self._all = snapshots
        self._hidden &= {s.id for s in snapshots}
        self._show()

    def hide(self, snapshot: str, hidden: bool) -> None:
        """Take a snapshot out of sight (it is about to be deleted) or show it again."""
        if hidden:
            self._hidden.add(snapshot)
        else:
            self._hidden.discard(snapshot)
        self._show()

    def _show(self) -> None:
        self.beginResetModel()
        self._shown = [s for s in self._all if s.id not in self._hidden]
        self.endResetModel()

    def at(self, row: int) -> Snapshot | None:
        """The snapshot in a row."""
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def by_id(self, snapshot: str) -> Snapshot | None:
        """The snapshot with this id, hidden or not."""
        return next((s for s in self._all if s.id == snapshot), None)

    def place(self, snapshot: str) -> int:
        """Its row, -1 when it is not shown."""
        return next((i for i, s in enumerate(self._shown) if s.id == snapshot), -1)

    def second_line(self, snapshot: Snapshot) -> str:
        """When, how much, by whom; when only where the name does not tell."""
        when = () if _named_by_time(snapshot) else (wording.moment(snapshot.taken_at),)
        return " · ".join(
            (
                *when,
                wording.notes(snapshot.notes),
                wording.size(snapshot.size),
                wording.snapshot_kind(snapshot.kind),
            )
        )

    def title(self, snapshot: Snapshot) -> str:
        """Its name; of one that nobody named the time, as times are written elsewhere."""
        if _named_by_time(snapshot):
            return wording.moment(snapshot.taken_at)
        return wording.shown(snapshot.name)

    def rowCount(self, parent: _Index | None = None) -> int:
        """How many snapshots are shown."""
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, tooltip, or the record."""
        snapshot = self.at(index.row())
        if snapshot is None:
            return None
        name = self.title(snapshot)
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role == Qt.ItemDataRole.EditRole:
            return snapshot.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return wording.tip(f"{name}\n{self.second_line(snapshot)}")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{name}, {self.second_line(snapshot)}"
        if role == SNAPSHOT_ROLE:
            return snapshot
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask the engine for another name; the row changes when the engine says so."""
        snapshot = self.at(index.row())
        name = " ".join(str(value).split())
        if snapshot is None or role != Qt.ItemDataRole.EditRole or not name:
            return False
        if name != snapshot.name:
            self._client.send(RenameSnapshot(snapshot.id, name))
        return True

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Every snapshot can be renamed in place."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable
