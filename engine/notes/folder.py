"""The folder of notes over time: hints from the watcher, scans for the truth, patience for both."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.notes.reconcile import Change, ChangeKind, reconcile
from engine.notes.scan import KnownFile, Rules, Vanished, look, scan
from engine.notes.settle import STILL_SECONDS, Settling


@dataclass(frozen=True)
class FolderReport:
    """What one look at the folder found.

    Attributes:
        changes: those whose files are at rest; without the unchanged ones.
        held_back: how many more there are whose files are not at rest yet.
        device: to be given to the next `check` of a later run.
    """

    changes: tuple[Change, ...]
    held_back: int
    device: int


class NoteFolder:
    """Tells what changed in the folder, each change once its files have come to rest.

    A removal and a new name have to rest as well, so that an atomic save, a delete-and-recreate
    and a move in two steps are not taken for the loss of a note.

    Args:
        root: the folder.
        rules: which files are notes.
        clock: seconds that only go forward.
        still: how many seconds a file must have been still.
    """

    def __init__(
        self,
        root: Path,
        rules: Rules | None = None,
        clock: Callable[[], float] = time.monotonic,
        still: float = STILL_SECONDS,
    ) -> None:
        self.root = root
        self.rules = rules or Rules()
        self._settling = Settling(self._stamp, clock, still)
        self._lock = threading.Lock()
        self._dirty: set[str] = set()
        self._hinted = threading.Event()

    def mark_dirty(self, path: str) -> None:
        """Take a hint from the watcher, on any thread. "" means that anything may have changed."""
        if path and not self.rules.accepts(path):
            return
        with self._lock:
            if path:
                self._dirty.add(path)
        self._hinted.set()

    @property
    def is_hinted(self) -> bool:
        """Whether a hint has come since the last `check`."""
        return self._hinted.is_set()

    def wait(self) -> float | None:
        """Return in how many seconds a held-back change may be at rest, None if there is none."""
        return self._settling.wait()

    def check(
        self, known: Iterable[KnownFile], device: int | None = None
    ) -> FolderReport | Vanished:
        """Scan the folder and compare it with what the ledger knows.

        Args:
            known: the ledger's rows, as they are now.
            device: the `FolderReport.device` of the last check, also of an earlier run.
        """
        with self._lock:
            dirty, self._dirty = self._dirty, set()
        self._hinted.clear()
        for path in dirty:
            self._settling.mark(path)
        rows = list(known)
        found = scan(self.root, rows, self.rules, device)
        if isinstance(found, Vanished):
            return found
        ready: list[Change] = []
        held_back = 0
        for change in reconcile(rows, found):
            if change.kind is ChangeKind.UNCHANGED:
                continue
            if self._is_at_rest(change):
                ready.append(change)
            else:
                held_back += 1
        self._settling.take_ready()
        return FolderReport(tuple(ready), held_back, found.device)

    def _is_at_rest(self, change: Change) -> bool:
        paths = {change.path, change.old_path} - {""}
        return all([self._settling.is_still(path) for path in paths])  # look at each of them

    def _stamp(self, path: str) -> Hashable:
        file = look(self.root, path, self.rules)
        return None if file is None else (file.size, file.mtime_ns, file.inode)
