"""The slot that ships and the ones it is measured against, each on one frozen backbone.

All of them read the same hidden states h (Q, A, D), computed once: those of a question's last token
and of its answer, teacher-forced. The rivals to the cells that are found by content:

* cells through a gate: logits = head(LN(h + g lambda sum p_i V_i)), with the same cells, keys and
  scores; lambda is the cells' share of the joint mass, the values are trained for this reading;
* a dense slot: logits = head(LN(h + a(h) S)), a(h) the k largest of a fixed random projection of h,
  positive and of unit norm, S (n, D) written by gradient steps, one fact after another (the
  paper's);
* the same S by recursive least squares: the ridge solution over everything written, kept exact
  with an accumulated inverse covariance (n, n);
* the dense slot with only those rows written whose gradient is largest.

A position that reads nothing is given the backbone's own h, so an empty slot of any design leaves
the logits as they are, bit for bit.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.api import SlotFull
from engine.bench.design_facts import Asked, Fact, positions
from engine.memory.report import WriteOptions
from engine.memory.value import start_values
from engine.memory.write import write_note
from engine.model.base import BaseModel
from engine.model.slot import FREE, NO_CELL, Slot
from engine.model.tokenizer import BEGIN, END, PAD, SPECIALS

_ENOUGH = 0.01
"""Nats a token at which gradient steps end early."""
_CANDIDATES = 32
"""Cells that an answer's token is read from, as in `engine.memory.answer`."""
_SURE = 40.0
"""Log-odds that stand for certainty."""


def _residual(base: BaseModel, h: Tensor, r: Tensor) -> Tensor:
    """head(LN(h + r)), (..., V); where r is nothing, head(h)."""
    read = (r != 0).any(-1, keepdim=True)
    return base.backbone.logits(torch.where(read, base.backbone.norm(h + r), h))


