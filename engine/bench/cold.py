"""Asking in a fresh process, which is given the base model, a slot file and bare questions.

No note, no accepted answer and no state of the writing process reaches it. What runs there is
`engine.bench.fresh_process`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.api import EngramError
from engine.bench.asking import Reply

COMMAND = ("-m", "engine.bench.fresh_process")
"""What the interpreter runs; base, slot and device follow."""


class ColdProcessFailed(EngramError):
    """The fresh process ended early; its own words are on standard error."""


@dataclass(frozen=True)
class ColdReplies:
    """What a fresh process said.

    Attributes:
        replies: one for each question.
        ready_seconds: from starting the interpreter to an open memory.
        first_reply_seconds: from starting the interpreter to the first whole answer; None where
            nothing was asked.
    """

    replies: list[Reply]
    ready_seconds: float
    first_reply_seconds: float | None


def ask(
    base: Path,
    slot: Path,
    device: str,
    questions: Sequence[str],
    on_reply: Callable[[], None] = lambda: None,
    alternatives: bool = False,
) -> ColdReplies:
    """Start a process, let it open the slot, ask it.

    Args:
        base: folder of the base model.
        slot: a saved slot.
        device: "cpu" or "cuda".
        questions: asked in order.
        on_reply: called after each reply.
        alternatives: whether known answers get them.

    Raises:
        ColdProcessFailed: it ended before the last question was answered.
    """
    command = [sys.executable, *COMMAND, str(base), str(slot), device]
    command += ["--alternatives"] if alternatives else []
    with tempfile.TemporaryFile("w+", encoding="utf-8") as asked:
        asked.writelines(json.dumps(q) + "\n" for q in questions)
        asked.seek(0)
        return _read(command, asked.fileno(), len(questions), on_reply)


def _read(
    command: list[str], asked: int, count: int, on_reply: Callable[[], None]
) -> ColdReplies:
    start = time.perf_counter()
    replies: list[Reply] = []
    ready = first = None
    with subprocess.Popen(
        command, stdin=asked, stdout=subprocess.PIPE, env=_environment(), encoding="utf-8"
    ) as process:
        for line in process.stdout or ():
            now = time.perf_counter() - start
            if ready is None:
                ready = now
                continue
            first = now if first is None else first
            fields = json.loads(line)
            replies.append(Reply(**{**fields, "alternatives": tuple(fields["alternatives"])}))
            on_reply()
    if process.returncode != 0 or ready is None or len(replies) != count:
        raise ColdProcessFailed(
            f"The fresh process ended with code {process.returncode} after {len(replies)} "
            f"of {count} answers."
        )
    return ColdReplies(replies, ready, first)


def _environment() -> dict[str, str]:
    """This process's environment, with this very `engine` first on the path."""
    house = str(Path(__file__).resolve().parents[2])
    rest = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([house, rest] if rest else [house])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"}
