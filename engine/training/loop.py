"""The loop of a training run: steps, a log, checkpoints, an end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol, TypeVar

from engine.training import checkpoint
from engine.training.ranks import Ranks

Loss = TypeVar("Loss")


class Plan(Protocol):
    """How long to go on."""

    @property
    def steps(self) -> int:
        """Steps in all."""

    @property
    def minutes(self) -> float | None:
        """Stop (resumable) after this time; None for no limit."""

    @property
    def checkpoint_seconds(self) -> float:
        """How often to save."""


class Training(Protocol[Loss]):
    """What is trained step by step."""

    ranks: Ranks
    step: int

    @property
    def plan(self) -> Plan:
        """How long to go on."""

    def one_step(self) -> Loss:
        """One optimizer step."""

    def save(self) -> None:
        """Write a checkpoint."""

    def log(self, recent: Sequence[Loss], seconds: float, measure: bool) -> None:
        """Put down the latest steps: their losses, the seconds of each, what is held out."""


def run(training: Training[Loss], log_every: int, eval_every: int) -> None:
    """Train to the plan's end, or until its minutes are over; always ends with a checkpoint.

    Args:
        training: goes on from the step that it is at. log_every, eval_every: steps.
    """
    plan, ranks = training.plan, training.ranks
    started = saved = logged = time.monotonic()
    recent: list[Loss] = []
    while training.step < plan.steps:
        recent.append(training.one_step())
        now = time.monotonic()
        ended = training.step == plan.steps
        if training.step % log_every == 0 or ended:
            if ranks.chief:
                measure = training.step % eval_every == 0 or ended
                training.log(recent, (now - logged) / len(recent), measure)
            recent, logged = [], time.monotonic()
        if now - saved > plan.checkpoint_seconds:
            if ranks.chief:
                training.save()
            checkpoint.release_memory()
            saved = now
        over = plan.minutes is not None and now - started > plan.minutes * 60
        if ranks.total(over):
            break
    if ranks.chief:
        training.save()
