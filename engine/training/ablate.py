"""`main.py train ablate`: what of memory training decides the recall of reworded questions.

Every variant starts from the same pre-trained weights, sees as many steps of as many notes, and is
measured with its last weights. The table is written after each; a call goes on where one ended.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.api import InputError
from engine.model.address import AddressSpace
from engine.model.bdh import Backbone
from engine.model.config import BackboneConfig
from engine.training.corpora import TokenStream
from engine.training.examples import BatchMaker, Mix, NoteExample, tokens_of
from engine.training.memory_training import MemoryPlan, MemoryTraining, start_from
from engine.training.wordlist import WordStart


class WithoutGist(AddressSpace):
    """An address space that finds cells by their context alone."""

    def queries(self, h: Tensor, gist: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As ever, with both gist parts zero."""
        context, local, wide = super().queries(h, gist)
        return context, torch.zeros_like(local), torch.zeros_like(wide)


@dataclass(frozen=True)
class Setup:
    """Everything that a variant can change.

    Attributes:
        shape: of backbone and address space.
        plan: of the training. mix: of its batches.
        relations: how many relations there are to compose facts from.
        pretrained: start from the weights that read prose.
        betas: what the scales of the scores are multiplied by at the start (all but the chain's).
        meanings: the backbone is told the meanings of words.
        gist: cells are found by the words around them too.
    """

    shape: BackboneConfig
    plan: MemoryPlan
    mix: Mix
    relations: int
    pretrained: bool = True
    betas: float = 1.0
    meanings: bool = True
    gist: bool = True


def _read(s: Setup, reading: str) -> Setup:
    return replace(
        s, shape=replace(s.shape, reading=reading), plan=replace(s.plan, reading=reading)
    )


def _cloze(s: Setup, passages: int) -> Setup:
    """Hand-written notes make room for passages of prose, or take theirs."""
    mix = s.mix
    passages = min(passages, mix.prose + mix.written)
    written = mix.written + mix.prose - passages
    return replace(s, mix=replace(mix, prose=passages, written=written))


def _wide(s: Setup, width: int) -> Setup:
    return replace(s, shape=replace(s.shape, d_context=width))


def _passes(s: Setup, more: int) -> Setup:
    return replace(s, shape=replace(s.shape, n_pass=max(1, s.shape.n_pass + more)))


VARIANTS: Mapping[str, Callable[[Setup], Setup]] = {
    "as-is": lambda s: s,
    "read-once": lambda s: _read(s, "once"),
    "read-twice": lambda s: _read(s, "twice"),
    "no-hard-negatives": lambda s: replace(s, mix=replace(s.mix, schemas=s.relations)),
    "no-cloze": lambda s: _cloze(s, 0),
    "more-cloze": lambda s: _cloze(s, 3 * s.mix.prose),
    "address-64": lambda s: _wide(s, 64),
    "address-256": lambda s: _wide(s, 256),
    "pass-less": lambda s: _passes(s, -1),
    "pass-more": lambda s: _passes(s, 1),
    "betas-half": lambda s: replace(s, betas=0.5),
    "betas-double": lambda s: replace(s, betas=2.0),
    "no-word-meanings": lambda s: replace(s, meanings=False),
    "no-word-gist": lambda s: replace(s, gist=False),
    "from-scratch": lambda s: replace(s, pretrained=False),
    "no-dropout": lambda s: replace(s, plan=replace(s.plan, dropout=0.0)),
    "adamw": lambda s: replace(s, plan=replace(s.plan, optimizer="adamw")),
}
"""What each variant changes."""


def chosen(only: str | None) -> list[str]:
    """The variants named, separated by commas; all of them without a name.

    Raises:
        InputError: one of them is unknown.
    """
    names = list(VARIANTS) if only is None else [n.strip() for n in only.split(",") if n.strip()]
    unknown = [n for n in names if n not in VARIANTS]
    if unknown or not names:
        what = f"There is no variant {unknown[0]}" if unknown else "No variant is named"
        raise InputError(f"{what}. There are: {', '.join(VARIANTS)}.")
    return names


def models(
    setup: Setup, words: WordStart, pretrained: dict[str, Any]
) -> tuple[Backbone, AddressSpace]:
    """Backbone and address space as a variant starts."""
    backbone = Backbone(setup.shape)
    space = (AddressSpace if setup.gist else WithoutGist)(setup.shape)
    start_from(backbone, space, words, pretrained if setup.pretrained else None, setup.plan.seed)
    with torch.no_grad():
        space.log_beta[:5] += torch.tensor(setup.betas).log()
    space.lift.requires_grad_(setup.meanings)  # it starts at zero: without a gradient it stays
    return backbone, space


class CountedBatches(BatchMaker):
    """Batches of a variant that are counted as they are drawn.

    Args:
        source: where notes, facts and prose come from.
        setup: the variant; its mix counts.
    """

    def __init__(self, source: BatchMaker, setup: Setup) -> None:
        super().__init__(
            source.maker, source.written, source.composer, source.prose, setup.mix, source.asked
        )
        self._readings = 2 if setup.plan.reading == "twice" else 1
        self._drawn: dict[int, int] = {}

    def batch(self, seed: int, number: int) -> list[NoteExample]:
        """The notes of one batch."""
        notes = super().batch(seed, number)
        self._drawn[number] = tokens_of(notes, self._readings)
        return notes

    def tokens(self, seed: int, steps: int) -> int:
        """Tokens of notes as read, questions and answers of all steps; redraws those not seen."""
        for number in range(steps):
            if number not in self._drawn:
                self.batch(seed, number)
        return sum(self._drawn[number] for number in range(steps))


