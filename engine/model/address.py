"""The address space: how a place in a note and a question come to point at each other.

An address has three parts, each of unit norm or a concatenation of unit vectors:

* context (d_context): from the backbone's hidden states; says *which place* in a sentence,
* gist (d_semantic + d_lexical): a weighted sum of word vectors around the place; says *what it is
  about*, by meaning (semantic) and by spelling (lexical),
* wide gist: the same over the whole window.

A score is a sum of scaled dot products, so that cells are found by one matrix product. Everything
here belongs to the frozen backbone; writing a note changes only the cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.config import BackboneConfig
from engine.model.words import LEXICAL_ROWS, Word

_RARITY_SCALE = 10.0
_LEXICAL_SEED = 20_251


class WordBatch(NamedTuple):
    """The words of a batch of texts, padded.

    rows: (B, W) rows of the word table, -1 for unknown words.
    spelling: (B, W, 3) rows of the lexical table.
    token: (B, W) index of the token in which the word begins.
    lines: (B, W) line breaks before the word. sentences: (B, W) sentence ends before it.
    mask: (B, W) True for words, False for padding.
    """

    rows: Tensor
    spelling: Tensor
    token: Tensor
    lines: Tensor
    sentences: Tensor
    mask: Tensor

    def to(self, device: torch.device | str) -> WordBatch:
        """The batch on another device."""
        return WordBatch(*(t.to(device) for t in self))


class Gist(NamedTuple):
    """Gist vectors: around every token (B, T, G) and of the whole text (B, G); G = 2 parts."""

    local: Tensor
    wide: Tensor


def pack_words(
    texts: Sequence[Sequence[Word]], offsets: Sequence[Sequence[tuple[int, int]]]
) -> WordBatch:
    """Pad the words of several texts to one batch.

    Args:
        texts: for each text its words, from `WordTable.split`.
        offsets: for each text its tokens' (start, end) characters.
    """
    width = max(1, max((len(t) for t in texts), default=1))
    b = len(texts)
    rows = torch.full((b, width), -1, dtype=torch.long)
    spelling = torch.zeros(b, width, 3, dtype=torch.long)
    places = torch.zeros(3, b, width)  # token, lines, sentences
    mask = torch.zeros(b, width, dtype=torch.bool)
    for i, (words, spans) in enumerate(zip(texts, offsets, strict=True)):
        n = len(words)
        if n == 0:
            continue
        rows[i, :n] = torch.tensor([w.row for w in words])
        spelling[i, :n] = torch.tensor([w.spelling for w in words])
        tokens = _tokens_of(words, spans)
        places[:, i, :n] = torch.tensor(
            [tokens, [w.lines for w in words], [w.sentences for w in words]], dtype=torch.float32
        )
        mask[i, :n] = True
    return WordBatch(rows, spelling, places[0], places[1], places[2], mask)


def pack_unplaced(texts: Sequence[Sequence[Word]]) -> WordBatch:
    """Pad the words of texts in which no place matters: questions, and prose read like one."""
    return pack_words(texts, [[(0, 1 << 30)]] * len(texts))


def _tokens_of(words: Sequence[Word], spans: Sequence[tuple[int, int]]) -> list[int]:
    found = []
    i = 0
    for word in words:
        while i + 1 < len(spans) and spans[i][1] <= word.start:
            i += 1
        found.append(i)
    return found


@dataclass(frozen=True)
class Betas:
    """The scales of the score's parts, as floats; all positive."""

    context: float
    local_semantic: float
    local_lexical: float
    wide_semantic: float
    wide_lexical: float
    chain: float


