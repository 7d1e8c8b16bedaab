"""`engram notes`: the ledger's table."""

from __future__ import annotations

import argparse

from engine.cli.console import moment, percent, print_json, print_table
from engine.cli.context import Context
from engine.cli.remember import as_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command has no arguments."""


def run(context: Context, args: argparse.Namespace) -> int:
    """List every note with its state, recall, cells and time of writing."""
    context.require_memory()
    from engine.cli.ledger import opened

    with opened(context.home) as store:
        notes = sorted((row.as_note() for row in store.notes()), key=lambda note: note.path)
    if context.as_json:
        print_json({"notes": [as_json(note) for note in notes]})
        return 0
    rows = [
        (n.state.value, percent(n.recall), str(n.cells), moment(n.written_at), _named(n.path, n.reason))
        for n in notes
    ]
    print_table(("state", "recall", "cells", "written", "note"), rows)
    return 0


def _named(path: str, reason: str) -> str:
    return f"{path}  ({reason})" if reason else path
