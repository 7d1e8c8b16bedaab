"""The queue of jobs: rows of the ledger, so that it survives a kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.store.records import Job, JobKind
from engine.store.rows import job_from_row, job_to_row
from engine.store.sealed import SealedTable

_TURN = "ORDER BY running DESC, priority DESC, id"


class Queue:
    """The table of jobs. Every change runs in a transaction of the ledger."""

    def __init__(self, table: SealedTable, new_id: Callable[[], int]) -> None:
        self._table = table
        self._new_id = new_id

    def jobs(self) -> tuple[Job, ...]:
        """Running jobs first, then the waiting ones in the order in which they will be begun."""
        return tuple(job_from_row(row) for row in self._table.rows(_TURN))

    def length(self) -> int:
        """How many jobs wait or run."""
        return self._table.count()

    def add(self, kind: JobKind, note_id: int, priority: int, reason: str) -> Job:
        """Queue a job, or raise the priority of its waiting twin."""
        twin = self._twin(kind, note_id)
        if twin is not None:
            raised = replace(twin, priority=max(twin.priority, priority))
            self._table.put(job_to_row(raised))
            return raised
        job = Job(self._new_id(), kind, note_id, priority, reason=reason)
        self._table.insert((job_to_row(job),))
        return job

    def begin_next(self) -> Job | None:
        """Mark the next waiting job as running and count the attempt."""
        rows = self._table.rows(f"WHERE running = 0 {_TURN} LIMIT 1")
        if not rows:
            return None
        job = job_from_row(rows[0])
        begun = replace(job, running=True, attempts=job.attempts + 1)
        self._table.put(job_to_row(begun))
        return begun

    def put_back(self, job_id: int, reason: str, priority: int) -> None:
        """Let a running job wait again, behind its equals."""
        row = self._table.get(job_id)
        if row is None:
            return
        job = job_from_row(row)
        self._table.drop((job_id,))
        twin = self._twin(job.kind, job.note_id)
        if twin is None:
            twin = Job(self._new_id(), job.kind, job.note_id, priority)
        waiting = replace(
            twin,
            priority=max(twin.priority, priority),
            attempts=job.attempts,
            reason=reason,
        )
        self._table.put(job_to_row(waiting))

    def requeue_running(self) -> None:
        """Let every running job wait again, at its old place: its process died."""
        for row in self._table.rows("WHERE running = 1 ORDER BY id"):
            job = job_from_row(row)
            twin = self._twin(job.kind, job.note_id)
            if twin is not None:
                self._table.drop((twin.id,))
            priority = max(job.priority, twin.priority) if twin else job.priority
            self._table.put(job_to_row(replace(job, running=False, priority=priority)))

    def forget_note(self, note_id: int, *, running: bool = True) -> None:
        """Drop the jobs of a note; `running` False leaves the one in work alone."""
        rest = "WHERE note_id = ?" if running else "WHERE note_id = ? AND running = 0"
        self._table.drop([row[0] for row in self._table.rows(rest, (note_id,))])

    def _twin(self, kind: JobKind, note_id: int) -> Job | None:
        rows = self._table.rows(
            "WHERE note_id = ? AND kind = ? AND running = 0", (note_id, kind.value)
        )
        return job_from_row(rows[0]) if rows else None
