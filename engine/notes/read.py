"""From a path to a note: the one way in which notes are read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from engine.notes.isolated import read_isolated
from engine.notes.limits import Limits
from engine.notes.openfile import locate, open_note, skip_of
from engine.notes.readers.format import Format
from engine.notes.readers.registry import extension, format_of
from engine.notes.skip import NoteSkipped, SkipReason
from engine.notes.text import NoteText


@dataclass(frozen=True)
class LoadedNote:
    """A note and the state of the file that it was made from.

    Attributes:
        text: the note.
        hash: SHA-256 of the file's bytes, in hexadecimal.
        size: of the file, in bytes.
        mtime_ns: modification time of the file, in nanoseconds since the epoch.
    """

    text: NoteText
    hash: str
    size: int
    mtime_ns: int


def read_note(
    path: str | Path,
    root: Path | None,
    limits: Limits | None = None,
    *,
    follow_links: bool = False,
) -> NoteText:
    """Read a note; see `load_note`, which also tells which bytes it was made from."""
    return load_note(path, root, limits, follow_links=follow_links).text


def load_note(
    path: str | Path,
    root: Path | None,
    limits: Limits | None = None,
    *,
    follow_links: bool = False,
) -> LoadedNote:
    """Read a note and tell which bytes it was made from.

    May take up to `limits.seconds` for a format that is parsed in a child process.

    Args:
        path: relative to `root`, with forward slashes; absolute where `root` is None.
        root: the folder of notes, which the file must lie in; None for a file from elsewhere.
        limits: caps on size, time and memory.
        follow_links: whether symbolic links may be followed.

    Raises:
        NoteSkipped: the note cannot be read; its text is a sentence for a person.
    """
    limits = limits or Limits()
    full = locate(path, root, follow_links)
    found = format_of(full.name)
    if found is None:
        raise NoteSkipped(SkipReason.UNSUPPORTED, _unsupported(full.name))
    data, size, mtime_ns = _bytes_of(full, found, limits, follow_links)
    return LoadedNote(
        read_bytes(data, full.name, limits), hashlib.sha256(data).hexdigest(), size, mtime_ns
    )


def read_bytes(data: bytes, name: str, limits: Limits | None = None) -> NoteText:
    """Read a note from bytes in memory; the format is that of the name's ending.

    Raises:
        NoteSkipped: the note cannot be read.
    """
    limits = limits or Limits()
    found = format_of(name)
    if found is None:
        raise NoteSkipped(SkipReason.UNSUPPORTED, _unsupported(name))
    if not data.strip():
        raise NoteSkipped(SkipReason.EMPTY)
    name = name.encode("utf-8", "replace").decode("utf-8")
    note = read_isolated(data, name, limits) if found.isolated else found.read(data, name)
    if not note.sections and not note.fields:
        raise NoteSkipped(SkipReason.EMPTY if found.is_text else SkipReason.NO_TEXT)
    if sum(len(section.text) for section in note.sections) > limits.text_bytes:
        raise NoteSkipped(SkipReason.HUGE)
    return note


def _bytes_of(
    full: Path, found: Format, limits: Limits, follow_links: bool
) -> tuple[bytes, int, int]:
    """Return a file's bytes, size and modification time, all three of one moment.

    Raises:
        NoteSkipped: with `SkipReason.CHANGING` where it was written to meanwhile.
    """
    most = limits.text_bytes if found.is_text else limits.binary_bytes
    with open_note(full, follow_links) as (file, before):
        if before.st_size > most:
            raise NoteSkipped(SkipReason.HUGE, _huge(found, most))
        try:
            data = file.read(most + 1)
            after = full.stat() if follow_links else full.lstat()
        except OSError as error:
            raise skip_of(error) from error
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise NoteSkipped(SkipReason.CHANGING)
    if len(data) != before.st_size:
        raise NoteSkipped(SkipReason.CHANGING)
    return data, before.st_size, before.st_mtime_ns


def _unsupported(name: str) -> str:
    ending = extension(name)
    shown = ending if ending.isascii() and ending.isprintable() and len(ending) < 12 else ""
    return f"Files that end in {shown} cannot be read." if shown else SkipReason.UNSUPPORTED.value


def _huge(found: Format, most: int) -> str:
    return f"This {found.name} is larger than {most / 1024 / 1024:.3g} MB, too large for a note."
