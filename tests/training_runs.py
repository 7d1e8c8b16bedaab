"""Training runs small enough for tests: shape, data, command lines, and how a run begins."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.model.config import BackboneConfig
from engine.training import command, options

DATA = Path(__file__).parent / "data" / "training"
MICRO = BackboneConfig(d_model=32, n_head=2, n_neuron=64, n_pass=2, d_context=16, d_semantic=16,
                       d_lexical=16)  # fmt: skip
"""A shape for `PRESETS`, under the name "micro"."""


def arguments(*words: str | Path) -> argparse.Namespace:
    """What `main.py train WORDS` would be given."""
    parser = argparse.ArgumentParser()
    options.add_arguments(parser)
    return parser.parse_args([str(w) for w in words])


def data() -> list[str | Path]:
    """The options that name the corpora."""
    return ["--prose", DATA / "prose.txt", "--notes", DATA / "notes.jsonl",
            "--banks", DATA / "bank.jsonl"]  # fmt: skip


def prose(run: Path, steps: int, *more: str) -> argparse.Namespace:
    """A pre-training."""
    return arguments("prose", "--run", run, "--preset", "micro", "--steps", str(steps), "--rows",
                     "4", "--length", "32", "--device", "cpu", *more)  # fmt: skip


def begin(run: Path) -> None:
    """Tokenizer and words of a run."""
    command.run(arguments("tokenizer", "--run", run, *data(), "--vocab", "500"))
    command.run(arguments("words", "--run", run, *data(), "--width", "16"))


def copy_run(started: Path, to: Path) -> Path:
    """The files of a run, in another folder."""
    for file in started.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to
