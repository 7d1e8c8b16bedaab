"""The contract between Engram's engine and everything that uses it.

Commands go in, events come out; both are frozen dataclasses. The window, the command line and the
tests know the engine only through this file. Times are seconds since the epoch (UTC) in floats,
shares are 0 to 1, sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

# --- words ---------------------------------------------------------------------------------------


class NoteState(Enum):
    """The life of a note, as `product.md` tells it."""

    WAITING = "waiting"
    READING = "reading"
    WRITING = "writing"
    REMEMBERED = "remembered"
    WEAK = "weak"
    """Its last write, or its memory by now, recalls less than `WEAK_BELOW`. Such a write is not
    kept: what was remembered of the note before, maybe nothing, stays in force."""
    SKIPPED = "skipped"
    FAILED = "failed"
    FORGOTTEN = "forgotten"
    """Forgotten by hand while the file is still there; written again only when asked."""
    REMOVED = "removed"
    """The file left the folder and its memory was kept (see `OnDelete.KEEP`)."""


class OnDelete(Enum):
    """What happens to the memory of a note whose file left the folder."""

    FORGET = "forget"
    KEEP = "keep"


class Effort(Enum):
    """How many gradient steps a write may take."""

    QUICK = "quick"
    NORMAL = "normal"
    THOROUGH = "thorough"


class Mode(Enum):
    """What the engine is doing as a whole."""

    STARTING = "starting"
    IDLE = "idle"
    WRITING = "writing"
    ANSWERING = "answering"
    PAUSED = "paused"
    FOLDER_MISSING = "folder missing"
    BROKEN = "broken"
    """The memory cannot be used; `EngineStatus.problem` says why and what is offered."""


class SnapshotKind(Enum):
    """Who took a snapshot."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"
    BEFORE_RESTORE = "before restore"
    IMPORTED = "imported"


class Change(Enum):
    """How a note differs between two memories."""

    ONLY_IN_FIRST = "only in first"
    ONLY_IN_SECOND = "only in second"
    REWRITTEN = "rewritten"
    RECALL = "recall changed"


WEAK_BELOW = 0.8
"""A note whose recall is under this share is weak."""

MADE_OF_A_SENTENCE = ("Who or what ", "How much or when ")
"""How a probe's question begins that a rule made of a sentence: nobody asks so."""

# --- records -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Note:
    """One row of the ledger, as shown. `id` is stable over renames and edits."""

    id: int
    path: str
    """Relative to the watched folder, with forward slashes; absolute for a note from elsewhere."""
    state: NoteState
    recall: float | None = None
    """Share of the note's probes answered right at the last verification; for a weak write that
    was not kept, of that write."""
    median_p: float | None = None
    """Median probability of the probes' answers."""
    written_at: float | None = None
    changed_at: float | None = None
    """Modification time of the file as last seen."""
    cells: int = 0
    reason: str = ""
    """Why it is weak, skipped or failed: a sentence for a person."""
    in_folder: bool = True
    step: int = 0
    steps: int = 0
    loss: float | None = None


@dataclass(frozen=True)
class Source:
    """A note that carried an answer (or, for an unknown answer, lies near the question)."""

    note_id: int
    path: str
    weight: float
    written_at: float | None = None


@dataclass(frozen=True)
class AlternativeAnswer:
    """What else memory might have meant: nearly as near to the question as the answer itself."""

    text: str
    source: Source
    """The note that it comes from; its weight is the mass against the answer's, 0 to 1."""


@dataclass(frozen=True)
class Answer:
    """What came of one question."""

    text: str
    """The answer, or the sentence that says that it is not in memory."""
    known: bool
    confidence: float
    """Probability that `text` is right, 0 to 1: also that it is not in memory, where it says so."""
    sources: tuple[Source, ...]
    """Known: the notes whose cells carried the answer. Unknown: the nearest ones, maybe none."""
    seconds: float
    prompt: tuple[str, ...]
    """The exact tokens the model was given, special tokens by name."""
    stopped: bool = False
    """True when cut short by `StopAnswer`."""
    alternatives: tuple[AlternativeAnswer, ...] = ()
    """Known: what else it may be, best first. None of a stopped answer."""


