"""A note turned into addresses, and a question into queries, with the frozen base model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.memory.reading import Window, windows
from engine.model.address import pack_unplaced, pack_words
from engine.model.base import BaseModel
from engine.model.joint import Cells
from engine.model.reader import read_windows
from engine.model.tokenizer import ANSWER, BEGIN, QUESTION
from engine.model.words import rows_of_tokens
from engine.notes.text import NoteText

SURE = 8.0
"""Log-odds at least, for or against, with which an answer ends where that is known."""
QUESTION_TOKENS = 120
"""Longer questions are cut here: no backbone was trained on longer ones."""


@dataclass(frozen=True)
class EncodedNote:
    """A note read by the backbone: one cell for each token of its windows' bodies.

    Attributes:
        windows: as cut.
        first: for each window the index of its first cell.
        cells: addresses, tokens, stops; `cells.note` is 0 throughout.
        surprise: (C,) nats by which the backbone alone is surprised by each cell's token.
    """

    windows: tuple[Window, ...]
    first: tuple[int, ...]
    cells: Cells
    surprise: Tensor


def encode_note(base: BaseModel, note: NoteText) -> EncodedNote:
    """Read a note, window by window; nothing of this changes during the write."""
    cut = windows(note, base.tokenizer)
    context, local, stop, wide, surprise = [], [], [], [], []
    tokens: list[int] = []
    window: list[int] = []
    follows: list[int] = []
    first: list[int] = []
    with torch.no_grad():
        for i, w in enumerate(cut):
            split = base.words.split(w.text)
            rows = [rows_of_tokens(split, w.offsets)]
            read = read_windows(
                base.backbone, base.space, [w.tokens], rows, base.cfg.reading, None
            )
            words = pack_words([split], [w.offsets]).to(base.device)
            gist = base.space.gist_of_note(words, len(w.tokens))
            body = slice(w.body, len(w.tokens))
            before, at = read.before[0, body], read.at[0, body]
            context.append(base.space.context_keys(before, at))
            logits = base.space.stop_logits(before, at)
            inside = torch.tensor(within_words(w)[body], dtype=torch.bool, device=base.device)
            stop.append(torch.where(inside, logits.clamp_max(-SURE), logits))
            local.append(gist.local[0, body])
            wide.append(gist.wide[0])
            surprise.append(_surprise(base, w)[body])
            ids = w.tokens[w.body :]
            first.append(len(tokens))
            tokens += ids
            window += [i] * len(ids)
            follows += [0] + [1] * (len(ids) - 1) if ids else []
    cells = Cells(
        torch.cat(context),
        torch.cat(local),
        torch.tensor(window, device=base.device),
        torch.tensor(tokens, device=base.device),
        torch.cat(stop),
        torch.tensor(follows, dtype=torch.float32, device=base.device),
        torch.zeros(len(tokens), dtype=torch.long, device=base.device),
        torch.stack(wide),
    )
    return EncodedNote(tuple(cut), tuple(first), cells, torch.cat(surprise))


def within_words(window: Window) -> list[bool]:
    """For each token whether the word of the one before it goes on: no answer ends there."""
    text, offsets = window.text, window.offsets
    found = []
    for i, (start, end) in enumerate(offsets):
        piece = i > 0 and offsets[i - 1] == (start, end)  # of one character
        found.append(piece or (start > 0 and text[start - 1 : start + 1].isalnum()))
    return found


def _surprise(base: BaseModel, window: Window) -> Tensor:
    """Nats of each token of a window given those before it, (T,)."""
    tokens = torch.tensor([[BEGIN, *window.tokens]], device=base.device)
    log_p: Tensor = base.backbone(tokens[:, :-1])[0].log_softmax(-1)
    return -log_p.gather(1, tokens[0, 1:, None]).squeeze(1)


@dataclass(frozen=True)
class Prompt:
    """What stands before an answer; nothing else is ever given to the model.

    Attributes:
        ids: tokens, the question between its special tokens.
        words: for each of them the word-table row of its word, -1 for none.
    """

    ids: tuple[int, ...]
    words: tuple[int, ...]

    @property
    def question(self) -> tuple[int, ...]:
        """The question's own ids."""
        return self.ids[2:-1]


def read_prompt(base: BaseModel, question: str) -> Prompt:
    """The prompt of a question."""
    text = question.strip()
    ids, offsets = base.tokenizer.encode_with_offsets(text)
    ids, offsets = ids[:QUESTION_TOKENS], offsets[:QUESTION_TOKENS]
    rows = rows_of_tokens(base.words.split(text), offsets)
    return Prompt((BEGIN, QUESTION, *ids, ANSWER), (-1, -1, *rows, -1))


def question_gist(base: BaseModel, questions: Sequence[str]) -> Tensor:
    """Gists (Q, G) of questions."""
    words = [base.words.split(q.strip()) for q in questions]
    packed = pack_unplaced(words).to(base.device)
    return base.space.gist_of_question(packed)
