"""Documents written one after another into one memory: recall of each at its write and at the end.

The probes are beginnings of sentences, asked as they stand: the document's own words (verbatim),
other words (paraphrased), and conclusions from several sentences (compositional). Right after a
write the memory is asked where it is, at the end from its file in a fresh process; both give the
same answers for the same slot.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.bench.asking import Outcome, Question, Scores, ask_all, by_kind, kept, reply_of, scores
from engine.bench.metrics import ratio
from engine.bench.sets import ClozeDocument, plain_note, read_documents
from engine.bench.subject import Meter, Subject, write_one
from engine.bench.table import Table, percent
from engine.memory.report import Verdict

NAME = "sequence"
HELP = "documents one after another: recall of each at its write and at the end"
VERBATIM, PARAPHRASED, COMPOSITIONAL = "verbatim", "paraphrased", "compositional"


@dataclass(frozen=True)
class Kept:
    """Right at its own write, of those right at the end, and their share."""

    right: int
    kept: int
    share: float | None


@dataclass(frozen=True)
class DocumentSequence:
    """Result of the bench.

    Attributes:
        documents: how many were written. failed: writes that left the slot as it was.
        kept: over all probes. kept_by_kind: by sort of probe.
        at_write, at_end: scores by sort of probe.
        cells, cells_used: of the slot at the end.
    """

    documents: int
    failed: int
    kept: Kept
    kept_by_kind: Mapping[str, Kept]
    at_write: Mapping[str, Scores]
    at_end: Mapping[str, Scores]
    overall_at_write: Scores
    overall_at_end: Scores
    cells: int
    cells_used: int

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        rows = [
            (kind, self.at_write[kind], self.at_end[kind], self.kept_by_kind[kind])
            for kind in self.at_write
        ]
        rows.append(("all", self.overall_at_write, self.overall_at_end, self.kept))
        head = ("probes", "asked", "EM at write", "EM at end", "kept",
                "EM at write, thr. off", "EM at end, thr. off", "F1 at end")  # fmt: skip
        lines = tuple(
            (kind, early.questions, percent(early.em), percent(late.em), percent(share.share),
             percent(early.em_untrusted), percent(late.em_untrusted), percent(late.f1))
            for kind, early, late, share in rows
        )  # fmt: skip
        remark = f"{self.cells_used} of {self.cells} cells, {self.failed} failed writes"
        return (Table(f"{NAME}: {self.documents} documents", head, lines, (remark,)),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--file", type=Path, required=True, metavar="FILE",
        help="a JSON list of train_context and the probes mem_, gen_ and hard_gen_",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, default=None, help="only the first documents")


def measure(args: argparse.Namespace, subject: Subject) -> DocumentSequence:
    """Run the bench; see `add_arguments`."""
    return run(read_documents(args.file)[: args.limit], subject)


def run(documents: list[ClozeDocument], subject: Subject) -> DocumentSequence:
    """Write and ask each document, then ask all of them again."""
    memory = subject.fresh()
    meter = Meter("wrote and asked", len(documents), subject.say)
    first: list[Outcome] = []
    failed = 0
    for note_id, document in enumerate(documents, 1):
        note = plain_note(f"Document {note_id}", document.text)
        report = write_one(memory, note_id, note, subject.options)
        failed += report.verdict is Verdict.FAILED
        first += [Outcome(q, reply_of(memory, q.text)) for q in _questions(document, note_id)]
        meter.tick()
    questions = [outcome.question for outcome in first]
    last = ask_all(questions, subject.ask(memory, [q.text for q in questions]))
    kinds = list(dict.fromkeys(q.kind for q in questions))
    return DocumentSequence(
        documents=len(documents),
        failed=failed,
        kept=_kept(first, last),
        kept_by_kind={
            k: _kept([o for o in first if o.question.kind == k],
                     [o for o in last if o.question.kind == k])
            for k in kinds
        },
        at_write=by_kind(first),
        at_end=by_kind(last),
        overall_at_write=scores(first),
        overall_at_end=scores(last),
        cells=memory.cells,
        cells_used=memory.cells_used,
    )  # fmt: skip


def _questions(document: ClozeDocument, note_id: int) -> list[Question]:
    sorts = ((VERBATIM, document.verbatim), (PARAPHRASED, document.paraphrased),
             (COMPOSITIONAL, document.compositional))  # fmt: skip
    return [
        Question(cue, (answer,), kind, note_id) for kind, probes in sorts for cue, answer in probes
    ]


def _kept(first: list[Outcome], last: list[Outcome]) -> Kept:
    right, still = kept(first, last)
    return Kept(right, still, ratio(still, right))