@dataclass(frozen=True)
class Probe:
    """A question whose answer a note fixes, and what the slot alone says to it."""

    question: str
    expected: str
    answer: str
    right: bool
    p: float


@dataclass(frozen=True)
class Snapshot:
    """An immutable copy of slot and ledger state."""

    id: str
    name: str
    kind: SnapshotKind
    taken_at: float
    notes: int
    cells: int
    size: int


@dataclass(frozen=True)
class NoteDifference:
    """How one note differs between two snapshots."""

    path: str
    change: Change
    first_recall: float | None
    second_recall: float | None
    probes_changed: int = 0
    """Probes right in one of the two and wrong in the other; only for the same content."""


@dataclass(frozen=True)
class Comparison:
    """What differs between two memories. `second` is "" for the present memory."""

    first: str
    second: str
    notes: tuple[NoteDifference, ...]
    cells_same: int
    cells_changed: int
    probes_changed: int
    """Probes right in one of the two and wrong in the other, summed over the notes."""


@dataclass(frozen=True)
class SlotBlock:
    """A run of consecutive cells of one owner; note_id 0 is free."""

    start: int
    length: int
    note_id: int


@dataclass(frozen=True)
class SlotPicture:
    """Which cells belong to whom, in order, covering all cells."""

    cells: int
    blocks: tuple[SlotBlock, ...]


@dataclass(frozen=True)
class EngineStatus:
    """The status bar's facts. Every number is measured, None where nothing was measured yet."""

    mode: Mode
    device: str
    """"CPU", or the accelerator's name."""
    model: str
    folder: Path | None
    notes_total: int
    notes_remembered: int
    """Notes whose memory passed its probes; weak ones are not among them."""
    queue: int
    cells: int
    cells_used: int
    last_write_seconds: float | None = None
    last_write_tokens: int | None = None
    problem: str = ""
    """For `Mode.BROKEN`, FOLDER_MISSING, or a fall-back to CPU: a sentence for a person."""
    notes_weak: int = 0
    """Notes whose state is weak, or whose memory would make it so while they wait."""
    devices: tuple[str, ...] = ("auto", "cpu", "cuda")
    """What `Settings.device` can be on this computer; everything before the model is open."""
    may_rebuild: bool = False
    """For `Mode.BROKEN`: whether `Rebuild`, from the notes that are there, would mend it."""
    offered_snapshot: str = ""
    """Id of the newest good snapshot, where restoring it would mend the problem."""


@dataclass(frozen=True)
class Settings:
    """What the user may choose. Changing settings never rewrites memory by itself."""

    folder: Path | None = None
    formats: tuple[str, ...] = (".md", ".txt", ".rst", ".org", ".html", ".htm", ".pdf", ".docx")
    on_delete: OnDelete = OnDelete.FORGET
    device: str = "auto"
    """"auto", "cpu" or "cuda"."""
    effort: Effort = Effort.NORMAL
    automatic_snapshots: bool = True
    follow_links: bool = False
    paused: bool = False


# --- commands ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """Answer a question. Goes before any writing."""

    question: str


@dataclass(frozen=True)
class StopAnswer:
    """Stop the answer that request `request` is giving; what is there so far is kept."""

    request: int


@dataclass(frozen=True)
class ChangeSettings:
    """Put these settings in force. A new folder is scanned at once."""

    settings: Settings


@dataclass(frozen=True)
class Pause:
    """Stop (True) or go on (False) writing. Asking works all the while."""

    paused: bool


@dataclass(frozen=True)
class Rescan:
    """Compare the folder with the ledger now (the window sends this when it gets the focus)."""


