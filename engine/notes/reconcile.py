"""What changed between the ledger's view of the folder and a scan. Pure: touches no file."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from engine.notes.scan import KnownFile, Scan, SeenFile


class ChangeKind(Enum):
    """What happened to a note's file."""

    NEW = "new"
    EDITED = "edited"
    """Other content; also under a new name where the names differ only in case."""
    RENAMED = "renamed"
    """The same content at a new path, the old path gone: the note keeps its memory."""
    REMOVED = "removed"
    RETURNED = "returned"
    """A kept note's file is back, with the content that was remembered."""
    TOUCHED = "touched"
    """The same content with another time or inode: only the ledger's row changes."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Change:
    """One note's change.

    Attributes:
        kind: what happened.
        path: where the file is now (where it was, if removed).
        id: the ledger's number of the note, None for a new one.
        seen: the file as found, None if removed or not seen.
        old_path: where it was before, if that was elsewhere.
    """

    kind: ChangeKind
    path: str
    id: int | None = None
    seen: SeenFile | None = None
    old_path: str = ""


def reconcile(known: Iterable[KnownFile], seen: Scan) -> list[Change]:
    """Compare the ledger with a scan.

    Every known note gets exactly one change and every seen file belongs to exactly one; after the
    changes have been applied the ledger equals the scan (but for what lies in `Scan.unseen`,
    which is unchanged). The order is that of the paths, removals last.

    Args:
        known: the ledger's rows, each id and each path of a note in the folder once.
        seen: a scan of the folder. (A vanished folder is no scan: nothing can be said.)
    """
    return _Matching(list(known), seen).changes()


class _Matching:
    """Pairs known notes with seen files, the surest pairs first."""

    def __init__(self, known: list[KnownFile], scan: Scan) -> None:
        self._scan = scan
        self._files = {file.path: file for file in scan.files}
        self._pairs: dict[str, KnownFile] = {}  # seen path -> note
        self._kept = [note for note in known if self._is_unseen(note)]
        present = [note for note in known if not self._is_unseen(note)]
        in_folder = {note.path: note for note in present if note.in_folder}
        away = [note for note in present if not note.in_folder]
        self._gone = [note for path, note in in_folder.items() if path not in self._files]
        self._in_place = {path: in_folder[path] for path in self._files if path in in_folder}
        for path, note in list(self._in_place.items()):
            if self._is_same(note, self._files[path]):
                self._settle(path, note)
        self._match_renames()
        for path, note in self._in_place.items():
            self._pairs[path] = note
        self._match_same_names()
        self._match_away(away)

    def _is_unseen(self, note: KnownFile) -> bool:
        return note.in_folder and note.path.startswith(self._scan.unseen or ("\0",))

    @staticmethod
    def _is_same(note: KnownFile, file: SeenFile) -> bool:
        """Tell whether a file holds what is known; without a hash size and time must do.

        A file that could not be read before, and now can, is not the same.
        """
        if file.hash:
            return note.hash == file.hash
        return (note.size, note.mtime_ns) == (file.size, file.mtime_ns)

    def _settle(self, path: str, note: KnownFile) -> None:
        self._pairs[path] = note
        self._in_place.pop(path, None)

    def _match_renames(self) -> None:
        """Give gone notes the files that hold their content, by hash.

        A file that was renamed onto another note's path displaces that note, which may itself
        have been renamed (as numbered logs are): hence until nothing more is found.
        """
        gone = self._gone
        self._gone = []
        while gone:
            wanted: dict[str, list[KnownFile]] = defaultdict(list)
            for note in gone:
                wanted[note.hash].append(note)
            displaced: list[KnownFile] = []
            for path in sorted(self._files):
                file = self._files[path]
                candidates = wanted.get(file.hash) if file.hash else None
                if path in self._pairs or not candidates:
                    continue
                note = min(candidates, key=lambda note: _distance(note, file))
                candidates.remove(note)
                if path in self._in_place:
                    displaced.append(self._in_place[path])
                self._settle(path, note)
            self._gone += [note for notes in wanted.values() for note in notes]
            gone = displaced

    def _match_same_names(self) -> None:
        """Give gone notes the files whose names differ only in case or in how accents are coded."""
        free = {_folded(path): path for path in self._files if path not in self._pairs}
        for note in list(self._gone):
            path = free.pop(_folded(note.path), None)
            if path is not None:
                self._pairs[path] = note
                self._gone.remove(note)

    def _match_away(self, away: list[KnownFile]) -> None:
        """Give notes that had left the folder the files that came back to their path or content."""
        by_path: dict[str, list[KnownFile]] = defaultdict(list)
        by_hash: dict[str, list[KnownFile]] = defaultdict(list)
        for note in away:
            by_path[note.path].append(note)
            by_hash[note.hash].append(note)
        used: set[int] = set()
        for path in sorted(self._files):
            file = self._files[path]
            if path in self._pairs:
                continue
            same = [n for n in by_hash.get(file.hash, ()) if n.hash and n.id not in used]
            same = same or [n for n in by_path.get(path, ()) if n.id not in used]
            if same:
                note = min(same, key=lambda note: _distance(note, file))
                used.add(note.id)
                self._pairs[path] = note
        self._kept += [note for note in away if note.id not in used]

    def changes(self) -> list[Change]:
        """Return the changes that the pairs amount to."""
        found: list[Change] = []
        for path in sorted(self._files):
            file, note = self._files[path], self._pairs.get(path)
            if note is None:
                found.append(Change(ChangeKind.NEW, path, None, file))
            else:
                old = note.path if note.path != path else ""
                found.append(Change(self._kind(note, file), path, note.id, file, old))
        found += [Change(ChangeKind.UNCHANGED, note.path, note.id) for note in self._kept]
        gone = sorted(self._gone, key=lambda note: note.path)
        return found + [Change(ChangeKind.REMOVED, note.path, note.id) for note in gone]

    def _kind(self, note: KnownFile, file: SeenFile) -> ChangeKind:
        if not self._is_same(note, file):
            return ChangeKind.EDITED
        if not note.in_folder:
            return ChangeKind.RETURNED
        if note.path != file.path:
            return ChangeKind.RENAMED
        as_known = (note.size, note.mtime_ns) == (file.size, file.mtime_ns)
        if as_known and note.inode in (0, file.inode):
            return ChangeKind.UNCHANGED
        return ChangeKind.TOUCHED


def _distance(note: KnownFile, file: SeenFile) -> tuple[bool, bool, bool, str]:
    """Say how unlikely it is that `file` is `note` renamed, where several have its content."""
    same_name = note.path.rpartition("/")[2] == file.path.rpartition("/")[2]
    inode = note.inode != 0 and note.inode == file.inode
    return (note.path != file.path, not inode, not same_name, note.path)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
