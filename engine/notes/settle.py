"""When has a file come to rest? A path is ready once its size and time were still for a second."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

STILL_SECONDS = 1.0
"""How long a file must have been still; an atomic save leaves none for a shorter time than this."""


@dataclass
class _Pending:
    stamp: Hashable
    since: float


class Settling:
    """Follows paths until they are at rest. Not for several threads at once.

    Args:
        stamp: returns what must stay the same (size and modification time); None where there is
            no file, which is a state that can be at rest as well.
        clock: seconds that only go forward.
        still: seconds.
    """

    def __init__(
        self,
        stamp: Callable[[str], Hashable],
        clock: Callable[[], float],
        still: float = STILL_SECONDS,
    ) -> None:
        self._stamp = stamp
        self._clock = clock
        self._still = still
        self._pending: dict[str, _Pending] = {}

    def mark(self, path: str) -> None:
        """Begin to follow a path, or look at it again if it is followed already."""
        stamp = self._stamp(path)
        pending = self._pending.get(path)
        if pending is None or pending.stamp != stamp:
            self._pending[path] = _Pending(stamp, self._clock())

    def is_still(self, path: str) -> bool:
        """Look at a path again (following it from now on) and tell whether it is at rest."""
        self.mark(path)
        return self._clock() - self._pending[path].since >= self._still

    def done(self, path: str) -> None:
        """Follow a path no longer."""
        self._pending.pop(path, None)

    def take_ready(self) -> list[str]:
        """Return the paths that are at rest, in order, and follow them no longer."""
        ready = sorted(path for path in list(self._pending) if self.is_still(path))
        for path in ready:
            self.done(path)
        return ready

    def wait(self) -> float | None:
        """Return in how many seconds to look again, None if nothing is followed."""
        if not self._pending:
            return None
        latest = min(pending.since for pending in self._pending.values()) + self._still
        return max(0.0, latest - self._clock())
