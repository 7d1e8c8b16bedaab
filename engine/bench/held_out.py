"""Notes kept aside from training, some in each memory: answers by kind of question, honesty.

Notes that lie side by side in the file share a memory: those of one person, where they are so kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.bench import notes
from engine.bench.asking import Outcome, Question, ask_all
from engine.bench.sets import read_written
from engine.bench.subject import Subject, Written, together, write_all
from engine.bench.table import Table
from engine.notes.readers import markdown
from engine.training.corpora import WrittenNote

NAME = "held-out"
HELP = "notes kept aside from training, 36 in each memory: F1 and EM by kind, right note, honesty"


@dataclass(frozen=True)
class HeldOut:
    """Result of the bench.

    Attributes:
        in_memory: notes in each memory, the last one may hold fewer.
        memories: how many were made.
        found: over the questions of all memories.
    """

    in_memory: int
    memories: int
    found: notes.Notes

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        of = f"{self.found.notes} notes, {self.in_memory} in memory"
        return (self.found.table(f"{NAME}: {of}"),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--file", type=Path, required=True,
        help="JSON Lines of name, text, questions (question, answers, kind)",
    )  # fmt: skip
    parser.add_argument(
        "--in-memory", type=int, default=36, metavar="N", help="notes in each memory (default: 36)"
    )


def measure(args: argparse.Namespace, subject: Subject) -> HeldOut:
    """Run the bench; see `add_arguments`."""
    return run(read_written(args.file), max(1, args.in_memory), subject)


def run(asked: Sequence[WrittenNote], in_memory: int, subject: Subject) -> HeldOut:
    """Write the notes of each memory, then ask everything about them."""
    outcomes: list[Outcome] = []
    written: list[Written] = []
    for start in range(0, len(asked), in_memory):
        some = dict(enumerate(asked[start : start + in_memory], 1))
        memory = subject.fresh()
        texts = {i: markdown.read_text(note.text, note.name) for i, note in some.items()}
        written.append(write_all(memory, texts, subject))
        questions = [
            Question(q.question, q.answers, q.kind, i)
            for i, note in some.items()
            for q in note.questions
        ]
        outcomes += ask_all(questions, subject.ask(memory, [q.text for q in questions], True))
    found = notes.summary(len(asked), outcomes, None, together(written), ())
    return HeldOut(in_memory, len(written), found)
