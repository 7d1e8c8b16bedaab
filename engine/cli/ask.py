"""`engram ask "question"` and `engram ask --batch questions.jsonl`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import Answer, Answered, Ask, EngramError, InputError
from engine.cli.console import moment, percent, print_json, printable
from engine.cli.context import Context
from engine.cli.records import answer_as_json

if TYPE_CHECKING:
    from engine.cli.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("question", nargs="?", help="in quotes")
    what.add_argument(
        "--batch",
        metavar="FILE",
        help="answer each line's \"question\" of a JSON lines file (- for standard input)",
    )


def run(context: Context, args: argparse.Namespace) -> int:
    """Answer from the memory; nothing is scanned or written."""
    questions = None if args.batch is None else _read_batch(args.batch)
    if questions is None:
        _refuse_unaskable(args.question)
    context.require_memory()
    from engine.service import ASKING_ONLY

    with context.session(ASKING_ONLY) as session:
        session.require_usable()
        if questions is None:
            answer = _ask(session, args.question)
            print_json(answer_as_json(answer)) if context.as_json else print_answer(answer)
            return 0
        return _ask_all(session, questions)


def _refuse_unaskable(question: str) -> None:
    from engine.tasks.asking import check_question

    check_question(question)


def _ask(session: Session, question: str) -> Answer:
    event = session.do(Ask(question))
    if not isinstance(event, Answered):
        raise EngramError("The question was not answered.")
    return event.answer


def _ask_all(session: Session, questions: list[str]) -> int:
    """One line for each question, in order; one that cannot be asked gets its error."""
    code = 0
    for question in questions:
        try:
            print_json(answer_as_json(_ask(session, question)))
        except InputError as error:
            print_json({"error": str(error)})
            code = error.exit_code
    return code


def _read_batch(file: str) -> list[str]:
    """The questions of a JSON lines file; lines without one are passed over.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"There is no file {file}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not a text file in UTF-8.") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    questions = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            questions += _question_of(line, f"{file}, line {number}")
    return questions


def _question_of(line: str, where: str) -> list[str]:
    try:
        value = json.loads(line)
    except ValueError:
        raise InputError(f"{where} is not JSON.") from None
    if not isinstance(value, dict):
        raise InputError(f"{where} is not a JSON object.")
    question = value.get("question")
    return [question] if isinstance(question, str) else []


def print_answer(answer: Answer) -> None:
    """For a person: the answer, then where it comes from."""
    print(printable(answer.text))
    if answer.known:
        told = [f"{each.path}, {moment(each.written_at)}" for each in answer.sources]
        learned = f"learned from: {'; '.join(told)} · " if told else ""
        sure = percent(answer.confidence)
        print(printable(f"  {learned}{sure} sure · {answer.seconds:.2f} s"), flush=True)
        if answer.alternatives:
            told = [f"{each.text} ({each.source.path})" for each in answer.alternatives]
            print(printable(f"  it may also be: {'; '.join(told)}"), flush=True)
    elif answer.sources:
        near = "; ".join(each.path for each in answer.sources)
        print(printable(f"  near to it: {near}"), flush=True)
