"""The joint distribution on plain prose, for the `silence` bench."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from engine.bench.subject import BenchMemory, ProseLoss
from engine.memory.encode import question_gist
from engine.model.base import BaseModel
from engine.model.slot import Slot
from engine.model.tokenizer import BEGIN

CONTEXT_TOKENS = 64
"""Read, not scored; their words are what the addresses' gist is made of."""
SCORED_TOKENS = 64


def prose_loss(base: BaseModel, memory: BenchMemory, texts: Sequence[str]) -> ProseLoss:
    """Loss on the beginnings of some texts, the cells of a memory read at every position.

    Scored are 64 tokens after the first 64; shorter texts are left out. As in an answer, the best
    32 cells count; no cell is preferred for following another one.
    """
    slot = _slot(base, memory)
    nats, mass, used = [], [], 0
    with torch.no_grad():
        for text in texts:
            ids = base.tokenizer.encode(text)[: CONTEXT_TOKENS + SCORED_TOKENS]
            if len(ids) == CONTEXT_TOKENS + SCORED_TOKENS:
                loss, share = _one(base, slot, ids)
                nats.append(loss)
                mass.append(share)
                used += 1
    if not used:
        return ProseLoss(0, 0, 0.0, 0.0)
    tokens = used * SCORED_TOKENS
    return ProseLoss(used, tokens, float(torch.cat(nats).mean()), float(torch.cat(mass).mean()))


def _slot(base: BaseModel, memory: BenchMemory) -> Slot:
    """The slot as its file gives it back."""
    with tempfile.TemporaryDirectory(prefix="engram-bench-") as folder:
        path = Path(folder) / "slot.safetensors"
        memory.save(path)
        return Slot.load(base.cfg, path, base.id, base.device)


def _one(base: BaseModel, slot: Slot, ids: list[int]) -> tuple[Tensor, Tensor]:
    """Nats (S,) of the scored tokens, and the cells' share of the mass (S,)."""
    space, device = base.space, base.device
    read = torch.tensor([[BEGIN, *ids[:-1]]], device=device)
    h = base.backbone.read(read)[0, CONTEXT_TOKENS:]  # (S, D)
    vocabulary = base.backbone.logits(h).log_softmax(-1)
    target = torch.tensor(ids[CONTEXT_TOKENS:], device=device)
    log_p = vocabulary.gather(1, target[:, None]).squeeze(1)
    if not slot.used:
        return -log_p, torch.zeros_like(log_p)
    fixed = slot.question_scores(
        question_gist(base, [base.tokenizer.decode(ids[:CONTEXT_TOKENS])])[0]
    )
    scales = (space.log_beta[:5] + (h @ space.focus).clamp(-2.0, 2.0)).exp()  # (S, 5)
    context, gates = scales[:, :1] * space.context_queries(h), space.gates(h)
    cells, hits = [], []
    for i in range(len(target)):
        found = slot.find(context[i], scales[i, 1:], gates[i], fixed, {})
        values = (slot.value[found.cell] @ base.backbone.head).log_softmax(-1)
        cells.append(found.scores.logsumexp(-1))
        hits.append((found.scores + values[:, target[i]]).logsumexp(-1))
    mass, hit = torch.stack(cells), torch.stack(hits)
    total = torch.nn.functional.softplus(mass)  # log of the backbone's 1 plus the cells' mass
    return total - torch.logaddexp(log_p, hit), torch.sigmoid(mass)
