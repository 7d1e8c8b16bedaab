"""A folder of notes, all in memory at once: answers by kind of question, honesty, edits."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.api import InputError
from engine.bench.asking import (
    Given,
    Outcome,
    Question,
    Scores,
    ask_all,
    by_kind,
    given,
    scores,
)
from engine.bench.metrics import auroc, contains, exact, mean, ratio
from engine.bench.sets import (
    Edit,
    NoteQuestion,
    read_edits,
    read_notes,
    read_questions,
    read_text,
)
from engine.bench.subject import Meter, Subject, Written, write_all, write_one
from engine.bench.table import Table, percent
from engine.notes.read import read_bytes
from engine.notes.text import NoteText

NAME = "notes"
HELP = "a folder of notes at once: F1 and EM by kind, right note, honesty, edits"


@dataclass(frozen=True)
class Edits:
    """Edited notes, written again, asked about what changed.

    Attributes:
        total: how many.
        old_known: before the edit the decoded answer, trusted or not, held an old answer.
        new_right: answered exactly with the new answer, as known.
        new_contained: answered with words that hold the new answer, as known.
        old_gone: the decoded answer, trusted or not, does not hold an old answer.
        both: exactly the new answer, and nothing of the old one.
    """

    total: int
    old_known: int
    new_right: int
    new_contained: int
    old_gone: int
    both: int


@dataclass(frozen=True)
class Notes:
    """Result of the bench. Means are over answerable questions unless said otherwise.

    Attributes:
        f1, em, contains, right_note, ...: as in `Scores`, over all kinds.
        source_accuracy: of the answerable questions that are answered as known, the share whose
            first source is the right note.
        known_right: share of those that are exactly right. known_right_among: of which the
            answer or an alternative is. alternatives: how many each has, on average.
        auroc: of `in_memory`, answerable questions against unanswerable ones.
        declined: share of the unanswerable questions that are declined.
        by_kind: scores of each kind of answerable question.
        edits: None where the folder has no edits.
    """

    notes: int
    questions: int
    unanswerable: int
    f1: float | None
    em: float | None
    contains: float | None
    f1_untrusted: float | None
    em_untrusted: float | None
    contains_untrusted: float | None
    right_note: float | None
    answered: float | None
    source_accuracy: float | None
    known_right: float | None
    known_right_among: float | None
    alternatives: float | None
    auroc: float | None
    declined: float | None
    by_kind: Mapping[str, Scores]
    edits: Edits | None
    written: Written
    answers: tuple[Given, ...]
    edit_answers: tuple[Given, ...]

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        return (self.table(f"{NAME}: {self.notes} notes in memory"),)

    def table(self, title: str) -> Table:
        """Everything in one table."""
        remarks = [
            f"unanswerable: {self.unanswerable}, declined {percent(self.declined) or '-'}; AUROC "
            f"of 'in memory' {'-' if self.auroc is None else f'{self.auroc:.3f}'}",
            f"known answers whose source is the right note: {percent(self.source_accuracy) or '-'}",
            f"known answers exactly right: {percent(self.known_right) or '-'}; or one of those "
            f"that it may also be: {percent(self.known_right_among) or '-'} "
            f"({0.0 if self.alternatives is None else self.alternatives:.2f} beside each)",
        ]
        if self.edits is not None:
            e = self.edits
            remarks.append(
                f"edits: {e.new_right} of {e.total} new answers right ({e.new_contained} "
                f"contained), {e.old_gone} old answers gone ({e.old_known} were known before)"
            )
        remarks.append(self.written.remark)
        return kinds_table(title, self.by_kind, self.overall, tuple(remarks))

    @property
    def overall(self) -> Scores:
        """The scores over all kinds."""
        return Scores(
            self.questions, self.f1, self.em, self.contains, self.f1_untrusted,
            self.em_untrusted, self.contains_untrusted, self.right_note, self.answered,
        )  # fmt: skip


def kinds_table(
    title: str, kinds: Mapping[str, Scores], overall: Scores, remarks: tuple[str, ...]
) -> Table:
    """Scores by kind and overall."""
    head = ("kind", "asked", "F1", "EM", "contains", "F1, thr. off", "EM, thr. off",
            "cont., thr. off", "right note", "answered")  # fmt: skip
    rows = [
        (name, s.questions, percent(s.f1), percent(s.em), percent(s.contains),
         percent(s.f1_untrusted), percent(s.em_untrusted), percent(s.contains_untrusted),
         percent(s.right_note), percent(s.answered))
        for name, s in [*kinds.items(), ("all answerable", overall)]
    ]  # fmt: skip
    return Table(title, head, tuple(rows), remarks)


@dataclass(frozen=True)
class NotesSet:
    """What the bench works on: notes by file name, questions, edits with the edited notes."""

    notes: Mapping[str, NoteText]
    questions: Sequence[NoteQuestion]
    edits: Sequence[tuple[Edit, NoteText]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--root", type=Path, required=True, metavar="DIR",
        help="folder with notes/, questions.jsonl and, where wanted, edits.jsonl",
    )  # fmt: skip


def measure(args: argparse.Namespace, subject: Subject) -> Notes:
    """Run the bench; see `add_arguments`."""
    return run(read_set(args.root), subject)


def read_set(root: Path) -> NotesSet:
    """Read notes, questions and edits.

    Raises:
        InputError: something is missing or not in its form, or names a note that is not there.
    """
    notes = read_notes(root / "notes")
    asked = read_questions(root / "questions.jsonl")
    missing = next((q.note for q in asked if q.note not in notes), None)
    if missing is not None:
        raise InputError(f"questions.jsonl asks about {missing}, which is not in {root / 'notes'}.")
    path = root / "edits.jsonl"
    edits = read_edits(path) if path.is_file() else []
    return NotesSet(notes, asked, apply_edits(root / "notes", edits))


def apply_edits(folder: Path, edits: Sequence[Edit]) -> list[tuple[Edit, NoteText]]:
    """Each edit with its note as it reads then; edits of one note add up.

    Raises:
        InputError: the old words do not stand exactly once in the note.
    """
    texts: dict[str, str] = {}
    edited = []
    for edit in edits:
        text = texts.get(edit.note) or read_text(folder / edit.note)
        if text.count(edit.old) != 1:
            raise InputError(f"The words to edit do not stand exactly once in {edit.note}.")
        texts[edit.note] = text.replace(edit.old, edit.new)
        edited.append((edit, read_bytes(texts[edit.note].encode(), edit.note)))
    return edited


def questions_of(asked: Sequence[NoteQuestion], ids: Mapping[str, int]) -> list[Question]:
    """The questions with the ids of their notes."""
    return [Question(q.question, q.answers, q.kind, ids[q.note]) for q in asked]


def run(data: NotesSet, subject: Subject) -> Notes:
    """Write all notes, ask everything, then edit, write again, ask about the edits."""
    ids = {name: i for i, name in enumerate(data.notes, 1)}
    memory = subject.fresh()
    written = write_all(memory, {ids[name]: note for name, note in data.notes.items()}, subject)
    questions = questions_of(data.questions, ids)
    edited = [Question(e.question, e.new_answers, "edit", ids[e.note]) for e, _ in data.edits]
    everything = [*questions, *edited]
    asked = ask_all(everything, subject.ask(memory, [q.text for q in everything], True))
    outcomes, before = asked[: len(questions)], asked[len(questions) :]
    meter = Meter("wrote again", len(data.edits), subject.say)
    for edit, note in data.edits:
        write_one(memory, ids[edit.note], note, subject.options)
        meter.tick()
    again = ask_all(edited, subject.ask(memory, [q.text for q in edited])) if edited else []
    edits = _edits([e for e, _ in data.edits], before, again) if edited else None
    return summary(len(data.notes), outcomes, edits, written, again)


def _edits(edits: Sequence[Edit], before: Sequence[Outcome], after: Sequence[Outcome]) -> Edits:
    pairs = list(zip(edits, after, strict=True))
    right = [o.right for _, o in pairs]
    gone = [_gone(e, o.reply.text) for e, o in pairs]
    return Edits(
        total=len(pairs),
        old_known=sum(
            contains(o.reply.text, e.old_answers) for e, o in zip(edits, before, strict=True)
        ),
        new_right=sum(right),
        new_contained=sum(contains(o.given, e.new_answers) for e, o in pairs),
        old_gone=sum(gone),
        both=sum(r and g for r, g in zip(right, gone, strict=True)),
    )


def _gone(edit: Edit, answer: str) -> bool:
    """Whether nothing of the old answer is said. A new answer may happen to hold old words."""
    return exact(answer, edit.new_answers) == 1.0 or not contains(answer, edit.old_answers)


def summary(
    notes: int,
    outcomes: Sequence[Outcome],
    edits: Edits | None,
    written: Written,
    again: Sequence[Outcome],
) -> Notes:
    """What was found over so many notes; `again` are the outcomes of edits."""
    overall = scores(outcomes)
    answerable = [o for o in outcomes if o.question.answerable]
    nowhere = [o for o in outcomes if not o.question.answerable]
    known = [o for o in answerable if o.reply.known]
    return Notes(
        notes=notes,
        questions=overall.questions,
        unanswerable=len(nowhere),
        f1=overall.f1,
        em=overall.em,
        contains=overall.contains,
        f1_untrusted=overall.f1_untrusted,
        em_untrusted=overall.em_untrusted,
        contains_untrusted=overall.contains_untrusted,
        right_note=overall.right_note,
        answered=overall.answered,
        source_accuracy=ratio(sum(o.reply.source == o.question.note for o in known), len(known)),
        known_right=ratio(sum(o.right for o in known), len(known)),
        known_right_among=ratio(sum(o.right_among for o in known), len(known)),
        alternatives=mean(len(o.reply.alternatives) for o in known),
        auroc=auroc((o.reply.in_memory for o in answerable), (o.reply.in_memory for o in nowhere)),
        declined=ratio(sum(not o.reply.known for o in nowhere), len(nowhere)),
        by_kind=by_kind(outcomes),
        edits=edits,
        written=written,
        answers=given(outcomes),
        edit_answers=given(again),
    )
