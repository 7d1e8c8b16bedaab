"""Fabricated facts, written as notes, asked in stored wording and in other words.

The cue is the statement up to its answer and is asked as it stands. Median p is that of whole
answers, natural stop included, over the stored wordings; a wrong answer counts as p = 0. Beside it
stands the median p of first tokens, which is what the paper tells.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass
from pathlib import Path

from engine.bench.asking import Given, Outcome, Question, ask_all, given, scores
from engine.bench.metrics import ratio
from engine.bench.sets import CuedFact, plain_note, read_facts
from engine.bench.subject import Subject, Written, write_all
from engine.bench.table import Table, percent

NAME = "facts20"
HELP = "fabricated facts: stored wording and rewordings, asked in a fresh process"
STORED, REWORDED = "stored", "reworded"


@dataclass(frozen=True)
class Facts20:
    """Result of the bench; counts are of questions.

    `*_exact` counts whole answers that are right and given as known; `*_exact_untrusted` leaves
    the confidence out of account; `*_right_note` counts questions that point at the right note.
    """

    stored_exact: int
    stored_total: int
    median_p: float
    median_first_p: float
    reworded_exact: int
    reworded_total: int
    stored_exact_untrusted: int
    reworded_exact_untrusted: int
    reworded_f1: float | None
    stored_right_note: int
    reworded_right_note: int
    written: Written
    answers: tuple[Given, ...]

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        rows = [
            ("stored wording", self.stored_total, self.stored_exact,
             self.stored_exact_untrusted, self.stored_right_note),
            ("reworded", self.reworded_total, self.reworded_exact,
             self.reworded_exact_untrusted, self.reworded_right_note),
        ]  # fmt: skip
        shown = tuple((*row, percent(ratio(row[2], row[1]))) for row in rows)
        head = ("asked", "questions", "right", "threshold off", "right note", "share")
        remark = (
            f"median p, stored wording: {self.median_p:.4f} of whole answers, "
            f"{self.median_first_p:.4f} of first tokens"
        )
        return (Table(NAME, head, shown, (remark, self.written.remark)),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--file", type=Path, required=True, metavar="FILE",
        help="facts: JSON Lines of statement, cue, answer, questions",
    )  # fmt: skip


def measure(args: argparse.Namespace, subject: Subject) -> Facts20:
    """Run the bench; see `add_arguments`."""
    return run(read_facts(args.file), subject)


def run(facts: list[CuedFact], subject: Subject) -> Facts20:
    """Write each fact as a note of its own, all into one memory, and ask."""
    memory = subject.fresh()
    notes = {i: plain_note(f"Fact {i}", fact.statement) for i, fact in enumerate(facts, 1)}
    written = write_all(memory, notes, subject)
    questions = []
    for i, fact in enumerate(facts, 1):
        questions.append(Question(fact.cue, (fact.answer,), STORED, i))
        questions += [Question(q, (fact.answer,), REWORDED, i) for q in fact.questions]
    outcomes = ask_all(questions, subject.ask(memory, [q.text for q in questions]))
    return _result(outcomes, written)


def _result(outcomes: list[Outcome], written: Written) -> Facts20:
    stored = [o for o in outcomes if o.question.kind == STORED]
    reworded = [o for o in outcomes if o.question.kind == REWORDED]
    return Facts20(
        stored_exact=sum(o.right for o in stored),
        stored_total=len(stored),
        median_p=statistics.median(o.reply.p if o.right_untrusted else 0.0 for o in stored),
        median_first_p=statistics.median(
            o.reply.first_p if o.right_untrusted else 0.0 for o in stored
        ),
        reworded_exact=sum(o.right for o in reworded),
        reworded_total=len(reworded),
        stored_exact_untrusted=sum(o.right_untrusted for o in stored),
        reworded_exact_untrusted=sum(o.right_untrusted for o in reworded),
        reworded_f1=scores(reworded).f1,
        stored_right_note=sum(o.right_note for o in stored),
        reworded_right_note=sum(o.right_note for o in reworded),
        written=written,
        answers=given(outcomes),
    )
