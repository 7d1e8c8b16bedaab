"""`engram chat`: a prompt in the terminal. Ctrl+D or /quit ends it."""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import TYPE_CHECKING

from engine.api import Answered, Ask, InputError, StopAnswer
from engine.cli.ask import print_answer
from engine.cli.console import note_line, print_json
from engine.cli.context import Context
from engine.cli.records import answer_as_json

if TYPE_CHECKING:
    from engine.cli.session import Session

_ENDS = ("/quit", "/exit", "/q")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command has no arguments."""


def run(context: Context, args: argparse.Namespace) -> int:
    """Answer line by line."""
    context.require_memory()
    from engine.service import ASKING_ONLY

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (gives `input` its line editing)
    with context.session(ASKING_ONLY) as session:
        session.require_usable()
        while (question := _next_question()) is not None:
            if question.strip():
                _answer(context, session, question)
    return 0


def _next_question() -> str | None:
    """The next line, None at the end."""
    try:
        line = input("> " if sys.stdin.isatty() else "")
    except EOFError:
        return None
    return None if line.strip() in _ENDS else line


def _answer(context: Context, session: Session, question: str) -> None:
    """Print the answer; Ctrl+C cuts it short and leaves the chat open."""
    request = session.submit(Ask(question))
    try:
        try:
            event = session.result(request)
        except KeyboardInterrupt:
            session.submit(StopAnswer(request))
            event = session.result(request)
    except InputError as error:
        note_line(str(error))
        return
    if isinstance(event, Answered):
        print_json(answer_as_json(event.answer)) if context.as_json else print_answer(event.answer)
