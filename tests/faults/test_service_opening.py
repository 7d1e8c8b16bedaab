"""Opening and what the status says of it: nothing is held that was not opened."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine.api import Ask, Mode, NoMemoryYet, Remember
from engine.service import ASKING_ONLY, WRITING_ONLY, EngineService
from tests.engine_run import PATIENCE, Run
from tests.fake_memory import FakeModel, Script, factory


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_closing_while_the_base_model_is_loaded_waits_for_nothing(home: Path) -> None:
    loading, go_on = threading.Event(), threading.Event()
    make = factory(Script())

    def slow(device: str) -> FakeModel:
        loading.set()
        assert go_on.wait(PATIENCE)
        return make(device)

    engine = EngineService(home, slow)
    engine.start()
    assert loading.wait(PATIENCE)
    assert engine.close(0.0)  # nothing is held, and nothing will be
    with Run(home) as run:  # so the memory is free at once
        assert run.status is not None and run.status.mode is Mode.IDLE
        go_on.set()
        engine._thread.join(PATIENCE)
        assert not engine.is_running
        assert isinstance(run.fails(Ask("Where lies the boat?")), NoMemoryYet)  # still this one's



def write_one(home: Path) -> None:
    file = home.parent / "boat.md"
    file.write_text("The boat Otter lies at pier seven.")
    with Run(home, duties=WRITING_ONLY) as run:
        run.do(Remember((file,)))
        run.until_idle()


def test_weak_notes_are_not_counted_as_remembered(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_one(home)
    with Run(home, duties=ASKING_ONLY) as run:
        assert run.status is not None
        assert (run.status.notes_remembered, run.status.notes_weak) == (1, 0)
    monkeypatch.setattr("engine.desk.RECALL_THRESHOLD", 1.5)  # higher than any recall
    with Run(home, duties=ASKING_ONLY) as run:
        assert run.status is not None
        assert (run.status.notes_remembered, run.status.notes_weak) == (0, 1)


def test_a_rebuild_is_offered_where_it_mends(home: Path) -> None:
    write_one(home)
    with Run(home, duties=ASKING_ONLY), Run(home) as second:
        assert second.status is not None and second.status.mode is Mode.BROKEN
        assert not second.status.may_rebuild  # it is only in use
    with Run(home, identity="other 77") as run:
        assert run.status is not None and run.status.may_rebuild
    (slot,) = (home / "slot").glob("slot-*.safetensors")
    slot.write_bytes(slot.read_bytes()[:-3])
    with Run(home) as run:
        assert run.status is not None and run.status.may_rebuild
