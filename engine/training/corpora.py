"""Where training text comes from: prose shards, hand-written notes, the tokenized stream on disk.

The prose is a text file (or its .xz) whose documents each end with a line ``<|endoftext|>``.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from engine.api import InputError
from engine.model.tokenizer import BEGIN, Tokenizer

END_OF_DOCUMENT = "<|endoftext|>"


@dataclass(frozen=True)
class Question:
    """A question about a note. No answers means that the note does not say."""

    question: str
    answers: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class WrittenNote:
    """A hand-written note with its questions."""

    name: str
    text: str
    questions: tuple[Question, ...]


def _open(path: Path) -> TextIO:
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8")
    return path.open("r", encoding="utf-8")


def documents(path: Path) -> Iterator[str]:
    """The documents of one prose shard, in order."""
    lines: list[str] = []
    with _open(path) as f:
        for line in f:
            if line.rstrip("\n") == END_OF_DOCUMENT:
                yield "".join(lines).strip()
                lines = []
            else:
                lines.append(line)
    if lines:
        yield "".join(lines).strip()


def read_notes(paths: list[Path]) -> list[WrittenNote]:
    """Hand-written notes (JSON Lines: name, text, questions)."""
    notes = []
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            notes.append(written_note(json.loads(line)))
    return notes


def written_note(raw: dict[str, Any]) -> WrittenNote:
    """A note of a line's object (name, text, questions)."""
    return WrittenNote(raw["name"], raw["text"], _questions(raw))


def _questions(raw: dict[str, Any]) -> tuple[Question, ...]:
    return tuple(Question(q["question"], tuple(q["answers"]), q["kind"]) for q in raw["questions"])


def passage_id(text: str) -> str:
    """How a file of questions names a passage of prose: the start of its text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_asked(paths: Sequence[Path], shards: Sequence[Path]) -> list[WrittenNote]:
    """Passages of prose with hand-written questions.

    Args:
        paths: JSON Lines: title of the document, passage (see `passage_id`), questions.
        shards: prose files to look the passages up in.

    Raises:
        InputError: a passage is in none of the shards.
    """
    asked: dict[tuple[str, str], tuple[Question, ...]] = {}
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            raw = json.loads(line)
            asked[raw["title"], raw["passage"]] = _questions(raw)
    titles = {title for title, _ in asked}
    found: dict[tuple[str, str], str] = {}
    for shard in shards:
        for document in documents(shard):
            title, *paragraphs = document.split("\n")
            if title in titles:
                found |= {(title, passage_id(p)): p for p in paragraphs}
    missing = [title for title, passage in asked if (title, passage) not in found]
    if missing:
        raise InputError(f"{len(missing)} passages are not in the prose, as one on {missing[0]}.")
    return [WrittenNote(key[0], found[key], questions) for key, questions in asked.items()]


def tokenize_prose(
    shards: list[Path], tokenizer: Tokenizer, out: Path, limit_tokens: int | None = None
) -> int:
    """Write all documents as one stream of uint16 ids, each document after a BEGIN token.

    The file is there when it is whole.

    Args:
        shards: prose files.
        tokenizer: at most 65,536 ids.
        out: file of raw little-endian uint16.
        limit_tokens: stop after about this many.

    Returns:
        Number of ids written.
    """
    total = 0
    part = out.with_suffix(".part")
    with part.open("wb") as f:
        for batch in _batches(shards, 512):
            flat: list[int] = []
            for ids in tokenizer.encode_batch(batch):
                flat.append(BEGIN)
                flat.extend(ids)
            np.asarray(flat, dtype="<u2").tofile(f)
            total += len(flat)
            if limit_tokens is not None and total >= limit_tokens:
                break
    os.replace(part, out)
    return total


def _batches(shards: list[Path], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for shard in shards:
        for doc in documents(shard):
            batch.append(doc)
            if len(batch) == size:
                yield batch
                batch = []
    if batch:
        yield batch


class TokenStream:
    """A tokenized corpus on disk, cut into training and held-out part.

    The last `held_out` ids are never drawn for training.
    """

    def __init__(self, path: Path, held_out: int = 200_000) -> None:
        self._ids: npt.NDArray[np.uint16] = np.memmap(path, dtype="<u2", mode="r")
        self._cut = max(len(self._ids) - held_out, len(self._ids) // 2)

    def __len__(self) -> int:
        return self._cut

    def batch(self, rng: np.random.Generator, rows: int, length: int) -> npt.NDArray[np.int64]:
        """Random windows (rows, length + 1) of the training part."""
        starts = rng.integers(0, self._cut - length - 1, size=rows)
        return np.stack([self._ids[s : s + length + 1] for s in starts]).astype(np.int64)

    def held_out(self, rows: int, length: int) -> npt.NDArray[np.int64]:
        """The first `rows` windows (rows, length + 1) of the held-out part."""
        rest = self._ids[self._cut :]
        n = min(rows, (len(rest) - 1) // length)
        return np.stack([rest[i * length : i * length + length + 1] for i in range(n)]).astype(
            np.int64
        )
