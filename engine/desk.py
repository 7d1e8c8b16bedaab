"""The memory as the engine's thread works on it: the ledger's rows, changing, telling."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from engine.announcer import Announcer
from engine.api import (
    EngineStatus,
    EngramError,
    Mode,
    NotesChanged,
    NotesGone,
    NotesReset,
    NoteState,
    Settings,
    SettingsChanged,
    SlotBlock,
    SlotChanged,
    SlotPicture,
    SnapshotsChanged,
    StatusChanged,
)
from engine.backing import MemoryFactory, SlowMemory
from engine.memory.report import WriteOptions
from engine.opened import OpenMemory
from engine.store.home import Home
from engine.store.records import Changes, Committed, NoteRow
from engine.store.settings import SettingsFile
from engine.store.store import Store

_log = logging.getLogger(__name__)

T = TypeVar("T")

SLOT_FULL = "The memory is full. Give it more cells, or forget some notes."
"""The reason of a note that found no room; it waits again once the slot has grown."""

RECALL_THRESHOLD = WriteOptions().recall_threshold


@dataclass(frozen=True)
class Doing:
    """What the engine is at, for its status. `missing` and `held` are sentences, or ""."""

    answering: bool = False
    writing: bool = False
    missing: str = ""
    held: str = ""


@dataclass(frozen=True)
class Undoable:
    """A step that can be taken back: its request, the store's token, and whether it paused."""

    request: int
    token: str
    paused: bool = False


def state_at_rest(row: NoteRow) -> NoteState:
    """The state of a note whose file and memory agree."""
    weak = row.recall is not None and row.recall < RECALL_THRESHOLD
    return NoteState.WEAK if weak else NoteState.REMEMBERED


def _counted_as(row: NoteRow) -> NoteState | None:
    """Remembered or weak, by what is in force; an edit that waits changes nothing yet."""
    if row.state is NoteState.WEAK:
        return NoteState.WEAK
    return state_at_rest(row) if row.cells else None


