"""The transformer that BDH is measured against: its size, what it sees, and its training."""

from pathlib import Path

import pytest
import torch

from engine.api import InputError
from engine.bench.transformer import Transformer, TransformerConfig, backbone_parameters, matched
from engine.model.bdh import Backbone
from engine.model.config import PRESETS, BackboneConfig
from engine.model.tokenizer import PAD
from engine.training import checkpoint, command
from engine.training.curves import Curve
from engine.training.pretrain import Pretraining
from tests.training_runs import DATA, arguments, copy_run, data, prose

pytestmark = pytest.mark.usefixtures("micro")

SHAPE = TransformerConfig(vocab_size=60, d_model=32, n_head=2, n_layer=2, d_feed=40)


@pytest.fixture
def run(started: Path, tmp_path: Path) -> Path:
    return copy_run(started, tmp_path)


@pytest.fixture
def model() -> Transformer:
    transformer = Transformer(SHAPE)
    transformer.initialise(torch.Generator().manual_seed(2))
    return transformer


def _size(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("preset", ["tiny", "small", "base"])
def test_a_transformer_has_as_many_parameters_as_the_backbone(preset: str) -> None:
    cfg = PRESETS[preset]
    shape = matched(cfg)
    with torch.device("meta"):
        backbone, transformer = _size(Backbone(cfg)), _size(Transformer(shape))
    assert backbone_parameters(cfg) == backbone
    assert shape.n_parameters == transformer
    assert abs(transformer / backbone - 1) <= 0.01
    assert shape.d_model // shape.n_head >= 32
    assert 2.0 < shape.d_feed / shape.d_model < 3.5


def test_a_size_that_no_transformer_has_is_an_error() -> None:
    with pytest.raises(ValueError, match="within 1 %"):
        matched(BackboneConfig(vocab_size=500, d_model=2, n_head=1, n_neuron=2))


def test_a_causal_reading_sees_nothing_that_comes_later(model: Transformer) -> None:
    a = torch.tensor([[1, 7, 8, 9, 10]])
    b = torch.tensor([[1, 7, 8, 30, 31]])
    assert torch.allclose(model.read(a)[:, :3], model.read(b)[:, :3], atol=1e-6)
    assert not torch.allclose(model.read(a)[:, 3], model.read(b)[:, 3], atol=1e-3)


def test_a_reading_both_ways_sees_what_comes_later_but_no_padding(model: Transformer) -> None:
    a = torch.tensor([[11, 7, 8, 9]])
    b = torch.tensor([[11, 7, 8, 30]])
    padded = torch.tensor([[11, 7, 8, 9, PAD, PAD]])
    read = model.read(a, causal=False)
    assert not torch.allclose(read[:, 0], model.read(b, causal=False)[:, 0], atol=1e-3)
    assert torch.allclose(read, model.read(padded, causal=False)[:, :4], atol=1e-5)


def test_places_and_what_is_added_count(model: Transformer) -> None:
    a, b = torch.tensor([[1, 7, 8, 9]]), torch.tensor([[1, 8, 7, 9]])
    assert not torch.allclose(model.read(a)[:, 3], model.read(b)[:, 3], atol=1e-4)
    added = torch.zeros(1, 4, SHAPE.d_model)
    assert torch.equal(model.read(a, added=added), model.read(a))
    assert not torch.allclose(model.read(a, added=added + 0.02)[:, 3], model.read(a)[:, 3])


def test_muon_gets_the_matrices_between_hidden_layers(model: Transformer) -> None:
    names = {id(p): n for n, p in model.named_parameters()}
    chosen = {names[id(p)] for p in model.matrices()}
    assert len(chosen) == 7 * SHAPE.n_layer
    assert set(names.values()) - chosen == {"head", "embed.weight", "norm.weight"} | {
        f"layers.{i}.norm_{what}.weight" for i in range(2) for what in ("attention", "feed")
    }


def test_both_architectures_see_the_same_batches(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(
        Pretraining, "_loss", lambda self, batch: seen.append(batch) or self.model(batch).mean()
    )
    command.run(prose(run, 3))
    command.run(prose(run, 3, "--architecture", "transformer"))
    assert len(seen) == 6
    assert all(torch.equal(a, b) for a, b in zip(seen[:3], seen[3:], strict=True))


def test_a_transformer_learns_resumes_and_leaves_the_backbone_alone(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.run(prose(run, 2))
    backbone = (run / "prose.pt").read_bytes()
    command.run(prose(run, 60, "--architecture", "transformer"))
    losses = [v for _, v in Curve(run / "transformer" / "prose.csv", 10**9).column("loss")]
    assert losses[-1] < losses[0] - 0.5
    whole = checkpoint.load(run / "transformer" / "prose.pt")
    (run / "transformer" / "prose.pt").unlink()
    one = Pretraining.one_step

    def stop(training: Pretraining) -> float:
        if training.step == 25:
            training.save()
            raise InterruptedError
        return one(training)

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(Pretraining, "one_step", stop)
        command.run(prose(run, 60, "--architecture", "transformer"))
    command.run(prose(run, 60, "--architecture", "transformer"))
    halves = checkpoint.load(run / "transformer" / "prose.pt")
    assert whole is not None and halves is not None
    for name, tensor in whole["model"].items():
        assert torch.equal(tensor, halves["model"][name]), name
    assert (run / "prose.pt").read_bytes() == backbone


@pytest.mark.parametrize("reading", ["both ways", "twice"])
def test_memory_training_accepts_a_transformer_and_export_refuses_it(
    run: Path, reading: str
) -> None:
    command.run(prose(run, 2, "--architecture", "transformer"))
    start = checkpoint.load(run / "transformer" / "prose.pt")
    command.run(arguments(
        "memory", "--run", run, "--preset", "micro", "--steps", "20", *data(), "--values",
        DATA / "values.json", "--held-out", DATA / "notes.jsonl", "--mix", "3,1,3,2", "--device",
        "cpu", "--reading", reading, "--architecture", "transformer"))  # fmt: skip
    curve = Curve(run / "transformer" / "memory.csv", 10**9)
    for part in ("answer", "place"):
        values = [v for _, v in curve.column(part)]
        assert values[-1] < values[0]
    end = checkpoint.load(run / "transformer" / "memory.pt")
    assert start is not None and end is not None
    assert set(end["backbone"]) == set(start["model"])
    assert not (run / "memory.pt").exists()
    out = run / "base"
    with pytest.raises(InputError, match="transformer"):
        command.run(arguments("export", "--run", run / "transformer", "--out", out,
                               "--calibration", DATA / "notes.jsonl"))  # fmt: skip
    assert not out.exists()
