"""Questions to the slot: an answer with its sources, and a note's probes asked live."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from engine.api import (
    AlternativeAnswer,
    Answer,
    Answered,
    AnswerPiece,
    AnswerStarted,
    InputError,
    NoMemoryYet,
    Probe,
    Remembered,
    Source,
)
from engine.desk import Desk
from engine.memory.report import AnswerResult, AnswerStep
from engine.notes.read import LoadedNote

_log = logging.getLogger(__name__)

UNKNOWN = "I don't have that in memory."
MOST_CHARACTERS = 2_000
"""The longest question that is asked."""
NEAR = 0.25
"""A note is offered beside an unknown answer from this share of the question's score on."""
MOST_NEAREST = 3


def check_question(question: str) -> str:
    """The question without white space around it.

    Raises:
        InputError: it is empty or too long.
    """
    asked = question.strip()
    if not asked:
        raise InputError("The question is empty.")
    if len(asked) > MOST_CHARACTERS:
        raise InputError(
            f"This question has {len(asked):,} characters; at most {MOST_CHARACTERS:,} can be "
            "asked at once."
        )
    return asked


def ask(desk: Desk, request: int, question: str, is_stopped: Callable[[], bool]) -> None:
    """Answer from the slot; ends with `Answered`.

    Raises:
        InputError: the question cannot be asked, or nothing was remembered yet.
    """
    asked = check_question(question)
    if not desk.memory.cells_used:
        raise NoMemoryYet("Nothing has been remembered yet, so there is nothing to ask.")
    before = desk.doing
    desk.now(replace(before, answering=True))
    try:
        began = time.perf_counter()
        desk.announce(AnswerStarted(request, desk.memory.prompt(asked)))

        def on_step(step: AnswerStep) -> bool:
            if step.text:
                desk.announce(AnswerPiece(request, step.text))
            return not is_stopped()

        result = desk.with_fallback(lambda memory: memory.answer(asked, on_step))
        answer = to_answer(desk, result, time.perf_counter() - began)
        if answer.known and not answer.stopped:
            answer = replace(answer, alternatives=_alternatives(desk, asked, answer))
        desk.announce(Answered(request, answer))
        _log.info("answered in %.2f s, known: %s", answer.seconds, answer.known)
    finally:
        desk.now(before)


def to_answer(desk: Desk, result: AnswerResult, seconds: float) -> Answer:
    """What the memory said, with notes in the place of numbers."""
    text = result.text.strip()
    known = result.known and bool(text)
    if known:
        sources = _sources(desk, result.sources)
    else:
        near = [(note, share) for note, share in result.nearest if share >= NEAR]
        sources = _sources(desk, tuple(near[:MOST_NEAREST]))
    sure = result.confidence
    if not known and not result.stopped:
        text, sure = UNKNOWN, 1.0 - result.in_memory
    return Answer(text, known, sure, sources, seconds, result.prompt, stopped=result.stopped)


def _alternatives(desk: Desk, asked: str, answer: Answer) -> tuple[AlternativeAnswer, ...]:
    found = desk.with_fallback(lambda memory: memory.alternatives(asked, answer.text))
    return tuple(
        AlternativeAnswer(each.text, source)
        for each in found
        for source in _sources(desk, ((each.note, each.weight),))
    )


def _sources(desk: Desk, weights: tuple[tuple[int, float], ...]) -> tuple[Source, ...]:
    rows = ((desk.rows.get(note_id), weight) for note_id, weight in weights)
    return tuple(Source(row.id, row.path, weight, row.written_at) for row, weight in rows if row)


def show_remembered(
    desk: Desk, request: int, note_id: int, loaded: LoadedNote | None
) -> None:
    """Ask a note's probes now; where its file is gone or another, recite its cells instead.

    Args:
        loaded: the note's file as it is now, None where it cannot be read.

    Raises:
        InputError: there is no such note, or nothing of it is remembered.
    """
    row = desk.rows.get(note_id)
    if row is None:
        raise InputError("This note is no longer known.")
    if not row.cells:
        raise InputError("Nothing of this note is remembered.")
    if loaded is not None and loaded.hash == row.written_hash:
        note = loaded.text
        asked = desk.with_fallback(lambda memory: memory.probes(note_id, note))
        probes = tuple(Probe(p.question, p.expected, p.answer, p.right, p.p) for p in asked)
        desk.announce(Remembered(request, note_id, probes))
    else:
        recited = desk.with_fallback(lambda memory: memory.recite(note_id))
        desk.announce(Remembered(request, note_id, (), recited))
