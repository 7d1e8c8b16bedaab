"""An engine without torch, threads or clocks, for the window's tests and its pictures.

Nothing happens by itself: `submit` only queues, and every `step` does one small thing (carry out
a command, give a word of an answer, take one gradient step), so a test stops the world where it
likes. It reads file names and contents' hashes in the folder as a scan does, and knows what it
is told to know (`knows`), by note.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.api import (
    AlternativeAnswer,
    Answer,
    Answered,
    AnswerPiece,
    AnswerStarted,
    Ask,
    ChangeSettings,
    Command,
    Done,
    EngramError,
    EstimateRebuild,
    Failed,
    Forget,
    GrowSlot,
    Listener,
    Mode,
    NoMemoryYet,
    Note,
    NotesGone,
    NoteState,
    OnDelete,
    Pause,
    Probe,
    QueueEnded,
    Rebuild,
    RebuildEstimate,
    Remember,
    Remembered,
    Rescan,
    Settings,
    SettingsChanged,
    ShowRemembered,
    SlotChanged,
    Source,
    StatusChanged,
    StopAnswer,
    Undo,
    Verify,
    WriteAgain,
    WriteProgress,
)
from engine.tasks.writing import EARLIER_KEPT, NOT_KEPT, TRY_AGAIN
from tests.app.fake_memory import FakeMemory

STEPS = 40
NOT_KNOWN = "I don't have that in memory."


@dataclass(frozen=True)
class Knowledge:
    """What a note says, for the fake: a question, the answer, the words that lead to it."""

    note: str
    question: str
    answer: str


class FakeEngine(FakeMemory):
    """Implements `engine.api.Engine`; see the module's docstring."""

    def __init__(
        self,
        home: Path | None = None,
        notes: Iterable[Note] = (),
        settings: Settings | None = None,
        knows: Iterable[Knowledge] = (),
        device: str = "CPU",
    ) -> None:
        super().__init__(notes, settings or Settings(), device)
        self.home = home
        self.knows = tuple(knows)
        self.alternatives: tuple[AlternativeAnswer, ...] = ()
        self.submitted: list[tuple[int, Command]] = []
        self.refuse: dict[type, EngramError] = {}
        """Commands of these types end with `Failed`."""
        self.weak: set[str] = set()
        """Paths whose writes end weak."""
        self.started = False
        self.closed = False
        self._requests = itertools.count(1)
        self._ids = itertools.count(max(self.notes, default=0) + 1)
        self._inbox: list[tuple[int, Command]] = []
        self._write: Iterator[None] | None = None
        self._stopped: set[int] = set()
        self._hashes: dict[int, str] = {}
        self._weak = 0

    # --- engine.api.Engine ---

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell the whole state, then every event."""
        self._listeners.append(listener)
        for event in self._state():
            listener(event)
        return lambda: self._listeners.remove(listener)

    def start(self) -> None:
        """Scan the folder."""
        self.started = True
        self._scan()

    def submit(self, command: Command) -> int:
        """Queue a command for the next `step`."""
        request = next(self._requests)
        self.submitted.append((request, command))
        self._inbox.append((request, command))
        return request

    def close(self, timeout: float = 1.0) -> bool:
        """End."""
        self.closed = True
        self._write = None
        return True

    # --- stepping ---

    def step(self) -> bool:
        """Do one small thing; False when there is nothing to do."""
        if self.closed:
            return False
        if self._inbox:
            self._carry_out(*self._inbox.pop(0))
            return True
        if self._asks:
            if next(self._asks[0], self) is self:
                self._asks.pop(0)
            return True
        if self.mode in (Mode.BROKEN, Mode.FOLDER_MISSING) or self.settings.paused:
            return False
        if self._write is None:
            self._write = self._begin_write()
        if self._write is None:
            return False
        if next(self._write, self) is self:
            self._write = None
            self._end_of_write()
        return True

    def run(self, most: int = 1_000_000) -> int:
        """Step until idle; the number of steps."""
        for taken in range(most):
            if not self.step():
                return taken
        return most

    def commands(self, kind: type) -> list[Command]:
        """All submitted commands of a type."""
        return [command for _, command in self.submitted if isinstance(command, kind)]

    def fail(self, mode: Mode, problem: str, offered: str = "") -> None:
        """Fall into a state with a problem (or out of it)."""
        self.mode, self.problem, self.offered = mode, problem, offered
        self.emit(StatusChanged(self.status()))

    # --- the folder ---

    def _scan(self) -> None:
        folder = self.settings.folder
        if folder is None:
            return
        if not folder.is_dir():
            self.fail(Mode.FOLDER_MISSING, "The folder of your notes is not there.")
            return
        if self.mode is Mode.FOLDER_MISSING:
            self.fail(Mode.IDLE, "")
        found = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in self.settings.formats
        }
        known = {note.path: note for note in self.notes.values()}
        for name, path in found.items():
            self._seen(known.get(name), name, path)
        gone = [n for name, n in known.items() if name not in found and n.in_folder]
        for note in gone:
            if self.settings.on_delete is OnDelete.KEEP:
                self._tell(replace(note, state=NoteState.REMOVED, in_folder=False))
            else:
                del self.notes[note.id]
                self.emit(NotesGone((note.id,)))
        self.emit(StatusChanged(self.status()))

    def _seen(self, note: Note | None, name: str, path: Path) -> None:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        if note is None:
            note = Note(next(self._ids), name, NoteState.WAITING, changed_at=self.now)
        elif self._hashes.get(note.id, content) != content:
            note = replace(note, state=NoteState.WAITING, changed_at=self.now)
        else:
            self._hashes[note.id] = content
            return
        self._hashes[note.id] = content
        self.put(note)

    # --- writing ---

    def _begin_write(self) -> Iterator[None] | None:
        waiting = [n for n in self.notes.values() if n.state is NoteState.WAITING]
        return self._writing(waiting[0].id) if waiting else None

    def _writing(self, note_id: int) -> Iterator[None]:
        self.put(replace(self.notes[note_id], state=NoteState.READING))
        yield
        self.put(replace(self.notes[note_id], state=NoteState.WRITING, step=0, steps=STEPS))
        yield
        for step in range(1, STEPS + 1):
            loss = 4.2 * math.exp(-step / 9) + 0.08 * abs(math.sin(step * 1.7 + note_id))
            recall = min(1.0, step / (STEPS * 0.8)) if step % 4 == 0 else None
            self.emit(WriteProgress(note_id, step, STEPS, loss, recall))
            yield
        note = self.notes[note_id]
        self.now += 2.1
        if note.path in self.weak:
            self._refuse(note)
            return
        self._written += 1
        self._tell(
            replace(
                note,
                state=NoteState.REMEMBERED,
                reason="",
                recall=1.0 - (note_id % 7) * 0.011,
                median_p=0.97,
                written_at=self.now,
                cells=140 + note_id * 37 % 160,
                step=0,
                steps=0,
            )
        )

    def _refuse(self, note: Note) -> None:
        """A weak write: what was remembered before stays."""
        self._weak += 1
        reason = "Only 62 % of its probes were answered right."
        reason += EARLIER_KEPT if note.cells else NOT_KEPT
        reason += TRY_AGAIN
        self.put(
            replace(note, state=NoteState.WEAK, reason=reason, recall=0.62, step=0, steps=0)
        )

    def _end_of_write(self) -> None:
        if not any(n.state is NoteState.WAITING for n in self.notes.values()):
            self.emit(QueueEnded(self._written, self._weak, 0, 2.1 * self._written))
            self.emit(StatusChanged(self.status()))

    # --- answering ---

    def prompt_for(self, question: str) -> tuple[str, ...]:
        """The tokens of a question: no note in them."""
        words = question.split(" ")
        parts = [words[0], *(" " + word for word in words[1:])]
        return ("<question>", *parts, "<answer>")

    def answer_for(self, question: str) -> Answer:
        """What the fake knows about a question."""
        prompt = self.prompt_for(question)
        for known in self.knows:
            note = next((n for n in self.notes.values() if n.path == known.note), None)
            if known.question == question and note and note.state is NoteState.REMEMBERED:
                source = Source(note.id, note.path, 0.97, note.written_at)
                answer = Answer(known.answer, True, 0.96, (source,), 0.42, prompt)
                return replace(answer, alternatives=self.alternatives)
        near = [n for n in self.notes.values() if n.state is NoteState.REMEMBERED][:2]
        sources = tuple(Source(n.id, n.path, 0.1, n.written_at) for n in near)
        return Answer(NOT_KNOWN, False, 0.08, sources, 0.31, prompt)

    def _answering(self, request: int, question: str) -> Iterator[None]:
        answer = self.answer_for(question)
        self.emit(AnswerStarted(request, answer.prompt))
        yield
        said = ""
        for word in answer.text.split(" "):
            if request in self._stopped:
                answer = replace(answer, text=said, stopped=True)
                break
            piece = word if not said else " " + word
            said += piece
            self.emit(AnswerPiece(request, piece))
            yield
        self.emit(Answered(request, answer))

    # --- commands ---

    def _carry_out(self, request: int, command: Command) -> None:
        refusal = self.refuse.get(type(command))
        if refusal is not None:
            self.emit(Failed(request, refusal))
            return
        match command:
            case Ask() if not any(note.cells for note in self.notes.values()):
                words = "Nothing has been remembered yet, so there is nothing to ask."
                self.emit(Failed(request, NoMemoryYet(words)))
            case Ask(question):
                self._asks.append(self._answering(request, question))
            case StopAnswer(other):
                self._stopped.add(other)
                self.emit(Done(request))
            case ChangeSettings(settings):
                self.settings = settings
                self.emit(SettingsChanged(settings))
                self._scan()
                self.emit(Done(request))
            case Pause(paused):
                self.settings = replace(self.settings, paused=paused)
                self.emit(SettingsChanged(self.settings))
                self.emit(StatusChanged(self.status()))
                self.emit(Done(request))
            case Rescan():
                self._scan()
                self.emit(Done(request))
            case ShowRemembered(note_id):
                self.emit(Remembered(request, note_id, self._probes(self.notes[note_id])))
            case EstimateRebuild():
                self.emit(RebuildEstimate(request, len(self.notes), len(self.notes) * 2.1))
            case _:
                self._change_memory(request, command)

    def _change_memory(self, request: int, command: Command) -> None:
        match command:
            case Forget(note_ids):
                before = {i: self.notes[i] for i in note_ids}
                for note in before.values():
                    self._tell(replace(note, state=NoteState.FORGOTTEN, cells=0, recall=None))
                self._undo[request] = lambda: self._tell(*before.values())
                self.emit(Done(request, f"Forgot {len(note_ids)} notes.", undoable=True))
            case Undo(other):
                self._undo.pop(other)()
                self.emit(Done(request, "Undone."))
            case WriteAgain(note_ids):
                for i in note_ids:
                    self.put(replace(self.notes[i], state=NoteState.WAITING, reason=""))
                self.emit(Done(request))
            case Remember(paths):
                for path in paths:
                    self.put(Note(next(self._ids), str(path), NoteState.WAITING, in_folder=False))
                self.emit(Done(request))
            case Rebuild():
                for note in tuple(self.notes.values()):
                    self.put(replace(note, state=NoteState.WAITING, cells=0))
                self.emit(Done(request, "Writing every note anew."))
            case GrowSlot(cells):
                self.cells = cells
                self.emit(SlotChanged(self.picture()))
                self.emit(StatusChanged(self.status()))
                self.emit(Done(request, "The slot has more cells now."))
            case Verify():
                self.emit(Done(request, "Every note was asked again."))
            case _:
                self._snapshots(request, command)

    def _probes(self, note: Note) -> tuple[Probe, ...]:
        known = [k for k in self.knows if k.note == note.path]
        return tuple(Probe(k.question, k.answer, k.answer, True, 0.98) for k in known) or (
            Probe("What is it about?", "an example", "an exam", False, 0.31),
        )
