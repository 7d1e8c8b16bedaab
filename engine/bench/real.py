"""The subject of every bench outside tests: a base model read from its folder."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from engine.bench import cold
from engine.bench.asking import Reply
from engine.bench.in_context import InContextReader
from engine.bench.prose import prose_loss
from engine.bench.stand import Stand
from engine.bench.subject import BenchMemory, Meter, ProseLoss
from engine.memory.memory import Memory
from engine.memory.report import WriteOptions
from engine.model.base import BaseModel


class RealSubject:
    """The base model in a folder, on a device.

    Args:
        directory: the model's folder; None for the embedded one.
        device: "cpu", "cuda" or "auto".
        cells: size of fresh slots.
        options: how notes are written.
        seed: of everything random.

    Raises:
        BaseModelMissing, MemoryCorrupt: the model cannot be read.
    """

    def __init__(
        self, directory: Path | None, device: str, cells: int, options: WriteOptions, seed: int
    ) -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.directory = directory or BaseModel.embedded_directory()
        self.device = torch.device(device)
        self.base = BaseModel.read(self.directory, self.device)
        self.cells = cells
        self._options = options
        self._seed = seed

    @property
    def options(self) -> WriteOptions:
        """How notes are written."""
        return self._options

    @property
    def device_name(self) -> str:
        """ "CPU" with its threads, or the accelerator's name."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"CPU, {torch.get_num_threads()} threads"

    def fresh(self) -> Memory:
        """An empty memory."""
        return Memory.fresh(self.base, self.cells)

    def ask(
        self, memory: BenchMemory, questions: Sequence[str], alternatives: bool = False
    ) -> list[Reply]:
        """Save the slot and ask it in a fresh process."""
        return self.ask_timed(memory, questions, alternatives).replies

    def ask_timed(
        self, memory: BenchMemory, questions: Sequence[str], alternatives: bool = False
    ) -> cold.ColdReplies:
        """As `ask`, with the process's start-up times."""
        meter = Meter("asked", len(questions), self.say)
        with tempfile.TemporaryDirectory(prefix="engram-bench-") as folder:
            slot = Path(folder) / "slot.safetensors"
            memory.save(slot)
            device = self.device.type
            return cold.ask(self.directory, slot, device, questions, meter.tick, alternatives)

    def reader(self) -> InContextReader:
        """The backbone without slow memory."""
        return InContextReader(self.base)

    def prose(self, memory: BenchMemory, texts: Sequence[str]) -> ProseLoss:
        """Loss on texts with the cells of a memory read at every position."""
        return prose_loss(self.base, memory, texts)

    def stand(self) -> Stand:
        """For measuring speed."""
        return Stand(self.base, self._seed)

    def say(self, line: str) -> None:
        """Write to standard error."""
        print(line, file=sys.stderr, flush=True)
