"""The watcher passes hints on, polls where there are no events, and can be told to be dead."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.events import (
    DirCreatedEvent,
    DirModifiedEvent,
    FileClosedNoWriteEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileOpenedEvent,
    FileSystemEvent,
)
from watchdog.observers import Observer
from watchdog.observers.api import DEFAULT_OBSERVER_TIMEOUT, BaseObserver, EventEmitter

from engine.notes.watch import FolderWatcher, _Handler, file_system_of, relative_path

LONG = 30.0
"""Seconds after which something that should have happened at once will not happen any more."""


class Hints:
    """Collects hints and lets a test wait for one."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._came = threading.Condition()

    def __call__(self, path: str) -> None:
        with self._came:
            self.paths.append(path)
            self._came.notify_all()

    def wait_for(self, path: str) -> bool:
        with self._came:
            return self._came.wait_for(lambda: path in self.paths, timeout=LONG)


@pytest.fixture
def hints() -> Hints:
    return Hints()


@pytest.fixture
def watcher(tmp_path: Path, hints: Hints) -> Iterator[FolderWatcher]:
    watching = FolderWatcher(tmp_path, hints, network=False)
    yield watching
    watching.stop()


def test_real_events_become_hints(tmp_path: Path, watcher: FolderWatcher, hints: Hints) -> None:
    watcher.start()
    assert watcher.is_working and not watcher.polls
    (tmp_path / "a.md").write_text("one", encoding="utf-8")
    assert hints.wait_for("a.md")
    (tmp_path / "a.md").rename(tmp_path / "b.md")
    assert hints.wait_for("b.md")
    watcher.stop()
    assert not watcher.is_working
    watcher.stop()


def test_a_folder_that_is_not_there(tmp_path: Path, hints: Hints) -> None:
    watching = FolderWatcher(tmp_path / "gone", hints, network=False)
    with pytest.raises(OSError):
        watching.start()
    assert not watching.is_working
    watching.stop()


class _Exhausted(EventEmitter):
    def on_thread_start(self) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")


def test_polls_when_there_are_no_more_watches(tmp_path: Path, hints: Hints) -> None:
    def exhausted() -> BaseObserver:
        return BaseObserver(_Exhausted, timeout=DEFAULT_OBSERVER_TIMEOUT)

    watching = FolderWatcher(tmp_path, hints, network=False, observer=exhausted)
    watching.start()
    try:
        assert watching.polls and watching.is_working
    finally:
        watching.stop()


def test_a_network_folder_is_polled_from_the_start(tmp_path: Path, hints: Hints) -> None:
    def never() -> BaseObserver:
        raise AssertionError("no events on a network")

    watching = FolderWatcher(tmp_path, hints, network=True, observer=never)
    watching.start()
    try:
        assert watching.polls and watching.is_working
    finally:
        watching.stop()


def test_knows_that_its_events_have_stopped(tmp_path: Path, hints: Hints) -> None:
    made: list[BaseObserver] = []

    def observer() -> BaseObserver:
        made.append(Observer())
        return made[0]

    watching = FolderWatcher(tmp_path, hints, network=False, observer=observer)
    watching.start()
    for emitter in list(made[0].emitters):
        emitter.stop()
        emitter.join(LONG)
    assert not watching.is_working
    watching.stop()


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (FileCreatedEvent("/n/d/a.md"), ["d/a.md"]),
        (FileCreatedEvent(b"/n/a\xff.md"), ["a\udcff.md"]),
        (FileMovedEvent("/n/a.md", "/n/b.md"), ["a.md", "b.md"]),
        (FileMovedEvent("/n/a.md", "/elsewhere/b.md"), ["a.md", ""]),
        (DirCreatedEvent("/n/d"), [""]),
        (DirModifiedEvent("/n/d"), []),
        (FileOpenedEvent("/n/a.md"), []),
        (FileClosedNoWriteEvent("/n/a.md"), []),
    ],
)
def test_what_an_event_hints_at(event: FileSystemEvent, expected: list[str]) -> None:
    found: list[str] = []
    _Handler(Path("/n"), found.append).on_any_event(event)
    assert found == expected


def test_relative_paths() -> None:
    assert relative_path("/n", "/n/d/a.md") == "d/a.md"
    assert relative_path("/n", "/n") == ""
    assert relative_path("/n", "/nn/a.md") == ""
    assert relative_path("/n", "/n/..a.md") == "..a.md"


MOUNTS = """22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /home/oda/share rw,relatime shared:2 - nfs4 box:/x rw
41 22 0:36 / /home/oda/my\\040disk rw - cifs //box/y rw
42 22 0:37 / /mnt rw - ext4 /dev/sdb1 rw
43 42 0:38 / /mnt rw - fuse.sshfs box: rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/oda/notes", "ext4"),
        ("/home/oda/share", "nfs4"),
        ("/home/oda/share/notes", "nfs4"),
        ("/home/oda/shared", "ext4"),
        ("/home/oda/my disk/notes", "cifs"),
        ("/mnt/x", "fuse.sshfs"),
    ],
)
def test_which_file_system_holds_a_folder(path: str, kind: str) -> None:
    assert file_system_of(path, MOUNTS) == kind
