"""A disk that may lose power: what of a step is left, after each call and for each kind of disk."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.store.atomic import Files, Point


@dataclass
class FileNode:
    """A file as the disk has it: what was written, and what of it is safe."""

    now: bytes = b""
    safe: bytes = b""


@dataclass
class FolderNode:
    """A folder as the disk has it: the names in it, and those that are safe."""

    now: dict[str, FileNode | FolderNode] = field(default_factory=dict)
    safe: dict[str, FileNode | FolderNode] = field(default_factory=dict)


class RecordingFiles(Files):
    """Does everything, and keeps a model of what a loss of power after each call would leave.

    SQLite does its own writing and syncing; its files are taken as they are at each moment, since
    no transaction is open between two calls that is not rolled back on opening.
    """

    def __init__(self, top: Path) -> None:
        self._top = top
        self.disk = _read_tree(top)
        self.moments: list[Moment] = []

    def _node(self, path: Path) -> FileNode | FolderNode:
        node: FileNode | FolderNode = self.disk
        for name in path.relative_to(self._top).parts:
            assert isinstance(node, FolderNode)
            node = node.now[name]
        return node

    def _folder(self, path: Path) -> FolderNode:
        node = self._node(path)
        assert isinstance(node, FolderNode)
        return node

    def _moment(self) -> None:
        """Keep what every kind of power loss would leave now."""
        files = _ledger_files(self._top)
        for mode in (_only_safe, _only_names, _everything, *map(_by_chance, range(3))):
            moment = Moment(_picture(self.disk, mode), files)
            if moment not in self.moments:
                self.moments.append(moment)

    def reached(self, point: Point) -> None:
        """A moment like any other."""
        self._moment()

    def make_folder(self, folder: Path) -> None:
        """Make it and model it."""
        if not folder.is_dir():
            super().make_folder(folder)
            self._folder(folder.parent).now[folder.name] = FolderNode()
        self._moment()

    def write(self, path: Path, data: bytes) -> None:
        """Write it and model it."""
        super().write(path, data)
        self._arrived(path)

    def produce(self, path: Path, producer: Callable[[Path], None]) -> None:
        """Produce it and model it."""
        super().produce(path, producer)
        self._arrived(path)

    def copy(self, source: Path, target: Path) -> None:
        """Copy it and model it."""
        super().copy(source, target)
        self._arrived(target)

    def _arrived(self, path: Path) -> None:
        self._folder(path.parent).now[path.name] = FileNode(path.read_bytes())
        self._moment()

    def link(self, source: Path, target: Path) -> None:
        """Link it and model it."""
        super().link(source, target)
        self._folder(target.parent).now[target.name] = self._node(source)
        self._moment()

    def sync(self, path: Path) -> None:
        """Its bytes are safe from now on."""
        super().sync(path)
        node = self._node(path)
        assert isinstance(node, FileNode)
        node.safe = node.now
        self._moment()

    def sync_folder(self, folder: Path) -> None:
        """The names in it are safe from now on."""
        super().sync_folder(folder)
        node = self._folder(folder)
        node.safe = dict(node.now)
        self._moment()

    def replace(self, source: Path, target: Path) -> None:
        """Rename it and model it."""
        super().replace(source, target)
        if source.name.startswith("ledger.sqlite"):
            return self._moment()
        node = self._folder(source.parent).now.pop(source.name)
        self._folder(target.parent).now[target.name] = node
        self._moment()

    def unlink(self, path: Path) -> None:
        """Remove it and model it."""
        super().unlink(path)
        del self._folder(path.parent).now[path.name]
        self._moment()

    def remove_folder(self, folder: Path) -> None:
        """Remove it and model it."""
        super().remove_folder(folder)
        del self._folder(folder.parent).now[folder.name]
        self._moment()


_Picture = dict[str, "bytes | _Picture"]
_Mode = Callable[["FileNode | FolderNode"], Any]


def _only_safe(node: FileNode | FolderNode) -> Any:
    """The strictest disk: what was not synced is not there."""
    return node.safe


def _only_names(node: FileNode | FolderNode) -> Any:
    """Names reached the disk before the bytes did."""
    return node.now if isinstance(node, FolderNode) else node.safe


def _everything(node: FileNode | FolderNode) -> Any:
    """Only the process died."""
    return node.now


def _by_chance(seed: int) -> _Mode:
    """Of what was not synced, some reached the disk."""
    chance = random.Random(seed)

    def choose(node: FileNode | FolderNode) -> Any:
        # A folder as a whole: a rename in it happened or did not, it never loses both names.
        return chance.choice((node.now, node.safe))

    return choose


def _picture(folder: FolderNode, mode: _Mode) -> _Picture:
    return {
        name: _picture(node, mode) if isinstance(node, FolderNode) else mode(node)
        for name, node in mode(folder).items()
    }


@dataclass(frozen=True)
class Moment:
    """What one kind of power loss at one moment leaves on the disk."""

    picture: _Picture
    ledger: dict[Path, bytes]

    def lay_out(self, target: Path) -> None:
        """Make it real in the new folder `target`."""
        _lay_out_folder(target, self.picture)
        for path, data in self.ledger.items():
            if (target / path).parent.is_dir():
                (target / path).write_bytes(data)


def _lay_out_folder(target: Path, picture: _Picture) -> None:
    target.mkdir()
    for name, what in picture.items():
        if isinstance(what, bytes):
            (target / name).write_bytes(what)
        else:
            _lay_out_folder(target / name, what)


def _ledger_files(top: Path) -> dict[Path, bytes]:
    paths = [path for path in top.rglob("ledger.sqlite*") if not path.name.endswith(".bad")]
    return {path.relative_to(top): path.read_bytes() for path in paths}


def _read_tree(folder: Path) -> FolderNode:
    node = FolderNode()
    for path in folder.iterdir():
        if path.name.startswith("ledger.sqlite"):
            continue
        if path.is_dir():
            node.now[path.name] = _read_tree(path)
        else:
            data = path.read_bytes()
            node.now[path.name] = FileNode(data, data)
    node.safe = dict(node.now)
    return node