@dataclass(frozen=True)
class Remember:
    """Write these files, or all readable files in these folders, wherever they are."""

    paths: tuple[Path, ...]


@dataclass(frozen=True)
class WriteAgain:
    """Put these notes back to waiting."""

    note_ids: tuple[int, ...]


@dataclass(frozen=True)
class Forget:
    """Free the cells of these notes."""

    note_ids: tuple[int, ...]


@dataclass(frozen=True)
class Undo:
    """Take back the newest `Forget` or `RestoreSnapshot` (byte for byte), named by its request."""

    request: int


@dataclass(frozen=True)
class ShowRemembered:
    """Ask a note's probes of the slot now. Ends with `Remembered`."""

    note_id: int


@dataclass(frozen=True)
class Verify:
    """Ask every note's probes again and bring the ledger's recall up to date."""


@dataclass(frozen=True)
class TakeSnapshot:
    """Copy slot and ledger state under a name; "" lets the engine name it by the time."""

    name: str = ""


@dataclass(frozen=True)
class RenameSnapshot:
    """Give a snapshot another name."""

    snapshot: str
    name: str


@dataclass(frozen=True)
class RestoreSnapshot:
    """Go back to a snapshot. A snapshot of the present is taken first."""

    snapshot: str


@dataclass(frozen=True)
class DeleteSnapshot:
    """Remove a snapshot for good."""

    snapshot: str


@dataclass(frozen=True)
class CompareSnapshots:
    """Compare two snapshots; second "" stands for the present. Ends with `Compared`."""

    first: str
    second: str = ""


@dataclass(frozen=True)
class ExportSnapshot:
    """Write a snapshot ("" for the present) to one file."""

    snapshot: str
    file: Path


@dataclass(frozen=True)
class ImportSnapshot:
    """Check an exported file and add it to the snapshots. Nothing is restored."""

    file: Path


@dataclass(frozen=True)
class GrowSlot:
    """Give the slot more cells; what is remembered stays."""

    cells: int
    """The new total, not how many are added."""


@dataclass(frozen=True)
class EstimateRebuild:
    """What would `Rebuild` cost? Ends with `RebuildEstimate`."""


@dataclass(frozen=True)
class Rebuild:
    """Write every note in the folder anew into an empty slot. A snapshot is taken first."""


Command = (
    Ask
    | StopAnswer
    | ChangeSettings
    | Pause
    | Rescan
    | Remember
    | WriteAgain
    | Forget
    | Undo
    | ShowRemembered
    | Verify
    | TakeSnapshot
    | RenameSnapshot
    | RestoreSnapshot
    | DeleteSnapshot
    | CompareSnapshots
    | ExportSnapshot
    | ImportSnapshot
    | GrowSlot
    | EstimateRebuild
    | Rebuild
)

# --- events --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StatusChanged:
    """The engine's status, whole."""

    status: EngineStatus


@dataclass(frozen=True)
class NotesReset:
    """All notes, replacing whatever was known before (at start, after a restore)."""

    notes: tuple[Note, ...]


@dataclass(frozen=True)
class NotesChanged:
    """These notes are new or changed; the others are as they were."""

    notes: tuple[Note, ...]


@dataclass(frozen=True)
class NotesGone:
    """These notes are no longer in the ledger."""

    note_ids: tuple[int, ...]


@dataclass(frozen=True)
class WriteProgress:
    """One gradient step of the running write."""

    note_id: int
    step: int
    steps: int
    loss: float
    recall: float | None


@dataclass(frozen=True)
class AnswerStarted:
    """An answer is on its way; the prompt is final."""

    request: int
    prompt: tuple[str, ...]


@dataclass(frozen=True)
class AnswerPiece:
    """More text of an answer; may be withdrawn by the final `Answered` (then known is False)."""

    request: int
    text: str


@dataclass(frozen=True)
class Answered:
    """The answer is complete."""

    request: int
    answer: Answer


