"""`engram verify`: asks every note's probes again."""

from __future__ import annotations

import argparse

from engine.api import Verify
from engine.cli.console import percent, print_json, print_table
from engine.cli.context import Context
from engine.cli.records import note_as_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command has no arguments."""


def run(context: Context, args: argparse.Namespace) -> int:
    """Print recall before and now."""
    context.require_memory()
    from engine.service import ASKING_ONLY

    with context.session(ASKING_ONLY) as session:
        session.require_usable()
        before = {note.id: note.recall for note in session.notes.values()}
        session.do(Verify())
        notes = sorted((n for n in session.notes.values() if n.cells), key=lambda n: n.path)
    if context.as_json:
        print_json({"notes": [{**note_as_json(n), "recall_before": before[n.id]} for n in notes]})
        return 0
    rows = [
        (percent(before[n.id]), percent(n.recall), percent(n.median_p), n.state.value, n.path)
        for n in notes
    ]
    print_table(("before", "now", "median p", "state", "note"), rows)
    return 0
