"""`engram bench NAME …`: the measurements; see `engine.bench`."""

from __future__ import annotations

import argparse

from engine import bench
from engine.cli.context import Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the benches."""
    bench.add_arguments(parser)


def run(context: Context, args: argparse.Namespace) -> int:
    """Run one; it works on a memory of its own, not on the home's."""
    return bench.run(args)
