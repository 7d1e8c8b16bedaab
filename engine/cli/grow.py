"""`engram grow CELLS`: gives the memory more cells; what is remembered stays."""

from __future__ import annotations

import argparse

from engine.api import GrowSlot
from engine.cli.console import print_json
from engine.cli.context import Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("cells", metavar="CELLS", type=int, help="how many it is to have")


def run(context: Context, args: argparse.Namespace) -> int:
    """Grow. Notes that found no room wait again, for the next `remember`, `watch` or window."""
    from engine.service import ASKING_ONLY

    with context.session(ASKING_ONLY) as session:
        session.require_usable()
        session.do(GrowSlot(args.cells))
    if context.as_json:
        print_json({"cells": args.cells})
    else:
        print(f"The memory has {args.cells:,} cells now.")
    return 0
