"""Notes and jobs as rows of SQLite and as JSON, and back, with every value checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from engine.api import NoteState
from engine.store.records import Job, JobKind, LedgerState, NoteRow
from engine.store.sealed import Row

NOTE_COLUMNS = (
    "id", "path", "state", "in_folder", "content_hash", "size", "mtime_ns", "written_hash",
    "written_at", "recall", "median_p", "probes", "cells", "reason",
)  # fmt: skip
JOB_COLUMNS = ("id", "kind", "note_id", "priority", "attempts", "reason", "running")

STATE_FORMAT = 1
"""Version of the JSON form of a ledger's state."""

MAX_ID = (1 << 31) - 1
"""Note ids fit into the slot's 32-bit owner tensor."""
MAX_PATH = 32_768
MAX_REASON = 4_096
MAX_PROBES = 100_000
_MAX_INTEGER = (1 << 63) - 1
_HASH = re.compile(r"(?:[0-9a-f]{64})?\Z")
_PROBES = re.compile(r"[01]*\Z")


def to_blob(text: str) -> bytes:
    """Any string, also one with lone surrogates (undecodable file names), as bytes."""
    return text.encode("utf-8", "surrogatepass")


def from_blob(data: bytes) -> str:
    """The inverse of `to_blob`."""
    return data.decode("utf-8", "surrogatepass")


def check_note(note: NoteRow) -> NoteRow:
    """Return `note` if every value is of its type and in its range.

    Raises:
        ValueError: names the first field that is not.
    """
    _whole(note.id, "id", 1, MAX_ID)
    _text(note.path, "path", MAX_PATH)
    if not note.path or "\0" in note.path:
        raise ValueError("path is empty or has a NUL in it")
    if not isinstance(note.state, NoteState) or not isinstance(note.in_folder, bool):
        raise ValueError("state or in_folder is of the wrong type")
    for name in ("content_hash", "written_hash"):
        value = getattr(note, name)
        if not isinstance(value, str) or not _HASH.match(value):
            raise ValueError(f"{name} is not a SHA-256")
    _whole(note.size, "size", 0)
    _whole(note.mtime_ns, "mtime_ns", -_MAX_INTEGER)
    _real(note.written_at, "written_at", -1e12, 1e12)
    _real(note.recall, "recall", 0.0, 1.0)
    _real(note.median_p, "median_p", 0.0, 1.0)
    _text(note.probes, "probes", MAX_PROBES)
    if not _PROBES.match(note.probes):
        raise ValueError("probes are not ones and zeros")
    _whole(note.cells, "cells", 0)
    _text(note.reason, "reason", MAX_REASON)
    return note


def check_job(job: Job) -> Job:
    """Return `job` if every value is of its type and in its range. Raises: ValueError."""
    _whole(job.id, "id", 1)
    _whole(job.note_id, "note_id", 1, MAX_ID)
    _whole(job.priority, "priority", -_MAX_INTEGER)
    _whole(job.attempts, "attempts", 0)
    _text(job.reason, "reason", MAX_REASON)
    if not isinstance(job.kind, JobKind) or not isinstance(job.running, bool):
        raise ValueError("kind or running is of the wrong type")
    return job


def note_to_row(note: NoteRow) -> Row:
    """As the columns `NOTE_COLUMNS`. Raises: ValueError for a value out of its range."""
    check_note(note)
    return (
        note.id, to_blob(note.path), note.state.value, int(note.in_folder), note.content_hash,
        note.size, note.mtime_ns, note.written_hash, _float(note.written_at), _float(note.recall),
        _float(note.median_p), note.probes, note.cells, to_blob(note.reason),
    )  # fmt: skip


def note_from_row(row: tuple[Any, ...]) -> NoteRow:
    """The inverse of `note_to_row`, on a row whose seal was checked when the ledger was opened."""
    values = dict(zip(NOTE_COLUMNS, row, strict=True))
    values["path"] = from_blob(values["path"])
    values["reason"] = from_blob(values["reason"])
    values["state"] = NoteState(values["state"])
    values["in_folder"] = bool(values["in_folder"])
    return NoteRow(**values)


