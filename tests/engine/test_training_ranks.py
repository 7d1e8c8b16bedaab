"""Two processes train one model: their gradients are averaged, one of them saves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.training import checkpoint, command
from engine.training.pretrain import Pretraining
from engine.training.ranks import ALONE, Ranks
from tests.training_runs import DATA, arguments, copy_run, data, prose

pytestmark = pytest.mark.usefixtures("micro")

ROOT = Path(__file__).parents[2]
_TRAIN = """
import sys
from engine.model.config import PRESETS
from engine.training import command
from tests.training_runs import MICRO, arguments
PRESETS["micro"] = MICRO
if __name__ == "__main__":
    command.run(arguments(*sys.argv[1:], "--processes", "2"))
"""

_WAIT = """
import os, signal, time
from engine.training.ranks import together
def work(arguments, ranks):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts what is in the background
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(20)
    os.write(1, b"still there")
if __name__ == "__main__":
    together(2, work, None)
"""


def _together(folder: Path, *words: str | Path) -> None:
    """Two processes of `main.py train WORDS`."""
    script = folder / "train.py"
    script.write_text(_TRAIN, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, *words],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def _copy(started: Path, to: Path) -> Path:
    to.mkdir()
    return copy_run(started, to)


def test_a_step_of_two_is_the_mean_of_their_gradients(started: Path, tmp_path: Path) -> None:
    run = _copy(started, tmp_path / "two")
    words = ("prose", "--run", run, "--preset", "micro", "--steps", "1", "--rows", "4",
             "--length", "32", "--device", "cpu", "--precision", "fp32")  # fmt: skip
    _together(tmp_path, *words)
    two = checkpoint.load(run / "prose.pt")

    class Both(Ranks):
        """One process that has read both batches when the gradients are averaged."""

        def average(self, parameters: object) -> None:
            first = [p.grad.clone() for p in parameters]  # type: ignore[attr-defined]
            training.model.zero_grad()
            training._loss(training.batch(1)).backward()
            for p, g in zip(parameters, first, strict=True):  # type: ignore[call-overload]
                p.grad = (p.grad + g) / 2

    alone = _copy(started, tmp_path / "one")
    trained: list[Pretraining] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pretraining, "run", lambda self: trained.append(self))
        command.run(prose(alone, 1, "--precision", "fp32"))
    training = trained[0]
    training.ranks = Both()
    training.one_step()
    assert two is not None
    assert two["tokens"] == 2 * 4 * 32
    for name, tensor in training.model.state_dict().items():
        torch.testing.assert_close(two["model"][name], tensor, rtol=1e-4, atol=1e-6)


def test_memory_training_of_two_counts_all_that_was_read_and_goes_on_alone(
    started: Path, tmp_path: Path
) -> None:
    run = _copy(started, tmp_path / "run")
    words: list[str | Path] = [
        "memory", "--run", run, "--preset", "micro", *data(), "--values", DATA / "values.json",
        "--held-out", DATA / "notes.jsonl", "--mix", "3,1,3,2", "--asked", DATA / "asked.jsonl",
        "--device", "cpu", "--prose-rows", "2",
    ]  # fmt: skip
    _together(tmp_path, *words, "--steps", "4")
    state = checkpoint.load(run / "memory.pt")
    assert state is not None
    assert state["step"] == 4
    assert state["prose"] == 4 * 2 * 2 * 128
    read = state["tokens"]
    assert read > 0
    command.run(arguments(*words, "--steps", "5"))
    state = checkpoint.load(run / "memory.pt")
    assert state is not None
    assert state["step"] == 5
    assert state["tokens"] > read
    assert state["prose"] == 4 * 2 * 2 * 128 + 2 * 128


def test_a_killed_command_leaves_no_process_that_trains_on(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(_WAIT, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, script], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, text=True,
    ) as command_:  # fmt: skip
        assert command_.stdout is not None
        begun = [int(command_.stdout.readline()) for _ in range(2)]
        command_.kill()
        assert command_.stdout.read() == ""  # to the end of all that could write
    assert len({*begun, command_.pid}) == 3


def test_batches_of_all_processes_are_different_and_none_is_left_out() -> None:
    numbers = [Ranks(rank, 3).number(step) for step in range(4) for rank in range(3)]
    assert numbers == list(range(12))
    assert [ALONE.number(step) for step in range(3)] == [0, 1, 2]
    assert ALONE.total(7) == 7
