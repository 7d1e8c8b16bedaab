"""The usual way, on the same notes and questions: search, and the passage in the prompt.

BM25 fetches the best window of all notes; the same backbone, without slow memory, reads it before
the question and answers greedily. It answers always; its confidence is its answer's probability.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.bench.asking import Given, Outcome, Scores, by_kind, given, scores
from engine.bench.bm25 import Bm25
from engine.bench.metrics import auroc, contains, mean
from engine.bench.notes import NotesSet, add_arguments, kinds_table, questions_of, read_set
from engine.bench.subject import Meter, Subject
from engine.bench.table import Table, percent

__all__ = ["HELP", "NAME", "Baseline", "add_arguments", "measure", "run"]

NAME = "baseline"
HELP = "the notes and questions of `notes` with BM25 and the passage in the prompt"


@dataclass(frozen=True)
class Baseline:
    """Result of the bench; scores as in `Scores`, over answerable questions.

    Attributes:
        right_note: share of questions for which the fetched passage is of the right note.
        passage_holds_answer: share for which it holds an accepted answer, an upper bound.
        auroc: of the answer's probability, answerable against unanswerable questions.
    """

    notes: int
    passages: int
    questions: int
    f1: float | None
    em: float | None
    contains: float | None
    right_note: float | None
    passage_holds_answer: float | None
    auroc: float | None
    by_kind: Mapping[str, Scores]
    answers: tuple[Given, ...]

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        overall = Scores(
            self.questions, self.f1, self.em, self.contains, self.f1, self.em, self.contains,
            self.right_note, 1.0,
        )  # fmt: skip
        remarks = (
            f"fetched passages that hold the answer: {percent(self.passage_holds_answer) or '-'}; "
            f"AUROC {'-' if self.auroc is None else f'{self.auroc:.3f}'}",
        )
        title = f"{NAME}: BM25 over {self.passages} windows of {self.notes} notes"
        return (kinds_table(title, self.by_kind, overall, remarks),)


def measure(args: argparse.Namespace, subject: Subject) -> Baseline:
    """Run the bench; see `notes.add_arguments`."""
    return run(read_set(args.root), subject)


def run(data: NotesSet, subject: Subject) -> Baseline:
    """Fetch and answer every question. Edits are no part of this."""
    reader = subject.reader()
    ids = {name: i for i, name in enumerate(data.notes, 1)}
    passages = [(ids[name], text) for name, note in data.notes.items() for text in reader.cut(note)]
    index = Bm25([text for _, text in passages])
    questions = questions_of(data.questions, ids)
    meter = Meter("asked", len(questions), subject.say)
    outcomes: list[Outcome] = []
    held: list[bool] = []
    for question in questions:
        note, text = passages[index.best(question.text)]
        reply = replace(reader.answer(text, question.text), source=note, nearest=note)
        outcomes.append(Outcome(question, reply))
        held.append(contains(text, question.accepted))
        meter.tick()
    overall = scores(outcomes)
    answerable = [o.question.answerable for o in outcomes]
    return Baseline(
        notes=len(data.notes),
        passages=len(passages),
        questions=overall.questions,
        f1=overall.f1,
        em=overall.em,
        contains=overall.contains,
        right_note=overall.right_note,
        passage_holds_answer=mean(h for h, a in zip(held, answerable, strict=True) if a),
        auroc=auroc(
            (o.reply.in_memory for o in outcomes if o.question.answerable),
            (o.reply.in_memory for o in outcomes if not o.question.answerable),
        ),
        by_kind=by_kind(outcomes),
        answers=given(outcomes),
    )