@dataclass(frozen=True)
class Row:
    """A variant's line of the table: shares from 0 to 1, None where there is no such set.

    seconds are those of training alone; tokens those read, prose included. real: held-out notes by
    hand. unseen: composed notes of relations that were never trained on.
    """

    variant: str
    seed: int
    steps: int
    seconds: float
    tokens: int
    real_note: float | None
    real_first: float | None
    real_exact: float | None
    unseen_note: float | None
    unseen_first: float | None
    unseen_exact: float | None


class AblationTable:
    """The table as a CSV file that is old or new, never half.

    Args:
        path: the file; read where it exists.

    Raises:
        InputError: the file is another table, or one of runs of another length.
    """

    def __init__(self, path: Path, steps: int) -> None:
        self.path = path
        self._names = [f.name for f in fields(Row)]
        self._lines: list[dict[str, str]] = []
        if not path.exists():
            return
        with path.open(newline="", encoding="utf-8") as f:
            reader = csv.DictReader(f)
            self._lines = list(reader)
            if reader.fieldnames != self._names:
                raise InputError(f"{path} is no table of ablations.")
        other = next((x["steps"] for x in self._lines if x["steps"] != str(steps)), None)
        if other is not None:
            raise InputError(
                f"{path} holds variants of {other} steps, which do not compare with {steps}. "
                "Name another table."
            )

    def has(self, variant: str, seed: int) -> bool:
        """Whether this variant is done."""
        return any(x["variant"] == variant and x["seed"] == str(seed) for x in self._lines)

    def add(self, row: Row) -> None:
        """Append a row and write the file."""
        shown = [f"{v:.4f}" if isinstance(v, float) else v for v in astuple(row)]
        texts = ("" if v is None else str(v) for v in shown)
        self._lines.append(dict(zip(self._names, texts, strict=True)))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(self.path.name + ".tmp")
        with temporary.open("w", newline="", encoding="utf-8") as f:
            writer = csv.DictWriter(f, self._names)
            writer.writeheader()
            writer.writerows(self._lines)
            f.flush()
            os.fsync(f.fileno())
        os.replace(temporary, self.path)


class Ablation:
    """Variants of one memory training, one after the other.

    Args:
        setup: what is varied; `plan.run` is the folder whose pre-training all start from, and
            `plan.minutes` the time of the whole call.
        words: the word table to start from. pretrained: the checkpoint of pre-training.
        batches: source of the batches. held_out: sets to measure on, "real" and "unseen".
        device: where to train.
        stream: tokenized prose.
    """

    def __init__(
        self,
        setup: Setup,
        words: WordStart,
        pretrained: dict[str, Any],
        batches: BatchMaker,
        held_out: dict[str, Sequence[NoteExample]],
        device: torch.device,
        stream: TokenStream | None = None,
    ) -> None:
        self.setup = setup
        self.words = words
        self.pretrained = pretrained
        self.batches = batches
        self.held_out = held_out
        self.device = device
        self.stream = stream

    def folder(self, variant: str) -> Path:
        """Where a variant's checkpoint is while it is trained; its curve stays there."""
        plan = self.setup.plan
        return plan.run / "ablate" / f"{plan.steps}-steps-seed-{plan.seed}" / variant

    def training(self, variant: str) -> tuple[MemoryTraining, CountedBatches]:
        """A variant's training, at its start or at its last checkpoint, and its batches."""
        setup = VARIANTS[variant](self.setup)
        backbone, space = models(setup, self.words, self.pretrained)
        plan = replace(setup.plan, run=self.folder(variant))
        batches = CountedBatches(self.batches, setup)
        backbone.to(self.device)
        space.to(self.device)
        training = MemoryTraining(plan, backbone, space, batches, self.held_out, self.stream)
        return training, batches

    def run(self, names: Sequence[str], table: AblationTable) -> bool:
        """Train and measure the variants that the table has not; True when all are in it."""
        plan = self.setup.plan
        started = time.monotonic()
        for name in names:
            if table.has(name, plan.seed):
                print(f"{name}: in the table already", flush=True)
                continue
            left = None
            if plan.minutes is not None:
                left = plan.minutes - (time.monotonic() - started) / 60
                if left <= 0:
                    return False
            print(f"{name}:", flush=True)
            training, batches = self.training(name)
            training.plan = replace(training.plan, minutes=left)
            training.run(eval_every=max(1, plan.steps))
            if training.step < plan.steps:
                return False
            table.add(self._row(name, training, batches))
            for rest in (training.checkpoint_path, training.best_path):
                rest.unlink(missing_ok=True)
        return True

    def _row(self, name: str, training: MemoryTraining, batches: CountedBatches) -> Row:
        plan = training.plan
        seconds = 0.0
        before = 0
        for step, each in training.curve.column("seconds_per_step"):
            seconds += each * (step - before)
            before = step
        tokens = batches.tokens(plan.seed, plan.steps)
        if self.stream is not None:
            tokens += plan.steps * plan.prose_rows * plan.prose_length
        measured = {
            f"{of}_{what}": dict(training.curve.column(f"{of}_{what}")).get(plan.steps)
            for of in ("real", "unseen")
            for what in ("note", "first", "exact")
        }
        return Row(name, plan.seed, plan.steps, seconds, tokens, **measured)
