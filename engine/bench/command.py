"""The command line of the benches. Torch is imported only when one of them runs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from engine.api import EngramError
from engine.bench import (
    baseline,
    capacity,
    designs,
    facts20,
    frames,
    held_out,
    notes,
    sequence,
    silence,
    speed,
    squad,
    two_documents,
)
from engine.bench.subject import Subject
from engine.bench.table import Table, render_all
from engine.memory.report import WriteOptions

_CELLS = 65_536


class Measured(Protocol):
    """A bench's result: a frozen dataclass that can be shown."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def tables(self) -> tuple[Table, ...]:
        """What is printed."""


@dataclass(frozen=True)
class Bench:
    """A measurement.

    Attributes:
        name, help: for the command line.
        add_arguments: adds the bench's own options.
        measure: runs it.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    measure: Callable[[argparse.Namespace, Subject], Measured]


BENCHES = tuple(
    Bench(m.NAME, m.HELP, m.add_arguments, m.measure)
    for m in (
        facts20, two_documents, capacity, notes, held_out, baseline, squad, sequence, silence,
        speed, frames, designs,
    )
)  # fmt: skip
"""Every bench; adding one is one file and its name here."""


@dataclass(frozen=True)
class Setting:
    """What was measured and how, the same for every bench.

    Attributes:
        model: the base model's name. base_id: its identity, SHA-256 in hexadecimal.
        parameters: of the base model. device: by name.
        cells: of a fresh slot. steps: gradient steps of a write's first round.
        seed: of everything random. seconds: the whole bench took.
    """

    model: str
    base_id: str
    parameters: int
    device: str
    cells: int
    steps: int
    seed: int
    seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the benches as sub-commands, each with its own options."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="one JSON object on standard output")
    common.add_argument(
        "--base", type=Path, default=None, metavar="DIR",
        help="folder of the base model (default: the embedded one)",
    )  # fmt: skip
    common.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    common.add_argument("--cells", type=int, default=_CELLS, help="of a fresh slot")
    common.add_argument(
        "--steps", type=int, default=WriteOptions().steps, help="gradient steps of a write"
    )
    common.add_argument("--seed", type=int, default=0, help="of everything random")
    names = parser.add_subparsers(dest="bench", required=True, metavar="NAME")
    for bench in BENCHES:
        bench.add_arguments(names.add_parser(bench.name, parents=[common], help=bench.help))


def run(args: argparse.Namespace) -> int:
    """Run the chosen bench and print its result.

    Tables go to standard output, or with `--json` to standard error; everything else always goes
    there.

    Returns:
        0, or the exit code of the error, which is then one line on standard error.
    """
    from engine.bench.real import RealSubject

    start = time.perf_counter()
    bench = next(b for b in BENCHES if b.name == args.bench)
    options = WriteOptions(steps=args.steps)
    try:
        subject = RealSubject(args.base, args.device, args.cells, options, args.seed)
        result = bench.measure(args, subject)
    except EngramError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    base = subject.base
    setting = Setting(
        base.name, base.id, base.parameters, subject.device_name, args.cells, args.steps,
        args.seed, time.perf_counter() - start,
    )  # fmt: skip
    show(bench.name, result, setting, args.json)
    return 0


def show(name: str, result: Measured, setting: Setting, as_json: bool) -> None:
    """Print a result."""
    tables = render_all(result.tables())
    print(tables, file=sys.stderr if as_json else sys.stdout)
    if as_json:
        print(to_json(name, result, setting))


def to_json(name: str, result: Measured, setting: Setting) -> str:
    """A result as one JSON object in one line; numbers that are none become null."""
    fields = dataclasses.asdict(result)
    whole = {"bench": name, **fields, "setting": dataclasses.asdict(setting)}
    return json.dumps(_finite(whole), ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    return value
