"""What the tests of training share: a shape small enough for them, and a run that has begun."""

from pathlib import Path

import pytest


@pytest.fixture
def micro(monkeypatch: pytest.MonkeyPatch) -> None:
    """The preset "micro"."""
    from engine.model.config import PRESETS
    from tests.training_runs import MICRO

    monkeypatch.setitem(PRESETS, "micro", MICRO)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with tokenizer and words."""
    from tests.training_runs import begin

    run = tmp_path_factory.mktemp("run")
    begin(run)
    return run
