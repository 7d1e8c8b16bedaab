"""The test stand of the `speed` bench: texts of a length, slots that are full, a stopwatch."""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.memory.memory import Memory
from engine.memory.reading import windows
from engine.model.base import BaseModel
from engine.model.slot import NewCells, Slot
from engine.model.tokenizer import BEGIN
from engine.notes.text import NoteText

_NOTE_CELLS = 200
_NOTE_PROBES = 12
_FIRST_OTHER = 1_000
"""Ids of the notes that fill a slot begin here."""


class Stand:
    """Measures on a base model.

    Args:
        base: the model.
        seed: of the random addresses.
    """

    def __init__(self, base: BaseModel, seed: int) -> None:
        self._base = base
        self._seed = seed

    def shorten(self, text: str, tokens: int) -> str:
        """The first `tokens` tokens of a text, or all of a shorter one."""
        ids, offsets = self._base.tokenizer.encode_with_offsets(text)
        return text if len(ids) <= tokens else text[: offsets[tokens - 1][1]]

    def forward_seconds(self, note: NoteText, repeats: int) -> float:
        """Median seconds of a forward pass over a note's windows, logits included."""
        cut = windows(note, self._base.tokenizer)
        rows = [torch.tensor([[BEGIN, *w.tokens]], device=self._base.device) for w in cut]
        times = []
        with torch.no_grad():
            for _ in range(repeats + 1):
                start = time.perf_counter()
                for row in rows:
                    self._base.backbone(row)
                self._finish()
                times.append(time.perf_counter() - start)
        return statistics.median(times[1:])  # the first one warms up

    def filled(self, cells: int, free: int) -> Memory:
        """A memory with `cells` cells claimed by notes with random addresses, `free` ones left."""
        slot = Slot(self._base.cfg, cells + free, self._base.device)
        draw = torch.Generator().manual_seed(self._seed)
        for number, start in enumerate(range(0, cells, _NOTE_CELLS)):
            count = min(_NOTE_CELLS, cells - start)
            slot.put(_FIRST_OTHER + number, self._random_note(count, draw))
        return Memory(self._base, slot)

    def _random_note(self, cells: int, draw: torch.Generator) -> NewCells:
        cfg, device = self._base.cfg, self._base.device
        gist = cfg.d_semantic + cfg.d_lexical

        def unit(rows: int, width: int) -> Tensor:
            return F.normalize(torch.randn(rows, width, generator=draw), dim=-1).to(device)

        def gists(rows: int) -> Tensor:
            return torch.cat([unit(rows, cfg.d_semantic), unit(rows, cfg.d_lexical)], -1)

        follows = torch.ones(cells, dtype=torch.bool, device=device)
        follows[0] = False
        probes = min(_NOTE_PROBES, cells)
        context, local, wide = unit(cells, cfg.d_context), gists(cells), gists(1)
        beta = self._base.space.betas()
        asked = torch.cat(
            [beta.context * context[:probes], beta.local_lexical * local[:probes],
             beta.wide_lexical * wide.expand(probes, gist),
             torch.zeros(probes, 1, device=device)], -1,
        )  # fmt: skip
        return NewCells(
            context, local, unit(cells, cfg.d_model),
            torch.zeros(cells, dtype=torch.long, device=device), follows, wide,
            asked, torch.arange(probes, device=device),
        )  # fmt: skip

    def _finish(self) -> None:
        """Wait for the accelerator, whose calls return early."""
        if self._base.device.type == "cuda":
            torch.cuda.synchronize(self._base.device)
