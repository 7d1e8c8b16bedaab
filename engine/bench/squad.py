"""SQuAD passages, with no passage at question time: one in memory, and many.

With one in memory each passage gets a memory of its own; with many, all of them share one. Beside
it the same backbone with the passage in its prompt. Passages and questions are a seeded sample.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from engine.bench.asking import Outcome, Question, Reply, Scores, ask_all, scores
from engine.bench.sets import Passage, plain_note, read_passages
from engine.bench.subject import Meter, Subject, Written, write_all
from engine.bench.table import Table, percent
from engine.notes.text import NoteText

NAME = "squad"
HELP = "SQuAD passages in memory, asked without the passage"


@dataclass(frozen=True)
class SquadRow:
    """Scores with some number of passages in each memory.

    Attributes:
        in_memory: passages in one memory.
        memories: how many memories were made.
        scores: over all of them.
        written: how the writes went, of the last memory.
    """

    in_memory: int
    memories: int
    scores: Scores
    written: Written


@dataclass(frozen=True)
class Squad:
    """Result of the bench.

    Attributes:
        rows: one for each number of passages in memory.
        in_context: the backbone's own scores, the passage in its prompt, on the questions of the
            first row. A backbone that was never trained on such prompts does badly here.
    """

    rows: tuple[SquadRow, ...]
    in_context: Scores

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        lines = [(f"{r.in_memory} in memory", r.scores) for r in self.rows]
        lines.append(("in the prompt", self.in_context))
        rows = tuple(
            (name, s.questions, percent(s.f1), percent(s.em), percent(s.f1_untrusted),
             percent(s.em_untrusted), percent(s.right_note))
            for name, s in lines
        )  # fmt: skip
        head = ("passages", "asked", "F1", "EM", "F1, thr. off", "EM, thr. off", "right note")
        return (Table(NAME, head, rows),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--passages", type=Path, required=True, metavar="FILE",
        help="a JSON list of title, context, questions (question, answer)",
    )  # fmt: skip
    parser.add_argument(
        "--in-memory", type=int, nargs="+", default=[1, 200], metavar="N",
        help="passages in one memory",
    )  # fmt: skip
    parser.add_argument(
        "--limit", type=int, default=200, help="passages drawn at most (default: 200)"
    )
    parser.add_argument(
        "--single", type=int, default=20, metavar="K",
        help="memories made where fewer passages than --limit share one (default: 20)",
    )  # fmt: skip
    parser.add_argument(
        "--questions", type=int, default=500, help="asked at most, of each row (default: 500)"
    )


def measure(args: argparse.Namespace, subject: Subject) -> Squad:
    """Run the bench; see `add_arguments`."""
    passages = read_passages(args.passages)
    rng = Random(f"squad/{args.seed}")
    drawn = rng.sample(passages, min(args.limit, len(passages)))
    sizes = list(dict.fromkeys(max(1, min(n, len(drawn))) for n in args.in_memory))
    rows = [run(drawn, n, args.single, args.questions, args.seed, subject) for n in sizes]
    first = _groups(drawn, sizes[0], args.single)
    chosen = _chosen([p for group in first for p in group], args.questions, args.seed)
    return Squad(tuple(rows), _in_context(chosen, subject))


def run(
    drawn: Sequence[Passage], in_memory: int, memories: int, most: int, seed: int, subject: Subject
) -> SquadRow:
    """One row: memories of `in_memory` passages each, as many as the passages allow."""
    groups = _groups(drawn, in_memory, memories)
    outcomes: list[Outcome] = []
    written = None
    for number, group in enumerate(groups, 1):
        subject.say(f"{in_memory} in memory: {number} of {len(groups)}")
        memory = subject.fresh()
        notes = {i: _note(p) for i, p in enumerate(group, 1)}
        written = write_all(memory, notes, subject)
        asked = _questions(group, -(-most // len(groups)), seed)
        outcomes += ask_all(asked, subject.ask(memory, [q.text for q in asked]))
    if written is None:
        raise ValueError("no passages")
    return SquadRow(in_memory, len(groups), scores(outcomes), written)


def _groups(
    drawn: Sequence[Passage], in_memory: int, memories: int
) -> list[Sequence[Passage]]:
    """Passages by memory: full groups only, at most `memories` of them."""
    starts = range(0, len(drawn) - in_memory + 1, in_memory)
    return [drawn[i : i + in_memory] for i in starts][:memories]


def _note(passage: Passage) -> NoteText:
    return plain_note(passage.title, passage.text)


def _questions(group: Sequence[Passage], most: int, seed: int) -> list[Question]:
    return [
        Question(question, (answer,), "squad", 1 + at)
        for at, question, answer in _chosen_at(group, most, seed)
    ]


def _chosen_at(group: Sequence[Passage], most: int, seed: int) -> list[tuple[int, str, str]]:
    """A sample of (index of the passage, question, answer), in order."""
    pairs = [(i, q, a) for i, p in enumerate(group) for q, a in p.questions]
    chosen = Random(f"questions/{seed}").sample(range(len(pairs)), min(most, len(pairs)))
    return [pairs[i] for i in sorted(chosen)]


def _chosen(
    passages: Sequence[Passage], most: int, seed: int
) -> list[tuple[Passage, str, str]]:
    return [(passages[i], q, a) for i, q, a in _chosen_at(passages, most, seed)]


def _in_context(chosen: Sequence[tuple[Passage, str, str]], subject: Subject) -> Scores:
    reader = subject.reader()
    meter = Meter("asked in context", len(chosen), subject.say)
    outcomes = []
    for passage, question, answer in chosen:
        reply: Reply = reader.answer("\n".join(reader.cut(_note(passage))), question)
        outcomes.append(Outcome(Question(question, (answer,), "squad"), reply))
        meter.tick()
    return scores(outcomes)
