"""Composed facts for measuring: each asked once in stored wording and once in other words.

No question is as good a question about another fact: none reads the same for two facts of one
relation, and no cue stands in two statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from engine.api import InputError
from engine.bench.sets import plain_note
from engine.notes.text import NoteText
from engine.training.facts import Composer, Fact, Schema, fill, read_bank
from engine.training.values import Values

_TRIES = 200
_CUE_WORDS = 4
"""A shorter beginning of a statement says too little of what it is about."""


@dataclass(frozen=True)
class MeasuredFact:
    """A fact with its two questions, which have one answer.

    Attributes:
        statement: as it stands in the note.
        cue: the statement up to the answer. question: other words for it.
        answer: the value asked for.
        seen: whether its relation was trained on.
    """

    statement: str
    cue: str
    question: str
    answer: str
    seen: bool


@dataclass(frozen=True)
class _Draft:
    """A fact with the templates it is to be asked by, and what they read like when filled."""

    fact: Fact
    slot: str
    statement: str
    question: str
    told: str
    cue: str
    asked: str

    @property
    def answer(self) -> str:
        return self.fact.values[self.slot]


def read_composer(banks: Sequence[Path], values: Path) -> Composer:
    """The composer over all relations of some banks.

    Raises:
        InputError: a file is missing or not in its form.
    """
    try:
        return Composer(read_bank(banks), Values.read(values), [])
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("The bank or the values are not in the form that is read.") from error


def compose(composer: Composer, count: int, seed: int) -> list[MeasuredFact]:
    """Draw facts: half of relations that were trained on, half of held-out ones, in turn.

    Where a bank has relations of one sort only, all facts are of that sort.

    Raises:
        InputError: the banks hold too few values for so many distinct facts, or lack a type.
    """
    rng = Random(f"capacity/{seed}/{count}")
    seen = [s for s in composer.schemas if not s.held_out]
    unseen = [s for s in composer.schemas if s.held_out]
    sorts = [schemas for schemas in (seen, unseen) if schemas]
    if not sorts:
        raise InputError("The bank holds no relations.")
    drawn = _Drawn()
    with _told_by_type():
        for i in range(count):
            drawn.add(_distinct(composer, sorts[i % len(sorts)], rng, drawn))
    return [
        MeasuredFact(d.told, d.cue, d.asked, d.answer, not d.fact.schema.held_out)
        for d in drawn.drafts
    ]


def packed(facts: Sequence[MeasuredFact], per_note: int) -> tuple[dict[int, NoteText], list[int]]:
    """Notes of `per_note` facts, a line each, by id from 1; and for each fact its note's id."""
    starts = range(0, len(facts), per_note)
    notes = {
        i: plain_note(f"Notes {i}", "\n".join(f.statement for f in facts[k : k + per_note]))
        for i, k in enumerate(starts, 1)
    }
    return notes, [1 + k // per_note for k in range(len(facts))]


def composed_notes(composer: Composer, count: int, seed: int) -> dict[int, NoteText]:
    """Notes of one to five composed facts in all shapes, by id from 1."""
    rng = Random(f"notes/{seed}")
    most = min(5, len(composer.schemas))
    with _told_by_type():
        return {
            i: composer.note(rng.sample(composer.schemas, rng.randint(1, most)), rng).note
            for i in range(1, count + 1)
        }


@contextmanager
def _told_by_type() -> Iterator[None]:
    """Tells of a type that the values lack."""
    try:
        yield
    except KeyError as error:
        raise InputError(f"There are no values of type {error}.") from error


class _Drawn:
    """The facts drawn so far."""

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self._by_schema: dict[str, list[_Draft]] = defaultdict(list)
        self._answers: dict[str, str] = {}

    def add(self, draft: _Draft) -> None:
        """Take a fact in."""
        self.drafts.append(draft)
        self._by_schema[draft.fact.schema.id].append(draft)
        self._answers[draft.asked] = draft.answer

    def confuses(self, new: _Draft) -> bool:
        """Whether a question about `new` or an older fact would be as good a one about another."""
        if self._answers.get(new.asked, new.answer) != new.answer:
            return True
        if any(new.cue in old.told or old.cue in new.told for old in self.drafts):
            return True
        others = self._by_schema[new.fact.schema.id]
        return any(_same_words(new, other) or _same_words(other, new) for other in others)


def _distinct(
    composer: Composer, schemas: Sequence[Schema], rng: Random, drawn: _Drawn
) -> _Draft:
    """A fact that no question confuses with those drawn so far."""
    for _ in range(_TRIES):
        draft = _draft(composer, rng.choice(schemas), rng)
        if draft is not None and not drawn.confuses(draft):
            return draft
    raise InputError("The bank and the values are too few for so many distinct facts.")


def _draft(composer: Composer, schema: Schema, rng: Random) -> _Draft | None:
    fact = composer.fact(schema, rng)
    choices = [
        (slot, statement)
        for slot in schema.questions
        for statement in schema.statements
        if slot in fact.values and _identifies(_before(statement, slot))
    ]
    if not choices:
        return None
    slot, statement = rng.choice(choices)
    questions = [q for q in schema.questions[slot] if _identifies(q)]
    if not questions:
        return None
    draft = _filled(fact, slot, statement, rng.choice(questions))
    answer = draft.answer.lower()
    given_away = answer in draft.asked.lower() or answer in draft.cue.lower()
    return None if given_away or len(draft.cue.split()) < _CUE_WORDS else draft


def _filled(fact: Fact, slot: str, statement: str, question: str) -> _Draft:
    told, asked = fill(statement, fact.values).text, fill(question, fact.values).text
    cue = _cue(statement, slot, fact.values)
    return _Draft(fact, slot, statement, question, told, cue, asked)


def _before(statement: str, slot: str) -> str:
    """A statement's template up to a slot; "" where it has none."""
    at = statement.find("{" + slot + "}")
    return statement[:at] if at > 0 else ""


def _identifies(template: str) -> bool:
    return "{" in template


def _cue(statement: str, slot: str, values: dict[str, str]) -> str:
    line = fill(statement, values)
    return line.text[: line.spans[slot][0]].rstrip()


def _same_words(asked: _Draft, other: _Draft) -> bool:
    """Whether `asked`'s question or cue, filled with `other`'s values, asks for something else."""
    values = other.fact.values
    if values[asked.slot] == asked.answer:
        return False
    return (
        fill(asked.question, values).text == asked.asked
        or _cue(asked.statement, asked.slot, values) == asked.cue
    )
