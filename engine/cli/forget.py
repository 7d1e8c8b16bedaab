"""`engram forget NOTE…`: frees notes' cells."""

from __future__ import annotations

import argparse

from engine.api import Done, Forget
from engine.cli.console import print_json
from engine.cli.context import Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("notes", metavar="NOTE", nargs="+", help="as listed by `engram notes`")


def run(context: Context, args: argparse.Namespace) -> int:
    """Forget them, all or none."""
    context.require_memory()
    from engine.cli.ledger import find
    from engine.service import ASKING_ONLY

    with context.session(ASKING_ONLY) as session:
        session.require_usable()
        notes = list(session.notes.values())
        found = [find(notes, name, session.settings.folder) for name in args.notes]
        event = session.do(Forget(tuple(note.id for note in found)))
    if context.as_json:
        print_json({"forgotten": [note.path for note in found]})
    elif isinstance(event, Done):
        print(event.message)
    return 0
