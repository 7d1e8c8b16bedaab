"""Questions, what was said to them, and the scores."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.bench.metrics import contains, exact, f1, mean
from engine.memory.report import Alternative, AnswerResult, AnswerStep


@dataclass(frozen=True)
class Question:
    """A question with its accepted answers.

    Attributes:
        text: its words.
        accepted: right answers; () where no note says.
        kind: plain, reworded, ...
        note: id of the note that says; 0 where that is not known.
    """

    text: str
    accepted: tuple[str, ...]
    kind: str = ""
    note: int = 0

    @property
    def answerable(self) -> bool:
        """Whether some note says."""
        return bool(self.accepted)


@dataclass(frozen=True)
class Reply:
    """What a memory said.

    Attributes:
        text: what was decoded, trusted or not.
        known: whether it counts as known.
        in_memory: probability that some note answers, 0 to 1.
        confidence: 0 to 1.
        p: joint probability of the whole decoded answer, its natural stop included.
        first_p: joint probability of its first token.
        source: id of the note that carried most of it; 0 for none.
        nearest: id of the note that the question points at; 0 for none.
        first_seconds, seconds: from the question to the first token and to the whole answer.
        alternatives: what else it may be, where that was asked for and the answer is known.
    """

    text: str
    known: bool
    in_memory: float
    confidence: float
    p: float
    first_p: float
    source: int
    nearest: int
    first_seconds: float
    seconds: float
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """A question with its reply."""

    question: Question
    reply: Reply

    @property
    def given(self) -> str:
        """What the user is told: "" where the reply is not trusted."""
        return self.reply.text if self.reply.known else ""

    @property
    def right(self) -> bool:
        """Whether the user is given exactly an accepted answer."""
        return exact(self.given, self.question.accepted) == 1.0

    @property
    def right_untrusted(self) -> bool:
        """As `right`, whatever the confidence."""
        return exact(self.reply.text, self.question.accepted) == 1.0

    @property
    def right_among(self) -> bool:
        """Whether exactly an accepted answer is among those that the user is given."""
        given = (self.given, *self.reply.alternatives)
        return any(exact(text, self.question.accepted) == 1.0 for text in given)

    @property
    def right_note(self) -> bool:
        """Whether the question points at the note that says."""
        return bool(self.question.note) and self.reply.nearest == self.question.note


@dataclass(frozen=True)
class Scores:
    """Mean scores over answerable questions, shares 0 to 1; None of no questions.

    Attributes:
        questions: how many.
        f1, em: SQuAD's; an answer that is not trusted scores 0.
        contains: share of the answers holding an accepted one as whole words.
        f1_untrusted, em_untrusted, contains_untrusted: the same with the threshold off.
        right_note: share of questions that point at the right note, whatever is answered.
        answered: share that is answered at all.
    """

    questions: int
    f1: float | None
    em: float | None
    contains: float | None
    f1_untrusted: float | None
    em_untrusted: float | None
    contains_untrusted: float | None
    right_note: float | None
    answered: float | None


class Answerer(Protocol):
    """A memory as far as it is asked."""

    def answer(
        self, question: str, on_step: Callable[[AnswerStep], bool] | None = None
    ) -> AnswerResult:
        """Answer a question."""

    def alternatives(self, question: str, given: str) -> tuple[Alternative, ...]:
        """What else might answer a question that was answered with `given`."""


def reply_of(memory: Answerer, question: str, alternatives: bool = False) -> Reply:
    """Ask a memory in this process, with a clock running; for alternatives where asked to."""
    start = time.perf_counter()
    first: list[tuple[float, float]] = []

    def on_step(step: AnswerStep) -> bool:
        if not first:
            first.append((time.perf_counter() - start, step.p))
        return True

    result = memory.answer(question, on_step)
    seconds = time.perf_counter() - start
    first_seconds, first_p = first[0] if first else (seconds, 0.0)
    others = memory.alternatives(question, result.text) if alternatives and result.known else ()
    return Reply(
        text=result.text,
        known=result.known,
        in_memory=result.in_memory,
        confidence=result.confidence,
        p=math.exp(result.log_p),
        first_p=first_p,
        source=result.sources[0][0] if result.sources else 0,
        nearest=result.nearest[0][0] if result.nearest else 0,
        first_seconds=first_seconds,
        seconds=seconds,
        alternatives=tuple(each.text for each in others),
    )


def ask_all(questions: Sequence[Question], replies: Sequence[Reply]) -> list[Outcome]:
    """Pair questions with their replies, same order."""
    return [Outcome(q, r) for q, r in zip(questions, replies, strict=True)]


def scores(outcomes: Iterable[Outcome]) -> Scores:
    """Score the answerable ones among some outcomes."""
    asked = [o for o in outcomes if o.question.answerable]

    def over(score: Callable[[Outcome], float]) -> float | None:
        return mean(score(o) for o in asked)

    return Scores(
        questions=len(asked),
        f1=over(lambda o: f1(o.given, o.question.accepted)),
        em=over(lambda o: exact(o.given, o.question.accepted)),
        contains=over(lambda o: contains(o.given, o.question.accepted)),
        f1_untrusted=over(lambda o: f1(o.reply.text, o.question.accepted)),
        em_untrusted=over(lambda o: exact(o.reply.text, o.question.accepted)),
        contains_untrusted=over(lambda o: contains(o.reply.text, o.question.accepted)),
        right_note=mean(o.right_note for o in asked if o.question.note),
        answered=over(lambda o: o.reply.known),
    )


def by_kind(outcomes: Sequence[Outcome]) -> dict[str, Scores]:
    """Scores for each kind of answerable question, kinds in order of appearance."""
    kinds = dict.fromkeys(o.question.kind for o in outcomes if o.question.answerable)
    return {k: scores(o for o in outcomes if o.question.kind == k) for k in kinds}


def kept(before: Sequence[Outcome], after: Sequence[Outcome]) -> tuple[int, int]:
    """(right before, of those still right after); both in the same order of questions."""
    first = [b.right for b in before]
    still = [f and a.right for f, a in zip(first, after, strict=True)]
    return sum(first), sum(still)


@dataclass(frozen=True)
class Given:
    """One question of a bench with what became of it, for reading what went wrong."""

    question: str
    kind: str
    accepted: tuple[str, ...]
    answer: str
    known: bool
    confidence: float
    p: float
    right: bool
    right_note: bool
    alternatives: tuple[str, ...]


def given(outcomes: Iterable[Outcome]) -> tuple[Given, ...]:
    """Outcomes as they stand in a result. `right` is that of the decoded answer, trusted or not."""
    return tuple(
        Given(
            o.question.text, o.question.kind, o.question.accepted, o.reply.text, o.reply.known,
            o.reply.confidence, o.reply.p, o.right_untrusted,
            o.right_note, o.reply.alternatives,
        )
        for o in outcomes
    )  # fmt: skip
