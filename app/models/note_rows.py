"""The rows of the notes pane before Qt sees them: grouped, filtered and put in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from enum import Enum

from app import wording
from engine.api import WEAK_BELOW, Note, NoteState


class Order(Enum):
    """How the notes are put in order."""

    NAME = "name"
    NEWEST = "newest"
    ATTENTION = "attention"
    RECALL = "recall"


class RowKind(Enum):
    """What a row stands for."""

    NOTE = "note"
    FOLDER = "folder"
    REMOVED = "removed"
    ELSEWHERE = "elsewhere"
    TOP = "top"


@dataclass(slots=True)
class Row:
    """A note, a folder, or a group of notes that are not in the folder."""

    serial: int
    kind: RowKind
    key: str
    """The note's or folder's path; what a folded row is known by between rebuilds."""
    title: str
    note: Note | None = None
    parent: Row | None = None
    place: int = 0
    children: list[Row] = field(default_factory=list)
    notes: int = 0
    remembered: int = 0
    """How many notes in it are remembered; of a note's own row, 1 or 0."""


_ATTENTION = {
    NoteState.FAILED: 0,
    NoteState.WEAK: 1,
    NoteState.WRITING: 2,
    NoteState.READING: 3,
    NoteState.WAITING: 4,
    NoteState.SKIPPED: 5,
    NoteState.FORGOTTEN: 6,
    NoteState.REMOVED: 7,
    NoteState.REMEMBERED: 8,
}


def _by_name(note: Note) -> tuple[str, str]:
    return (note.path.rpartition("/")[2].casefold(), note.path)


_KEYS: dict[Order, Callable[[Note], tuple[object, ...]]] = {
    Order.NAME: _by_name,
    Order.NEWEST: lambda n: (-(n.changed_at or n.written_at or 0.0), *_by_name(n)),
    Order.ATTENTION: lambda n: (_ATTENTION[n.state], *_by_name(n)),
    Order.RECALL: lambda n: (2.0 if n.recall is None else n.recall, *_by_name(n)),
}


def moves(order: Order, before: Note, after: Note) -> bool:
    """Could this change put the note elsewhere (in the order, the tree or a group)?"""
    if before.path != after.path or before.in_folder != after.in_folder:
        return True
    return order is not Order.NAME and _KEYS[order](before) != _KEYS[order](after)


def matches(note: Note, words: tuple[str, ...]) -> bool:
    """Does the note's path, state or reason hold every word of the filter?"""
    if not words:
        return True
    text = f"{note.path}\n{wording.state(note)}\n{note.reason}".casefold()
    return all(word in text for word in words)


def is_remembered(note: Note) -> bool:
    """Did what the memory holds of a note pass its probes? An edit that waits changes nothing."""
    if note.state in (NoteState.REMEMBERED, NoteState.WEAK):
        return note.state is NoteState.REMEMBERED
    return note.cells > 0 and (note.recall is None or note.recall >= WEAK_BELOW)


def group_of(note: Note) -> RowKind:
    """Which of the three places a note is listed under."""
    if note.state is NoteState.REMOVED or not note.in_folder:
        is_elsewhere = note.path.startswith("/") or note.path[1:3] in (":/", ":\\")
        if is_elsewhere and note.state is not NoteState.REMOVED:
            return RowKind.ELSEWHERE
        return RowKind.REMOVED
    return RowKind.FOLDER


class Arrangement:
    """The rows for one set of notes; serial numbers are never used twice."""

    def __init__(self, in_force: Set[int]) -> None:
        """`in_force` holds the ids of the notes that are remembered, and is kept by the caller."""
        self._in_force = in_force
        self._serials = itertools.count(1)
        self.top = self._row(RowKind.TOP, "", "")
        self.rows: dict[int, Row] = {}
        self.by_note: dict[int, Row] = {}

    def _row(self, kind: RowKind, key: str, title: str, note: Note | None = None) -> Row:
        return Row(next(self._serials), kind, key, title, note)

    def build(
        self, notes: Iterable[Note], order: Order, flat: bool, words: tuple[str, ...]
    ) -> None:
        """Arrange anew. Takes about 20 ms for 5,000 notes."""
        self.top = self._row(RowKind.TOP, "", "")
        self.rows = {}
        self.by_note = {}
        wanted = [n for n in notes if matches(n, words)] if words else notes
        chosen = sorted(wanted, key=_KEYS[order])
        groups: dict[RowKind, list[Note]] = {}
        for note in chosen:
            groups.setdefault(group_of(note), []).append(note)
        folders: dict[str, Row] = {"": self.top}
        for note in groups.get(RowKind.FOLDER, ()):
            home = self.top if flat else self._folder(note.path.rpartition("/")[0], folders)
            self._put(home, note)
        self._folders_first(self.top)
        for kind, title in ((RowKind.ELSEWHERE, "elsewhere"), (RowKind.REMOVED, "removed")):
            if members := groups.get(kind):
                group = self._add(self.top, self._row(kind, f"\0{title}", ""))
                for note in members:
                    self._put(group, note)
        self._number(self.top)

    def _folder(self, path: str, folders: dict[str, Row]) -> Row:
        if path in folders:
            return folders[path]
        parent_path, _, name = path.rpartition("/")
        parent = self._folder(parent_path, folders)
        row = self._add(parent, self._row(RowKind.FOLDER, path, wording.shown(name)))
        folders[path] = row
        return row

    def _add(self, parent: Row, row: Row) -> Row:
        row.parent = parent
        parent.children.append(row)
        self.rows[row.serial] = row
        return row

    def _put(self, parent: Row, note: Note) -> None:
        row = self._add(
            parent, self._row(RowKind.NOTE, note.path, wording.file_name(note.path), note)
        )
        self.by_note[note.id] = row

    def _folders_first(self, row: Row) -> None:
        row.children.sort(
            key=lambda r: (r.kind is RowKind.NOTE, "" if r.note else r.key.casefold())
        )
        for child in row.children:
            if child.children:
                self._folders_first(child)

    def _number(self, row: Row) -> None:
        """Tell every row its place, and every folder what it holds."""
        for place, child in enumerate(row.children):
            child.place = place
            if child.note is not None:
                child.remembered = int(child.note.id in self._in_force)
                row.notes += 1
                row.remembered += child.remembered
            else:
                self._number(child)
                row.notes += child.notes
                row.remembered += child.remembered

    def replace(self, note: Note) -> Row | None:
        """Put a changed note where the old one is; the row, or None when it is filtered out."""
        row = self.by_note.get(note.id)
        if row is None or row.note is None:
            return None
        more = (note.id in self._in_force) - row.remembered
        row.note = note
        row.remembered += more
        above = row.parent
        while above is not None and more:
            above.remembered += more
            above = above.parent
        return row
