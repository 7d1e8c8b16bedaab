"""Where the parts of a memory lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_SLOT_NAME = re.compile(r"slot-([0-9]{1,18})\.safetensors\Z")


def default_home() -> Path:
    """The platform's folder for this user's Engram data."""
    return Path(platformdirs.user_data_dir("engram", appauthor=False))


@dataclass(frozen=True)
class Home:
    """The paths inside the home folder `root`."""

    root: Path

    @property
    def lock(self) -> Path:
        """The file whose lock says that a process has this memory open."""
        return self.root / "memory.lock"

    @property
    def ledger(self) -> Path:
        """The SQLite file."""
        return self.root / "ledger.sqlite"

    @property
    def ledger_files(self) -> tuple[Path, ...]:
        """The SQLite file and those it may keep beside itself."""
        name = self.ledger.name
        return (
            self.ledger,
            self.ledger.with_name(name + "-wal"),
            self.ledger.with_name(name + "-shm"),
            self.ledger.with_name(name + "-journal"),
        )

    @property
    def slots(self) -> Path:
        """The folder of slot files, one a generation."""
        return self.root / "slot"

    @property
    def snapshots(self) -> Path:
        """The folder of snapshots, one folder each."""
        return self.root / "snapshots"

    @property
    def undo(self) -> Path:
        """The folder of what the newest undoable step replaced."""
        return self.root / "undo"

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.root / "settings.json"

    @property
    def logs(self) -> Path:
        """The folder of log files."""
        return self.root / "logs"

    def slot(self, generation: int) -> Path:
        """The slot file of a generation."""
        return self.slots / f"slot-{generation}.safetensors"


def generation_of(name: str) -> int | None:
    """The generation that a slot file's name tells, or None if it is not such a name."""
    match = _SLOT_NAME.match(name)
    return int(match.group(1)) if match else None
