"""Which snapshots go: backups hourly for a day, daily for a month, weekly beyond."""

from __future__ import annotations

from collections.abc import Iterable

from engine.api import Snapshot, SnapshotKind

HOUR = 3600.0
DAY = 24 * HOUR
WEEK = 7 * DAY
MONTH = 30 * DAY


def is_due(snapshots: Iterable[Snapshot], now: float) -> bool:
    """Is the newest automatic snapshot an hour old?

    One from the future (the clock was set back) does not hold others up.
    """
    ages = [now - snapshot.taken_at for snapshot in snapshots if _automatic(snapshot)]
    return not any(0 <= age < HOUR for age in ages)


def superfluous(snapshots: Iterable[Snapshot], now: float) -> tuple[str, ...]:
    """The ids of the snapshots that go, oldest first.

    Of the automatic ones the newest of each hour stays for a day, of each day for a month, and of
    each week beyond; of those taken before a restore all stay for a month, then one a week. What a
    person took, named or imported stays.
    """
    kept: set[tuple[SnapshotKind, float, float]] = set()
    gone: list[str] = []
    for snapshot in sorted(snapshots, key=lambda each: (each.taken_at, each.id), reverse=True):
        width = _width(snapshot, now - snapshot.taken_at)
        if width is None:
            continue
        # Counted from the epoch, so that a snapshot's neighbours do not change as it grows older.
        place = (snapshot.kind, width, snapshot.taken_at // width)
        if place in kept:
            gone.append(snapshot.id)
        kept.add(place)
    return tuple(reversed(gone))


def _width(snapshot: Snapshot, age: float) -> float | None:
    """Seconds of which one snapshot of this kind and age stays; None if all do."""
    if snapshot.kind is SnapshotKind.BEFORE_RESTORE:
        return None if age < MONTH else WEEK
    if not _automatic(snapshot):
        return None
    if age < DAY:
        return HOUR
    return DAY if age < MONTH else WEEK


def _automatic(snapshot: Snapshot) -> bool:
    return snapshot.kind is SnapshotKind.AUTOMATIC
