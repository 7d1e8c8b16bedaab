"""What differs between two memories, by what their ledgers say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.api import Change, Comparison, NoteDifference
from engine.store.records import NoteRow

_Pair = tuple[NoteRow | None, NoteRow | None]


def compare(
    first: str, second: str, first_notes: Sequence[NoteRow], second_notes: Sequence[NoteRow]
) -> Comparison:
    """Compare two ledger states; `first` and `second` are the ids that the result carries.

    Only notes that a slot holds count. The cells of a note are the same if the same content was
    written at the same moment; otherwise the greater number of the two counts as changed.
    """
    differences: list[NoteDifference] = []
    same = changed = 0
    for one, other in _pairs(first_notes, second_notes):
        if one is not None and other is not None and _same_write(one, other):
            same += one.cells
        else:
            changed += max(row.cells for row in (one, other) if row is not None)
        difference = _difference(one, other)
        if difference is not None:
            differences.append(difference)
    differences.sort(key=lambda each: each.path)
    probes = sum(each.probes_changed for each in differences)
    return Comparison(first, second, tuple(differences), same, changed, probes)


def _pairs(first: Sequence[NoteRow], second: Sequence[NoteRow]) -> Iterator[_Pair]:
    """Match by path; what is left, by id if the content is the same (a renamed note)."""
    ours = {note.path: note for note in first if note.written_hash}
    theirs = {note.path: note for note in second if note.written_hash}
    for path in ours.keys() & theirs.keys():
        yield ours.pop(path), theirs.pop(path)
    renamed = {(note.id, note.written_hash): note.path for note in theirs.values()}
    for note in ours.values():
        new_path = renamed.get((note.id, note.written_hash))
        yield note, theirs.pop(new_path) if new_path is not None else None
    for note in theirs.values():
        yield None, note


def _same_write(one: NoteRow, other: NoteRow) -> bool:
    return (one.written_hash, one.written_at) == (other.written_hash, other.written_at)


def _difference(one: NoteRow | None, other: NoteRow | None) -> NoteDifference | None:
    before = one.in_force().recall if one is not None else None
    after = other.in_force().recall if other is not None else None
    if one is None and other is not None:
        return NoteDifference(other.path, Change.ONLY_IN_SECOND, None, after)
    if other is None and one is not None:
        return NoteDifference(one.path, Change.ONLY_IN_FIRST, before, None)
    if one is None or other is None:
        return None
    probes = _probes_changed(one, other)
    if not _same_write(one, other):
        return NoteDifference(other.path, Change.REWRITTEN, before, after, probes)
    # Of a refused write the ledger keeps the recall of what the slot holds by its marks alone.
    refused = one.is_refused or other.is_refused
    if (before != after and not refused) or probes:
        return NoteDifference(other.path, Change.RECALL, before, after, probes)
    return None


def _probes_changed(one: NoteRow, other: NoteRow) -> int:
    """Probes of another content are other probes, so only the same content can be compared."""
    if one.written_hash != other.written_hash:
        return 0
    if len(one.probes) != len(other.probes):
        return 0
    return sum(a != b for a, b in zip(one.probes, other.probes, strict=True))
