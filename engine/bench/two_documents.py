"""Two documents, written one after the other: how much of the first is left after the second."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from engine.api import InputError
from engine.bench.asking import Given, Question, Scores, ask_all, given, kept, scores
from engine.bench.metrics import ratio
from engine.bench.sets import NoteQuestion, read_questions
from engine.bench.subject import Subject, write_one
from engine.bench.table import Table, percent
from engine.notes.read import read_note
from engine.notes.text import NoteText

NAME = "two-documents"
HELP = "two documents one after the other: what is left of the first"
FIRST, SECOND = "a.txt", "b.txt"
_A, _B = 1, 2


@dataclass(frozen=True)
class TwoDocuments:
    """Result of the bench. `a` is the first document, `b` the second one.

    Attributes:
        retention: of a's questions right after a's own write, the share still right after b's.
        a_right: questions of a right after its own write. a_kept: of those, right after b's write.
        a_after_a, a_after_b, b_after_b: scores.
        probe_retention, a_probes, a_probes_right, a_probes_kept: the same on a's own probes (its
            cues, made by the writer).
        b_probes, b_probes_right: of b after its write.
        declined: share of the unanswerable questions that are declined at the end.
    """

    retention: float | None
    a_right: int
    a_kept: int
    a_after_a: Scores
    a_after_b: Scores
    b_after_b: Scores
    probe_retention: float | None
    a_probes: int
    a_probes_right: int
    a_probes_kept: int
    b_probes: int
    b_probes_right: int
    declined: float | None
    answers: tuple[Given, ...]

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        stages = (("a, after a", self.a_after_a), ("a, after b", self.a_after_b),
                  ("b, after b", self.b_after_b))  # fmt: skip
        asked = tuple(
            (name, s.questions, percent(s.f1), percent(s.em), percent(s.em_untrusted))
            for name, s in stages
        )
        head = ("questions of", "asked", "F1", "EM", "EM, threshold off")
        remarks = (
            f"retention {percent(self.retention) or '-'}: {self.a_kept} of {self.a_right} right "
            "answers about a are still right after b",
            f"probes of a: {self.a_probes_right} of {self.a_probes} right, {self.a_probes_kept} "
            f"of those after b ({percent(self.probe_retention) or '-'}); "
            f"of b: {self.b_probes_right} of {self.b_probes}",
            f"unanswerable questions declined at the end: {percent(self.declined) or '-'}",
        )
        return (Table(NAME, head, asked, remarks),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--root", type=Path, required=True, metavar="DIR",
        help=f"folder with {FIRST}, {SECOND} and questions.jsonl",
    )  # fmt: skip


def measure(args: argparse.Namespace, subject: Subject) -> TwoDocuments:
    """Run the bench; see `add_arguments`."""
    notes = (read_note(FIRST, args.root), read_note(SECOND, args.root))
    return run(notes, read_questions(args.root / "questions.jsonl"), subject)


def run(
    notes: tuple[NoteText, NoteText], asked: list[NoteQuestion], subject: Subject
) -> TwoDocuments:
    """Write the first, ask it, write the second, ask both."""
    of_a, of_b = _questions(asked, FIRST, _A), _questions(asked, SECOND, _B)
    nowhere = [Question(q.question, (), q.kind) for q in asked if not q.answers]
    if not of_a or not of_b:
        raise InputError(f"There are no questions about {FIRST} or about {SECOND}.")
    memory = subject.fresh()
    write_one(memory, _A, notes[0], subject.options)
    early = [probe.right for probe in memory.probes(_A, notes[0])]
    first = ask_all(of_a, subject.ask(memory, [q.text for q in of_a]))
    write_one(memory, _B, notes[1], subject.options)
    late = [probe.right for probe in memory.probes(_A, notes[0])]
    of_second = [probe.right for probe in memory.probes(_B, notes[1])]
    everything = [*of_a, *of_b, *nowhere]
    last = ask_all(everything, subject.ask(memory, [q.text for q in everything]))
    a_last, b_last = last[: len(of_a)], last[len(of_a) : len(of_a) + len(of_b)]
    unsaid = last[len(of_a) + len(of_b) :]
    right, still = kept(first, a_last)
    probes_kept = sum(e and x for e, x in zip(early, late, strict=True))
    return TwoDocuments(
        retention=ratio(still, right),
        a_right=right,
        a_kept=still,
        a_after_a=scores(first),
        a_after_b=scores(a_last),
        b_after_b=scores(b_last),
        probe_retention=ratio(probes_kept, sum(early)),
        a_probes=len(early),
        a_probes_right=sum(early),
        a_probes_kept=probes_kept,
        b_probes=len(of_second),
        b_probes_right=sum(of_second),
        declined=ratio(sum(not o.reply.known for o in unsaid), len(unsaid)),
        answers=given([*first, *last]),
    )


def _questions(asked: list[NoteQuestion], note: str, note_id: int) -> list[Question]:
    return [
        Question(q.question, q.answers, q.kind, note_id)
        for q in asked
        if q.note == note and q.answers
    ]
