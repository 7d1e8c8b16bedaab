"""How long writing takes on this computer, from what it took so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.store.records import NoteRow

KEY = "write-speed"
"""The store's meta key."""
_MOST_SECONDS = 3600.0


@dataclass(frozen=True)
class Speed:
    """Totals over the writes so far on one device, with one effort.

    Attributes:
        setting: device and effort; other ones begin anew.
        seconds, cells, notes: totals.
    """

    setting: str = ""
    seconds: float = 0.0
    cells: int = 0
    notes: int = 0

    def with_write(self, setting: str, seconds: float, cells: int) -> Speed:
        """The totals after one more write. Old writes count less after an hour of writing."""
        before = self if self.setting == setting else Speed(setting)
        if before.seconds > _MOST_SECONDS:
            before = replace(
                before,
                seconds=before.seconds / 2,
                cells=before.cells // 2,
                notes=max(1, before.notes // 2),
            )
        return Speed(setting, before.seconds + seconds, before.cells + cells, before.notes + 1)

    def estimate(self, rows: Iterable[NoteRow]) -> float | None:
        """Seconds to write these notes: by their cells, an average note's for one not written."""
        if not self.notes or not self.cells:
            return None
        average = self.cells / self.notes
        cells = sum(row.cells or average for row in rows)
        return cells * self.seconds / self.cells

    def to_text(self) -> str:
        """For the store's meta."""
        return f"{self.seconds:.3f} {self.cells} {self.notes} {self.setting}"

    @classmethod
    def from_text(cls, text: str) -> Speed:
        """Back from the store's meta; anything else than such a text is no measurement."""
        try:
            seconds, cells, notes, setting = text.split(" ", 3)
            return cls(setting, float(seconds), int(cells), int(notes))
        except ValueError:
            return cls()
