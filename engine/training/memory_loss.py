"""The loss of memory training: the right next token, over vocabulary and cells together.

TRIME (Zhong et al. 2022, arXiv 2205.12674): every position of the batch's notes is a cell, its key
the address of the place, its value the token there. A question is read with no note in context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.memory.reading import Window
from engine.model.address import AddressSpace, pack_unplaced, pack_words
from engine.model.bdh import Backbone
from engine.model.joint import Cells, Queries, Scored, make_queries, score
from engine.model.reader import autocast, read_windows
from engine.model.repeat import asked_tokens
from engine.model.tokenizer import ANSWER, BEGIN, END, PAD, QUESTION, SEP
from engine.model.words import Word
from engine.training.architecture import LanguageModel
from engine.training.examples import Asked, NoteExample
from engine.training.question_loss import Sums, sums

_MOST_ANSWER = 10
_BUCKETS = 3
_QUIET_EVERY = 4
"""Every how many positions of prose the cells' mass is looked at."""


@dataclass(frozen=True)
class LossParts:
    """The loss and what it is made of (floats for the log)."""

    loss: Tensor
    answer: float
    place: float
    silence: float
    absent: float
    present: float
    quiet: float
    language: float
    first_right: float
    note_right: float


@dataclass(frozen=True)
class Prose:
    """Rows of prose: (B, T + 1) ids, and the words of each row."""

    tokens: Tensor
    words: Sequence[Sequence[Word]]


@dataclass(frozen=True)
class QuestionBatch:
    """Questions with targets, padded.

    Attributes:
        tokens: (Q, T) prompt and answer. words: (Q, T) word-table rows of the questions' words.
        at: (Q, A) positions whose next token is asked for.
        target: (Q, A) ids, END last, PAD beyond.
        gold: (Q, C) bool, cells where the answer starts.
        answerable: (Q,) bool.
        gist: (Q, G). asked: (Q, V) 1.0 for tokens that repeat the question.
    """

    tokens: Tensor
    words: Tensor
    at: Tensor
    target: Tensor
    gold: Tensor
    answerable: Tensor
    gist: Tensor
    asked: Tensor


