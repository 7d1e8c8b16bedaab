"""Which notes' writes came out weak, and with what effort: the next one takes more."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from engine.api import Effort

KEY = "weak-writes"
"""The store's meta key."""
_EFFORTS = tuple(Effort)  # from the least to the most
MOST = _EFFORTS[-1]


@dataclass(frozen=True)
class WeakWrites:
    """By note: the content that came out weak when it was last written so, and the effort.

    A note that needed more effort once gets it again as long as it says the same.
    """

    by_note: Mapping[int, tuple[str, Effort]] = field(default_factory=dict)

    def effort(self, note_id: int, content_hash: str, chosen: Effort) -> Effort:
        """How a note is to be written: as was chosen, but with more than what did not do."""
        tried = self.by_note.get(note_id)
        if tried is None or tried[0] != content_hash:
            return chosen
        next_one = min(_EFFORTS.index(tried[1]) + 1, len(_EFFORTS) - 1)
        return max(chosen, _EFFORTS[next_one], key=_EFFORTS.index)

    def with_write(self, note_id: int, content_hash: str, effort: Effort) -> WeakWrites:
        """After a write that came out weak."""
        return WeakWrites({**self.by_note, note_id: (content_hash, effort)})

    def only(self, note_ids: Container[int]) -> WeakWrites:
        """Those of these notes."""
        return WeakWrites({n: tried for n, tried in self.by_note.items() if n in note_ids})

    def to_text(self) -> str:
        """For the store's meta: a line for each note."""
        lines = (f"{n} {effort.value} {hash}" for n, (hash, effort) in self.by_note.items())
        return "\n".join(lines)

    @classmethod
    def from_text(cls, text: str) -> WeakWrites:
        """Back from the store's meta; anything else than such a text tells of no write."""
        found: dict[int, tuple[str, Effort]] = {}
        try:
            for line in text.splitlines():
                note_id, effort, content_hash = line.split(" ")
                found[int(note_id)] = content_hash, Effort(effort)
        except ValueError:
            return cls()
        return cls(found)
