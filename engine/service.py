"""The engine: one thread that owns the model, one queue with three urgencies.

Asking goes before commands, commands before writing. A running write is looked into between two
gradient steps: questions are answered there, what only reads is done there, and what changes the
memory ends the write, which begins anew afterwards.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from engine.announcer import Announcer
from engine.api import (
    Ask,
    ChangeSettings,
    Command,
    Done,
    EngramError,
    EstimateRebuild,
    Failed,
    Forget,
    GrowSlot,
    InputError,
    Listener,
    Pause,
    Rebuild,
    Remember,
    Rescan,
    RestoreSnapshot,
    Settings,
    ShowRemembered,
    StopAnswer,
    Undo,
    Verify,
    WriteAgain,
)
from engine.backing import MemoryFactory, Model
from engine.desk import Desk, is_left_over
from engine.errands import INTERNAL, Errands, log_unexpected
from engine.inbox import Continuation, Inbox, Item, Request
from engine.logs import LogFile
from engine.notes.read import LoadedNote
from engine.notes.skip import NoteSkipped
from engine.store.records import Changes
from engine.tasks import asking, choices, forgetting, remembering, snapshots, upkeep
from engine.tasks.changes import queue_waiting
from engine.tasks.folder import FolderTask, Timing
from engine.tasks.places import Place, load
from engine.tasks.writing import WriteDropped, Writer
from engine.urgency import (
    MAKES_SENSE_IN_TROUBLE,
    ends_a_write,
    is_served_during_a_write,
    is_urgent,
)

_log = logging.getLogger(__name__)

T = TypeVar("T")

_LONGEST_WAIT = 3600.0
_AFTER_FAILURE = 1.0
"""Seconds of rest after something went wrong that has no request: it may do so again."""

@dataclass(frozen=True)
class Duties:
    """What the engine does by itself.

    Attributes:
        scans: looks at the folder, at start and from time to time.
        watches: follows the folder's events.
        writes: carries out the queue.
        heeds_pause: does not while `Settings.paused`; a command line that was told to write does.
    """

    scans: bool = True
    watches: bool = True
    writes: bool = True
    heeds_pause: bool = True


ASKING_ONLY = Duties(scans=False, watches=False, writes=False)
WRITING_ONLY = Duties(scans=False, watches=False, heeds_pause=False)


def embedded_model(device: str) -> Model:
    """Open the base model that ships with Engram. Raises: BaseModelMissing, MemoryCorrupt."""
    from engine.device import open_model  # torch takes seconds to import

    return open_model(device)


class EngineService:
    """`engine.api.Engine`. See there for what its methods promise.

    Args:
        home: the home folder.
        memory_factory: opens the base model; the embedded one if not given.
        duties: what to do by itself.
        timing: how often to look at the folder.
        clock: seconds since the epoch.
        tick: seconds that only go forward.
    """

    def __init__(
        self,
        home: Path,
        memory_factory: MemoryFactory = embedded_model,
        *,
        duties: Duties | None = None,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._duties = duties or Duties()
        self._inbox = Inbox()
        self._announce = Announcer()
        self._desk = Desk(home, memory_factory, self._announce, clock)
        self._errands = Errands(self._inbox.put_continuation)
        watches = self._duties.watches
        self._folder = FolderTask(
            self._desk, self._errands, self._inbox.wake, tick, timing or Timing(), watches
        )
        self._writer = Writer(
            self._desk,
            self._errands,
            between_steps=self._between_steps,
            wait=lambda: self._inbox.wait(self._seconds_to_wait()),
            new_number=self._inbox.new_number,
            tick=tick,
        )
        self._holds_nothing = True
        self._thread = threading.Thread(target=self._run, name="engram-engine", daemon=True)

    # --- from any thread -------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the present state and every event from now on."""
        return self._announce.subscribe(listener)

    def start(self) -> None:
        """Open the memory and begin work, on the engine's thread."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether events can still come."""
        return self._thread.is_alive()

    def submit(self, command: Command) -> int:
        """Queue a command; the number names it in events. Never blocks."""
        return self._inbox.put(command)

    def close(self, timeout: float = 1.0) -> bool:
        """End between two gradient steps. True if the thread ended within `timeout` seconds.

        Loading the base model cannot be cut short, but nothing waits for it: True at once.
        """
        self._inbox.close()
        if self._thread.ident is None or self._holds_nothing:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # --- the engine's thread ---------------------------------------------------------------------

    def _run(self) -> None:
        log: LogFile | None = None
        try:
            self._errands.start()
            log = self._open_log()
            self._open()
            while not self._inbox.closed:
                if not self._attempt(None, self._turn):
                    self._inbox.wait(_AFTER_FAILURE)
        finally:
            self._end()
            if log is not None:
                log.close()

    def _open_log(self) -> LogFile | None:
        try:
            return LogFile(self._desk.home.logs)
        except OSError:
            return None  # what is wrong with the folder, opening the memory will say

    def _open(self) -> None:
        def go_on() -> bool:
            # This before that: `close` looks at them the other way round.
            self._holds_nothing = False
            return not self._inbox.closed

        def open_all() -> None:
            if self._desk.open(go_on) and self._desk.opened.trouble is None:
                self._begin()

        self._attempt(None, open_all)
        self._holds_nothing = False

    def _begin(self) -> None:
        """Begin the engine's duties on a memory that can be used."""
        left_over = tuple(row.id for row in self._desk.rows.values() if is_left_over(row))
        if left_over:
            self._desk.update(Changes(remove=left_over))
        queue_waiting(self._desk)
        if self._duties.scans:
            self._folder.follow(self._desk.settings)
        _log.info("open: %d notes", len(self._desk.rows))

    def _end(self) -> None:
        self._folder.close()
        if not self._errands.close(0.3):
            _log.warning("left a disk behind that does not answer")
        self._attempt(None, self._desk.opened.close)

    def _turn(self) -> None:
        """Do the most urgent thing there is, or sleep."""
        item = self._inbox.take()
        if item is not None:
            self._carry_out(item)
            return
        self._folder.tend()
        if not (self._may_write() and self._writer.work()):
            self._desk.show_status()
            self._inbox.wait(self._seconds_to_wait())

    def _may_write(self) -> bool:
        desk, duties = self._desk, self._duties
        if not duties.writes or desk.opened.trouble is not None or desk.doing.missing:
            return False
        return not (duties.heeds_pause and desk.settings.paused)

    def _seconds_to_wait(self) -> float:
        planned = (self._folder.seconds_to_next(), self._writer.seconds_held())
        return min((each for each in planned if each is not None), default=_LONGEST_WAIT)

    def _between_steps(self) -> None:
        """Serve what is urgent while a note is read or written.

        Raises:
            WriteDropped: the write is to end.
        """
        while (item := self._inbox.take(is_served_during_a_write)) is not None:
            self._carry_out(item)
        if self._inbox.closed or self._desk.drop_write or self._inbox.has(ends_a_write):
            raise WriteDropped
        self._folder.tend()

    def _attempt(self, request: int | None, work: Callable[[], None]) -> bool:
        """Do something; whatever goes wrong ends here, as `Failed` where it has a request."""
        failure: EngramError
        try:
            work()
            return True
        except EngramError as error:
            _log.info("refused: %s", type(error).__name__)
            failure = error
        except Exception as error:  # the border of the engine's thread
            log_unexpected("engine", error, _log)
            failure = EngramError(INTERNAL)
        if request is not None:
            self._announce(Failed(request, failure))
        return False

    def _carry_out(self, item: Item) -> None:
        if isinstance(item, Continuation):
            self._attempt(None, item.resume)
        else:
            self._attempt(item.number, lambda: self._command(item))
        self._desk.show_status()

    def _errand(self, request: int, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do `work` on the other thread and `then` here; errors of both become `Failed`."""

        def back(result: T | EngramError) -> None:
            if isinstance(result, EngramError):
                self._announce(Failed(request, result))
            else:
                self._attempt(request, lambda: then(result))

        self._errands.run(work, back)

    # --- commands --------------------------------------------------------------------------------

    def _command(self, request: Request) -> None:
        desk, number, command = self._desk, request.number, request.command
        if desk.opened.trouble is not None and not isinstance(command, MAKES_SENSE_IN_TROUBLE):
            raise desk.opened.trouble
        match command:
            case Ask(question):
                self._ask(number, question)
            case StopAnswer(stopped):
                self._inbox.answered(stopped)  # which came before this, and is over
                self._announce(Done(number))
            case ShowRemembered(note_id):
                self._show_remembered(number, note_id)
            case ChangeSettings(settings):
                self._change_settings(number, settings)
            case Pause(paused):
                self._change_settings(number, replace(desk.settings, paused=paused))
            case Rescan():
                self._rescan(number)
            case Remember(paths):
                self._remember(number, paths)
            case WriteAgain(note_ids):
                upkeep.write_again(desk, number, note_ids)
            case Forget(note_ids):
                forgetting.forget(desk, number, note_ids)
            case Undo(undone):
                forgetting.undo(desk, number, undone)
                self._folder.look_soon()
            case Verify():
                upkeep.verify(desk, number, self._between_notes)
            case GrowSlot(cells):
                upkeep.grow(desk, number, cells)
            case EstimateRebuild():
                upkeep.estimate(desk, number, self._writer.speed)
            case Rebuild():
                self._mending(lambda: upkeep.rebuild(desk, number))
            case RestoreSnapshot():
                self._mending(lambda: snapshots.restore(desk, number, command))
            case _:
                snapshots.carry_out(desk, number, command)

    def _ask(self, number: int, question: str) -> None:
        try:
            asking.ask(self._desk, number, question, lambda: self._inbox.is_stopped(number))
        finally:
            self._inbox.answered(number)

    def _show_remembered(self, number: int, note_id: int) -> None:
        desk = self._desk
        row = desk.rows.get(note_id)
        if row is None:
            raise InputError("This note is no longer known.")
        place = Place.of(row, desk.settings)
        self._errand(
            number,
            lambda: _load_if_there(place),
            lambda loaded: asking.show_remembered(desk, number, note_id, loaded),
        )

    def _change_settings(self, number: int, settings: Settings) -> None:
        refollow = choices.change_settings(self._desk, settings)
        if refollow and self._duties.scans and self._desk.opened.trouble is None:
            self._folder.follow(self._desk.settings)
        self._announce(Done(number))

    def _rescan(self, number: int) -> None:
        self._folder.look_soon(number)

    def _remember(self, number: int, paths: tuple[Path, ...]) -> None:
        desk, settings = self._desk, self._desk.settings
        self._errand(
            number,
            lambda: remembering.find(paths, settings),
            lambda named: remembering.remember(desk, number, named),
        )

    def _mending(self, work: Callable[[], None]) -> None:
        """Do what may put an end to the trouble, and if so begin the duties."""
        was_in_trouble = self._desk.opened.trouble is not None
        work()
        if was_in_trouble and self._desk.opened.trouble is None:
            self._begin()
        else:
            self._folder.look_soon()

    def _between_notes(self) -> bool:
        while (item := self._inbox.take(is_urgent)) is not None:
            self._carry_out(item)
        return not self._inbox.closed


def _load_if_there(place: Place) -> LoadedNote | None:
    try:
        return load(place)
    except NoteSkipped:
        return None