class MemoryModel:
    """Backbone and address space, on batches of notes and questions.

    Args:
        backbone: the language model; any that reads and gives logits as `Backbone` does.
        space: the address space.
        classes: (V,) of `content_classes`.
        reading: "twice" (note, separator, note), "once", or "both ways" (one reading without the
            causal mask).
        dtype: autocast type, or None for the weights' own precision.
    """

    def __init__(
        self,
        backbone: LanguageModel,
        space: AddressSpace,
        classes: Tensor,
        reading: str = "twice",
        dtype: torch.dtype | None = torch.bfloat16,
    ) -> None:
        # What of the model memory training uses, the transformer has too.
        self.backbone = cast(Backbone, backbone)
        self.space = space
        self.classes = classes
        self.reading = reading
        self.dtype = dtype

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.backbone.head.device

    # --- notes -------------------------------------------------------------------------------

    def cells(
        self, notes: Sequence[NoteExample], draw: torch.Generator | None
    ) -> tuple[Cells, Tensor]:
        """All cells of a batch, and the next-token loss of a sample of first-reading positions.

        Args:
            notes: the batch.
            draw: picks the sample; None for no language loss (then 0 is returned).
        """
        flat = [(n, i) for n, note in enumerate(notes) for i in range(len(note.windows))]
        order = sorted(range(len(flat)), key=lambda k: len(self._window(notes, flat[k]).tokens))
        parts: list[list[Tensor] | None] = [None] * len(flat)
        wide: list[Tensor | None] = [None] * len(flat)
        language = torch.zeros((), device=self.device)
        for group in _split(order, _BUCKETS):
            items = [flat[k] for k in group]
            before, at, loss = self._read(
                [self._window(notes, x).tokens for x in items],
                [notes[n].rows[i] for n, i in items],
                draw,
            )
            language = language + loss * len(group) / len(flat)
            words = pack_words(
                [notes[n].words[i] for n, i in items],
                [self._window(notes, x).offsets for x in items],
            ).to(self.device)
            gist = self.space.gist_of_note(words, before.shape[1])
            keys = self.space.context_keys(before, at)
            stop = self.space.stop_logits(before, at)
            for row, k in enumerate(group):
                window = self._window(notes, flat[k])
                body = slice(window.body, len(window.tokens))
                parts[k] = [keys[row, body], gist.local[row, body], stop[row, body]]
                wide[k] = gist.wide[row]
        return self._join(notes, flat, parts, wide), language

    @staticmethod
    def _window(notes: Sequence[NoteExample], at: tuple[int, int]) -> Window:
        return notes[at[0]].windows[at[1]]

    def _join(
        self,
        notes: Sequence[NoteExample],
        flat: list[tuple[int, int]],
        parts: list[list[Tensor] | None],
        wide: list[Tensor | None],
    ) -> Cells:
        tokens: list[int] = []
        window: list[int] = []
        follows: list[int] = []
        note: list[int] = []
        for k, (n, i) in enumerate(flat):
            ids = notes[n].windows[i].tokens[notes[n].windows[i].body :]
            tokens += ids
            window += [k] * len(ids)
            note += [n] * len(ids)
            follows += [0] + [1] * (len(ids) - 1) if ids else []
        joined = [torch.cat([p[j] for p in parts if p is not None]) for j in range(3)]
        return Cells(
            joined[0],
            joined[1],
            torch.tensor(window, device=self.device),
            torch.tensor(tokens, device=self.device),
            joined[2],
            torch.tensor(follows, dtype=torch.float32, device=self.device),
            torch.tensor(note, device=self.device),
            torch.stack([w for w in wide if w is not None]),
        )

    def _read(
        self,
        rows: list[tuple[int, ...]],
        words: list[tuple[int, ...]],
        draw: torch.Generator | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """States before and at every token of the windows, (B, T, D), padded; language loss."""
        read = read_windows(self.backbone, self.space, rows, words, self.reading, self.dtype)
        loss = torch.zeros((), device=self.device)
        if draw is not None and self.reading != "both ways":
            loss = self._language(read.states, read.tokens, draw)
        return read.before, read.at, loss

    def _language(self, h: Tensor, tokens: Tensor, draw: torch.Generator) -> Tensor:
        targets = tokens[:, 1:].reshape(-1)
        states = h[:, :-1].reshape(-1, h.shape[-1])
        if self.reading == "twice":
            ended = (tokens == SEP).cumsum(1)[:, 1:].reshape(-1) > 0  # the second reading is a copy
            usable = ((targets != PAD) & ~ended).nonzero().squeeze(1)
        else:
            usable = (targets != PAD).nonzero().squeeze(1)
        some = usable[torch.randperm(len(usable), generator=draw)[: max(1, len(usable) // 3)]]
        logits = states[some].float() @ self.backbone.head
        return F.cross_entropy(logits, targets[some])

    # --- questions ---------------------------------------------------------------------------

    def questions(self, notes: Sequence[NoteExample], cells: Cells) -> QuestionBatch:
        """All questions of a batch of notes, padded, with their gold cells."""
        asked, gold = self._asked(notes, cells)
        return self.pack_questions(asked, gold)

    @staticmethod
    def _asked(notes: Sequence[NoteExample], cells: Cells) -> tuple[list[Asked], Tensor]:
        """All questions of a batch of notes, and (Q, C) where their answers start."""
        first = _first_cells(notes)
        asked = [(n, q) for n, note in enumerate(notes) for q in note.questions]
        gold = torch.zeros(len(asked), len(cells.token), dtype=torch.bool)
        for row, (n, q) in enumerate(asked):
            for place in q.gold:
                start, body = first[n, place.window]
                gold[row, start + place.token - body] = True
        return [q for _, q in asked], gold

    def pack_questions(self, asked: Sequence[Asked], gold: Tensor) -> QuestionBatch:
        """Pad questions; gold (Q, C) says where their answers start."""
        rows = [(*[BEGIN, QUESTION], *q.question, ANSWER, *q.answer[:_MOST_ANSWER]) for q in asked]
        width = max(len(r) for r in rows)
        most = max(min(len(q.answer), _MOST_ANSWER) for q in asked) + 1
        tokens = torch.full((len(rows), width), PAD, dtype=torch.long)
        meant = torch.full((len(rows), width), -1, dtype=torch.long)
        at = torch.zeros(len(rows), most, dtype=torch.long)
        target = torch.full((len(rows), most), PAD, dtype=torch.long)
        for i, (r, q) in enumerate(zip(rows, asked, strict=True)):
            tokens[i, : len(r)] = torch.tensor(r)
            meant[i, 2 : 2 + len(q.rows)] = torch.tensor(q.rows)
            answer = [*q.answer[:_MOST_ANSWER], END]
            answer = answer[:most]
            start = len(q.question) + 2
            at[i, : len(answer)] = torch.arange(start, start + len(answer))
            target[i, : len(answer)] = torch.tensor(answer)
        words = pack_unplaced([q.words for q in asked])
        gist = self.space.gist_of_question(words.to(self.device))
        answerable = gold.any(1)
        asked_ids = asked_tokens(self.classes, [q.question for q in asked])
        return QuestionBatch(
            tokens.to(self.device),
            meant.to(self.device),
            at.clamp_max(width - 1).to(self.device),
            target.to(self.device),
            gold.to(self.device),
            answerable.to(self.device),
            gist,
            asked_ids,
        )

    def score(self, batch: QuestionBatch, cells: Cells) -> tuple[Queries, Scored]:
        """Score every answer position, teacher-forced, against vocabulary and cells."""
        with autocast(self.device, self.dtype):
            h = self.backbone.read(batch.tokens, added=self.space.meanings(batch.words))
        h = h.float().gather(1, batch.at.unsqueeze(-1).expand(-1, -1, h.shape[-1]))  # (Q, A, D)
        queries = make_queries(self.backbone, self.space, h, batch.gist, batch.target, batch.asked)
        return queries, score(queries, cells, self.space.chain)

    def loss(
        self,
        notes: Sequence[NoteExample],
        prose: Prose | None,
        draw: torch.Generator,
        weights: LossWeights,
    ) -> LossParts:
        """The loss of one batch.

        Args:
            notes: the batch.
            prose: to keep the language model a language model, and the cells silent; or None.
            draw: for the sample of positions with a next-token loss.
            weights: shares of the parts.
        """
        cells, language = self.cells(notes, draw)
        quiet = torch.zeros((), device=self.device)
        if prose is not None:
            nats, quiet = self._prose(prose, cells)
            language = language + nats
        found = self._question_sums(notes, cells)
        asked = ("answer", "place", "silence", "absent", "present")
        losses = {name: found.mean(name) for name in asked}
        losses |= {"quiet": quiet, "language": language}
        total = losses["answer"]
        for share in fields(weights):
            total = total + getattr(weights, share.name) * losses[share.name]
        return LossParts(
            total,
            **{name: float(loss.detach()) for name, loss in losses.items()},
            first_right=float(found.mean("first_right")),
            note_right=float(found.mean("note_right")),
        )

    def _question_sums(self, notes: Sequence[NoteExample], cells: Cells) -> Sums:
        """The questions' losses, in groups of like length (padding costs as much as text)."""
        asked, gold = self._asked(notes, cells)
        order = sorted(range(len(asked)), key=lambda i: len(asked[i].question))
        found: Sums | None = None
        for group in _split(order, _BUCKETS):
            batch = self.pack_questions([asked[i] for i in group], gold[group])
            queries, scored = self.score(batch, cells)
            part = sums(queries, scored, cells, batch.gold)
            found = part if found is None else found.plus(part)
        if found is None:
            raise ValueError("a batch without questions")
        return found

    def _prose(self, prose: Prose, cells: Cells) -> tuple[Tensor, Tensor]:
        """Next-token loss of prose, and nats that the cells' mass costs there."""
        tokens = prose.tokens.to(self.device)
        with autocast(self.device, self.dtype):
            h = self.backbone.read(tokens[:, :-1])
            logits = self.backbone.logits(h)
        nats = F.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())
        words = pack_unplaced(prose.words).to(self.device)
        some = h[:, _QUIET_EVERY - 1 :: _QUIET_EVERY].float()  # (B, S, D)
        gist = self.space.gist_of_question(words).unsqueeze(1).expand(-1, some.shape[1], -1)
        context, local, wide = self.space.queries(some, gist)
        scores = context @ cells.context.T + local @ cells.local.T
        scores = scores + (wide @ cells.wide.T)[..., cells.window]
        mass = scores.logsumexp(-1) + self.space.gates(some)
        return nats, F.softplus(mass).mean()


@dataclass(frozen=True)
class LossWeights:
    """Shares of the loss beside the answers' own."""

    place: float = 0.5
    silence: float = 0.4
    absent: float = 0.2
    present: float = 0.2
    quiet: float = 0.4
    language: float = 0.3


def _first_cells(notes: Sequence[NoteExample]) -> dict[tuple[int, int], tuple[int, int]]:
    """For every (note, window): its first cell's index and its body's first token."""
    first = {}
    start = 0
    for n, note in enumerate(notes):
        for i, window in enumerate(note.windows):
            first[n, i] = (start, window.body)
            start += len(window.tokens) - window.body
    return first


def _split(order: list[int], groups: int) -> list[list[int]]:
    size = max(1, -(-len(order) // groups))
    return [order[i : i + size] for i in range(0, len(order), size)]
