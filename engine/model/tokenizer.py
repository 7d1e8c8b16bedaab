"""Byte-level BPE with single digits, and the special tokens every prompt is built from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer as RustTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers

SPECIALS = ("<|pad|>", "<|begin|>", "<|sep|>", "<|question|>", "<|answer|>", "<|end|>")
PAD, BEGIN, SEP, QUESTION, ANSWER, END = range(len(SPECIALS))
"""Ids of the special tokens; fixed, the first six of every vocabulary."""


class Tokenizer:
    """Text to ids and back. Round trips are exact for any text.

    Args:
        rust: a trained tokenizer whose first ids are `SPECIALS`.

    Raises:
        ValueError: the special tokens are not where they belong.
    """

    def __init__(self, rust: RustTokenizer) -> None:
        for i, name in enumerate(SPECIALS):
            if rust.token_to_id(name) != i:
                raise ValueError(f"tokenizer lacks the special token {name} at id {i}")
        rust.encode_special_tokens = True  # "<|end|>" in a note is text, never a special token
        self._rust = rust

    @classmethod
    def read(cls, path: Path) -> Tokenizer:
        """Load a tokenizer.json."""
        return cls(RustTokenizer.from_file(str(path)))

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> Tokenizer:
        """Train on an iterator of texts."""
        rust = RustTokenizer(models.BPE())
        rust.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        )
        rust.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=list(SPECIALS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        rust.train_from_iterator(texts, trainer=trainer)
        return cls(rust)

    def __reduce__(self) -> tuple[type[Tokenizer], tuple[RustTokenizer]]:
        return Tokenizer, (self._rust,)  # what is set on the tokenizer here is not in its JSON

    def save(self, path: Path) -> None:
        """Write tokenizer.json."""
        path.write_text(self._rust.to_str(), "utf-8")

    def to_str(self) -> str:
        """The tokenizer as JSON, the bytes that `sha256` of a base model covers."""
        return self._rust.to_str()

    @property
    def vocab_size(self) -> int:
        """Number of ids."""
        return self._rust.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Ids of a text, no special tokens among them."""
        return self._rust.encode(text).ids

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids and, for each, the (start, end) characters of `text` it stands for."""
        e = self._rust.encode(text)
        return e.ids, e.offsets

    def encode_batch(self, texts: list[str]) -> list[list[int]]:
        """Ids of many texts, in parallel."""
        return [e.ids for e in self._rust.encode_batch(texts)]

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids; special tokens are left out."""
        return self._rust.decode([i for i in ids if i >= len(SPECIALS)])

    def token(self, token_id: int) -> str:
        """The text of one id, special tokens by name, for showing a prompt as it was given."""
        if token_id < len(SPECIALS):
            return SPECIALS[token_id]
        return self._rust.decode([token_id])