class AddressSpace(nn.Module):
    """Projections, word vectors and scales of addresses.

    Args:
        cfg: the shape; `cfg.gist_words` rows in the word table.
    """

    lexical: Tensor

    def __init__(self, cfg: BackboneConfig) -> None:
        super().__init__()
        self.cfg = cfg
        d, dc = cfg.d_model, cfg.d_context
        self.key_before = nn.Parameter(torch.empty(d, dc))
        self.key_at = nn.Parameter(torch.empty(d, dc))
        self.query = nn.Parameter(torch.empty(d, dc))
        self.gate = nn.Parameter(torch.zeros(d))
        self.focus = nn.Parameter(torch.zeros(d, 5))
        self.gate_bias = nn.Parameter(torch.tensor(-2.0))
        self.stop_before = nn.Parameter(torch.zeros(d))
        self.stop_at = nn.Parameter(torch.zeros(d))
        self.stop_bias = nn.Parameter(torch.tensor(-2.0))
        self.lift = nn.Parameter(torch.zeros(cfg.d_semantic, d))
        self.semantic = nn.Parameter(torch.empty(cfg.gist_words, cfg.d_semantic))
        self.rarity = nn.Parameter(torch.zeros(cfg.gist_words))
        self.rarity_asked = nn.Parameter(torch.zeros(cfg.gist_words))
        self.rarity_unknown = nn.Parameter(torch.tensor(math.log(12.0 / _RARITY_SCALE)))
        self.log_tau = nn.Parameter(torch.tensor(math.log(13.0)))
        self.line_gap = nn.Parameter(torch.tensor(10.0))
        self.sentence_gap = nn.Parameter(torch.tensor(6.0))
        self.self_weight = nn.Parameter(torch.tensor(0.5))
        self.repeat = nn.Parameter(torch.tensor(-1.5))
        self.log_beta = nn.Parameter(torch.tensor([8.0, 10.0, 10.0, 5.0, 5.0, 6.0]).log())
        generator = torch.Generator().manual_seed(_LEXICAL_SEED)
        table = torch.randn(LEXICAL_ROWS, cfg.d_lexical, generator=generator)
        self.register_buffer("lexical", F.normalize(table, dim=-1).half())

    def initialise(self, generator: torch.Generator) -> None:
        """Draw projections and word vectors anew (rarity weights are set by the caller)."""
        with torch.no_grad():
            for p in (self.key_before, self.key_at, self.query, self.semantic):
                p.normal_(0.0, 1.0 / math.sqrt(p.shape[1]), generator=generator)

    @property
    def d_gist(self) -> int:
        """Width of a gist vector: semantic and lexical part side by side."""
        return self.cfg.d_semantic + self.cfg.d_lexical

    def betas(self) -> Betas:
        """The scales in force."""
        return Betas(*(float(b) for b in self.log_beta.detach().exp()))

    def meanings(self, rows: Tensor) -> Tensor:
        """What the backbone's input gets added, (..., D), where notes and questions are read.

        A backbone this small has met few words often; the word table knows what they mean.

        Args:
            rows: (...) for each token the table row of its word, -1 for none.
        """
        known = (rows >= 0).unsqueeze(-1)
        return (self.semantic[rows.clamp_min(0)] * known) @ self.lift

    # --- gist --------------------------------------------------------------------------------

    def _word_vectors(self, words: WordBatch, asked: bool) -> tuple[Tensor, Tensor]:
        """Weighted semantic (B, W, Ds) and lexical (B, W, Dl) vectors of the words."""
        known = words.rows >= 0
        row = words.rows.clamp_min(0)
        log_weight = torch.where(known, self.rarity[row], self.rarity_unknown)
        if asked:
            log_weight = log_weight + torch.where(known, self.rarity_asked[row], 0.0)
        weight = (log_weight.exp() * words.mask).unsqueeze(-1)
        semantic = self.semantic[row] * known.unsqueeze(-1)
        lexical = self.lexical[words.spelling].float().sum(-2) / math.sqrt(3.0)
        return weight * semantic, weight * lexical

    def gist_of_note(self, words: WordBatch, length: int) -> Gist:
        """Gists of windows of notes.

        Args:
            words: the windows' words.
            length: T, tokens of the padded windows.

        Returns:
            local (B, T, G), around each token, and wide (B, G).
        """
        semantic, lexical = self._word_vectors(words, asked=False)
        b = words.rows.shape[0]
        steps = self.line_gap * words.lines + self.sentence_gap * words.sentences
        gaps = steps.cumsum(1) * words.mask  # (B, W)
        index = torch.arange(length, device=gaps.device, dtype=gaps.dtype)
        here = (words.token[:, None, :] <= index[None, :, None]) & words.mask[:, None, :]
        last = here.sum(-1) - 1  # (B, T): the word that token t is in or after
        at_token = index + gaps.gather(1, last.clamp_min(0))
        at_word = words.token + gaps
        distance = (at_token[:, :, None] - at_word[:, None, :]).abs()
        share = torch.exp(-distance / self.log_tau.exp()) * words.mask[:, None, :]
        own = torch.arange(words.rows.shape[1], device=gaps.device) == last[:, :, None]
        share = torch.where(own, share * self.self_weight, share)
        local = [F.normalize(share @ v, dim=-1, eps=1e-6) for v in (semantic, lexical)]
        wide = [F.normalize(v.sum(1), dim=-1, eps=1e-6) for v in (semantic, lexical)]
        return Gist(torch.cat(local, -1).view(b, length, -1), torch.cat(wide, -1))

    def gist_of_question(self, words: WordBatch) -> Tensor:
        """Gists of questions, (B, G)."""
        parts = self._word_vectors(words, asked=True)
        return torch.cat([F.normalize(v.sum(1), dim=-1, eps=1e-6) for v in parts], -1)

    # --- context -----------------------------------------------------------------------------

    def context_keys(self, before: Tensor, at: Tensor) -> Tensor:
        """Context keys (..., d_context) of cells.

        Args:
            before: (..., D) hidden states at the positions before the cells' tokens.
            at: (..., D) hidden states at the cells' tokens themselves.
        """
        return F.normalize(before @ self.key_before + at @ self.key_at, dim=-1, eps=1e-6)

    def stop_logits(self, before: Tensor, at: Tensor) -> Tensor:
        """How likely an answer ends before the cells' tokens, as logits (...)."""
        return before @ self.stop_before + at @ self.stop_at + self.stop_bias

    def context_queries(self, h: Tensor) -> Tensor:
        """Context queries (..., d_context) of hidden states (..., D)."""
        return F.normalize(h @ self.query, dim=-1, eps=1e-6)

    def gates(self, h: Tensor) -> Tensor:
        """What every cell's score gets added at a position, (...): memory or backbone?"""
        return h @ self.gate + self.gate_bias

    # --- scores ------------------------------------------------------------------------------

    def queries(self, h: Tensor, gist: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries with their scales multiplied in: context, local gist and wide gist part.

        The scales are beta * exp(h focus): each position weighs the parts for itself.

        Args:
            h: (..., D) hidden states of the question and the answer so far.
            gist: (..., G) the question's gist.

        Returns:
            (..., d_context), (..., G), (..., G).
        """
        scale = (self.log_beta[:5] + (h @ self.focus).clamp(-2.0, 2.0)).exp()
        beta = scale.unbind(-1)
        semantic, lexical = gist.split([self.cfg.d_semantic, self.cfg.d_lexical], -1)
        by = [b.unsqueeze(-1) for b in beta]
        local = torch.cat([by[1] * semantic, by[2] * lexical], -1)
        wide = torch.cat([by[3] * semantic, by[4] * lexical], -1)
        return by[0] * self.context_queries(h), local, wide

    @property
    def chain(self) -> Tensor:
        """What the successor of the cell that carried the last token gets added."""
        return self.log_beta[5].exp()
