"""The watched folder: when to look, and what the ledger makes of what was found."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.api import Done, EngramError, Settings
from engine.desk import Desk
from engine.errands import Errands
from engine.notes.folder import FolderReport, NoteFolder
from engine.notes.reconcile import ChangeKind
from engine.notes.scan import Rules, Vanished
from engine.notes.watch import FolderWatcher
from engine.store.records import Changes, JobKind
from engine.tasks.changes import Decision, decide, known_file, new_row, queue_waiting

_log = logging.getLogger(__name__)

_DEVICE = "folder-device"
"""The store's meta key for the file system's number of the folder."""


@dataclass(frozen=True)
class Timing:
    """How often the folder is looked at, in seconds.

    Attributes:
        still: how long a file must have been at rest.
        rescan: between two scans that nothing gave rise to.
        missing: between two looks for a folder that is not there.
    """

    still: float = 1.0
    rescan: float = 180.0
    missing: float = 10.0


@dataclass(frozen=True)
class Found:
    """What a look at the folder found, and which removed notes' files exist all the same."""

    report: FolderReport | Vanished
    there: frozenset[str]


class FolderTask:
    """Follows one folder at a time. All disk work goes to the other thread.

    Args:
        desk: the open memory.
        errands: the other thread.
        wake: wakes the engine's thread; called by the watcher's.
        tick: seconds that only go forward.
        timing: how often to look.
        watches: whether a watcher tells of changes; without one only scans do.
    """

    def __init__(
        self,
        desk: Desk,
        errands: Errands,
        wake: Callable[[], None],
        tick: Callable[[], float],
        timing: Timing,
        watches: bool,
    ) -> None:
        self._desk = desk
        self._errands = errands
        self._wake = wake
        self._tick = tick
        self._timing = timing
        self._watches = watches
        self._folder: NoteFolder | None = None
        self._watcher: FolderWatcher | None = None
        self._watchers: list[FolderWatcher] = []
        self._looking = False
        self._due = 0.0
        self._not_before = 0.0
        self._askers: list[int] = []

    # --- which folder ----------------------------------------------------------------------------

    def follow(self, settings: Settings) -> None:
        """Follow the folder of these settings, or none. It is scanned at the next `tend`."""
        self._stop_watching()
        self._folder = None
        self._looking = False
        self._found_missing("")
        if settings.folder is not None:
            rules = Rules(settings.formats, settings.follow_links)
            self._folder = NoteFolder(settings.folder, rules, self._tick, self._timing.still)
            self._due = self._tick()
            self._start_watching()

    def close(self) -> None:
        """Stop watching."""
        self._stop_watching()
        self._folder = None

    def _start_watching(self) -> None:
        folder = self._folder
        if folder is None or not self._watches:
            return

        def hint(path: str) -> None:
            folder.mark_dirty(path)
            self._wake()

        def start() -> FolderWatcher | None:
            self._stop_watchers()
            watcher = FolderWatcher(folder.root, hint)
            with contextlib.suppress(OSError):  # not there: the scan finds that out and says so
                watcher.start()
                self._watchers.append(watcher)
                return watcher
            return None

        def started(watcher: FolderWatcher | None | EngramError) -> None:
            if isinstance(watcher, FolderWatcher) and self._folder is folder:
                self._watcher = watcher

        self._watcher = None
        self._errands.run(start, started)

    def _stop_watching(self) -> None:
        self._watcher = None
        if self._watches:
            self._errands.run(self._stop_watchers, _ignore)

    def _stop_watchers(self) -> None:
        """On the other thread, which alone touches the list."""
        while self._watchers:
            self._watchers.pop().stop()

    # --- when to look ----------------------------------------------------------------------------

    def look_soon(self, asker: int | None = None) -> None:
        """Scan at the next `tend`; `asker` is the request that is told when it is done."""
        if self._folder is None:
            if asker is not None:
                self._desk.announce(Done(asker))
            return
        if asker is not None:
            self._askers.append(asker)
        self._due = self._tick()

    def seconds_to_next(self) -> float | None:
        """In how many seconds `tend` has something to do, None if nothing is planned."""
        if self._folder is None or self._looking:
            return None
        due = self._not_before if self._folder.is_hinted else self._due
        return max(0.0, due - self._tick())

    def tend(self) -> None:
        """Begin to look at the folder if it is time to."""
        folder, desk = self._folder, self._desk
        if folder is None or self._looking or not desk.opened.has_memory:
            return
        if desk.look_again:
            desk.look_again = False
            self._due = min(self._due, self._tick() + self._timing.still)
        if self._tick() < (self._not_before if folder.is_hinted else self._due):
            return
        self._looking = True
        known = [known_file(row) for row in desk.rows.values()]
        stored = desk.store.get_meta(_DEVICE)
        device = int(stored) if stored.isdecimal() else None
        askers, self._askers = self._askers, []

        def look() -> Found:
            report = folder.check(known, device)
            return Found(report, _still_there(folder.root, report))

        def looked(found: Found | EngramError) -> None:
            if self._folder is folder:
                self._looking = False
                self._take(folder, found)
            for asker in askers:
                desk.announce(Done(asker))

        self._errands.run(look, looked)

    # --- what was found --------------------------------------------------------------------------

    def _found_missing(self, reason: str) -> None:
        desk = self._desk
        if desk.doing.missing != reason:
            desk.now(replace(desk.doing, missing=reason))

    def _take(self, folder: NoteFolder, found: Found | EngramError) -> None:
        now = self._tick()
        # Who asked meanwhile wants a look that began after that.
        self._due = now if self._askers else now + self._timing.rescan
        # A file that changes all the time must not keep the disk busy.
        self._not_before = now + self._timing.still / 4
        if isinstance(found, EngramError):
            _log.error("the folder could not be looked at")
            return
        if isinstance(found.report, Vanished):
            self._found_missing(found.report.reason)
            self._due = min(self._due, now + self._timing.missing)
            return
        self._found_missing("")
        wait = folder.wait()
        if wait is not None:
            self._due = min(self._due, now + wait)
        self._apply(found.report, found.there)
        if self._desk.store.get_meta(_DEVICE) != str(found.report.device):
            self._desk.store.set_meta(_DEVICE, str(found.report.device))
        if self._watcher is None or not self._watcher.is_working:
            self._start_watching()

    def _apply(self, report: FolderReport, there: frozenset[str]) -> None:
        desk = self._desk
        decisions = [
            decide(change, desk.rows[change.id], desk.settings, change.path in there)
            for change in report.changes
            if change.id is not None and change.id in desk.rows
        ]
        self._carry_out(decisions)
        # The ledger may have learned of a file while the folder was looked at.
        paths = {row.path for row in desk.rows.values()}
        fresh = [
            new_row(change.seen)
            for change in report.changes
            if change.kind is ChangeKind.NEW and change.seen is not None
            if change.path not in paths
        ]
        if fresh:
            desk.add(fresh)
        queue_waiting(desk)
        if decisions or fresh:
            _log.info("folder: %d new, %d changed", len(fresh), len(decisions))
            desk.show_status()

    def _carry_out(self, decisions: list[Decision]) -> None:
        desk = self._desk
        rows = tuple(each.row for each in decisions if not each.drop)
        gone = tuple(each.row.id for each in decisions if each.drop)
        settled = {each.row.id for each in decisions if each.settled}
        jobs = desk.store.jobs() if settled else ()
        obsolete = tuple(
            job.id for job in jobs if job.note_id in settled and not job.running
        )
        if rows or gone:
            desk.update(Changes(rows, gone, obsolete))
        forgets = tuple(each.row.id for each in decisions if each.forget)
        if forgets:
            desk.store.queue(JobKind.FORGET, forgets, priority=1)
        if any(each.row.id == desk.in_work and each.disturbs for each in decisions):
            desk.drop_write = True


def _still_there(root: Path, report: FolderReport | Vanished) -> frozenset[str]:
    """Which of the removed notes' paths still exist: hidden from us by a setting, not deleted."""
    if isinstance(report, Vanished):
        return frozenset()
    removed = (change.path for change in report.changes if change.kind is ChangeKind.REMOVED)
    return frozenset(path for path in removed if os.path.lexists(root / path))


def _ignore(_: object) -> None:
    return None
