"""What a cell can hold: every token, and no answer that ends within a word."""

from pathlib import Path

import pytest
import torch

from engine.memory.encode import SURE, encode_note, within_words
from engine.model.base import BaseModel
from engine.notes.read import read_bytes
from engine.training.spread import spread_head, undecodable
from tests.small_model import small_base


@pytest.fixture
def base(tmp_path: Path) -> BaseModel:
    return small_base(tmp_path)


def test_the_embedded_model_can_hold_every_token() -> None:
    assert undecodable(BaseModel.read(BaseModel.embedded_directory())).tolist() == []


def test_columns_that_have_drifted_together_are_driven_apart(base: BaseModel) -> None:
    head = base.backbone.head
    together = [40, 41, 42]
    before = set(undecodable(base).tolist())
    assert not before & set(together)
    with torch.no_grad():
        head[:, together] = head[:, 40:41].clone()
    others = [t for t in range(head.shape[1]) if t not in {*together, *before}]
    kept = head[:, others].clone()
    assert set(together) <= set(undecodable(base).tolist())
    assert spread_head(base) >= len(together)
    assert not set(together) & set(undecodable(base).tolist())
    assert torch.equal(head[:, others], kept)
    moved = head[:, together]
    assert torch.equal(moved, moved.bfloat16().float())  # as the file will have them


def test_no_answer_ends_within_a_word(base: BaseModel) -> None:
    note = read_bytes("Zdeňka Lindqvistová: room 4417, 7pm.".encode(), "people.md")
    encoded = encode_note(base, note)
    (window,) = encoded.windows
    inside = within_words(window)[window.body :]
    starts = [window.offsets[i][0] for i in range(window.body, len(window.tokens))]
    for start, within, stop in zip(starts, inside, encoded.cells.stop.tolist(), strict=True):
        if within:
            assert stop <= -SURE
        else:  # a word begins here, or what is between words
            assert not window.text[max(0, start - 1) : start + 1].isalnum() or start == 0
    assert any(inside)
    assert not all(inside)
