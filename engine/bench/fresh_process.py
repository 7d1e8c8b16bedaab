"""What runs in the fresh process of `engine.bench.cold`: open a slot, answer questions.

Questions come as JSON strings, one a line, on standard input; answers go to standard output, one
JSON object a line, after a first line that says that the memory is open.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from engine.api import EngramError
from engine.bench.asking import reply_of
from engine.memory.memory import Memory
from engine.model.base import BaseModel


def main(arguments: Sequence[str]) -> int:
    """Answer all of standard input; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="engine.bench.fresh_process")
    parser.add_argument("base", type=Path)
    parser.add_argument("slot", type=Path)
    parser.add_argument("device")
    parser.add_argument("--alternatives", action="store_true")
    args = parser.parse_args(arguments)
    try:
        memory = Memory.load(BaseModel.read(args.base, torch.device(args.device)), args.slot)
    except EngramError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(json.dumps({"open": True}), flush=True)
    for line in sys.stdin:
        reply = reply_of(memory, json.loads(line), args.alternatives)
        print(json.dumps(dataclasses.asdict(reply)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
