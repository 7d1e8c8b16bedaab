"""Writes that go wrong in their numbers, each of them forced: what was in the slot stays."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from engine.api import Effort, NoteState, Remember
from engine.device import open_model
from engine.memory import write
from engine.memory.memory import Memory
from engine.memory.report import Verdict, WriteOptions, WriteReport
from engine.memory.work import Keys, Work
from engine.model.base import BaseModel
from engine.notes.text import NoteText, Section
from engine.service import WRITING_ONLY
from engine.tasks.writing import EFFORTS
from tests.engine_run import Run
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


def test_a_write_under_the_threshold_leaves_the_slot_before_it(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real slot: its file and what is in RAM are, byte for byte, as they were."""
    directory = tmp_path_factory.mktemp("base")
    small_base(directory)
    home, ferry, key = tmp_path / "home", tmp_path / "ferry.txt", tmp_path / "key.txt"
    ferry.write_text("The ferry to Sandray leaves at 7:40 pm.")
    key.write_text("Our treasurer keeps the key under the blue pot.")
    model = partial(open_model, directory=directory)
    with Run(home, duties=WRITING_ONLY, model=model) as run:
        # The model is untrained: what it recalls is as good as none.
        monkeypatch.setitem(EFFORTS, Effort.NORMAL, QUICK)
        run.do(Remember((ferry,)))
        kept = run.until_state(ferry.as_posix(), NoteState.REMEMBERED)
        run.until_idle()
        (file,) = (home / "slot").glob("slot-*.safetensors")
        before = file.read_bytes()
        unreachable = replace(QUICK, recall_threshold=1.1)
        monkeypatch.setitem(EFFORTS, Effort.NORMAL, unreachable)
        ferry.write_text("The ferry to Sandray leaves at 9:15 pm.")
        run.do(Remember((ferry, key)))
        for path in (ferry, key):
            run.until_state(path.as_posix(), NoteState.WEAK)
        run.until_idle()
        assert file.read_bytes() == before
        assert saved(run.engine._desk.memory, tmp_path / "in RAM") == before  # type: ignore[arg-type]
        refused, new = run.note(ferry.as_posix()), run.note(key.as_posix())
        assert (refused.cells, refused.written_at) == (kept.cells, kept.written_at)
        assert (new.cells, new.written_at) == (0, None)
        assert "still remembered" in refused.reason and "not in memory" in new.reason
