"""The benches' data files; what is wrong with one is told in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from engine.api import InputError
from engine.notes.read import read_note
from engine.notes.readers.registry import format_of
from engine.notes.text import NoteText, Section
from engine.training.corpora import WrittenNote, written_note

T = TypeVar("T")


@dataclass(frozen=True)
class NoteQuestion:
    """A question about a named note; no answers where the note does not say."""

    note: str
    question: str
    answers: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Edit:
    """An edit of a note, and a question whose answer it changes."""

    note: str
    old: str
    new: str
    question: str
    old_answers: tuple[str, ...]
    new_answers: tuple[str, ...]


@dataclass(frozen=True)
class CuedFact:
    """A statement, its wording up to the answer, the answer, and questions in other words."""

    statement: str
    cue: str
    answer: str
    questions: tuple[str, ...]


@dataclass(frozen=True)
class ClozeDocument:
    """A document, and (cue, answer) pairs of three kinds of cloze probes."""

    text: str
    verbatim: tuple[tuple[str, str], ...]
    paraphrased: tuple[tuple[str, str], ...]
    compositional: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Passage:
    """A passage and (question, answer) pairs about it."""

    title: str
    text: str
    questions: tuple[tuple[str, str], ...]


def plain_note(title: str, text: str) -> NoteText:
    """A note of one section without headings."""
    return NoteText(title, (), (Section((), text),))


def read_notes(folder: Path) -> dict[str, NoteText]:
    """The notes in a folder by file name, in order of the names; other files are left out.

    Raises:
        InputError: there is no such folder, no note in it, or one that cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and format_of(p.name))
    if not names:
        raise InputError(f"There are no notes in {folder}.")
    return {name: read_note(name, folder) for name in names}


def read_questions(path: Path) -> list[NoteQuestion]:
    """JSON Lines of note, question, answers, kind."""
    return _read_lines(
        path,
        lambda row: NoteQuestion(
            row["note"], row["question"], tuple(row["answers"]), row.get("kind", "plain")
        ),
    )


def read_written(path: Path) -> list[WrittenNote]:
    """JSON Lines of name, text, questions (question, answers, kind)."""
    return _read_lines(path, written_note)


def read_edits(path: Path) -> list[Edit]:
    """JSON Lines of note, old, new, question, old_answers, new_answers."""
    return _read_lines(
        path,
        lambda row: Edit(
            row["note"], row["old"], row["new"], row["question"],
            tuple(row["old_answers"]), tuple(row["new_answers"]),
        ),
    )  # fmt: skip


def read_facts(path: Path) -> list[CuedFact]:
    """JSON Lines of statement, cue, answer, questions."""
    return _read_lines(
        path,
        lambda row: CuedFact(
            row["statement"], row["cue"], row["answer"], tuple(row["questions"])
        ),
    )


def read_documents(path: Path) -> list[ClozeDocument]:
    """A JSON list of train_context and the inputs and targets mem_, gen_ and hard_gen_."""

    def probes(row: dict[str, Any], kind: str) -> tuple[tuple[str, str], ...]:
        return tuple(zip(row[f"{kind}_input"], row[f"{kind}_target"], strict=True))

    return _read_list(
        path,
        lambda row: ClozeDocument(
            row["train_context"], probes(row, "mem"), probes(row, "gen"), probes(row, "hard_gen")
        ),
    )


def read_passages(path: Path) -> list[Passage]:
    """A JSON list of title, context, questions (question, answer)."""
    return _read_list(
        path,
        lambda row: Passage(
            row["title"],
            row["context"],
            tuple((q["question"], q["answer"]) for q in row["questions"]),
        ),
    )


def read_text(path: Path) -> str:
    """A text file.

    Raises:
        InputError: it is not there or not UTF-8.
    """
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8.") from error


def _read_lines(path: Path, make: Callable[[dict[str, Any]], T]) -> list[T]:
    lines = enumerate(read_text(path).splitlines(), 1)
    rows = ((f"line {i}", line) for i, line in lines if line.strip())
    return _records(path, rows, lambda line: make(json.loads(line)))


def _read_list(path: Path, make: Callable[[dict[str, Any]], T]) -> list[T]:
    try:
        rows = json.loads(read_text(path))
    except ValueError as error:
        raise InputError(f"{path} is not JSON.") from error
    if not isinstance(rows, list):
        raise InputError(f"{path} does not hold a list.")
    return _records(path, ((f"entry {i}", row) for i, row in enumerate(rows, 1)), make)


def _records(path: Path, rows: Iterable[tuple[str, Any]], make: Callable[[Any], T]) -> list[T]:
    """Make a record of each row, naming the place of the first one that does not fit."""
    made = []
    for place, row in rows:
        try:
            made.append(make(row))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}, {place}: not in the form that this bench reads.") from error
    if not made:
        raise InputError(f"{path} is empty.")
    return made