@dataclass(frozen=True)
class Remembered:
    """The probes of a note, asked live."""

    request: int
    note_id: int
    probes: tuple[Probe, ...]
    recited: str = ""
    """What the note's cells decode to one after the other, where the file itself is gone."""


@dataclass(frozen=True)
class SnapshotsChanged:
    """All snapshots, newest first."""

    snapshots: tuple[Snapshot, ...]


@dataclass(frozen=True)
class Compared:
    """The result of `CompareSnapshots`."""

    request: int
    comparison: Comparison


@dataclass(frozen=True)
class RebuildEstimate:
    """What a rebuild would cost."""

    request: int
    notes: int
    seconds: float | None
    """None before any write was timed."""


@dataclass(frozen=True)
class SlotChanged:
    """The slot's picture after a commit."""

    picture: SlotPicture


@dataclass(frozen=True)
class SettingsChanged:
    """The settings in force."""

    settings: Settings


@dataclass(frozen=True)
class QueueEnded:
    """The queue ran empty after `seconds`: so many notes are remembered anew, and so many writes
    came out weak (and were not kept) or failed."""

    written: int
    weak: int
    failed: int
    seconds: float


@dataclass(frozen=True)
class Done:
    """A command without a result event of its own has been carried out."""

    request: int
    message: str = ""
    """A sentence to show, e.g. "Forgot 2 notes."; "" for nothing worth saying."""
    undoable: bool = False


@dataclass(frozen=True)
class Failed:
    """A command could not be carried out; memory is as it was before."""

    request: int
    error: EngramError = field(compare=False)


Event = (
    StatusChanged
    | NotesReset
    | NotesChanged
    | NotesGone
    | WriteProgress
    | AnswerStarted
    | AnswerPiece
    | Answered
    | Remembered
    | SnapshotsChanged
    | Compared
    | RebuildEstimate
    | SlotChanged
    | SettingsChanged
    | QueueEnded
    | Done
    | Failed
)

# --- errors --------------------------------------------------------------------------------------


class EngramError(Exception):
    """An error with a sentence for a person. `exit_code` is the command line's."""

    exit_code = 1


class InputError(EngramError):
    """What was given cannot be used: no such file, empty question, unreadable note."""

    exit_code = 3


class NoMemoryYet(InputError):
    """Nothing has been remembered in this home."""


class SlotFull(EngramError):
    """There are not enough free cells; growing is offered."""

    exit_code = 3


class MemoryUnusable(EngramError):
    """The memory as a whole cannot be used."""

    exit_code = 4


class MemoryLocked(MemoryUnusable):
    """Another process has this memory open."""


class MemoryCorrupt(MemoryUnusable):
    """A file of the memory fails its checks."""


class WrongBaseModel(MemoryUnusable):
    """The memory was written with another base model or tokenizer; both are named."""


class BaseModelMissing(MemoryUnusable):
    """The embedded base model is not where it belongs."""


class DiskFull(EngramError):
    """Not enough room on the disk; nothing was changed."""

    exit_code = 3


# --- the engine ----------------------------------------------------------------------------------

Listener = Callable[[Event], None]


class Engine(Protocol):
    """What the window and the command line hold on to.

    `submit` returns at once with the request's number; results come as events, from the engine's
    own thread. Listeners must not block and must not call `close`.
    """

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event from now on; the returned function ends that.

        The first events a new listener gets tell the whole present state: `StatusChanged`,
        `SettingsChanged`, `NotesReset`, `SnapshotsChanged`, `SlotChanged`.
        """

    def start(self) -> None:
        """Open the memory and begin work, on the engine's thread."""

    def submit(self, command: Command) -> int:
        """Queue a command; the number names it in events. Never blocks."""

    def close(self, timeout: float = 1.0) -> bool:
        """Stop between two gradient steps, commit or drop the running write, free the memory.

        Returns:
            True if the engine's thread ended within `timeout` seconds, or if it was still
            loading the base model: then it lets go of it when it can, and touches nothing more.
        """
