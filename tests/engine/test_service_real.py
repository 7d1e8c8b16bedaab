"""The service with the memory that ships, on an untrained base model of a few thousand parameters.

What such a model answers is worth nothing; that writing, committing, opening anew, forgetting and
moving a memory to another computer fit together is.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from engine.api import Effort
from engine.cli import command_line
from engine.device import open_model
from engine.tasks.writing import EFFORTS
from tests.bench.tiny_base import make_tiny_base

BOAT = "The boat Otter lies at pier seven. The harbour master is Runa. The gate code is 4711."
QUESTION = "What is the gate code?"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("base")
    make_tiny_base(directory, [BOAT, QUESTION])
    return directory


def test_a_memory_goes_to_another_computer(
    base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What an untrained model recalls would not do; it is to be kept all the same.
    any_recall = replace(EFFORTS[Effort.QUICK], recall_threshold=0.0)
    monkeypatch.setitem(EFFORTS, Effort.QUICK, any_recall)
    home, file = tmp_path / "home", tmp_path / "memory.engram"
    note = tmp_path / "boat.md"
    note.write_text(BOAT)
    home.mkdir()
    (home / "settings.json").write_text(json.dumps({"effort": "quick"}))
    windows = command_line.Windows(lambda home: 0, lambda directory: 0)

    def engram(*words: str, at: Path = home) -> dict[str, object]:
        line = ["--home", str(at), "--json", *words]
        code = command_line.run(line, windows, partial(open_model, directory=base))
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)  # type: ignore[no-any-return]

    written = engram("remember", str(note))["notes"][0]  # type: ignore[index]
    assert written["state"] == "remembered" and written["cells"] > 10
    note.unlink()
    asked = engram("ask", QUESTION)
    assert asked["prompt"] and BOAT not in "".join(asked["prompt"])  # type: ignore[arg-type]
    assert engram("verify")["notes"][0]["recall"] is not None  # type: ignore[index]
    engram("snapshot", "export", str(file))
    imported = engram("snapshot", "import", str(file), at=tmp_path / "other")
    engram("snapshot", "restore", str(imported["id"]), at=tmp_path / "other")
    again = engram("ask", QUESTION, at=tmp_path / "other")
    assert (again["answer"], again["confidence"]) == (asked["answer"], asked["confidence"])
    engram("grow", "70000")
    assert engram("info")["cells"] == 70_000
    engram("forget", "boat.md")
    assert engram("info")["cells_used"] == 0