def job_to_row(job: Job) -> Row:
    """As the columns `JOB_COLUMNS`. Raises: ValueError for a value out of its range."""
    check_job(job)
    return (
        job.id, job.kind.value, job.note_id, job.priority, job.attempts, to_blob(job.reason),
        int(job.running),
    )  # fmt: skip


def job_from_row(row: tuple[Any, ...]) -> Job:
    """The inverse of `job_to_row`."""
    values = dict(zip(JOB_COLUMNS, row, strict=True))
    values["kind"] = JobKind(values["kind"])
    values["reason"] = from_blob(values["reason"])
    values["running"] = bool(values["running"])
    return Job(**values)


def state_to_json(state: LedgerState) -> bytes:
    """A ledger's state as JSON: ASCII, one note or job a line, same state, same bytes."""
    notes = [_dump(_note_values(note)) for note in state.notes]
    jobs = [_dump(_job_values(job)) for job in state.jobs]
    return (
        f'{{"format": {STATE_FORMAT},\n"notes": [\n'
        + ",\n".join(notes)
        + '\n],\n"jobs": [\n'
        + ",\n".join(jobs)
        + "\n]}\n"
    ).encode("ascii")


def state_from_json(data: bytes) -> LedgerState:
    """The inverse of `state_to_json`, for bytes of any origin.

    Raises:
        ValueError: it is not such a state; says what is wrong.
    """
    top = parse_object(data, "the ledger's state")
    if top.get("format") != STATE_FORMAT:
        raise ValueError(f"the ledger's state has the unknown format {top.get('format')!r:.40}")
    if set(top) != {"format", "notes", "jobs"}:
        raise ValueError("the ledger's state has unexpected fields")
    notes = tuple(_note_from_values(item) for item in _items(top["notes"]))
    jobs = tuple(_job_from_values(item) for item in _items(top["jobs"]))
    for what, values in (
        ("ids", [note.id for note in notes]),
        ("paths", [note.path for note in notes]),
        ("jobs", [job.id for job in jobs]),
    ):
        if len(set(values)) != len(values):
            raise ValueError(f"the ledger's state has the same {what} twice")
    return LedgerState(notes, jobs)


def parse_object(data: bytes, what: str) -> dict[str, Any]:
    """Parse JSON that has to be an object.

    Raises:
        ValueError: it is not, or has numbers that are none (NaN), or is nested too deeply.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_doubles
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not valid JSON") from error
    if not isinstance(value, dict):
        raise ValueError(f"{what} is not a JSON object")
    return value


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a field is there twice")
    return values


def _dump(values: Mapping[str, Any]) -> str:
    return json.dumps(values, allow_nan=False)


def _note_values(note: NoteRow) -> dict[str, Any]:
    values = {name: getattr(check_note(note), name) for name in NOTE_COLUMNS}
    values["state"] = note.state.value
    return values


def _job_values(job: Job) -> dict[str, Any]:
    values = {name: getattr(check_job(job), name) for name in JOB_COLUMNS}
    values["kind"] = job.kind.value
    return values


def _note_from_values(values: Any) -> NoteRow:
    _fields(values, NOTE_COLUMNS)
    return check_note(NoteRow(**{**values, "state": NoteState(values["state"])}))


def _job_from_values(values: Any) -> Job:
    _fields(values, JOB_COLUMNS)
    return check_job(Job(**{**values, "kind": JobKind(values["kind"])}))


def _fields(values: Any, names: tuple[str, ...]) -> None:
    if not isinstance(values, dict) or set(values) != set(names):
        raise ValueError("a row has missing or unexpected fields")


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("a list is missing")
    return value


def _whole(value: object, name: str, least: int, most: int = _MAX_INTEGER) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is not a whole number in its range")


def _real(value: object, name: str, least: float, most: float) -> None:
    if value is None:
        return
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError(f"{name} is not a number")
    if not math.isfinite(value) or not least <= value <= most:
        raise ValueError(f"{name} is out of its range")


def _text(value: object, name: str, longest: int) -> None:
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{name} is not a text or is too long")


def _float(value: float | None) -> float | None:
    # SQLite gives whole numbers in a REAL column back as floats; the seal needs them so from start.
    return None if value is None else float(value)
