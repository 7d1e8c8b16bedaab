"""Pre-training: next token on prose. Resumable to the step; the same on CPU and CUDA."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.model.config import BackboneConfig
from engine.model.reader import autocast
from engine.model.tokenizer import Tokenizer
from engine.training import architecture, checkpoint, loop, optimizer
from engine.training.architecture import LanguageModel
from engine.training.corpora import TokenStream
from engine.training.curves import Curve
from engine.training.ranks import ALONE, Ranks


@dataclass(frozen=True)
class PretrainPlan:
    """One pre-training run.

    Attributes:
        run: folder of checkpoint, curve and log.
        tokens: file of the tokenized prose (uint16).
        steps: steps in all; a resumed run goes on to here.
        rows: sequences a step.
        length: tokens a sequence.
        lr: peak step size.
        warmup: steps up to the peak.
        decay: steps of the final descent.
        seed: of the weights and of the data order.
        optimizer: see `engine.training.optimizer.build`.
        architecture: "bdh", or "transformer" for the one with as many parameters.
        dtype: autocast type, or None for fp32.
        compile: use torch.compile (pays on CUDA; on CPU it does not, measured).
        minutes: stop (resumable) after this time; None for no limit.
        checkpoint_seconds: how often to save.
    """

    run: Path
    tokens: Path
    steps: int
    rows: int = 16
    length: int = 256
    lr: float = 4e-3
    warmup: int = 50
    decay: int = 300
    seed: int = 1
    optimizer: str = "muon"
    architecture: str = "bdh"
    dtype: torch.dtype | None = torch.bfloat16
    compile: bool = False
    minutes: float | None = None
    checkpoint_seconds: float = 180.0


def next_token_loss(model: LanguageModel, batch: Tensor, dtype: torch.dtype | None) -> Tensor:
    """Mean cross-entropy in nats per token of batch (B, T + 1); dtype is the autocast type."""
    with autocast(batch.device, dtype):
        logits = model(batch[:, :-1])
    return F.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())


def held_out_loss(
    model: LanguageModel,
    stream: TokenStream,
    tokenizer: Tokenizer,
    dtype: torch.dtype | None = torch.bfloat16,
) -> tuple[float, float]:
    """(nats per token, bits per byte) on the held-out end of the stream."""
    windows = stream.held_out(64, 256)
    device = next(model.parameters()).device
    total = 0.0
    with torch.no_grad():
        for rows in np.array_split(windows, 8):
            batch = torch.from_numpy(rows).to(device)
            total += float(next_token_loss(model, batch, dtype)) * len(rows)
    nats = total / len(windows)
    n_bytes = sum(len(tokenizer.decode(w[1:]).encode()) for w in windows)
    n_tokens = sum(len(w) - 1 for w in windows)
    return nats, nats * n_tokens / n_bytes / math.log(2)


class Pretraining:
    """A pre-training run in its folder.

    Args:
        plan: what to do.
        cfg: the backbone's shape, also where a transformer is to match it.
        tokenizer: of the token stream.
        device: where to train.
        ranks: this process among those that train together; each reads `plan.rows` rows.

    Attributes:
        step: optimizer steps taken. tokens: read so far by all processes.
    """

    def __init__(
        self,
        plan: PretrainPlan,
        cfg: BackboneConfig,
        tokenizer: Tokenizer,
        device: torch.device,
        ranks: Ranks = ALONE,
    ) -> None:
        plan.run.mkdir(parents=True, exist_ok=True)
        self.plan = plan
        self.ranks = ranks
        self.tokenizer = tokenizer
        self.device = device
        self.stream = TokenStream(plan.tokens)
        self.model = architecture.build(plan.architecture, cfg)
        self.model.initialise(torch.Generator().manual_seed(plan.seed))
        self.model.to(device)
        matrices = architecture.hidden_matrices(self.model)
        others = [self.model.embed.weight, self.model.head]
        chosen = {id(p) for p in (*matrices, *others)}
        others += [p for p in self.model.parameters() if id(p) not in chosen]
        self.optimizers = optimizer.build(matrices, others, plan.lr, plan.optimizer)
        self.step = 0
        self.tokens = 0
        self._load()
        if ranks.chief:
            self.curve = Curve(plan.run / "prose.csv", self.step)

    @property
    def checkpoint_path(self) -> Path:
        """Where the run's state is kept."""
        return self.plan.run / "prose.pt"

    def _load(self) -> None:
        state = checkpoint.load(self.checkpoint_path, self.device)
        if state is not None:
            self.model.load_state_dict(state["model"])
            optimizer.load_states(self.optimizers, state["optimizers"])
            self.step = state["step"]
            self.tokens = state.get("tokens", self.step * self.plan.rows * self.plan.length)

    def save(self) -> None:
        """Write a checkpoint."""
        state = {
            "model": self.model.state_dict(),
            "optimizers": optimizer.states(self.optimizers),
            "step": self.step,
            "tokens": self.tokens,
            "config": self.model.cfg.to_json(),
        }
        checkpoint.save(self.checkpoint_path, state)

    def one_step(self) -> float:
        """One optimizer step; returns the loss. The batch depends on seed and its number alone."""
        plan = self.plan
        batch = self.batch(self.ranks.number(self.step))
        share = optimizer.trapezoid(self.step, plan.warmup, plan.steps, plan.decay)
        optimizer.set_share(self.optimizers, plan.lr, share)
        loss = self._loss(batch)
        loss.backward()
        self.ranks.average(list(self.model.parameters()))
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for o in self.optimizers:
            o.step()
            o.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += self._tokens_a_step
        return float(loss.detach())

    def batch(self, number: int) -> Tensor:
        """Rows of prose (B, T + 1); they depend on seed and number alone."""
        rng = np.random.default_rng([self.plan.seed, number])
        rows = self.stream.batch(rng, self.plan.rows, self.plan.length)
        return torch.from_numpy(rows).to(self.device)

    @property
    def _tokens_a_step(self) -> int:
        return self.plan.rows * self.plan.length * self.ranks.world

    def _loss(self, batch: Tensor) -> Tensor:
        return next_token_loss(self.model, batch, self.plan.dtype)

    def run(self, log_every: int = 20, eval_every: int = 200) -> None:
        """Train to the plan's end, or until its minutes are over; always ends with a checkpoint."""
        if self.plan.compile:
            self._loss = torch.compile(self._loss)  # type: ignore[method-assign]
        loop.run(self, log_every, eval_every)

    def log(self, recent: Sequence[float], seconds: float, measure: bool) -> None:
        """Put down the latest steps: their losses, the seconds of each, what is held out."""
        rate = self._tokens_a_step / seconds
        row = {"tokens": self.tokens, "loss": float(np.mean(recent)), "tokens_per_s": rate}
        if measure:
            nats, bits = held_out_loss(self.model, self.stream, self.tokenizer, self.plan.dtype)
            row |= {"held_out_nats": nats, "bits_per_byte": bits}
            self.curve.draw(self.plan.run / "prose.png", ["loss", "held_out_nats"])
        self.curve.add(self.step, row)
        left = (self.plan.steps - self.step) * seconds
        text = " ".join(f"{k} {v:.4g}" for k, v in row.items())
        print(f"step {self.step} {text} left {left / 60:.0f} min", flush=True)
