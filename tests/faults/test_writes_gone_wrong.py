"""Writes that go wrong in their numbers, each of them forced: what was in the slot stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.memory import write
from engine.memory.memory import Memory
from engine.memory.report import Verdict, WriteOptions, WriteReport
from engine.memory.work import Keys, Work
from engine.model.base import BaseModel
from engine.notes.text import NoteText, Section
from tests.small_model import small_base

FERRY = NoteText("Ferry", (), (Section(("Ferry",), "The ferry to Sandray leaves at 7:40 pm."),))
KEY = NoteText("Key", (), (Section(("Key",), "Our treasurer keeps the key under the blue pot."),))
QUICK = WriteOptions(steps=5, repair_rounds=0, recall_threshold=0.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return small_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def memory(base: BaseModel) -> Memory:
    """A memory with one note in it."""
    memory = Memory.fresh(base, 500)
    put(memory, 1, FERRY)
    return memory


def put(memory: Memory, note_id: int, note: NoteText) -> WriteReport:
    return memory.write(note_id, note, QUICK, lambda _: None, lambda: None)


def saved(memory: Memory, file: Path) -> bytes:
    memory.save(file)
    return file.read_bytes()


@pytest.mark.parametrize("note_id", [1, 2], ids=["an edited note", "a new note"])
def test_numbers_that_overflowed_never_reach_the_slot(
    memory: Memory, note_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = write._train

    def overflowing(base: BaseModel, work: Work, *rest: object) -> object:
        outcome = train(base, work, *rest)  # type: ignore[arg-type]
        work.keys = Keys(*(key * float("nan") for key in work.keys))
        return outcome

    before = saved(memory, tmp_path / "before")
    monkeypatch.setattr(write, "_train", overflowing)
    report = put(memory, note_id, KEY)
    assert report.verdict is Verdict.FAILED and "overflowed" in report.reason
    assert saved(memory, tmp_path / "after") == before


@pytest.mark.parametrize("worst", [float("nan"), float("inf")])
def test_steps_that_diverge_leave_finite_cells_and_the_other_note(
    memory: Memory, worst: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = write._loss

    def diverging(*arguments: object) -> write.Losses:
        losses = loss(*arguments)  # type: ignore[arg-type]
        return losses._replace(total=losses.total * worst)

    before, told = saved(memory, tmp_path / "before"), memory.recite(1)
    monkeypatch.setattr(write, "_loss", diverging)
    report = put(memory, 2, KEY)
    assert memory.recite(1) == told
    if report.verdict is Verdict.FAILED:
        assert report.reason and saved(memory, tmp_path / "after") == before
    slot = memory._slot
    assert all(bool(t.isfinite().all()) for t in (slot.context, slot.local, slot.value))


def test_a_write_that_would_blur_another_note_is_dropped(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def hurt(*_: object) -> torch.Tensor:
        tried.append(1)
        return torch.zeros(50, dtype=torch.long)

    before = saved(memory, tmp_path / "before")
    monkeypatch.setattr(write, "_hurt", hurt)
    report = put(memory, 2, KEY)
    assert report.verdict is Verdict.FAILED and "blurred other notes" in report.reason
    assert tried == [1, 1], "it is tried once more, with the other note in view"
    assert saved(memory, tmp_path / "after") == before
