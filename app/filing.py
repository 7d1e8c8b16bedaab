"""Copying notes into the watched folder, and taking that back. File work: off the GUI thread."""

from __future__ import annotations

import filecmp
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 10_000
"""A drop of a home folder by mistake stops here."""
MOST_BYTES = 512 * 1024 * 1024
"""Larger files are no notes; the engine would skip them anyway."""


@dataclass(frozen=True)
class Filed:
    """What came of copying: the new files, and how many were left out and why."""

    copied: tuple[Path, ...]
    already_there: int = 0
    other_formats: int = 0
    unreadable: int = 0


def copy_notes(
    sources: Iterable[Path],
    folder: Path,
    formats: tuple[str, ...],
    cancelled: Callable[[], bool] = lambda: False,
) -> Filed:
    """Copy files, and the readable files of folders, into `folder`.

    Each copy gets its final name only when it is whole. A name that is taken gets a number,
    unless the file there holds the same bytes. Links and special files are left out.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; nothing half is left.
    """
    copied: list[Path] = []
    there = other = unreadable = 0
    for source, relative in _files(sources, folder):
        if cancelled() or len(copied) >= MOST_FILES:
            break
        if source.suffix.lower() not in formats:
            other += 1
            continue
        if not _is_plain(source):
            unreadable += 1
            continue
        target = _free_name(source, folder / relative)
        if target is None:
            there += 1
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            source_file = source.open("rb")
        except OSError:
            unreadable += 1
            continue
        with source_file:
            _copy(source_file.fileno(), target)
        copied.append(target)
    return Filed(tuple(copied), there, other, unreadable)


def remove_copies(paths: Iterable[Path]) -> None:
    """Take copies back out of the folder, with the folders that are empty then."""
    for path in paths:
        path.unlink(missing_ok=True)
        try:
            path.parent.rmdir()
        except OSError:
            continue  # not empty: there were other notes in it


def copy_samples(source: Path, folder: Path) -> Path:
    """Copy the sample notes to `folder` and return it. Files that are there stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        target = folder / path.name
        if path.suffix in (".md", ".txt") and not target.exists():
            with path.open("rb") as file:
                _copy(file.fileno(), target)
    return folder


def _files(sources: Iterable[Path], folder: Path) -> Iterator[tuple[Path, Path]]:
    """(file, where under the folder it goes) for every file meant."""
    inside = folder.resolve()
    for source in sources:
        real = source.resolve()
        if real == inside or inside in real.parents or real in inside.parents:
            continue  # dropped from the folder onto itself
        if source.is_dir() and not source.is_symlink():
            for root, folders, names in os.walk(source, followlinks=False):
                folders[:] = sorted(n for n in folders if not n.startswith("."))
                for name in sorted(n for n in names if not n.startswith(".")):
                    path = Path(root) / name
                    yield path, Path(source.name) / path.relative_to(source)
        else:
            yield source, Path(source.name)


def _is_plain(path: Path) -> bool:
    try:
        facts = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_size <= MOST_BYTES


def _free_name(source: Path, target: Path) -> Path | None:
    """A name that is not taken; None when the same bytes are there already."""
    for number in range(2, 1000):
        if not target.exists():
            return target
        if target.is_file() and filecmp.cmp(source, target, shallow=False):
            return None
        stem = target.stem.removesuffix(f" ({number - 1})")
        target = target.with_name(f"{stem} ({number}){target.suffix}")
    return None


def _copy(source: int, target: Path) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out, os.fdopen(os.dup(source), "rb") as file:
            shutil.copyfileobj(file, out)
        part.chmod(0o644)
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
