"""The folder of slot files: one immutable file a generation, only one of them in force."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from engine.store.atomic import (
    TEMPORARY,
    Files,
    Point,
    copy_durably,
    ensure_space,
    link_or_copy,
    remove_quietly,
    sweep_temporaries,
)
from engine.store.home import Home, generation_of

_CHUNK = 1 << 20


def hash_file(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size in bytes of a file."""
    digest = hashlib.sha256()
    size = 0
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


class Slots:
    """Writes new generations beside the old one and removes what is no longer in force."""

    def __init__(self, home: Home, files: Files) -> None:
        self._home = home
        self._files = files

    def next_generation(self, in_force: int) -> int:
        """A number whose file name was never used, also not by a commit that failed.

        A failed transaction may still be in SQLite's log and name its slot file, so that name must
        never come to mean other bytes.
        """
        return max([in_force, *self._generations()]) + 1

    def write(
        self, generation: int, write_slot: Callable[[Path], None], expected_size: int
    ) -> tuple[str, int]:
        """Let `write_slot` write the file of a new generation, durably.

        Returns:
            SHA-256 and size.

        Raises:
            DiskFull: less than `expected_size` bytes are free.
            OSError: as the system has it. What `write_slot` raises comes through. In all cases no
                file is left.
        """
        ensure_space(self._files, self._home.slots, expected_size)
        return self._place(generation, lambda path: self._files.produce(path, write_slot))

    def bring_back(self, generation: int, source: Path, *, own_bytes: bool) -> tuple[str, int]:
        """Make a kept slot file the file of a new generation, durably.

        Args:
            own_bytes: copy it, so that damage to one file on the disk leaves the other intact.

        Returns:
            SHA-256 and size.
        """
        give = copy_durably if own_bytes else link_or_copy
        return self._place(generation, lambda path: give(self._files, source, path))

    def _place(self, generation: int, fill: Callable[[Path], None]) -> tuple[str, int]:
        target = self._home.slot(generation)
        # A folder of its own: safetensors writes by way of a temporary file with a name of its
        # choice, which would otherwise stay behind when the process is killed.
        workshop = self._home.slots / f"{TEMPORARY}{generation}"
        unfinished = workshop / target.name
        try:
            self._files.make_folder(workshop)
            fill(unfinished)
            self._files.reached(Point.COMMIT_SLOT_WRITTEN)
            self._files.sync(unfinished)
            self._files.reached(Point.COMMIT_SLOT_SYNCED)
            facts = hash_file(unfinished)
            self._files.replace(unfinished, target)
            self._files.sync_folder(target.parent)
        except BaseException:
            self.remove(target)
            raise
        finally:
            self.remove(workshop)
        self._files.reached(Point.COMMIT_SLOT_RENAMED)
        return facts

    def remove(self, path: Path) -> None:
        """Remove a file or folder that nothing refers to, if it is there."""
        if path.exists():
            remove_quietly(self._files, path)

    def sweep(self, in_force: int | None) -> None:
        """Remove temporaries and every slot file but the one in force."""
        sweep_temporaries(self._files, self._home.slots)
        for generation in self._generations():
            if generation != in_force:
                self.remove(self._home.slot(generation))

    def all(self) -> tuple[Path, ...]:
        """All slot files, oldest generation first."""
        return tuple(self._home.slot(generation) for generation in sorted(self._generations()))

    def _generations(self) -> list[int]:
        if not self._home.slots.is_dir():
            return []
        found = (generation_of(path.name) for path in self._home.slots.iterdir())
        return [generation for generation in found if generation is not None]
