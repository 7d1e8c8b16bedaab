"""Slot designs side by side: the same facts, the same cues, the same frozen backbone states.

Each fact is a note of its own; all are written into one memory, one after another. The slot that
ships is written by the code that ships; what the rivals are is told in `engine.bench.rivals`. They
are given the note's own cues and, where these lack it, the stored wording as well, which the slot
that ships is not. Everything runs in one process; answers are scored teacher-forced and whole,
which for right answers is the same as greedy decoding, and without the confidence's threshold.

The rivals' defaults come from a small search, see `Options`.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.bench.metrics import mean, ratio
from engine.bench.sets import CuedFact, read_facts
from engine.bench.subject import Meter, Subject
from engine.bench.table import Table, percent, seconds

if TYPE_CHECKING:  # the command line needs no torch
    from engine.bench.design_facts import Fact, Rival
    from engine.bench.real import RealSubject

NAME = "designs"
HELP = "slot designs side by side: cells by content or through a gate, dense slots by three rules"
CONTENT, GATED, DENSE, CLOSED, SELECTED = "content", "gated", "dense", "closed", "selected"
DESIGNS = (CONTENT, GATED, DENSE, CLOSED, SELECTED)
_RANDOM = (DENSE, CLOSED, SELECTED)


@dataclass(frozen=True)
class Options:
    """Of the rivals.

    The defaults come from a small search with a "tiny" base model on composed facts, none of which
    is in an evaluation set; one seed each. Dense, 12 facts, 60 steps, five settings with n of 1024
    and 4096, k of 8, 32 and 128, rates of 0.1 and 0.3: whatever was taken, 11 stored wordings were
    right just after their write; after the last write 5 with k = 8, and 2 or 3 with more. The
    closed form, n = 2048, three settings with k of 8 and 32, ridge of 0.01 and 0.1: 11 and 11,
    surest with the smaller ridge (median p 0.26 against 0.18) and with k = 32 (0.18 against 0.08).
    Selective writing was tried with k = 32 only (11, then 2) and is given what the dense slot is
    given. Gated, 5 facts, 60 steps, g of 1 and 3, rates of 0.1 and 0.3: all alike, 4 right and
    median p 0.58 to 0.63, highest with g = 3 and 0.1; with values as the slot has them, 5 right and
    0.10. Fewer or more than 60 steps were not tried.

    Attributes:
        rows: n, of a dense slot.
        active: k, rows that a state addresses.
        rate: of Adam on a dense slot's rows.
        rivals_steps: gradient steps a write at most, of a dense slot and of gated values.
        ridge: of the closed form.
        selected: share of the rows that selective writing may touch.
        gate: g, of the gated cells. gated_rate: of Adam on their values.
    """

    rows: int = 4096
    active: int = 8
    rate: float = 0.3
    rivals_steps: int = 60
    ridge: float = 0.01
    selected: float = 0.1
    gate: float = 3.0
    gated_rate: float = 0.1


@dataclass(frozen=True)
class DesignRun:
    """One design, one seed.

    Attributes:
        design: its name. seed: of its random projection; None where there is none.
        facts, reworded_total: stored wordings and rewordings asked.
        stored_at_once: stored wordings answered right just after their own fact's write.
        stored_right, reworded_right: answered right after the last write.
        earlier_at_once: of `stored_at_once`, those of all facts but the last.
        earlier_kept: of these, still right after the last write.
        median_p: of the whole stored answers after the last write; a wrong answer counts as 0.
        seconds: a fact's write takes on average, reading the note included.
        bytes: a fact takes: all that is kept, over the number of facts.
        marks_at_once, marks: stored wordings in order of writing, "1" for right, just after their
            own write and after the last.
    """

    design: str
    seed: int | None
    facts: int
    reworded_total: int
    stored_at_once: int
    stored_right: int
    reworded_right: int
    earlier_at_once: int
    earlier_kept: int
    median_p: float
    seconds: float
    bytes: float
    marks_at_once: str
    marks: str


@dataclass(frozen=True)
class DesignMean:
    """A design over its seeds; shares are of all questions of all seeds.

    Attributes:
        design: its name. seeds: how many runs.
        stored_at_once, stored, reworded: shares of right whole answers.
        retention: of the stored wordings of all facts but the last that were right just after
            their own write, the share still right after the last write.
        median_p, seconds, bytes: means over the runs.
    """

    design: str
    seeds: int
    stored_at_once: float | None
    stored: float | None
    reworded: float | None
    retention: float | None
    median_p: float | None
    seconds: float | None
    bytes: float | None


@dataclass(frozen=True)
class Designs:
    """Result of the bench.

    Attributes:
        facts: written. cued: how many of the stored wordings are among the notes' own cues, which
            are all that the slot that ships is given.
        options: of the rivals.
        means: by design. runs: every memory.
    """

    facts: int
    cued: int
    options: Options
    means: tuple[DesignMean, ...]
    runs: tuple[DesignRun, ...]

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        head = ("design", "seeds", "at once", "stored", "reworded", "retention", "median p",
                "a fact", "kB a fact")  # fmt: skip
        rows = tuple(
            (m.design, m.seeds, percent(m.stored_at_once), percent(m.stored), percent(m.reworded),
             percent(m.retention), m.median_p, seconds(m.seconds),
             None if m.bytes is None else f"{m.bytes / 1000:.1f}")
            for m in self.means
        )  # fmt: skip
        remarks = (
            f"{self.facts} facts; the notes' own cues hold {self.cued} of the stored wordings, the "
            "rivals are given all of them",
            "a dense slot's size is fixed: its share falls with every fact",
        )
        return (Table(NAME, head, rows, remarks),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    plain = Options()
    parser.add_argument(
        "--file", type=Path, required=True, metavar="FILE",
        help="facts: JSON Lines of statement, cue, answer, questions",
    )  # fmt: skip
    parser.add_argument(
        "--designs", nargs="+", choices=DESIGNS, default=list(DESIGNS), metavar="NAME",
        help=f"which ones: {', '.join(DESIGNS)}",
    )  # fmt: skip
    parser.add_argument("--seeds", type=int, default=3, help="runs of each random design")
    sizes = (("--rows", plain.rows, "n, of a dense slot"),
             ("--active", plain.active, "k, rows that a state addresses"),
             ("--rivals-steps", plain.rivals_steps, "gradient steps of a rival's write, at most"),
             )  # fmt: skip
    for flag, whole, told in sizes:
        parser.add_argument(flag, type=int, default=whole, metavar="N", help=told)
    numbers = (("--rate", plain.rate, "of gradient steps on a dense slot"),
               ("--ridge", plain.ridge, "of the closed form"),
               ("--selected", plain.selected, "share of the rows that selective writing touches"),
               ("--gate", plain.gate, "of the gated cells"),
               ("--gated-rate", plain.gated_rate, "of gradient steps on gated cells' values"),
               )  # fmt: skip
    for flag, number, told in numbers:
        parser.add_argument(flag, type=float, default=number, metavar="X", help=told)


def measure(args: argparse.Namespace, subject: Subject) -> Designs:
    """Run the bench; see `add_arguments`.

    Raises:
        TypeError: the subject is no real base model.
    """
    from engine.bench.real import RealSubject

    if not isinstance(subject, RealSubject):
        raise TypeError("slot designs are measured on a real base model")
    options = Options(
        args.rows, args.active, args.rate, args.rivals_steps, args.ridge, args.selected,
        args.gate, args.gated_rate,
    )  # fmt: skip
    seeds = range(args.seed, args.seed + max(1, args.seeds))
    designs = list(dict.fromkeys(args.designs))
    return run(read_facts(args.file), subject, options, designs, seeds)


def run(
    facts: Sequence[CuedFact],
    subject: RealSubject,
    options: Options,
    designs: Sequence[str],
    seeds: Sequence[int],
) -> Designs:
    """Write the facts into a memory of each design, those with random parts once for each seed."""
    from engine.bench.design_facts import read_facts_with

    told = read_facts_with(subject.base, facts)
    runs = []
    for name in designs:
        for seed in seeds if name in _RANDOM else [None]:
            subject.say(name if seed is None else f"{name}, seed {seed}")
            rival = _make(name, subject, options, seed or 0)
            runs.append(_write_and_ask(name, seed, rival, told, subject.say))
    means = tuple(_mean([r for r in runs if r.design == name]) for name in designs)
    return Designs(len(told), sum(f.cued for f in told), options, means, tuple(runs))


def _make(name: str, subject: RealSubject, options: Options, seed: int) -> Rival:
    from engine.bench import rivals

    base, rows = subject.base, options.rows
    if name == CONTENT:
        return rivals.ContentCells(base, subject.cells, subject.options)
    if name == GATED:
        return rivals.GatedCells(
            base, subject.cells, subject.options, options.gate, options.rivals_steps,
            options.gated_rate,
        )  # fmt: skip
    address = rivals.Address(base, rows, options.active, seed)
    if name == CLOSED:
        return rivals.ClosedForm(base, address, rows, options.ridge)
    selected = options.selected if name == SELECTED else None
    return rivals.DenseSlot(base, address, rows, options.rivals_steps, options.rate, selected)


def _write_and_ask(
    name: str, seed: int | None, rival: Rival, facts: Sequence[Fact], say: Callable[[str], None]
) -> DesignRun:
    from engine.bench.design_facts import score

    meter = Meter("wrote", len(facts), say)
    at_once, taken = [], []
    for fact in facts:
        taken.append(rival.write(fact))
        at_once.append(score(rival, fact.asked).right[0])
        meter.tick()
    last = [score(rival, fact.asked) for fact in facts]
    stored = [s.right[0] for s in last]
    reworded = [right for s in last for right in s.right[1:]]
    still = [before and now for before, now in zip(at_once, stored, strict=True)]
    return DesignRun(
        design=name,
        seed=seed,
        facts=len(facts),
        reworded_total=len(reworded),
        stored_at_once=sum(at_once),
        stored_right=sum(stored),
        reworded_right=sum(reworded),
        earlier_at_once=sum(at_once[:-1]),
        earlier_kept=sum(still[:-1]),
        median_p=statistics.median(s.p[0] if s.right[0] else 0.0 for s in last),
        seconds=statistics.fmean(taken),
        bytes=rival.size() / len(facts),
        marks_at_once=_marks(at_once),
        marks=_marks(stored),
    )


def _marks(right: Sequence[bool]) -> str:
    return "".join("1" if r else "0" for r in right)


def _mean(runs: Sequence[DesignRun]) -> DesignMean:
    facts = sum(r.facts for r in runs)

    def each(number: Callable[[DesignRun], float]) -> Iterator[float]:
        return (number(r) for r in runs)

    return DesignMean(
        design=runs[0].design,
        seeds=len(runs),
        stored_at_once=ratio(sum(r.stored_at_once for r in runs), facts),
        stored=ratio(sum(r.stored_right for r in runs), facts),
        reworded=ratio(
            sum(r.reworded_right for r in runs), sum(r.reworded_total for r in runs)
        ),
        retention=ratio(
            sum(r.earlier_kept for r in runs), sum(r.earlier_at_once for r in runs)
        ),
        median_p=mean(each(lambda r: r.median_p)),
        seconds=mean(each(lambda r: r.seconds)),
        bytes=mean(each(lambda r: r.bytes)),
    )
