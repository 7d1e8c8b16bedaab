"""Opens the real base model on the processor or the graphics card. The one user of torch here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.store.tensors import SlotSpec, TensorSpec

if TYPE_CHECKING:
    from engine.memory.memory import Memory
    from engine.model.base import BaseModel

NO_CARD = "There is no graphics card that Engram can use, so it goes on with the processor."
CARD_FULL = "The graphics card has no room for the model, so Engram goes on with the processor."
MOST_CELLS = 16_777_216
"""The largest slot that is let in by an import, and that `grow` makes."""


@dataclass(frozen=True)
class TorchModel:
    """A base model on a device. See `engine.backing.Model`."""

    base: BaseModel
    device: str
    problem: str
    out_of_memory: tuple[type[BaseException], ...]

    @property
    def devices(self) -> tuple[str, ...]:
        """"cuda" only where there is such a card."""
        import torch

        return ("auto", "cpu", "cuda") if torch.cuda.is_available() else ("auto", "cpu")

    @property
    def name(self) -> str:
        """For a person, as "small, 10.6M parameters"."""
        return f"{self.base.name}, {self.base.parameters / 1e6:.1f}M parameters"

    @property
    def identity(self) -> str:
        """Name and hash, short enough to be read; the slot file itself holds the whole hash."""
        return f"{self.base.name} {self.base.id[:16]}"

    @property
    def slot_spec(self) -> SlotSpec:
        """What a slot file of this model has to hold."""
        from engine.model.slot_spec import slot_spec

        shapes = slot_spec(self.base.cfg)
        tensors = {name: TensorSpec(each.dtype, each.shape) for name, each in shapes.items()}
        largest = {"cells": MOST_CELLS, "places": MOST_CELLS, "probes": MOST_CELLS}
        return SlotSpec(tensors, largest, owners="owner")

    def fresh(self) -> Memory:
        """An empty slot."""
        from engine.memory.memory import Memory

        return Memory.fresh(self.base)

    def load(self, path: Path) -> Memory:
        """A slot from its file. Raises: MemoryCorrupt, WrongBaseModel."""
        from engine.memory.memory import Memory

        return Memory.load(self.base, path)


def open_model(device: str, directory: Path | None = None) -> TorchModel:
    """Open a base model.

    Args:
        device: "auto" (the graphics card where there is one), "cpu" or "cuda".
        directory: where the base model lies; the embedded one if not given.

    Raises:
        BaseModelMissing, MemoryCorrupt: the base model cannot be used.
    """
    import torch

    from engine.model.base import BaseModel

    directory = directory or BaseModel.embedded_directory()
    problem = ""
    if device != "cpu" and torch.cuda.is_available():
        try:
            base = BaseModel.read(directory, torch.device("cuda"))
            name = torch.cuda.get_device_name()
            return TorchModel(base, name, "", (torch.cuda.OutOfMemoryError,))
        except torch.cuda.OutOfMemoryError:
            problem = CARD_FULL
    elif device == "cuda":
        problem = NO_CARD
    return TorchModel(BaseModel.read(directory, torch.device("cpu")), "CPU", problem, ())
