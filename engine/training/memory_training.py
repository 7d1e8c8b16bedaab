"""Memory training: the backbone learns to be written to and asked (meta-test-time training)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.model.address import AddressSpace
from engine.model.repeat import content_classes
from engine.training import checkpoint, loop, optimizer
from engine.training.ahead import Batches
from engine.training.architecture import LanguageModel, hidden_matrices
from engine.training.corpora import TokenStream
from engine.training.curves import Curve
from engine.training.examples import NoteExample, tokens_of
from engine.training.measure import Recall, recall
from engine.training.memory_loss import LossParts, LossWeights, MemoryModel, Prose
from engine.training.ranks import ALONE, Ranks
from engine.training.wordlist import WordStart


@dataclass(frozen=True)
class MemoryPlan:
    """One memory-training run.

    Attributes:
        run: folder of checkpoint and curve.
        steps: steps in all; a resumed run goes on to here.
        lr: peak step size of the backbone's matrices and the projections.
        lr_words: peak step size of word vectors and rarity weights.
        warmup: steps up to the peak. decay: steps of the final descent.
        seed: of the data order.
        reading: see `MemoryModel`.
        weights: shares of the loss.
        dropout: see `Backbone`.
        dtype: autocast type, or None for fp32.
        prose_rows, prose_length: prose a step, for the next-token part of the loss.
        minutes: stop (resumable) after this time; None for no limit.
        checkpoint_seconds: how often to save.
    """

    run: Path
    steps: int
    lr: float = 2e-3
    lr_words: float = 1e-3
    warmup: int = 40
    decay: int = 300
    seed: int = 1
    reading: str = "twice"
    weights: LossWeights = LossWeights()
    prose_rows: int = 4
    prose_length: int = 128
    dropout: float = 0.1
    optimizer: str = "muon"
    dtype: torch.dtype | None = torch.bfloat16
    minutes: float | None = None
    checkpoint_seconds: float = 180.0


def start_from(
    model: LanguageModel,
    space: AddressSpace,
    words: WordStart,
    pretrained: dict[str, Any] | None,
    seed: int,
) -> None:
    """Put the weights in place that memory training starts from.

    Args:
        model, space: filled. words: vectors and rarity weights of the word table.
        pretrained: checkpoint of pre-training; None draws the model's weights from the seed too.
        seed: of what is drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    model.initialise(generator)
    space.initialise(generator)
    with torch.no_grad():
        space.semantic.copy_(words.semantic)
        space.rarity.copy_(words.rarity)
    if pretrained is not None:
        model.load_state_dict(pretrained["model"])


