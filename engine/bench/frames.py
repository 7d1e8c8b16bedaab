"""How long a thread beside the engine's waits for its turn while notes are written.

The window's thread shares one interpreter lock with the engine's. Here a plain thread stands in
for it: it wakes every 5 ms and computes for 1 ms, as a window does that draws. Measured is the
time from one waking to the next: while nothing is written, and while the engine itself, in its own
thread, reads, writes and commits notes of some lengths.

On a busy computer every thread waits for other processes as well. So each gap is also told by what
this process computed in it, which is the most of it that the engine can be to blame for.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.api import (
    EngramError,
    Event,
    Mode,
    Note,
    NotesChanged,
    NoteState,
    Remember,
    Settings,
    StatusChanged,
)
from engine.backing import MemoryFactory
from engine.bench.subject import Subject
from engine.bench.table import Table, seconds
from engine.service import WRITING_ONLY, EngineService
from engine.store.home import Home
from engine.store.settings import SettingsFile

NAME = "frames"
HELP = "how long a thread beside the engine waits while notes are written"
PERIOD = 0.005
WORK = 0.001
LONG = 0.05
"""A gap that a person sees."""
_PATIENCE = 3600.0
_AT_REST = (NoteState.REMEMBERED, NoteState.WEAK, NoteState.FAILED, NoteState.SKIPPED)
_NAMES = ("Marta", "Otto", "Jonas", "Wanda", "Ines", "Ravi", "Tilde", "Bruno", "Salome", "Piet")
_PLACES = ("Linden Quay", "Arnsby", "Tolle Bridge", "the mill", "Sandray", "the upper lock")
_THINGS = ("ropes", "lamps", "oars", "barrels", "tickets", "maps", "kettles")


@dataclass(frozen=True)
class Gaps:
    """Gaps between two wakings of the thread, in seconds.

    Attributes:
        what: was done meanwhile. tokens: of each note, 0 for none.
        seconds: measured. ticks: wakings in them.
        p99, longest: of the gaps. long: how many were over 50 ms.
        p99_ours, longest_ours, long_ours: the same of what this process computed in each gap.
        p99_ratio: p99 in p99 of when nothing is written.
    """

    what: str
    tokens: int
    seconds: float
    ticks: int
    p99: float
    longest: float
    long: int
    p99_ours: float
    longest_ours: float
    long_ours: int
    p99_ratio: float


@dataclass(frozen=True)
class Frames:
    """Result of the bench: nothing written, the first note of the process, and notes by length.

    Attributes:
        rows: one for each.
        repeats: how often each but the first note was measured.
        period, work: of the thread, in seconds.
    """

    rows: tuple[Gaps, ...]
    repeats: int
    period: float
    work: float

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        rows = tuple(
            (
                row.what, row.ticks, seconds(row.p99), f"{row.p99_ratio:.1f} x",
                seconds(row.longest), row.long, seconds(row.longest_ours), row.long_ours,
            )
            for row in self.rows
        )  # fmt: skip
        head = ("meanwhile", "ticks", "p99", "ratio", "longest", "> 50 ms", "ours", "> 50 ms")
        return (Table(f"{NAME}: gaps of a thread that wakes every 5 ms", head, rows),)


@dataclass(frozen=True)
class _Tick:
    """When the thread woke, and what the process had computed till then, in seconds."""

    at: float
    computed: float


class _Ticker:
    """The thread; it notes when it woke."""

    def __init__(self) -> None:
        self._ticks: list[_Tick] = []
        self._ends = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="engram-ticker", daemon=True)

    def __enter__(self) -> _Ticker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        self._thread.join()

    def _run(self) -> None:
        while not self._ends:
            woken = time.perf_counter()
            with self._changed:
                self._ticks.append(_Tick(woken, time.process_time()))
                self._changed.notify_all()
            done = time.thread_time() + WORK
            while time.thread_time() < done:
                pass
            time.sleep(max(0.0, PERIOD - (time.perf_counter() - woken)))

    def mark(self) -> int:
        """The number of the next tick."""
        return len(self._ticks)

    def wait(self, ticks: int) -> None:
        """Wait for so many more."""
        end = self.mark() + ticks
        with self._changed:
            self._changed.wait_for(lambda: len(self._ticks) >= end)

    def since(self, mark: int) -> list[_Tick]:
        """The ticks from this one on, and one that comes yet: what ends now may have held it."""
        self.wait(1)
        return self._ticks[mark:]


class _Writer:
    """The engine with a home of its own; writes files one after the other."""

    def __init__(self, home: Path, model: MemoryFactory) -> None:
        self._home = home
        self._notes: dict[str, Note] = {}
        self._ready = False
        self._changed = threading.Condition()
        self._engine = EngineService(home / "memory", model, duties=WRITING_ONLY)
        self._engine.subscribe(self._listen)

    def __enter__(self) -> _Writer:
        self._engine.start()
        try:
            self._until(lambda: self._ready)
        except EngramError:
            self._engine.close(_PATIENCE)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close(_PATIENCE)

    def _listen(self, event: Event) -> None:
        with self._changed:
            if isinstance(event, NotesChanged):
                self._notes.update((note.path, note) for note in event.notes)
            elif isinstance(event, StatusChanged):
                if event.status.mode is Mode.BROKEN:
                    self._notes[""] = Note(0, "", NoteState.FAILED, reason=event.status.problem)
                self._ready = event.status.mode is not Mode.STARTING
            self._changed.notify_all()

    def _until(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: holds() or "" in self._notes, _PATIENCE)
            if "" in self._notes:
                raise EngramError(self._notes[""].reason)

    def write(self, name: str, text: str) -> None:
        """Write a note and wait until it is at rest. Raises: EngramError: it could not be."""
        file = self._home / f"{name}.txt"
        file.write_text(text, encoding="utf-8")
        path = file.absolute().as_posix()
        self._engine.submit(Remember((file,)))
        self._until(lambda: path in self._notes and self._notes[path].state in _AT_REST)
        note = self._notes[path]
        if note.state in (NoteState.FAILED, NoteState.SKIPPED):
            raise EngramError(note.reason)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--tokens", type=int, nargs="+", default=[200, 2000], help="lengths of the notes"
    )
    parser.add_argument("--repeats", type=int, default=3, help="notes of each length")
    parser.add_argument(
        "--ticks", type=int, default=1000, help="wakings without a write, before each note"
    )


def measure(args: argparse.Namespace, subject: Subject) -> Frames:
    """Run the bench; see `add_arguments`."""
    from engine.device import open_model

    shorten = subject.stand().shorten
    model = partial(open_model, directory=args.base)
    texts = [
        [shorten(diary(tokens, turn), tokens) for tokens in args.tokens]
        for turn in range(args.repeats + 1)
    ]
    return run(model, args.tokens, texts, args.ticks, args.device, subject.say)


def run(
    model: MemoryFactory,
    tokens: Sequence[int],
    texts: Sequence[Sequence[str]],
    ticks: int,
    device: str,
    say: Callable[[str], None],
) -> Frames:
    """Write notes beside the thread.

    Args:
        model: opens the base model.
        tokens: the lengths of notes.
        texts: for each turn a text of each length. The first turn's first one is the first write
            of the process and stands alone; the others of that turn are not measured.
        ticks: wakings without a write, before each turn but the first.
        device: "auto", "cpu" or "cuda".
        say: is told how far it is.
    """
    nothing, first = _Sample("nothing written", 0), _Sample("the first note", tokens[0])
    by_length = [_Sample(f"a note of {length} tokens", length) for length in tokens]
    with tempfile.TemporaryDirectory(prefix="engram-bench-") as folder:
        home = Path(folder)
        save_device(home / "memory", device)
        with _Writer(home, model) as writer, _Ticker() as ticker:
            for turn, row in enumerate(texts):
                say(f"turn {turn} of {len(texts) - 1}")
                if turn:
                    nothing.take(ticker, partial(ticker.wait, ticks))
                for number, text in enumerate(row):
                    write = partial(writer.write, f"{turn}-{number}", text)
                    if turn:
                        by_length[number].take(ticker, write)
                    elif number == 0:
                        first.take(ticker, write)
                    else:
                        write()
    calm = nothing.p99
    samples = (nothing, first, *by_length)
    return Frames(tuple(s.gaps(calm) for s in samples), len(texts) - 1, PERIOD, WORK)


def save_device(home: Path, device: str) -> None:
    """Choose the device of the memory that is made in `home`."""
    home.mkdir()
    SettingsFile(Home(home).settings).save(Settings(device=device))


class _Sample:
    """All gaps of one kind, in seconds, each with what the process computed in it."""

    def __init__(self, what: str, tokens: int) -> None:
        self._what = what
        self._tokens = tokens
        self._gaps: list[float] = []
        self._ours: list[float] = []

    def take(self, ticker: _Ticker, do: Callable[[], None]) -> None:
        """Do something and keep the gaps that came meanwhile."""
        mark = ticker.mark()
        do()
        ticks = ticker.since(mark)
        for before, after in itertools.pairwise(ticks):
            gap = after.at - before.at
            self._gaps.append(gap)
            # Several threads may compute at once; a gap is no longer than it is.
            self._ours.append(min(gap, after.computed - before.computed))

    @property
    def p99(self) -> float:
        """The gap that 99 of 100 do not exceed."""
        return _p99(self._gaps)

    def gaps(self, calm: float) -> Gaps:
        """The figures; `calm` is the p99 of when nothing is written."""
        gaps, ours = self._gaps, self._ours
        return Gaps(
            what=self._what,
            tokens=self._tokens,
            seconds=sum(gaps),
            ticks=len(gaps),
            p99=self.p99,
            longest=max(gaps),
            long=sum(gap > LONG for gap in gaps),
            p99_ours=_p99(ours),
            longest_ours=max(ours),
            long_ours=sum(gap > LONG for gap in ours),
            p99_ratio=self.p99 / calm,
        )


def _p99(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(0.99 * len(ordered)) - 1]


def diary(words: int, seed: int) -> str:
    """A text of at least so many words, each sentence another; another one for each seed."""
    draw = random.Random(seed)
    lines: list[str] = []
    count = 0
    while count < words:
        name, place, thing = draw.choice(_NAMES), draw.choice(_PLACES), draw.choice(_THINGS)
        line = (
            f"On day {len(lines) + 1} {name} counted {draw.randrange(10, 900)} {thing} at {place} "
            f"and paid {draw.randrange(10, 900)} for them."
        )
        lines.append(line)
        count += len(line.split())
    return "\n".join(lines)
