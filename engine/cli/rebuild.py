"""`engram rebuild`: writes every note anew; without --yes it only tells the cost."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.api import (
    EstimateRebuild,
    Mode,
    QueueEnded,
    Rebuild,
    RebuildEstimate,
    WriteProgress,
)
from engine.cli.console import ProgressLine, duration, print_json
from engine.cli.context import Context

if TYPE_CHECKING:
    from engine.cli.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--yes", action="store_true", help="do it")


def run(context: Context, args: argparse.Namespace) -> int:
    """Tell the cost, or rebuild. A memory of another base model can be rebuilt as well."""
    context.require_memory()
    from engine.service import WRITING_ONLY

    with context.session(WRITING_ONLY) as session:
        if not args.yes:
            return _tell(context, session)
        session.do(Rebuild())
        ended = _follow(session)
    if context.as_json:
        figures = {"written": ended.written, "weak": ended.weak, "failed": ended.failed}
        print_json({**figures, "seconds": ended.seconds})
    else:
        counts = f"{ended.written} notes written, {ended.weak} weak, {ended.failed} failed"
        print(f"{counts}, {duration(ended.seconds)}")
    return 0


def _tell(context: Context, session: Session) -> int:
    session.require_usable()
    event = session.do(EstimateRebuild())
    if isinstance(event, RebuildEstimate):
        if context.as_json:
            print_json({"notes": event.notes, "seconds": event.seconds})
        else:
            time = "as nothing was measured yet, nobody knows how long"
            if event.seconds is not None:
                time = f"about {duration(event.seconds)}"
            print(f"{event.notes} notes would be written anew: {time}. To do it, add --yes.")
    return 0


def _follow(session: Session) -> QueueEnded:
    line = ProgressLine()
    try:
        for event in session.events():
            status = session.status
            if isinstance(event, WriteProgress) and status is not None:
                left, step = status.queue, f"step {event.step} of {event.steps}"
                done = status.notes_total - left
                line.show(done, status.notes_total, f"{left} to write, {step}")
            if isinstance(event, QueueEnded):
                return event
            if status is not None and status.queue == 0 and status.mode is Mode.IDLE:
                return QueueEnded(0, 0, 0, 0.0)
    finally:
        line.clear()
    return QueueEnded(0, 0, 0, 0.0)
