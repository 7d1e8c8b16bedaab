"""Training on very little: losses fall, runs resume to the step, a killed run is safe."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import torch

from engine.model.base import BaseModel
from engine.model.tokenizer import Tokenizer
from engine.training import checkpoint, command, facts
from engine.training.ahead import AheadBatches
from engine.training.curves import Curve
from engine.training.examples import ExampleMaker
from engine.training.memory_loss import LossParts
from engine.training.memory_training import MemoryTraining
from engine.training.optimizer import trapezoid
from engine.training.pretrain import Pretraining
from engine.training.values import Values
from engine.training.wordlist import WordStart
from tests.training_runs import DATA, arguments, copy_run, data, prose

pytestmark = pytest.mark.usefixtures("micro")


def _memory(run: Path, steps: int) -> list[str | Path]:
    return ["memory", "--run", run, "--preset", "micro", "--steps", str(steps), *data(),
            "--values", DATA / "values.json", "--held-out", DATA / "notes.jsonl",
            "--mix", "3,1,3,2", "--asked", DATA / "asked.jsonl", "--device", "cpu"]  # fmt: skip


def _losses(csv: Path, column: str) -> list[float]:
    return [value for _, value in Curve(csv, 10**9).column(column)]


def test_pre_training_lowers_the_loss_and_resumes_to_the_step(
    started: Path, tmp_path: Path
) -> None:
    runs = [copy_run(started, _made(tmp_path / name)) for name in ("whole", "halves")]
    command.run(prose(runs[0], 60))
    losses = _losses(runs[0] / "prose.csv", "loss")
    assert losses[-1] < losses[0] - 0.5
    whole = checkpoint.load(runs[0] / "prose.pt")
    one = Pretraining.one_step

    def stop(training: Pretraining) -> float:
        if training.step == 25:
            training.save()
            raise InterruptedError
        return one(training)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(Pretraining, "one_step", stop)
        command.run(prose(runs[1], 60))
    command.run(prose(runs[1], 60))
    halves = checkpoint.load(runs[1] / "prose.pt")
    assert whole is not None and halves is not None
    for name, tensor in whole["model"].items():
        assert torch.equal(tensor, halves["model"][name]), name


def _made(path: Path) -> Path:
    path.mkdir()
    return path


def test_memory_training_lowers_the_loss_and_exports_a_base_model(
    started: Path, tmp_path: Path
) -> None:
    run = copy_run(started, _made(tmp_path / "run"))
    command.run(arguments(*_memory(run, 30)))
    answer, place = (_losses(run / "memory.csv", c) for c in ("answer", "place"))
    assert answer[-1] < answer[0]
    assert place[-1] < place[0]
    out = tmp_path / "base"
    command.run(arguments("export", "--run", run, "--out", out, "--name", "micro",
                           "--calibration", DATA / "notes.jsonl"))  # fmt: skip
    base = BaseModel.read(out)
    assert base.name == "micro"
    assert base.cfg.reading == "both ways"
    assert len(base.quiet) == 6 + 128  # unanswerable questions, prose
    assert 0.0 < base.calibration.threshold < 1.0


def test_memory_training_resumes_to_the_step(started: Path, tmp_path: Path) -> None:
    whole, halves = (copy_run(started, _made(tmp_path / n)) for n in ("whole", "halves"))
    command.run(arguments(*_memory(whole, 8)))
    one = MemoryTraining.one_step

    def stop(training: MemoryTraining) -> LossParts:
        if training.step == 4:
            training.save()
            raise InterruptedError
        return one(training)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(MemoryTraining, "one_step", stop)
        command.run(arguments(*_memory(halves, 8)))
    command.run(arguments(*_memory(halves, 8)))
    a, b = (checkpoint.load(run / "memory.pt") for run in (whole, halves))
    assert a is not None and b is not None
    assert a["step"] == b["step"] == 8
    for part in ("backbone", "space"):
        for name, tensor in a[part].items():
            assert torch.equal(tensor, b[part][name]), name


def test_a_training_killed_while_it_saves_goes_on_from_a_whole_checkpoint(
    started: Path, tmp_path: Path
) -> None:
    run = copy_run(started, _made(tmp_path / "run"))
    code = (
        "import sys\n"
        "from engine.model.config import PRESETS\n"
        "from tests.training_runs import MICRO, prose\n"
        "PRESETS['micro'] = MICRO\n"
        "from engine.training import command, pretrain\n"
        "from pathlib import Path\n"
        "args = prose(Path(sys.argv[1]), 100000)\n"
        "one = pretrain.Pretraining.one_step\n"
        "def step(self):\n"
        "    loss = one(self); self.save(); print(self.step, flush=True); return loss\n"
        "pretrain.Pretraining.one_step = step\n"
        "command.run(args)\n"
    )
    root = Path(__file__).parent.parent.parent
    child = subprocess.Popen([sys.executable, "-c", code, str(run)], stdout=subprocess.PIPE,
                             text=True, cwd=root)  # fmt: skip
    assert child.stdout is not None
    seen = 0
    for line in child.stdout:
        seen = int(line) if line.strip().isdigit() else seen
        if seen >= 3:
            break
    child.send_signal(signal.SIGKILL)
    child.stdout.close()
    child.wait()
    state = checkpoint.load(run / "prose.pt")
    assert state is not None
    assert state["step"] >= 3


def test_batches_made_ahead_are_those_that_would_be_made(started: Path) -> None:
    tokenizer, words = Tokenizer.read(started / "tokenizer.json"), WordStart.read(started)
    maker = ExampleMaker(tokenizer, words.table)
    batches, _ = command.memory_data(arguments(*_memory(started, 1)), maker)
    with contextlib.closing(AheadBatches(batches, 2)) as ahead:
        for number in (0, 1, 2, 7, 8):  # a resumed run begins anywhere
            assert ahead.batch(3, number) == batches.batch(3, number)


def test_held_out_schemas_are_never_trained_on() -> None:
    schemas = [
        facts.Schema(f"relation-{i}", "d", {}, (), (), (), {}) for i in range(2000)
    ]
    trained, unseen = facts.split_bank(schemas)
    assert {s.id for s in trained} & {s.id for s in unseen} == set()
    assert 0.12 < len(unseen) / 2000 < 0.18


def test_composed_facts_are_where_they_say_they_are() -> None:
    schemas = facts.read_bank([DATA / "bank.jsonl"])
    values = Values.read(DATA / "values.json")
    composer = facts.Composer(schemas, values, ["Nothing else happened."])
    for seed in range(40):
        rng = Random(seed)
        note = composer.note(rng.sample(schemas, 3), rng)
        text = "\n".join(s.text for s in note.note.sections)
        for asked in note.questions:
            for line, (start, end) in asked.lines:
                assert line in text
                assert line[start:end].lower() == asked.answer.lower()
                assert asked.answer.lower() not in asked.question.lower()


def test_the_step_size_goes_up_stays_and_comes_down() -> None:
    shares = [trapezoid(s, 10, 100, 20) for s in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[10:80] == [1.0] * 70
    assert shares[99] < 0.11
    assert all(a >= b for a, b in zip(shares[80:], shares[81:], strict=False))


def _all(run: Path, out: Path, *more: str) -> list[str | Path]:
    return ["all", "--run", run, "--preset", "micro", *data(), "--values", DATA / "values.json",
            "--held-out", DATA / "notes.jsonl", "--mix", "3,1,3,2", "--asked",
            DATA / "asked.jsonl", "--device", "cpu", "--vocab", "500", "--width", "16", "--rows",
            "4", "--length", "32", "--prose-steps", "12", "--memory-steps", "3", "--out", out,
            "--calibration", DATA / "notes.jsonl", *more]  # fmt: skip


def test_one_command_does_all_steps_and_goes_on_where_its_time_ended(
    started: Path, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    command.run(arguments(*_all(whole, tmp_path / "base")))
    base = BaseModel.read(tmp_path / "base")
    assert base.tokenizer.vocab_size == 500
    command.run(arguments(*_all(parts, tmp_path / "later", "--minutes", "1e-9")))
    stopped = checkpoint.load(parts / "prose.pt")
    assert stopped is not None
    assert stopped["step"] < 12
    assert not (parts / "memory.pt").exists()
    assert not (tmp_path / "later").exists()
    table = (parts / "words.txt").stat().st_mtime_ns
    command.run(arguments(*_all(parts, tmp_path / "later")))
    assert (parts / "words.txt").stat().st_mtime_ns == table
    a, b = (checkpoint.load(run / "memory.pt") for run in (whole, parts))
    assert a is not None and b is not None
    for name, tensor in a["backbone"].items():
        assert torch.equal(tensor, b["backbone"][name]), name
    assert BaseModel.read(tmp_path / "later").id == base.id


_FREES = """
import torch
from engine.training.checkpoint import release_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1])

blocks = [torch.ones(1_000_000) for _ in range(100)]
del blocks[:99]  # the last one, on top, keeps the heap from shrinking by itself
before = resident()
release_memory()
print(before, resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is glibc's")
def test_a_training_gives_back_what_it_has_freed() -> None:
    env = os.environ | {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000"}
    done = subprocess.run(
        [sys.executable, "-c", _FREES], env=env, capture_output=True, text=True, check=True
    )
    before, after = (int(pages) for pages in done.stdout.split())
    assert (before - after) * os.sysconf("SC_PAGESIZE") > 300e6
