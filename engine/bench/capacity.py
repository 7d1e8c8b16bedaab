"""How many facts a memory holds: relations seen and unseen in training, stored and other wording.

Facts are packed into notes of a few facts, a line each; half of the facts are of relations that
were trained on and half of held-out ones (15 % of a bank's schemas, by name). All of them are in
memory at once. Of many facts a random sample is asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from engine.bench.asking import Outcome, Question, Scores, ask_all, scores
from engine.bench.composed import MeasuredFact, compose, packed, read_composer
from engine.bench.subject import Subject, Written, write_all
from engine.bench.table import Table, percent
from engine.training.facts import Composer

NAME = "capacity"
HELP = "N composed facts at once: seen and unseen relations, stored and other wording"
STORED, REWORDED = "stored", "reworded"


@dataclass(frozen=True)
class CapacityRow:
    """One memory: N facts, one seed; scores by relation and wording."""

    n: int
    seed: int
    notes: int
    seen_stored: Scores
    seen_reworded: Scores
    unseen_stored: Scores
    unseen_reworded: Scores
    written: Written


@dataclass(frozen=True)
class CapacityMean:
    """Exact match over the seeds of one N; None where no such relations are in the bank."""

    n: int
    seen_stored: float | None
    seen_reworded: float | None
    unseen_stored: float | None
    unseen_reworded: float | None
    stored: float | None
    reworded: float | None


@dataclass(frozen=True)
class Capacity:
    """Result of the bench.

    Attributes:
        facts_per_note: how the facts were packed.
        sampled: at most this many facts of each sort of relation were asked.
        means: exact match (whole answer, as known) by N.
        means_untrusted: the same with the threshold off.
        rows: every memory.
    """

    facts_per_note: int
    sampled: int
    means: tuple[CapacityMean, ...]
    means_untrusted: tuple[CapacityMean, ...]
    rows: tuple[CapacityRow, ...]

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        remark = f"facts are packed {self.facts_per_note} to a note"
        return (
            _table(f"{NAME}: exact match", self.means, remark),
            _table(f"{NAME}: exact match, threshold off", self.means_untrusted, remark),
        )


def _table(title: str, means: Sequence[CapacityMean], remark: str) -> Table:
    head = ("facts", "seen, stored", "seen, reworded", "unseen, stored", "unseen, reworded")
    rows = tuple(
        (str(m.n), percent(m.seen_stored), percent(m.seen_reworded),
         percent(m.unseen_stored), percent(m.unseen_reworded))
        for m in means
    )  # fmt: skip
    return Table(title, head, rows, (remark,))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--bank", type=Path, nargs="+", required=True, metavar="FILE",
        help="schema banks (JSON Lines)",
    )  # fmt: skip
    parser.add_argument(
        "--values", type=Path, required=True, metavar="FILE", help="values of the banks' slots"
    )
    parser.add_argument(
        "--n", type=int, nargs="+", default=[20, 100, 1000], metavar="N", help="facts in memory"
    )
    parser.add_argument("--seeds", type=int, default=3, help="memories of each size")
    parser.add_argument("--facts-per-note", type=int, default=5, metavar="K")
    parser.add_argument(
        "--sample", type=int, default=100, metavar="K",
        help="facts asked at most, of seen and of unseen relations each",
    )  # fmt: skip


def measure(args: argparse.Namespace, subject: Subject) -> Capacity:
    """Run the bench; see `add_arguments`."""
    composer = read_composer(args.bank, args.values)
    seeds = range(args.seed, args.seed + args.seeds)
    rows = []
    for n in args.n:
        for seed in seeds:
            subject.say(f"{n} facts, seed {seed}")
            rows.append(run(composer, n, seed, args.facts_per_note, args.sample, subject))
    return summary(rows, args.facts_per_note, args.sample)


def run(
    composer: Composer, n: int, seed: int, per_note: int, sample: int, subject: Subject
) -> CapacityRow:
    """One memory with n facts."""
    facts = compose(composer, n, seed)
    notes, note_of = packed(facts, per_note)
    memory = subject.fresh()
    written = write_all(memory, notes, subject)
    chosen = _sample(facts, sample, seed)
    questions = [Question(facts[i].cue, (facts[i].answer,), STORED, note_of[i]) for i in chosen]
    questions += [
        Question(facts[i].question, (facts[i].answer,), REWORDED, note_of[i]) for i in chosen
    ]
    outcomes = ask_all(questions, subject.ask(memory, [q.text for q in questions]))
    seen = [facts[i].seen for i in chosen] * 2

    def of(kind: str, is_seen: bool) -> Scores:
        some: list[Outcome] = [
            o for o, s in zip(outcomes, seen, strict=True)
            if s is is_seen and o.question.kind == kind
        ]  # fmt: skip
        return scores(some)

    return CapacityRow(
        n, seed, len(notes), of(STORED, True), of(REWORDED, True),
        of(STORED, False), of(REWORDED, False), written,
    )  # fmt: skip


def _sample(facts: Sequence[MeasuredFact], most: int, seed: int) -> list[int]:
    """Indices of the facts that are asked, in order."""
    rng = Random(f"sample/{seed}")
    chosen: list[int] = []
    for is_seen in (True, False):
        of_sort = [i for i, fact in enumerate(facts) if fact.seen is is_seen]
        chosen += rng.sample(of_sort, min(most, len(of_sort)))
    return sorted(chosen)


def summary(rows: Sequence[CapacityRow], per_note: int, sample: int) -> Capacity:
    """Means over the seeds of each N."""
    sizes = list(dict.fromkeys(row.n for row in rows))
    by_size = {n: [row for row in rows if row.n == n] for n in sizes}
    return Capacity(
        per_note,
        sample,
        tuple(_mean(n, by_size[n], trusted=True) for n in sizes),
        tuple(_mean(n, by_size[n], trusted=False) for n in sizes),
        tuple(rows),
    )


def _mean(n: int, rows: Sequence[CapacityRow], trusted: bool) -> CapacityMean:
    def over(parts: Sequence[Scores]) -> float | None:
        """Mean over questions, so that seeds and sorts weigh by what was asked."""
        asked = sum(s.questions for s in parts)
        exact = [(s.em if trusted else s.em_untrusted) or 0.0 for s in parts]
        right = sum(e * s.questions for e, s in zip(exact, parts, strict=True))
        return right / asked if asked else None

    seen_stored = [r.seen_stored for r in rows]
    seen_reworded = [r.seen_reworded for r in rows]
    unseen_stored = [r.unseen_stored for r in rows]
    unseen_reworded = [r.unseen_reworded for r in rows]
    return CapacityMean(
        n, over(seen_stored), over(seen_reworded), over(unseen_stored), over(unseen_reworded),
        over(seen_stored + unseen_stored), over(seen_reworded + unseen_reworded),
    )  # fmt: skip
