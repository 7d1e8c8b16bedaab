"""What memory does to text that it has nothing to say about: perplexity of held-out prose.

The cells are read at every position, as in an answer, though the application only reads them
there. The share of their mass should then be next to nothing.
"""

from __future__ import annotations

import argparse
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.api import InputError
from engine.bench.composed import composed_notes, read_composer
from engine.bench.subject import Subject, Written, write_all
from engine.bench.table import Table
from engine.notes.text import NoteText
from engine.training.corpora import documents

NAME = "silence"
HELP = "perplexity of held-out prose with notes in memory against the empty slot"


@dataclass(frozen=True)
class SilenceRow:
    """Prose with some notes in memory.

    Attributes:
        notes: how many.
        nats: mean loss in nats per token. perplexity: exp of it.
        increase: relative to the empty slot, 0.001 for +0.1 %.
        mass: mean share of the cells in the joint distribution, 0 to 1.
        written: how the writes since the row before went; None for the empty slot.
    """

    notes: int
    nats: float
    perplexity: float
    increase: float
    mass: float
    written: Written | None


@dataclass(frozen=True)
class Silence:
    """Result of the bench.

    Attributes:
        documents, tokens: how many of the prose were scored.
        rows: by number of notes, rising, the empty slot first.
    """

    documents: int
    tokens: int
    rows: tuple[SilenceRow, ...]

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        rows = tuple(
            (str(r.notes), f"{r.nats:.4f}", f"{r.perplexity:.3f}", f"{100 * r.increase:+.3f} %",
             f"{100 * r.mass:.4f} %")
            for r in self.rows
        )  # fmt: skip
        head = ("notes", "nats per token", "perplexity", "against empty", "cells' mass")
        return (Table(f"{NAME}: {self.tokens} tokens of prose", head, rows),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--prose", type=Path, required=True, metavar="FILE",
        help="documents, each ended by a line <|endoftext|>; .xz is read too",
    )  # fmt: skip
    parser.add_argument(
        "--documents", type=int, default=100,
        help="how many of the last documents are scored (default: 100)",
    )  # fmt: skip
    parser.add_argument("--bank", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--values", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--n", type=int, nargs="+", default=[100, 1000], metavar="N", help="notes in memory"
    )


def measure(args: argparse.Namespace, subject: Subject) -> Silence:
    """Run the bench; see `add_arguments`."""
    try:
        texts = list(deque(documents(args.prose), maxlen=args.documents))
    except OSError as error:
        raise InputError(f"{args.prose} cannot be read: {error.strerror}.") from error
    sizes = sorted({n for n in args.n if n > 0})
    composer = read_composer(args.bank, args.values)
    return run(texts, composed_notes(composer, max(sizes, default=0), args.seed), sizes, subject)


def run(
    texts: Sequence[str], notes: dict[int, NoteText], sizes: Sequence[int], subject: Subject
) -> Silence:
    """Score the prose with no note, then with more and more of them."""
    memory = subject.fresh()
    empty = subject.prose(memory, texts)
    if not empty.tokens:
        raise InputError("The documents are too short to be scored.")
    rows = [SilenceRow(0, empty.nats, math.exp(empty.nats), 0.0, empty.mass, None)]
    done = 0
    for size in sizes:
        more = {i: note for i, note in notes.items() if done < i <= size}
        written = write_all(memory, more, subject)
        now = subject.prose(memory, texts)
        increase = math.expm1(now.nats - empty.nats)
        rows.append(SilenceRow(size, now.nats, math.exp(now.nats), increase, now.mass, written))
        done = size
    return Silence(empty.documents, empty.tokens, tuple(rows))
