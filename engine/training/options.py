"""The options of `main.py train ...`, in groups: `all` takes those of every step."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.model.config import PRESETS, BackboneConfig
from engine.training.ablate import VARIANTS
from engine.training.architecture import ARCHITECTURES
from engine.training.memory_loss import LossWeights
from engine.training.memory_training import MemoryPlan
from engine.training.precision import PRECISIONS
from engine.training.pretrain import PretrainPlan

_PROSE_DECAY = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands of `train`."""
    verbs = parser.add_subparsers(dest="step", required=True)

    def verb(name: str, what: str) -> argparse.ArgumentParser:
        p = verbs.add_parser(name, help=what)
        p.add_argument("--run", type=Path, required=True, help="folder of this training run")
        return p

    everything = verb("all", "all five steps; those that are done are not done again")
    tokenizer = verb("tokenizer", "train the tokenizer")
    words = verb("words", "make the word table")
    prose = verb("prose", "pre-train on prose")
    memory = verb("memory", "train to be written to")
    ablate = verb("ablate", "measure variants of memory training")
    export = verb("export", "calibrate and write the base model")
    for p in (everything, tokenizer, words, memory, ablate):
        _corpora(p)
    for p in (everything, prose, memory, ablate):
        _machine(p)
    for p in (everything, prose, memory):
        _together(p)
    for p in (everything, tokenizer):
        p.add_argument("--vocab", type=int, default=BackboneConfig().vocab_size)
        p.add_argument("--tokens", type=int, help="tokenize at most this much prose")
    for p in (everything, words):
        p.add_argument("--teacher", type=Path, help="folder of a sentence-transformers model")
        p.add_argument("--width", type=int, default=BackboneConfig().d_semantic)
    for p in (everything, prose):
        p.add_argument("--rows", type=int, default=PretrainPlan.rows)
        p.add_argument("--length", type=int, default=128, help="tokens a row")
        p.add_argument("--optimizer", choices=("muon", "adamw"), default=PretrainPlan.optimizer)
    for p in (everything, memory, ablate):
        _memory(p)
    for p in (everything, memory):
        p.add_argument(
            "--ahead", type=int, default=0, metavar="N",
            help="processes that make batches ahead (for CUDA)",
        )  # fmt: skip
    for p in (everything, export):
        _export(p)
    _steps(everything, "prose-", PretrainPlan.lr, _PROSE_DECAY)
    _steps(everything, "memory-", MemoryPlan.lr, MemoryPlan.decay)
    _steps(prose, "", PretrainPlan.lr, _PROSE_DECAY)
    _steps(memory, "", MemoryPlan.lr, MemoryPlan.decay)
    _steps(ablate, "", MemoryPlan.lr, MemoryPlan.decay)
    ablate.add_argument("--out", type=Path, required=True, help="table (CSV); its rows are kept")
    ablate.add_argument("--only", help=f"some of {', '.join(VARIANTS)}; separated by commas")


def _corpora(p: argparse.ArgumentParser) -> None:
    p.add_argument("--prose", type=Path, nargs="*", default=[], help="prose shards (.txt, .xz)")
    p.add_argument("--notes", type=Path, nargs="*", default=[], help="hand-written notes")
    p.add_argument(
        "--asked", type=Path, nargs="*", default=[], help="passages with hand-written questions"
    )
    p.add_argument("--banks", type=Path, nargs="*", default=[], help="fact-schema banks")


def _machine(p: argparse.ArgumentParser) -> None:
    p.add_argument("--preset", choices=sorted(PRESETS), default="tiny")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    p.add_argument(
        "--precision", choices=PRECISIONS, default="auto",
        help="of matrix products; auto measures what is faster on a CPU",
    )  # fmt: skip
    p.add_argument("--compile", action="store_true", help="torch.compile (for CUDA)")
    p.add_argument("--minutes", type=float, help="stop after this time; go on later")
    p.add_argument("--seed", type=int, default=1)


def _together(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--processes", type=int, default=1, metavar="N",
        help="that train together, with batches of their own (for the cores of a CPU)",
    )  # fmt: skip
    p.add_argument(
        "--architecture", choices=ARCHITECTURES, default="bdh",
        help="what to train; a transformer of as many parameters goes to RUN/transformer",
    )  # fmt: skip


def _steps(p: argparse.ArgumentParser, of: str, lr: float, decay: int) -> None:
    p.add_argument(f"--{of}steps", type=int, required=True, help="steps in all")
    p.add_argument(f"--{of}decay", type=int, default=decay, help="steps of the final descent")
    p.add_argument(f"--{of}lr", type=float, default=lr, help="peak step size")


def _memory(p: argparse.ArgumentParser) -> None:
    p.add_argument("--values", type=Path, required=True, help="values of the schemas' slots")
    p.add_argument("--held-out", type=Path, nargs="+", required=True, help="notes to choose by")
    p.add_argument("--lr-words", type=float, default=MemoryPlan.lr_words)
    p.add_argument("--dropout", type=float, default=MemoryPlan.dropout)
    p.add_argument(
        "--mix", default="13,4,4,1", help="written notes, asked passages, composed, prose a batch"
    )
    p.add_argument(
        "--prose-rows", type=int, default=MemoryPlan.prose_rows, help="rows of prose a batch"
    )
    p.add_argument(
        "--quiet", type=float, default=LossWeights.quiet, metavar="SHARE",
        help="share in the loss of the cells' silence in prose",
    )  # fmt: skip
    p.add_argument("--reading", default="both ways", choices=("both ways", "twice", "once"))


def _export(p: argparse.ArgumentParser) -> None:
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--name", default="tiny")
    p.add_argument("--calibration", type=Path, nargs="+", required=True, help="held-out notes")
    p.add_argument("--best", action="store_true", help="the best measured weights, not the last")
