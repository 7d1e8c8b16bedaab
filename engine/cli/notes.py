"""`engram notes`: the ledger's table."""

from __future__ import annotations

import argparse

from engine.api import Note
from engine.cli.console import moment, percent, print_json, print_table
from engine.cli.context import Context
from engine.cli.records import note_as_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command has no arguments."""


def run(context: Context, args: argparse.Namespace) -> int:
    """List every note with its state, recall, cells and time of writing."""
    context.require_memory()
    from engine.cli.ledger import opened

    with opened(context.home) as store:
        notes = sorted((row.as_note() for row in store.notes()), key=lambda note: note.path)
    if context.as_json:
        print_json({"notes": [note_as_json(note) for note in notes]})
        return 0
    rows = [
        (n.state.value, percent(n.recall), str(n.cells), moment(n.written_at), _named(n))
        for n in notes
    ]
    print_table(("state", "recall", "cells", "written", "note"), rows)
    return 0


def _named(note: Note) -> str:
    return f"{note.path}  ({note.reason})" if note.reason else note.path
