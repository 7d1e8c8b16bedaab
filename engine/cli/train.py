"""`engram train …`: tokenizer, words, prose, memory; see `engine.training`."""

from __future__ import annotations

import argparse

from engine.cli.context import Context
from engine.training import command, options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the trainings."""
    options.add_arguments(parser)


def run(context: Context, args: argparse.Namespace) -> int:
    """Run one."""
    return command.run(args)
