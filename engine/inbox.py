"""What the engine's thread is asked to do: asking first, then everything else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from engine.api import Ask, Command, StopAnswer


@dataclass(frozen=True)
class Request:
    """A command from outside, with the number that names it in events."""

    number: int
    command: Command


@dataclass(frozen=True)
class Continuation:
    """What is left to do on the engine's thread once an errand has come back."""

    resume: Callable[[], None]


Item = Request | Continuation


class Inbox:
    """A queue with two urgencies. Anyone may put and wake; only the engine's thread takes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asks: deque[Request] = deque()
        self._others: deque[Item] = deque()
        self._stopped: set[int] = set()
        self._last = 0
        self._woken = False
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the engine is to end."""
        return self._closed

    def new_number(self) -> int:
        """A number for something that nobody asked for, but that can be named."""
        with self._changed:
            self._last += 1
            return self._last

    def put(self, command: Command) -> int:
        """Queue a command and return its number. Never blocks."""
        with self._changed:
            self._last += 1
            request = Request(self._last, command)
            if isinstance(command, StopAnswer):
                self._stopped.add(command.request)
            urgent = isinstance(command, Ask | StopAnswer)
            (self._asks if urgent else self._others).append(request)
            self._changed.notify()
            return request.number

    def put_continuation(self, resume: Callable[[], None]) -> None:
        """Queue what an errand left to do."""
        with self._changed:
            self._others.append(Continuation(resume))
            self._changed.notify()

    def take(self, accepts: Callable[[Item], bool] | None = None) -> Item | None:
        """Take the most urgent item that `accepts` (all, without it), None if there is none."""
        with self._changed:
            for item in (*self._asks, *self._others):
                if accepts is None or accepts(item):
                    self._remove(item)
                    return item
            return None

    def _remove(self, item: Item) -> None:
        if isinstance(item, Request) and item in self._asks:
            self._asks.remove(item)
        else:
            self._others.remove(item)

    def has(self, matches: Callable[[Item], bool]) -> bool:
        """Whether an item that `matches` waits."""
        with self._changed:
            return any(matches(item) for item in (*self._asks, *self._others))

    def is_stopped(self, number: int) -> bool:
        """Whether this answer is to be cut short: by `StopAnswer`, or because the engine ends."""
        return self._closed or number in self._stopped

    def answered(self, number: int) -> None:
        """Forget that an answer was to be stopped; it is over."""
        self._stopped.discard(number)

    def wait(self, seconds: float | None) -> None:
        """Sleep until there is something to look at, at most `seconds`."""
        with self._changed:
            if not (self._asks or self._others or self._woken or self._closed):
                self._changed.wait(seconds)
            self._woken = False

    def wake(self) -> None:
        """End `wait`: a hint that something outside has changed."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def close(self) -> None:
        """Say that the engine is to end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
