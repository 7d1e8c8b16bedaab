"""Measurements of the memory: `main.py bench NAME`, one file for each.

Each bench reads its data from the files that its options name, prints a table and gives a frozen
dataclass, which `--json` prints as one object. The keys are told in `docs/results.md`.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the benches as sub-commands, each with its own options."""
    from engine.bench import command  # not above: the fresh process has no use for it

    command.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the chosen bench and print its result; see `engine.bench.command.run`."""
    from engine.bench import command

    return command.run(args)
