"""Composed notes: facts from hand-written schemas, in many shapes, with questions about them.

A schema (one line of a bank) holds statements, field lists, jottings and questions with slots; a
fact is a schema with values. 15 % of the schemas, chosen by their name, are never trained on.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from engine.notes.text import NoteText, Section
from engine.training.values import Values

_SLOT = re.compile(r"\{(\w+)\}")
HELD_OUT_PERCENT = 15


@dataclass(frozen=True)
class Schema:
    """A relation with its wordings. `slots` maps slot names to value types."""

    id: str
    domain: str
    slots: dict[str, str]
    statements: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    jottings: tuple[str, ...]
    questions: dict[str, tuple[str, ...]]

    @property
    def held_out(self) -> bool:
        """Whether this schema is kept for measuring."""
        return zlib.crc32(self.id.encode()) % 100 < HELD_OUT_PERCENT


@dataclass(frozen=True)
class Line:
    """A line of a note, with the span of every slot value in it."""

    text: str
    spans: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Fact:
    """A schema with values."""

    schema: Schema
    values: dict[str, str]


@dataclass(frozen=True)
class AskedFact:
    """A question about a composed note.

    Attributes:
        question: its words.
        answer: the value asked for; "" where the note does not say.
        lines: the note's lines that give the answer, with the answer's span in each.
    """

    question: str
    answer: str
    lines: tuple[tuple[str, tuple[int, int]], ...]


@dataclass(frozen=True)
class ComposedNote:
    """A composed note and what can be asked about it."""

    note: NoteText
    questions: tuple[AskedFact, ...]


def read_bank(paths: Sequence[Path]) -> list[Schema]:
    """Load schema banks (JSON Lines)."""
    schemas = []
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            raw = json.loads(line)
            schemas.append(
                Schema(
                    raw["id"],
                    raw["domain"],
                    dict(raw["slots"]),
                    tuple(raw["statements"]),
                    tuple((a, b) for a, b in raw["fields"]),
                    tuple(raw["notes"]),
                    {k: tuple(v) for k, v in raw["questions"].items()},
                )
            )
    return schemas


def split_bank(schemas: Sequence[Schema]) -> tuple[list[Schema], list[Schema]]:
    """(trained, held out)."""
    return [s for s in schemas if not s.held_out], [s for s in schemas if s.held_out]


def fill(template: str, values: dict[str, str], lead: str = "") -> Line:
    """Put values into a template, after `lead`; capitalises the first letter of a sentence."""
    text = lead
    spans: dict[str, tuple[int, int]] = {}
    end = 0
    for match in _SLOT.finditer(template):
        text += template[end : match.start()]
        spans.setdefault(match[1], (len(text), len(text) + len(values[match[1]])))
        text += values[match[1]]
        end = match.end()
    text += template[end:]
    first = len(lead)
    if template[-1:] in ".!?" and text[first : first + 1].islower():
        text = text[:first] + text[first].upper() + text[first + 1 :]
    return Line(text, spans)


class Composer:
    """Composes facts, notes and questions.

    Args:
        schemas: the relations to draw from.
        values: the value composer.
        filler: sentences of no consequence to put between facts.
    """

    def __init__(self, schemas: Sequence[Schema], values: Values, filler: Sequence[str]) -> None:
        self.schemas = list(schemas)
        self.values = values
        self.filler = list(filler)

    def fact(self, schema: Schema, rng: Random, pool: dict[str, str] | None = None) -> Fact:
        """A fact of a schema; takes values of matching type from `pool` now and then."""
        values: dict[str, str] = {}
        for slot, kind in schema.slots.items():
            shared = pool.get(kind) if pool is not None and rng.random() < 0.35 else None
            if shared is not None and shared not in values.values():
                values[slot] = shared
            else:
                values[slot] = self.values.compose(kind, rng)
            if pool is not None:
                pool.setdefault(kind, values[slot])
        return Fact(schema, values)

    def note(self, schemas: Sequence[Schema], rng: Random) -> ComposedNote:
        """A note with one fact of each given schema, in a random shape, with questions."""
        pool: dict[str, str] = {}
        facts = [self.fact(s, rng, pool) for s in schemas]
        shape = rng.choice(_SHAPES)
        rendered = [self._render(f, shape, rng) for f in facts]
        body = self._assemble(rendered, shape, rng)
        title = self._title(facts, rng)
        note = NoteText(title, (), (Section((title,), body),))
        questions = [q for f, lines in zip(facts, rendered, strict=True)
                     for q in self._questions(f, lines, rng)]  # fmt: skip
        unanswerable = self._unanswerable(facts, rng)
        return ComposedNote(note, (*questions, *unanswerable))

    def table(self, schema: Schema, rows: int, rng: Random) -> ComposedNote:
        """A table with several facts of one schema, the asked-for rows among them."""
        facts = [self.fact(schema, rng) for _ in range(rows)]
        lines = [" | ".join(name for name, _ in schema.fields)]
        template = " | ".join(value for _, value in schema.fields)
        filled = [Line(fill(template + " ", f.values).text.rstrip(), fill(template, f.values).spans)
                  for f in facts]  # fmt: skip
        lines += [line.text for line in filled]
        title = schema.domain.capitalize()
        note = NoteText(title, (), (Section((title,), "\n".join(lines)),))
        questions = [q for f, line in zip(facts, filled, strict=True)
                     for q in self._questions(f, [line], rng)]  # fmt: skip
        return ComposedNote(note, tuple(questions))

    def _render(self, fact: Fact, shape: str, rng: Random) -> list[Line]:
        schema = fact.schema
        if shape == "fields":
            return [fill(value, fact.values, f"{name}: ") for name, value in schema.fields]
        if shape == "jottings":
            return [fill(rng.choice(schema.jottings), fact.values, "- ")]
        if shape == "bullets":
            template = rng.choice(schema.statements if rng.random() < 0.6 else schema.jottings)
            return [fill(template, fact.values, "- ")]
        if shape == "minutes":
            lead = f"{rng.randint(1, 9)}. {schema.domain.split()[0].capitalize()}. "
            return [fill(rng.choice(schema.statements), fact.values, lead)]
        return [fill(rng.choice(schema.statements), fact.values)]

    def _assemble(self, rendered: list[list[Line]], shape: str, rng: Random) -> str:
        blocks = ["\n".join(line.text for line in lines) for lines in rendered]
        share = 0.5 if shape in ("prose", "diary", "letter") else 0.15
        with_filler: list[str] = []
        for block in blocks:
            if self.filler and rng.random() < share:
                with_filler.append(rng.choice(self.filler))
            with_filler.append(block)
        if shape in ("prose", "letter"):
            text = " ".join(with_filler)
            if shape == "letter":
                name = self.values.compose("first_name", rng)
                return f"Dear {name},\n\n{text}\n\nBest wishes"
            return text
        if shape == "diary":
            date = self.values.compose("date", rng)
            return f"{date}\n{' '.join(with_filler)}"
        return ("\n\n" if shape == "fields" else "\n").join(with_filler)

    def _title(self, facts: list[Fact], rng: Random) -> str:
        roll = rng.random()
        domain = facts[0].schema.domain.capitalize()
        if roll < 0.4:
            return domain
        if roll < 0.6:
            return f"{domain}, {self.values.compose('month_year', rng)}"
        if roll < 0.8:
            return f"Notes {self.values.compose('date', rng)}"
        return rng.choice(("To remember", "Odds and ends", "Misc", "This week", "For the file"))

    def _questions(self, fact: Fact, lines: list[Line], rng: Random) -> list[AskedFact]:
        asked = []
        slots = [s for s in fact.schema.questions if s in fact.values]
        for slot in rng.sample(slots, min(len(slots), 2)):
            template = rng.choice(fact.schema.questions[slot])
            question = fill(template, fact.values).text
            answer = fact.values[slot]
            places = tuple((x.text, x.spans[slot]) for x in lines if slot in x.spans)
            if answer.lower() not in question.lower() and places:
                asked.append(AskedFact(question, answer, places))
        return asked

    def _unanswerable(self, facts: list[Fact], rng: Random) -> list[AskedFact]:
        """The same relation of somebody else, or another relation of the same subject."""
        if rng.random() < 0.5:
            schema = rng.choice(facts).schema
            other = self.fact(schema, rng).values
        else:
            schema = rng.choice(self.schemas)
            if any(schema.id == f.schema.id for f in facts):
                return []
            pool = {f.schema.slots[s]: v for f in facts for s, v in f.values.items()}
            other = {
                slot: pool.get(kind) or self.values.compose(kind, rng)
                for slot, kind in schema.slots.items()
            }
        slot = rng.choice(list(schema.questions))
        question = fill(rng.choice(schema.questions[slot]), other).text
        return [AskedFact(question, "", ())]


_SHAPES = ("prose", "prose", "bullets", "jottings", "fields", "minutes", "diary", "letter")
