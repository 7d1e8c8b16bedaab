"""The queue of jobs: a note is read, written, probed by the memory, and committed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.api import (
    DiskFull,
    Effort,
    EngramError,
    MemoryUnusable,
    NoteState,
    QueueEnded,
    SlotFull,
    WriteProgress,
)
from engine.desk import SLOT_FULL, Desk, state_at_rest
from engine.errands import INTERNAL, Errands, log_unexpected
from engine.memory.report import Verdict, WriteOptions, WriteReport, WriteStep
from engine.notes.read import LoadedNote
from engine.notes.skip import NoteSkipped, SkipReason
from engine.store.records import Changes, Job, JobKind, NoteRow
from engine.tasks.forgetting import forget_removed
from engine.tasks.places import Place, load
from engine.tasks.speed import KEY, Speed
from engine.tasks.weak_writes import KEY as KEY_OF_WEAK
from engine.tasks.weak_writes import MOST, WeakWrites

_log = logging.getLogger(__name__)

EFFORTS = {
    Effort.QUICK: WriteOptions(steps=10, repair_rounds=1),
    Effort.NORMAL: WriteOptions(),
    Effort.THOROUGH: WriteOptions(steps=60, repair_rounds=4),
}
MOST_ATTEMPTS = 3
HOLD_SECONDS = 60.0
"""How long writing waits after the disk refused."""

STILL_THERE = " What was remembered of it before is still there."
NOT_KEPT = " So it is not in memory."
EARLIER_KEPT = " The earlier version is still remembered."
TRY_AGAIN = " Trying again takes a more thorough write."
NO_MORE_EFFORT = " That was the most thorough write there is."
BETTER_KEPT = "Written once more, only {:.0%} of it was recalled; what was there before is kept."


class WriteDropped(Exception):
    """Raised between two gradient steps to end a write without a trace."""


@dataclass
class _Tally:
    """What was written since the queue was last empty."""

    began: float
    written: int = 0
    weak: int = 0
    failed: int = 0


class Writer:
    """Carries out the queue, one job at a time.

    Args:
        desk: the open memory.
        errands: for reading files.
        between_steps: serves what is urgent; raises `WriteDropped` when the write is to end.
        wait: sleeps until something happens.
        new_number: names what nobody asked for, so that it can be undone.
        tick: seconds that only go forward.
    """

    def __init__(
        self,
        desk: Desk,
        errands: Errands,
        between_steps: Callable[[], None],
        wait: Callable[[], None],
        new_number: Callable[[], int],
        tick: Callable[[], float],
    ) -> None:
        self._desk = desk
        self._errands = errands
        self._between_steps = between_steps
        self._wait = wait
        self._new_number = new_number
        self._tick = tick
        self._tally: _Tally | None = None
        self._held_until: float | None = None
        self._stuck: list[Job] = []
        self._speed: Speed | None = None

    # --- the queue -------------------------------------------------------------------------------

    def seconds_held(self) -> float | None:
        """In how many seconds writing is to be tried again, None if nothing holds it."""
        if self._held_until is None:
            return None
        return max(0.0, self._held_until - self._tick())

    def work(self) -> bool:
        """Carry out the next job. False where there is none, or writing is held."""
        if self._held_until is not None:
            if self._tick() < self._held_until:
                return False
            self._release()
        try:
            while self._stuck:
                self._requeue(self._stuck[-1])
                self._stuck.pop()
            job = self._desk.store.next_job() if self._desk.store.queue_length() else None
        except (DiskFull, MemoryUnusable) as error:
            self._hold(error)
            return False
        if job is None:
            self._end_of_queue()
            return False
        if self._tally is None:
            self._tally = _Tally(self._tick())
        self._desk.now(replace(self._desk.doing, writing=True))
        try:
            self._carry_out(job)
            if not (self._stuck or self._desk.store.queue_length()):
                self._end_of_queue()
        finally:
            self._desk.in_work = 0
            self._desk.now(replace(self._desk.doing, writing=False))
        return True

    def _end_of_queue(self) -> None:
        tally, self._tally = self._tally, None
        if tally is None:
            return
        if self._speed is not None:
            self._desk.store.set_meta(KEY, self._speed.to_text())
        seconds = self._tick() - tally.began
        if tally.written + tally.weak + tally.failed:
            self._desk.announce(QueueEnded(tally.written, tally.weak, tally.failed, seconds))
        counts = tally.written, tally.weak, tally.failed
        _log.info("queue ended: %d written, %d weak, %d failed", *counts)

    def _hold(self, error: EngramError) -> None:
        _log.error("writing is held: %s", type(error).__name__)
        self._held_until = self._tick() + HOLD_SECONDS
        self._desk.now(replace(self._desk.doing, held=f"Writing waits. {error}"))

    def _release(self) -> None:
        self._held_until = None
        self._desk.now(replace(self._desk.doing, held=""))

    def _requeue(self, job: Job) -> None:
        """Queue a job anew as if it had never been begun: it is not to blame."""
        if job.note_id in self._desk.rows:
            self._desk.store.queue(job.kind, (job.note_id,), job.priority)
        self._desk.store.update(Changes(finish=(job.id,)))

    def _requeue_or_keep(self, job: Job) -> None:
        try:
            self._requeue(job)
        except (DiskFull, MemoryUnusable) as error:
            self._stuck.append(job)
            self._hold(error)
        self._desk.show_notes((job.note_id,))

    # --- one job ---------------------------------------------------------------------------------

    def _carry_out(self, job: Job) -> None:
        desk = self._desk
        try:
            if job.note_id not in desk.rows:
                desk.store.update(Changes(finish=(job.id,)))
            elif job.kind is JobKind.FORGET:
                forget_removed(desk, self._new_number())
            elif job.attempts > MOST_ATTEMPTS:
                times = f"{job.attempts - 1} times"
                self._fail(job, f"Engram ended unexpectedly {times} while writing this note.")
            else:
                self._write(job)
        except WriteDropped:
            self._requeue_or_keep(job)
        except SlotFull:
            self._fail(job, SLOT_FULL)
        except (DiskFull, MemoryUnusable) as error:
            self._hold(error)
            self._requeue_or_keep(job)
        except desk.opened.model.out_of_memory:
            self._requeue_or_keep(job)
            desk.fall_back()
        except EngramError as error:
            self._fail(job, str(error))
        except Exception as error:  # the border of the engine's thread
            log_unexpected("write", error, _log)
            self._fail(job, INTERNAL)
            desk.opened.reload()

    def _write(self, job: Job) -> None:
        desk = self._desk
        desk.in_work, desk.drop_write = job.note_id, False
        loaded = self._read(desk.rows[job.note_id])
        if isinstance(loaded, NoteSkipped):
            self._skip(job, loaded)
            return
        if isinstance(loaded, EngramError):
            raise loaded
        desk.show_working(job.note_id, NoteState.WRITING)
        weak = WeakWrites.from_text(desk.store.get_meta(KEY_OF_WEAK))
        effort = weak.effort(job.note_id, loaded.hash, desk.settings.effort)

        def progress(step: WriteStep) -> None:
            fields = step.step, step.steps, step.loss, step.recall
            desk.announce(WriteProgress(job.note_id, *fields))

        report = desk.memory.write(
            job.note_id, loaded.text, EFFORTS[effort], progress, self._between_steps
        )
        if report.verdict is Verdict.FAILED:
            self._fail(job, report.reason or "The write did not succeed.", loaded)
            return
        if report.verdict is Verdict.WEAK:
            # The slot in RAM holds the weak write; the one in force does not, and stays.
            desk.opened.reload()
            weak = weak.with_write(job.note_id, loaded.hash, effort).only(desk.rows)
            desk.store.set_meta(KEY_OF_WEAK, weak.to_text())
            self._refuse(job, loaded, report, effort)
        else:
            self._keep(job, loaded, report)
        self._measure(job.note_id, report, effort)

    def _read(self, row: NoteRow) -> LoadedNote | EngramError:
        """Read the note's file on the other thread; whoever asks meanwhile is served."""
        desk = self._desk
        desk.show_working(row.id, NoteState.READING)
        place = Place.of(row, desk.settings)
        found: list[LoadedNote | EngramError] = []
        self._errands.run(lambda: load(place), found.append)
        while not found:
            self._wait()
            self._between_steps()
        return found[0]

    def _keep(self, job: Job, loaded: LoadedNote, report: WriteReport) -> None:
        """Put a write that passed its probes in force."""
        desk = self._desk
        row = replace(
            self._as_read(job.note_id, loaded),
            state=NoteState.REMEMBERED,
            written_hash=loaded.hash,
            written_at=desk.clock(),
            recall=report.recall,
            median_p=report.median_p,
            probes=report.marks,
            cells=report.cells,
            reason="",
        )
        desk.commit(Changes(notes=(row,), finish=(job.id,)))
        self._count(written=1)

    def _refuse(
        self, job: Job, loaded: LoadedNote, report: WriteReport, effort: Effort
    ) -> None:
        """Say how a write came out weak; what the slot held before it stays in force."""
        row = self._as_read(job.note_id, loaded)
        if row.cells and row.written_hash == loaded.hash:
            reason = BETTER_KEPT.format(report.recall)
            row = replace(row, state=state_at_rest(row), reason=reason)
        else:
            row = replace(
                row,
                state=NoteState.WEAK,
                recall=report.recall,
                median_p=report.median_p,
                reason=_weak_reason(report, effort, bool(row.cells)),
            )
        self._end_with(job, row)
        self._count(weak=1)

    def _as_read(self, note_id: int, loaded: LoadedNote) -> NoteRow:
        """The row as it is by now, with the file's state as it was read."""
        row = self._desk.rows[note_id]
        return replace(
            row, content_hash=loaded.hash, size=loaded.size, mtime_ns=loaded.mtime_ns
        )

    def _fail(self, job: Job, reason: str, loaded: LoadedNote | None = None) -> None:
        """Say why a note was not written; what was remembered of it stays."""
        row = self._desk.rows[job.note_id]
        if loaded is not None:
            row = self._as_read(job.note_id, loaded)
        self._end_with(job, replace(row, state=NoteState.FAILED, reason=reason))
        self._count(failed=1)

    def _skip(self, job: Job, skipped: NoteSkipped) -> None:
        """Say why a note cannot be read; a file that is gone or unfinished is the scan's affair."""
        row = self._desk.rows[job.note_id]
        passing = skipped.reason in (SkipReason.VANISHED, SkipReason.CHANGING)
        if passing and row.in_folder:
            self._desk.look_again = True
            self._end_with(job, row)
            return
        reason = str(skipped) + (STILL_THERE if row.cells else "")
        self._end_with(job, replace(row, state=NoteState.SKIPPED, reason=reason))

    def _end_with(self, job: Job, row: NoteRow) -> None:
        try:
            self._desk.update(Changes(notes=(row,), finish=(job.id,)))
        except (DiskFull, MemoryUnusable) as error:
            self._stuck.append(job)
            self._hold(error)
            self._desk.show_notes((job.note_id,))

    # --- figures ---------------------------------------------------------------------------------

    @property
    def speed(self) -> Speed:
        """How long writes took so far."""
        if self._speed is None:
            self._speed = Speed.from_text(self._desk.store.get_meta(KEY))
        return self._speed

    def _measure(self, note_id: int, report: WriteReport, effort: Effort) -> None:
        desk = self._desk
        desk.last_write = (report.seconds, report.tokens)
        # A retry takes another effort than what is to come, and tells nothing of its time.
        if effort is desk.settings.effort:
            setting = f"{desk.opened.model.device} {effort.value}"
            self._speed = self.speed.with_write(setting, report.seconds, report.cells)
        desk.show_status()
        _log.info(
            "note %d: %s, effort %s, %d cells, recall %.2f, %.2f s",
            note_id, report.verdict.value, effort.value,
            report.cells, report.recall, report.seconds,
        )  # fmt: skip

    def _count(self, written: int = 0, weak: int = 0, failed: int = 0) -> None:
        if self._tally is not None:
            self._tally.written += written
            self._tally.weak += weak
            self._tally.failed += failed


def _weak_reason(report: WriteReport, effort: Effort, has_earlier: bool) -> str:
    """Why a write was refused, what is remembered now, and whether trying again may help."""
    why = report.reason or f"Only {report.recall:.0%} of what it says could be recalled."
    now = EARLIER_KEPT if has_earlier else NOT_KEPT
    if not report.marks:  # nothing was asked; more steps change nothing
        return why + now
    return why + now + (NO_MORE_EFFORT if effort is MOST else TRY_AGAIN)