def _loss(base: BaseModel, stream: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted nats of the right tokens (m,) where the residual stream is (m, D)."""
    logits = base.backbone.logits(base.backbone.norm(stream))
    return (F.cross_entropy(logits, target, reduction="none") * weight).sum()


def _descend(
    loss_of: Callable[[Tensor], Tensor], start: Tensor, steps: int, rate: float
) -> Tensor:
    """Where gradient steps (Adam) from a start lead, at most `steps` of them."""
    x = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=rate)
    for _ in range(steps):
        with torch.enable_grad():
            loss = loss_of(x)
            if float(loss.detach()) < _ENOUGH:
                break
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
    return x.detach()


# --- cells, found by content ------------------------------------------------------------------


class ContentCells:
    """The slot as it ships, written by `engine.memory.write`.

    Args:
        base: frozen.
        cells: of the slot; one that runs full is given twice as many.
        options: of a write.
    """

    def __init__(self, base: BaseModel, cells: int, options: WriteOptions) -> None:
        self._base, self._options = base, options
        self.slot = Slot(base.cfg, cells, base.device)

    def write(self, fact: Fact) -> float:
        """Write a fact's note; one that would blur others is not written."""
        start = time.perf_counter()
        while True:
            try:
                write_note(
                    self._base, self.slot, fact.number, fact.note, self._options,
                    lambda step: None, lambda: None,
                )  # fmt: skip
                return time.perf_counter() - start
            except SlotFull:
                self.slot.grow(2 * self.slot.cells)

    def logits(self, asked: Asked) -> Tensor:
        """Log mass of every token, not normalised: one softmax over vocabulary and cells."""
        if not self.slot.used:
            return self._base.backbone.logits(asked.h)
        scores = self.scores(asked)
        shift = scores.amax(-1, keepdim=True).clamp_min(0.0)
        heard = (scores - shift).exp()
        mass = (asked.queries.vocabulary - shift).exp()
        mass[:, 0, : len(SPECIALS)] = 0.0
        first, later = self._decoded()
        mass = mass + torch.cat([heard[:, :1] @ first, heard[:, 1:] @ later], 1)
        return mass.clamp_min(1e-30).log()

    def _decoded(self) -> tuple[Tensor, Tensor]:
        """What the cells' values decode to, (C, V), at an answer's first token and later."""
        logits = self.slot.value[: self.slot.top] @ self._base.backbone.head
        no_end = logits.index_fill(1, torch.tensor([END], device=logits.device), float("-inf"))
        return no_end.softmax(-1), logits.softmax(-1)

    def scores(self, asked: Asked) -> Tensor:
        """Scores (Q, A, C) of the cells up to the slot's top.

        As in an answer, the best few cells count and the others are at minus infinity; cells after
        those that carried the last token are preferred.
        """
        slot, space, queries = self.slot, self._base.space, asked.queries
        top = slot.top
        plain = queries.context @ slot.context[:top].T + queries.local @ slot.local[:top].T
        plain = plain + (queries.wide @ slot.wide.T)[..., slot.place[:top]]
        plain = plain + queries.gate.unsqueeze(-1)
        plain = plain.masked_fill(slot.owner[:top] == FREE, float("-inf"))
        first, later = self._decoded()
        before = (slot.successor[:top] != NO_CELL).nonzero().squeeze(1)
        after = slot.successor[before]
        carried = torch.zeros_like(plain[:, 0])
        rows = []
        for a in range(plain.shape[1]):
            s = _best(plain[:, a] + space.chain * carried)
            s = s + queries.asked[:, first.argmax(-1)] if a == 0 else s
            rows.append(s)
            target = queries.target[:, a]
            bears = s + (later if a else first)[:, target].T.clamp_min(1e-30).log()
            own = queries.vocabulary[:, a].gather(1, target[:, None])
            share = (bears - torch.logaddexp(own, bears.logsumexp(-1, keepdim=True))).exp()
            carried = torch.zeros_like(share).index_add(1, after, share[:, before])
        return torch.stack(rows, 1)

    def size(self) -> int:
        """Bytes of the slot's file."""
        with tempfile.TemporaryDirectory(prefix="engram-bench-") as folder:
            path = Path(folder) / "slot.safetensors"
            self.slot.save(path, self._base.id)
            return path.stat().st_size


def _best(scores: Tensor) -> Tensor:
    """Scores (Q, C) with all but the best of each row at minus infinity."""
    k = min(_CANDIDATES, scores.shape[1])
    least = scores.topk(k, dim=1).values[:, -1:]
    return scores.masked_fill(scores < least, float("-inf"))


class GatedCells:
    """The same cells, read through a gate into the residual stream.

    After a note's write, gradient steps fit its values to this reading; nothing else moves.

    Args:
        base, cells, options: see `ContentCells`.
        gate: g, by which the cells' share of the mass is multiplied.
        steps, rate: gradient steps (Adam) on a note's values.
    """

    def __init__(
        self,
        base: BaseModel,
        cells: int,
        options: WriteOptions,
        gate: float,
        steps: int,
        rate: float,
    ) -> None:
        self._base, self._gate, self._steps, self._rate = base, gate, steps, rate
        self.cells = ContentCells(base, cells, options)
        self.values = torch.zeros(0, base.cfg.d_model, device=base.device)
        """Values (top, D) as this reading wants them."""

    def write(self, fact: Fact) -> float:
        """Write a fact's note, then fit its values."""
        seconds = self.cells.write(fact)
        start = time.perf_counter()
        slot = self.cells.slot
        mine = slot.cells_of(fact.number)
        self.values = torch.cat([self.values, slot.value[len(self.values) : slot.top]])
        self.values[mine] = slot.value[mine]
        if not len(mine):
            return seconds + time.perf_counter() - start
        h, target, weight = positions(fact.cues)
        with torch.no_grad():
            share = self._share(fact.cues)[fact.cues.target != PAD]  # (m, C)
            others = share @ self.values
        delta = _descend(
            lambda d: _loss(self._base, h + others + share[:, mine] @ d, target, weight),
            torch.zeros_like(self.values[mine]), self._steps, self._rate,
        )  # fmt: skip
        self.values[mine] = (self.values[mine] + delta).half().float()
        return seconds + time.perf_counter() - start

    def _share(self, asked: Asked) -> Tensor:
        """What each cell's value is multiplied by, (Q, A, C)."""
        scores = self.cells.scores(asked)
        return self._gate * (scores - F.softplus(scores.logsumexp(-1, keepdim=True))).exp()

    def logits(self, asked: Asked) -> Tensor:
        """head(LN(h + g lambda sum p_i V_i))."""
        if not self.cells.slot.used:
            return self._base.backbone.logits(asked.h)
        return _residual(self._base, asked.h, self._share(asked) @ self.values)

    def size(self) -> int:
        """Bytes of the slot's file, whose values would be these."""
        return self.cells.size()


# --- dense slots ------------------------------------------------------------------------------


class Address:
    """a(h): the largest of a fixed random projection, the same for the same seed.

    Args:
        base: whose states are projected.
        rows: n, rows of the slot.
        active: k, how many of them a state addresses.
        seed: of the projection.
    """

    def __init__(self, base: BaseModel, rows: int, active: int, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self._projection = torch.randn(base.cfg.d_model, rows, generator=draw).to(base.device)
        self._active = min(active, rows)

    def __call__(self, h: Tensor) -> Tensor:
        """Addresses (..., n) of states (..., D): at most k positive numbers, of unit norm."""
        projected = h @ self._projection
        best = projected.topk(self._active, dim=-1)
        sparse = torch.zeros_like(projected).scatter(-1, best.indices, best.values.clamp_min(0.0))
        return F.normalize(sparse, dim=-1)


class DenseSlot:
    """S (n, D), written by gradient steps (Adam, begun anew for each fact).

    Args:
        base: frozen.
        address: a(h).
        rows: n.
        steps, rate: gradient steps of a write, at most; it ends when its loss is small.
        selected: None, or the share of the n rows that a write may touch: those whose gradient is
            largest when it begins.
    """

    def __init__(
        self,
        base: BaseModel,
        address: Address,
        rows: int,
        steps: int,
        rate: float,
        selected: float | None = None,
    ) -> None:
        self._base, self._address = base, address
        self._steps, self._rate, self._selected = steps, rate, selected
        self.table = torch.zeros(rows, base.cfg.d_model, device=base.device)

    def write(self, fact: Fact) -> float:
        """Gradient steps on a fact's cues; leaves fp16 numbers, as the slot's file would."""
        start = time.perf_counter()
        h, target, weight = positions(fact.cues)
        a = self._address(h)  # (m, n)
        stream = h + a @ self.table
        rows = self._rows(a, stream, target, weight)
        part = a[:, rows]
        delta = _descend(
            lambda d: _loss(self._base, stream + part @ d, target, weight),
            torch.zeros_like(self.table[rows]), self._steps, self._rate,
        )  # fmt: skip
        self.table[rows] = (self.table[rows] + delta).half().float()
        return fact.seconds + time.perf_counter() - start

    def _rows(self, a: Tensor, stream: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """The rows that a write may touch, of those that its states address."""
        if self._selected is None:
            return (a != 0).any(0).nonzero().squeeze(1)
        with torch.enable_grad():
            r = torch.zeros_like(stream, requires_grad=True)
            (by_state,) = torch.autograd.grad(
                _loss(self._base, stream + r, target, weight), r
            )
        norm: Tensor = (a.T @ by_state).norm(dim=1)  # of the gradient's rows, (n,)
        best = norm.topk(max(1, int(self._selected * len(norm))))
        rows: Tensor = best.indices[best.values > 0]
        return rows

    def logits(self, asked: Asked) -> Tensor:
        """head(LN(h + a(h) S))."""
        return _residual(self._base, asked.h, self._address(asked.h) @ self.table)

    def size(self) -> int:
        """Bytes of S in fp16; the projection is drawn anew from its seed."""
        return 2 * self.table.numel()


class ClosedForm:
    """S (n, D) = argmin |A S - Y|^2 + ridge |S|^2 over everything written, by recursion.

    Y are the vectors that decode to the right tokens (`engine.memory.value`) less h. With P the
    inverse of A^T A + ridge and new rows A, Y: K = P A^T (1 + A P A^T)^-1, S += K (Y - A S),
    P -= K A P. In double precision: the recursion adds up its rounding.

    Args:
        base: frozen.
        address: a(h).
        rows: n.
        ridge: of the regression.
    """

    def __init__(self, base: BaseModel, address: Address, rows: int, ridge: float) -> None:
        self._base, self._address = base, address
        self.table = torch.zeros(rows, base.cfg.d_model, device=base.device, dtype=torch.float64)
        self._inverse = torch.eye(rows, device=base.device, dtype=torch.float64) / ridge

    def write(self, fact: Fact) -> float:
        """One step of the recursion."""
        start = time.perf_counter()
        h, target, _ = positions(fact.cues)
        a, y = self.problem(h, target)
        spread = self._inverse @ a.T  # (n, m)
        inner = a @ spread + torch.eye(len(a), device=a.device, dtype=a.dtype)
        gain = torch.linalg.solve(inner, spread.T).T  # K
        self.table += gain @ (y - a @ self.table)
        self._inverse -= gain @ spread.T
        return fact.seconds + time.perf_counter() - start

    def problem(self, h: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Addresses (m, n) and targets (m, D) of states (m, D) and right tokens (m,)."""
        ends = target == END
        # END is reached through the log-odds; its token is then of no account.
        token = target.masked_fill(ends, BEGIN)
        values = start_values(self._base, token, torch.where(ends, _SURE, -_SURE))
        return self._address(h).double(), (values - h).double()

    def logits(self, asked: Asked) -> Tensor:
        """head(LN(h + a(h) S))."""
        return _residual(self._base, asked.h, self._address(asked.h) @ self.table.float())

    def size(self) -> int:
        """Bytes of S and of the inverse covariance, without which nothing more can be written."""
        kept = (self.table, self._inverse)
        return sum(t.numel() * t.element_size() for t in kept)
