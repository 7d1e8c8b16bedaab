"""How long a write and an answer take, beside the backbone's own forward pass in the same run.

Writing is measured in an empty slot and in one that is nearly full; asking in a fresh process with
all cells claimed (by random addresses, but for the note that is asked about). Medians of some
repetitions, but for what takes long; times in seconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from engine.api import InputError
from engine.bench.metrics import normalise
from engine.bench.sets import plain_note, read_text
from engine.bench.subject import BenchMemory, Subject, write_one
from engine.bench.table import Table, seconds
from engine.notes.text import NoteText

NAME = "speed"
HELP = "seconds for a note, to the first token, to an answer, to start"
NOTE_ID = 1
_TITLE = "Boathouse"
_QUESTIONS = (
    "Who keeps the key of the boathouse?",
    "What is the code of the oar store?",
    "When does the ferry leave on Sundays?",
)
_TEXT = """\
The boathouse at Linden Quay belongs to the rowing circle since 1987. Marta Fennimore keeps \
the key of the boathouse; a second one hangs in the bakery of Otto Quist. The code of the oar \
store is 4415 and changes every spring. Boats are washed on the first Saturday of the month, \
and whoever comes late makes the coffee. The old eight, Patient Heron, has a crack under seat \
five and must not go out before Jonas Abeling has mended it, which he promised for the second \
week of May. On Sundays the ferry leaves at 9:40 from the lower landing, so nobody should \
cross the line of buoys before ten. The insurance with Harbour Mutual costs 1,260 a year and \
is paid in two parts, in March and in September. Visitors pay six for a day and sign the book \
beside the door. In winter the pumps are drained, the water is shut off in the cellar, left of \
the stairs, and the heating stays at seven degrees. Questions about the trailer go to Wanda \
Sielaff, who also has the papers of the van. The regatta at Tolle Bridge is on 21 June; the \
circle sends two doubles and a mixed four, and the bus starts at half past five in front of \
the town hall. Life jackets are checked every second year by a firm from Arnsby, the last time \
in October. Lost things lie in the blue chest until Christmas.
"""


@dataclass(frozen=True)
class Speed:
    """Result of the bench; times in seconds.

    Attributes:
        note_tokens: of the note that is written.
        write_seconds: into an empty slot. write_seconds_full: into one that is nearly full, once.
        forward_seconds: of the backbone over the note's tokens, once, with all logits.
        write_ratio, write_ratio_full: writes in such forward passes.
        cells: claimed while asking.
        first_token_seconds, answer_seconds: from the question on.
        answer_words: of the answers, in the mean.
        cold_answer_seconds: the first answer of the fresh process, from the question on.
        start_seconds: from starting the interpreter to an open memory.
        start_to_answer_seconds: from starting the interpreter to the first whole answer.
        repeats: of every measurement but the full write and the start.
    """

    note_tokens: int
    write_seconds: float
    write_seconds_full: float
    forward_seconds: float
    write_ratio: float
    write_ratio_full: float
    cells: int
    first_token_seconds: float
    answer_seconds: float
    answer_words: float
    cold_answer_seconds: float
    start_seconds: float
    start_to_answer_seconds: float
    repeats: int

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""
        writes = (
            (f"write {self.note_tokens} tokens", seconds(self.write_seconds),
             f"{self.write_ratio:.1f} x"),
            (f"the same, {self.cells} cells claimed", seconds(self.write_seconds_full),
             f"{self.write_ratio_full:.1f} x"),
            ("backbone's forward pass over them", seconds(self.forward_seconds), "1.0 x"),
            (f"ask to first token, {self.cells} cells", seconds(self.first_token_seconds),
             self._passes(self.first_token_seconds)),
            (f"ask to full answer ({self.answer_words:.1f} words)", seconds(self.answer_seconds),
             self._passes(self.answer_seconds)),
            ("first ask of a process to full answer", seconds(self.cold_answer_seconds), None),
            ("start of a process to open memory", seconds(self.start_seconds), None),
            ("start of a process to first answer", seconds(self.start_to_answer_seconds), None),
        )  # fmt: skip
        title = f"{NAME}: medians of {self.repeats}"
        return (Table(title, ("what", "time", "forward passes"), writes),)

    def _passes(self, value: float) -> str:
        return f"{value / self.forward_seconds:.1f} x"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bench's own options."""
    parser.add_argument(
        "--note", type=Path, default=None, metavar="FILE",
        help="text that the note is cut from (default: a text of the bench's own)",
    )  # fmt: skip
    parser.add_argument(
        "--question", action="append", default=None, metavar="TEXT",
        help="asked of the note; may be given more than once",
    )  # fmt: skip
    parser.add_argument("--tokens", type=int, default=200, help="length of the note")
    parser.add_argument("--claimed", type=int, default=65_536, help="cells claimed while asking")
    parser.add_argument("--repeats", type=int, default=5, help="of every measurement")


def measure(args: argparse.Namespace, subject: Subject) -> Speed:
    """Run the bench; see `add_arguments`."""
    text = read_text(args.note) if args.note else _TEXT
    questions = tuple(args.question or (_QUESTIONS if args.note is None else ()))
    if not questions:
        raise InputError("A note of your own needs a --question about it.")
    return run(text, questions, args.tokens, args.claimed, args.repeats, subject)


def run(
    text: str,
    questions: tuple[str, ...],
    tokens: int,
    claimed: int,
    repeats: int,
    subject: Subject,
) -> Speed:
    """Measure everything once, medians of `repeats`."""
    stand = subject.stand()
    note = plain_note(_TITLE, stand.shorten(text, tokens))
    empty = subject.fresh()
    first = write_one(empty, NOTE_ID, note, subject.options)  # warms up
    subject.say("writing into an empty slot")
    write = _timed_writes(empty, note, repeats, subject)
    forward = stand.forward_seconds(note, repeats)
    subject.say(f"writing with {claimed} cells claimed")
    full = stand.filled(claimed - first.tokens, first.tokens)
    write_full = _timed_writes(full, note, 1, subject)
    subject.say("asking in a fresh process")
    asked = [questions[i % len(questions)] for i in range(1 + repeats * len(questions))]
    cold = subject.ask_timed(full, asked)
    warm = cold.replies[1:]
    return Speed(
        note_tokens=first.tokens,
        write_seconds=write,
        write_seconds_full=write_full,
        forward_seconds=forward,
        write_ratio=write / forward,
        write_ratio_full=write_full / forward,
        cells=full.cells_used,
        first_token_seconds=statistics.median(r.first_seconds for r in warm),
        answer_seconds=statistics.median(r.seconds for r in warm),
        answer_words=statistics.mean(len(normalise(r.text).split()) for r in warm),
        cold_answer_seconds=cold.replies[0].seconds,
        start_seconds=cold.ready_seconds,
        start_to_answer_seconds=cold.first_reply_seconds or cold.ready_seconds,
        repeats=repeats,
    )


def _timed_writes(memory: BenchMemory, note: NoteText, repeats: int, subject: Subject) -> float:
    """Median seconds of writing a note again and again in place of itself."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        write_one(memory, NOTE_ID, note, subject.options)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