class Desk:
    """Everything the tasks work on. Only the engine's thread touches it.

    Attributes:
        opened: model, store and slot.
        settings: those in force.
        rows: the ledger's rows by id, as they are in the store.
        doing: what the status tells beside figures; change it with `now`.
        in_work: id of the note that is being written, 0 for none.
        drop_write: set where the running write has lost its purpose.
        look_again: set where the folder turned out to be other than the last scan said.
        undoable: the newest step that `Undo` can take back.
        last_write: seconds and tokens of the last write.
    """

    def __init__(
        self,
        root: Path,
        memory_factory: MemoryFactory,
        announce: Announcer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.home = Home(root)
        self.opened = OpenMemory(root, memory_factory, clock)
        self.announce = announce
        self.clock = clock
        self.settings = Settings()
        self.rows: dict[int, NoteRow] = {}
        self.doing = Doing()
        self.in_work = 0
        self.drop_write = False
        self.look_again = False
        self.undoable: Undoable | None = None
        self.last_write: tuple[float, int] | None = None
        self._settings_file = SettingsFile(self.home.settings)
        self._settings_problem = ""
        self._started = False

    def open(self, go_on: Callable[[], bool] = lambda: True) -> bool:
        """Open the memory, or find out why not, and announce everything.

        False, with nothing held and nothing said, where `go_on` says so once the model is there.
        """
        try:
            loaded = self._settings_file.load()
            self.settings, self._settings_problem = loaded.settings, loaded.problem
        except EngramError as error:
            self._settings_problem = str(error)
        self.opened.open(self.settings.device, go_on)
        if self.opened.trouble is None and not self.opened.has_store:
            return False
        self._started = True
        self.reset()
        return True

    def reset(self) -> None:
        """Take all rows from the ledger anew and announce everything: the memory is another."""
        if self.opened.has_store:
            self.rows = {row.id: row for row in self.store.notes()}
        self.announce(SettingsChanged(self.settings))
        self.announce(NotesReset(tuple(row.as_note() for row in self.rows.values())))
        if self.opened.has_store:
            self.show_snapshots()
        if self.opened.has_memory:
            self.show_slot()
        self.show_status()

    @property
    def store(self) -> Store:
        """The open store. Raises: the trouble, where there is none."""
        return self.opened.store

    @property
    def memory(self) -> SlowMemory:
        """The slot in RAM. Raises: the trouble, where there is none."""
        return self.opened.memory

    def with_fallback(self, work: Callable[[SlowMemory], T]) -> T:
        """Do `work` with the memory; once more on the CPU if the accelerator's memory is full."""
        try:
            return work(self.memory)
        except self.opened.model.out_of_memory:
            pass  # outside of the handler, so that nothing of the failed run is kept alive
        self.fall_back()
        return work(self.memory)

    def fall_back(self) -> None:
        """Go on with the CPU; a write that runs on the other slot in RAM is dropped."""
        self.opened.fall_back()
        self.drop_write = True
        self.show_status()

    # --- changing --------------------------------------------------------------------------------

    def save_settings(self, settings: Settings) -> None:
        """Put settings in force and into their file. Raises: DiskFull, StorageFailed."""
        self._settings_file.save(settings)
        self.settings, self._settings_problem = settings, ""
        self.announce(SettingsChanged(settings))
        self.show_status()

    def update(self, changes: Changes) -> None:
        """Change the ledger alone, and tell. Raises as `Store.update`."""
        self.store.update(changes)
        self._mirror(changes)

    def commit(self, changes: Changes, *, undoable: bool = False) -> Committed:
        """Put the slot in RAM in force together with the ledger's changes, and tell.

        Raises:
            EngramError: as `Store.commit`; the slot in RAM then is the one in force again.
        """
        try:
            self._snapshot_if_due()
            size = self._expected_size()
            save = self.memory.save
            done = self.store.commit(save, changes, undoable=undoable, expected_size=size)
        except BaseException:
            self.opened.reload()
            raise
        self._mirror(changes)
        self.show_slot()
        return done

    def add(self, rows: Iterable[NoteRow]) -> tuple[NoteRow, ...]:
        """Add notes to the ledger, and tell. Raises: PathTaken."""
        added = self.store.add_notes(tuple(rows))
        self.rows.update((row.id, row) for row in added)
        self.show_notes(row.id for row in added)
        return added

    def _mirror(self, changes: Changes) -> None:
        self.rows.update((row.id, row) for row in changes.notes)
        for note_id in changes.remove:
            self.rows.pop(note_id, None)
        if changes.remove:
            self.announce(NotesGone(tuple(changes.remove)))
        self.show_notes(row.id for row in changes.notes)

    def _snapshot_if_due(self) -> None:
        if not self.settings.automatic_snapshots:
            return
        try:
            if self.store.take_automatic_snapshot() is not None:
                self.show_snapshots()
        except EngramError as error:
            # What is to be written matters more than the copy of what was before.
            _log.warning("no automatic snapshot: %s", type(error).__name__)

    def _expected_size(self) -> int:
        slot = self.store.slot
        known = sum(row.cells for row in self.rows.values())
        if slot is None or not known:
            return 0
        return slot.size * (self.memory.cells_used + 1) // known

    # --- telling ---------------------------------------------------------------------------------

    def show_notes(self, note_ids: Iterable[int]) -> None:
        """Announce these notes as the ledger has them."""
        notes = tuple(self.rows[each].as_note() for each in note_ids if each in self.rows)
        if notes:
            self.announce(NotesChanged(notes))

    def show_working(self, note_id: int, state: NoteState) -> None:
        """Announce that a note is being read or written; its old recall stays."""
        row = self.rows.get(note_id)
        if row is not None:
            self.announce(NotesChanged((replace(row.as_note(), state=state, reason=""),)))

    def show_slot(self) -> None:
        """Announce the slot's picture."""
        blocks = tuple(SlotBlock(*block) for block in self.memory.blocks())
        self.announce(SlotChanged(SlotPicture(self.memory.cells, blocks)))

    def show_snapshots(self) -> None:
        """Announce the list of snapshots."""
        self.announce(SnapshotsChanged(self.store.snapshots()))

    def now(self, doing: Doing) -> None:
        """Say what the engine is at, and tell."""
        self.doing = doing
        self.show_status()

    def show_status(self) -> None:
        """Announce the status, if it is another one."""
        if self._started:
            self.announce(StatusChanged(self.status()))

    def status(self) -> EngineStatus:
        """The status as of now."""
        opened = self.opened
        seconds, tokens = self.last_write or (None, None)
        counted = [_counted_as(row) for row in self.rows.values()]
        return EngineStatus(
            mode=self._mode(),
            device=opened.model.device if opened.has_model else "",
            model=opened.model.name if opened.has_model else "",
            folder=self.settings.folder,
            notes_total=sum(not is_left_over(row) for row in self.rows.values()),
            notes_remembered=counted.count(NoteState.REMEMBERED),
            notes_weak=counted.count(NoteState.WEAK),
            queue=self.store.queue_length() if opened.has_store else 0,
            cells=self.memory.cells if opened.has_memory else 0,
            cells_used=self.memory.cells_used if opened.has_memory else 0,
            last_write_seconds=seconds,
            last_write_tokens=tokens,
            problem=self._problem(),
            devices=opened.model.devices if opened.has_model else EngineStatus.devices,
            may_rebuild=opened.may_rebuild,
            offered_snapshot=opened.offered,
        )

    def _mode(self) -> Mode:
        if self.opened.trouble is not None:
            return Mode.BROKEN
        if self.doing.answering:
            return Mode.ANSWERING
        if self.doing.writing:
            return Mode.WRITING
        if self.doing.missing:
            return Mode.FOLDER_MISSING
        return Mode.PAUSED if self.settings.paused else Mode.IDLE

    def _problem(self) -> str:
        opened = self.opened
        if opened.trouble is not None:
            return str(opened.trouble)
        is_full = any(row.reason == SLOT_FULL for row in self.rows.values())
        told = [self.doing.missing, self.doing.held, SLOT_FULL if is_full else ""]
        told += [opened.fell_back, self._settings_problem]
        told.append(opened.model.problem if opened.has_model else "")
        told += self.store.notices[-1:] if opened.has_store else ()
        return next((sentence for sentence in told if sentence), "")


def is_left_over(row: NoteRow) -> bool:
    """A row of which neither file nor memory is left; only its name is still shown."""
    return not row.in_folder and not row.cells and row.state is NoteState.FORGOTTEN
