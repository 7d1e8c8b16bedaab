"""Conversations as records, and as the JSON they are kept in."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from app import wording
from engine.api import AlternativeAnswer, Answer, InputError, Source

FORMAT = 1
TITLE_LENGTH = 60


@dataclass(frozen=True)
class Turn:
    """One question and what came of it. Nothing of all this: it was never answered."""

    question: str
    asked_at: float
    answer: Answer | None = None
    problem: str = ""
    """Why there is no answer: a sentence for a person."""
    empty: bool = False
    """There was nothing in memory yet, so that nothing was asked."""


@dataclass(frozen=True)
class Chat:
    """One conversation. `title` is "" until it is named or the first question names it."""

    id: str
    title: str
    created_at: float
    turns: tuple[Turn, ...] = ()

    @property
    def used_at(self) -> float:
        """When it was last asked something, seconds since the epoch."""
        return self.turns[-1].asked_at if self.turns else self.created_at


def title_from(question: str) -> str:
    """A conversation's name from its first question, cut at a word."""
    line = " ".join(question.split())
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH].rsplit(" ", 1)[0]
    return cut + "…"


def to_json(chat: Chat) -> str:
    """The file's text."""
    return json.dumps({"format": FORMAT, **asdict(chat)}, ensure_ascii=True, indent=1)


def from_json(text: str) -> Chat:
    """Read a file's text.

    Raises:
        InputError: it is not a conversation.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise InputError("This conversation was saved by another version of Engram.")
        return Chat(
            id=str(data["id"]),
            title=str(data["title"]),
            created_at=float(data["created_at"]),
            turns=tuple(_turn(t) for t in data["turns"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("This file does not hold a conversation.") from error


def _turn(data: dict[str, Any]) -> Turn:
    answer = data["answer"]
    return Turn(
        question=str(data["question"]),
        asked_at=float(data["asked_at"]),
        answer=None if answer is None else _answer(answer),
        problem=str(data["problem"]),
        empty=bool(data.get("empty", False)),  # conversations saved earlier do not have it
    )


def _answer(data: dict[str, Any]) -> Answer:
    return Answer(
        text=str(data["text"]),
        known=bool(data["known"]),
        confidence=float(data["confidence"]),
        sources=tuple(map(_source, data["sources"])),
        seconds=float(data["seconds"]),
        prompt=tuple(str(t) for t in data["prompt"]),
        stopped=bool(data["stopped"]),
        alternatives=tuple(
            AlternativeAnswer(str(each["text"]), _source(each["source"]))
            for each in data.get("alternatives", ())  # conversations saved earlier have none
        ),
    )


def _source(data: dict[str, Any]) -> Source:
    return Source(
        note_id=int(data["note_id"]),
        path=str(data["path"]),
        weight=float(data["weight"]),
        written_at=None if data["written_at"] is None else float(data["written_at"]),
    )


def to_markdown(chat: Chat) -> str:
    """The conversation as a Markdown document."""
    parts = [f"# {_inline(chat.title)}", ""]
    for turn in chat.turns:
        parts += [f"**{_inline(turn.question)}**", ""]
        if turn.answer is not None:
            parts += [*(_quote(turn.answer.text)), "", *_footer(turn.answer)]
        elif turn.empty:
            parts += [*_quote(wording.nothing_yet()), ""]
        elif turn.problem:
            parts += [f"*{_inline(turn.problem)}*", ""]
    return "\n".join(parts).rstrip() + "\n"


def _footer(answer: Answer) -> list[str]:
    facts = [f"sure {wording.percent(answer.confidence)}", wording.seconds(answer.seconds)]
    if answer.sources:
        names = ", ".join(
            _file(s) + (f" ({wording.date(s.written_at)})" if s.written_at else "")
            for s in answer.sources
        )
        facts.insert(0, ("learned from " if answer.known else "nearest notes: ") + names)
    if answer.alternatives:
        facts.append("it may also be: " + "; ".join(map(_alternative, answer.alternatives)))
    return ["*" + ", ".join(facts) + "*", ""]


def _alternative(each: AlternativeAnswer) -> str:
    return f"{_inline(each.text)} ({_file(each.source)})"


def _file(source: Source) -> str:
    return f"`{wording.shown(source.path).replace('`', chr(39))}`"


def _quote(text: str) -> list[str]:
    return ["> " + line if line else ">" for line in text.splitlines()] or [">"]


def _inline(text: str) -> str:
    line = " ".join(text.split())
    return "".join("\\" + c if c in "\\`*_[]<>#" else c for c in line)