class MemoryTraining:
    """A memory-training run in its folder.

    Args:
        plan: what to do.
        backbone: pre-trained weights; overwritten by the checkpoint where there is one.
        space: the address space to start from; likewise.
        batches: where batches come from.
        held_out: named sets of notes to measure on; the first one chooses the best checkpoint.
        stream: tokenized prose; None leaves the next-token part to the notes.
        ranks: this process among those that train together.

    Attributes:
        step: optimizer steps taken.
        tokens: of notes, questions and answers read so far by all processes. prose: of prose.
    """

    def __init__(
        self,
        plan: MemoryPlan,
        backbone: LanguageModel,
        space: AddressSpace,
        batches: Batches,
        held_out: dict[str, Sequence[NoteExample]],
        stream: TokenStream | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self.plan = plan
        self.ranks = ranks
        maker = batches.maker
        classes = content_classes(maker.tokenizer, maker.table, space.rarity)
        classes = classes.to(backbone.head.device)
        backbone.dropout = plan.dropout
        self.model = MemoryModel(backbone, space, classes, plan.reading, plan.dtype)
        self.batches = batches
        self.held_out = held_out
        self.stream = stream
        words = [space.semantic, space.rarity, space.rarity_asked]
        matrices = hidden_matrices(backbone)
        chosen = {id(p) for p in (*words, *matrices)}
        others = [p for m in (backbone, space) for p in m.parameters() if id(p) not in chosen]
        self.optimizers = optimizer.build(matrices, others, plan.lr, plan.optimizer)
        self.word_optimizer = torch.optim.AdamW(words, lr=plan.lr_words, weight_decay=0.0)
        self.parameters: list[nn.Parameter] = [*words, *matrices, *others]
        self.step = 0
        self.tokens = 0
        self.prose = 0
        self.best = -1.0
        self._load()
        if ranks.chief:
            self.curve = Curve(plan.run / "memory.csv", self.step)

    @property
    def checkpoint_path(self) -> Path:
        """Where the run's state is kept."""
        return self.plan.run / "memory.pt"

    @property
    def best_path(self) -> Path:
        """Weights of the best measured step."""
        return self.plan.run / "memory-best.pt"

    def _load(self) -> None:
        state = checkpoint.load(self.checkpoint_path, self.model.device)
        if state is None:
            return
        self.model.backbone.load_state_dict(state["backbone"])
        self.model.space.load_state_dict(state["space"])
        optimizer.load_states([*self.optimizers, self.word_optimizer], state["optimizers"])
        self.step = state["step"]
        self.tokens = state.get("tokens", 0)  # not counted by older runs
        self.prose = state.get("prose", 0)
        self.best = state["best"]

    def save(self) -> None:
        """Write a checkpoint."""
        self._save(self.checkpoint_path, with_optimizers=True)

    def _save(self, path: Path, with_optimizers: bool) -> None:
        state = {
            "backbone": self.model.backbone.state_dict(),
            "space": self.model.space.state_dict(),
            "step": self.step,
            "tokens": self.tokens,
            "prose": self.prose,
            "best": self.best,
            "config": self.model.backbone.cfg.to_json(),
        }
        if with_optimizers:
            state["optimizers"] = optimizer.states([*self.optimizers, self.word_optimizer])
        checkpoint.save(path, state)

    def one_step(self) -> LossParts:
        """One optimizer step; the batches depend on seed, step and how many processes there are."""
        plan = self.plan
        number = self.ranks.number(self.step)
        notes = self.batches.batch(plan.seed, number)
        torch.manual_seed(plan.seed * 1_000_003 + number)  # dropout draws from it
        self.model.backbone.train()
        draw = torch.Generator().manual_seed(plan.seed * 1_000_003 + number)
        share = optimizer.trapezoid(self.step, plan.warmup, plan.steps, plan.decay)
        optimizer.set_share(self.optimizers, plan.lr, share)
        optimizer.set_share([self.word_optimizer], plan.lr_words, share)
        prose = self._prose(number)
        parts = self.model.loss(notes, prose, draw, plan.weights)
        parts.loss.backward()
        self.ranks.average(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for o in (*self.optimizers, self.word_optimizer):
            o.step()
            o.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += self.ranks.total(tokens_of(notes, 2 if plan.reading == "twice" else 1))
        if prose is not None:
            self.prose += self.ranks.world * prose.tokens[:, 1:].numel()
        return parts

    def _prose(self, number: int) -> Prose | None:
        if self.stream is None or self.plan.prose_rows == 0:
            return None
        rng = np.random.default_rng([self.plan.seed, number, 1])
        rows = self.stream.batch(rng, self.plan.prose_rows, self.plan.prose_length)
        maker = self.batches.maker
        words = [maker.table.split(maker.tokenizer.decode(r)) for r in rows.tolist()]
        return Prose(torch.from_numpy(rows), words)

    def run(self, log_every: int = 10, eval_every: int = 100) -> None:
        """Train to the plan's end, or until its minutes are over; always ends with a checkpoint."""
        if self.step == 0 and self.ranks.chief:
            self._log_start()
        loop.run(self, log_every, eval_every)

    def measure(self) -> dict[str, Recall]:
        """Recall on every held-out set."""
        self.model.backbone.eval()
        return {name: recall(self.model, notes) for name, notes in self.held_out.items()}

    def _log_start(self) -> None:
        """What the addresses find before any memory training."""
        self._put_down({}, self.measure())

    def log(self, recent: Sequence[LossParts], seconds: float, measure: bool) -> None:
        """Put down the latest steps: their losses, the seconds of each, what is held out."""
        names = [f.name for f in fields(LossParts) if f.name != "loss"]
        row = {n: float(np.mean([getattr(p, n) for p in recent])) for n in names}
        row |= {"seconds_per_step": seconds, "tokens": self.tokens, "prose": self.prose}
        found = self.measure() if measure else {}
        chief = next(iter(found.values()), None)
        if chief is not None and chief.first_token + chief.exact > self.best:
            self.best = chief.first_token + chief.exact
            self._save(self.best_path, with_optimizers=False)
        left = (self.plan.steps - self.step) * seconds / 60
        self._put_down(row, found, f" left {left:.0f} min")

    def _put_down(self, row: dict[str, float], found: dict[str, Recall], end: str = "") -> None:
        """A row of the curve, and a line for whoever watches."""
        for name, recall_of in found.items():
            row |= recall_of.row(name)
        self.curve.add(self.step, row)
        text = " ".join(f"{k} {v:.3g}" for k, v in row.items())
        print(f"step {self.step} {text}{end}", flush=True)
