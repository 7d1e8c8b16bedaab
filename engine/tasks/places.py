"""Where a note's file lies, and reading it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

from engine.api import Settings
from engine.notes.read import LoadedNote, load_note
from engine.notes.skip import NoteSkipped, SkipReason
from engine.store.records import NoteRow


@dataclass(frozen=True)
class Place:
    """Where to read a note.

    Attributes:
        path: relative to `root`; absolute where that is None.
        root: the watched folder; None for a note from elsewhere.
        follow_links: whether symbolic links may be followed.
        is_known: False where the folder of the note is not known any more.
    """

    path: str
    root: Path | None
    follow_links: bool
    is_known: bool = True

    @classmethod
    def of(cls, row: NoteRow, settings: Settings) -> Place:
        """The place of a note of the ledger."""
        if is_elsewhere(row):
            return cls(row.path, None, follow_links=True)  # named by a person, link or not
        known = settings.folder is not None
        return cls(row.path, settings.folder, settings.follow_links, known)


def is_elsewhere(row: NoteRow) -> bool:
    """Whether a note lies outside the watched folder, with its whole path as its name."""
    return not row.in_folder and PurePath(row.path).is_absolute()


def load(place: Place) -> LoadedNote:
    """Read a note. May take long. Raises: NoteSkipped."""
    if not place.is_known:
        raise NoteSkipped(SkipReason.VANISHED, "The folder of this note is not known.")
    return load_note(place.path, place.root, follow_links=place.follow_links)
