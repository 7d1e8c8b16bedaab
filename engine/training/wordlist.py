"""The word table: which words have a gist vector, and what the vectors start from.

A sentence encoder is the teacher, at training time only: its embedding of each single word, with
the common directions taken out and the rest brought down to `d_semantic` (static distillation, as
in model2vec). Without a teacher the vectors start at random, and training has to find the meanings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.model.words import WordTable, words_of

_DROPPED = 3
"""Leading principal directions that all words share and that mean nothing."""
_RARITY_SCALE = 10.0


@dataclass(frozen=True)
class WordStart:
    """A word table with the vectors and rarity weights that training starts from.

    Attributes:
        table: W words.
        semantic: (W, d_semantic) unit vectors.
        rarity: (W,) log weights.
    """

    table: WordTable
    semantic: Tensor
    rarity: Tensor

    def save(self, run: Path) -> None:
        """Write words.txt and words.safetensors."""
        self.table.save(run / "words.txt")
        tensors = {"semantic": self.semantic.contiguous(), "rarity": self.rarity.contiguous()}
        save_file(tensors, run / "words.safetensors")

    @classmethod
    def read(cls, run: Path) -> WordStart:
        """Inverse of `save`."""
        tensors = load_file(run / "words.safetensors")
        return cls(WordTable.read(run / "words.txt"), tensors["semantic"], tensors["rarity"])


@dataclass(frozen=True)
class WordCounts:
    """How often words occur, and in how many paragraphs of how many."""

    total: Counter[str]
    paragraphs: Counter[str]
    n_paragraphs: int


def count(paragraphs: Iterable[str]) -> WordCounts:
    """Count the words of paragraphs."""
    total: Counter[str] = Counter()
    within: Counter[str] = Counter()
    n = 0
    for paragraph in paragraphs:
        words = words_of(paragraph)
        total.update(words)
        within.update(set(words))
        n += 1
    return WordCounts(total, within, n)


def choose(
    prose: WordCounts, everyday: WordCounts, least: int = 12, most: int = 60_000
) -> list[str]:
    """Words frequent enough in prose, then everyday ones that prose has seldom.

    Args:
        prose: counts of encyclopaedic text.
        everyday: counts of notes and questions.
        least: occurrences in prose from which a word is taken.
        most: at most this many of the first sort.
    """
    words = [w for w, n in prose.total.most_common(most) if n >= least]
    have = set(words)
    words += [
        w
        for w, n in everyday.total.most_common()
        if w not in have and n >= 2 and w.isalpha() and prose.total[w] >= 3
    ]
    return words


def rarity(words: list[str], prose: WordCounts) -> Tensor:
    """Log rarity weights (W,): log of (inverse document frequency / 10)."""
    frequency = np.array([prose.paragraphs[w] for w in words])
    idf = np.log(prose.n_paragraphs / (frequency + 1.0)).clip(0.5)
    return torch.tensor(np.log(idf / _RARITY_SCALE), dtype=torch.float32)


def teacher_embeddings(words: list[str], model: Path) -> npt.NDArray[np.float32]:
    """A sentence encoder's embedding of each word, (W, width).

    Args:
        words: to embed, each as a sentence of its own.
        model: folder of a sentence-transformers model.

    Raises:
        ImportError: the package sentence-transformers is not installed.
    """
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(model), device="cpu", local_files_only=True)
    out = encoder.encode(words, batch_size=256, show_progress_bar=False)
    return np.asarray(out, dtype=np.float32)


def distil(embeddings: npt.NDArray[np.float32], width: int) -> Tensor:
    """Bring embeddings (W, D) down to unit vectors (W, width), half whitened."""
    centred = embeddings - embeddings.mean(0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    kept = slice(_DROPPED, _DROPPED + width)
    reduced = (centred @ directions[kept].T) / np.sqrt(spread[kept])
    reduced /= np.linalg.norm(reduced, axis=1, keepdims=True) + 1e-9
    return torch.tensor(reduced, dtype=torch.float32)


def random_vectors(n: int, width: int, seed: int) -> Tensor:
    """Random unit vectors (n, width), for training without a teacher."""
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(n, width, generator=generator), dim=-1)
