"""The bench of a thread's gaps, on an untrained base model: that it measures, not how much."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from engine.api import EngramError
from engine.bench import frames
from engine.device import open_model
from tests.bench.tiny_base import make_tiny_base

ROOT = Path(__file__).parents[2]
TICKS = 20


def test_gaps_with_and_without_writes(tmp_path: Path) -> None:
    texts = [[frames.diary(30, turn), frames.diary(60, turn)] for turn in range(3)]
    make_tiny_base(tmp_path / "base", [text for turn in texts for text in turn])
    model = partial(open_model, directory=tmp_path / "base")
    said: list[str] = []
    result = frames.run(model, (30, 60), texts, TICKS, "cpu", said.append)
    nothing, first, short, long = result.rows
    assert [row.tokens for row in result.rows] == [0, 30, 30, 60]
    assert nothing.p99_ratio == 1.0 and nothing.ticks >= 2 * TICKS
    assert result.repeats == 2 and len(said) == 3
    for row in result.rows:
        assert row.ticks > 0 and 0.0 < row.p99 <= row.longest <= row.seconds
        assert row.longest_ours <= row.longest and row.long_ours <= row.long
        assert row.longest >= result.period * 0.9
    assert first.what != short.what
    (table,) = result.tables()
    assert len(table.rows) == 4


def test_a_note_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    make_tiny_base(tmp_path / "base", ["boat"])
    model = partial(open_model, directory=tmp_path / "base")
    with pytest.raises(EngramError, match="empty"):
        frames.run(model, (1,), [[""], [""]], TICKS, "cpu", lambda line: None)


def test_a_base_model_that_is_missing_is_said(tmp_path: Path) -> None:
    model = partial(open_model, directory=tmp_path / "nowhere")
    with pytest.raises(EngramError, match=r"\w+ \w+"):
        frames.run(model, (1,), [["a"]], TICKS, "cpu", lambda line: None)


def test_the_diary_has_other_sentences_for_each_seed() -> None:
    one, other = frames.diary(200, 1), frames.diary(200, 2)
    assert one != other and one == frames.diary(200, 1)
    assert len(one.split()) >= 200 and len(set(one.splitlines())) == len(one.splitlines())


def test_the_first_write_of_a_process_imports_no_compiler(tmp_path: Path) -> None:
    """Torch's would come in by its optimizers: hundreds of modules, with the lock held."""
    make_tiny_base(tmp_path / "base", ["The gate code is 4711."])
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from engine.device import open_model\n"
        "from engine.memory.report import WriteOptions\n"
        "from engine.notes.text import NoteText, Section\n"
        "memory = open_model('cpu', Path(sys.argv[1])).fresh()\n"
        "note = NoteText('Gate', (), (Section(('Gate',), 'The gate code is 4711.'),))\n"
        "before = len(sys.modules)\n"
        "memory.write(1, note, WriteOptions(), lambda step: None, lambda: None)\n"
        "print('torch._dynamo' in sys.modules, len(sys.modules) - before < 50)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "base")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False", "True"], done.stderr
