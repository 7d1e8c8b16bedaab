"""The pass for training on a CPU: values and gradients of the plain one, in both readings."""

import pytest
import torch
from torch import Tensor

from engine.model import bdh
from engine.model.bdh import Backbone
from engine.model.config import BackboneConfig
from engine.model.sparse_pass import PassInputs, dropout_factors, sparse_pass
from engine.model.tokenizer import PAD
from engine.training import precision

CFG = BackboneConfig(vocab_size=50, d_model=12, n_head=2, n_neuron=20, n_pass=3)


@pytest.fixture
def backbone() -> Backbone:
    model = Backbone(CFG).double()
    model.initialise(torch.Generator().manual_seed(3))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(8.0)
    return model


def _tokens() -> Tensor:
    tokens = torch.randint(6, 50, (3, 9), generator=torch.Generator().manual_seed(1))
    tokens[1, 5:] = PAD
    return tokens


def _gradients(model: Backbone, causal: bool) -> list[Tensor]:
    """States, and the gradients of a sum of them weighted at random."""
    h = model.read(_tokens(), causal=causal)
    weights = torch.randn(h.shape, generator=torch.Generator().manual_seed(2), dtype=h.dtype)
    matrices = [model.embed.weight, model.encoder, model.encoder_v, model.decoder]
    return [h.detach(), *torch.autograd.grad((h * weights).sum(), matrices)]


@pytest.mark.parametrize("causal", [True, False])
def test_states_and_gradients_are_those_of_the_plain_pass(
    backbone: Backbone, causal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = _gradients(backbone, causal)
    monkeypatch.setattr(Backbone, "_one_pass_trained", Backbone._one_pass)
    for ours, plain in zip(trained, _gradients(backbone, causal), strict=True):
        assert plain.abs().max() > 1e-3
        torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-11)


def test_gradients_with_neurons_left_out_are_those_of_finite_differences(
    backbone: Backbone,
) -> None:
    nh, b, t = CFG.n_head, 2, 4
    cos, sin = (x.double() for x in bdh.rotary_angles(CFG, torch.arange(t)))
    weights = torch.ones(t, t, dtype=torch.float64).tril(-1) * backbone.scale
    kept = dropout_factors((nh, b * t, CFG.n_neuron), 0.3, torch.float64)
    x = torch.randn(b, t, CFG.d_model, dtype=torch.float64, requires_grad=True)
    decoder = backbone.decoder.view(nh, -1, CFG.d_model)
    matrices = (backbone.by_head(backbone.encoder), backbone.by_head(backbone.encoder_v), decoder)
    given = [m.detach().clone().requires_grad_() for m in matrices]

    def run(x: Tensor, *m: Tensor) -> Tensor:
        return sparse_pass(x, PassInputs(m[0], m[1], m[2], cos, sin, weights, kept))

    assert torch.autograd.gradcheck(run, (x, *given))


def test_the_trained_pass_is_used_for_training_alone(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[bool] = []
    plain = Backbone._one_pass
    monkeypatch.setattr(
        Backbone, "_one_pass_trained", lambda *args: used.append(True) or plain(*args)
    )
    with torch.no_grad():
        backbone.read(_tokens())
    assert not used
    backbone.requires_grad_(False).read(_tokens())
    assert not used
    backbone.requires_grad_(True).read(_tokens())
    assert len(used) == CFG.n_pass


def test_dropout_leaves_out_its_share_keeps_the_mean_and_repeats_with_the_seed() -> None:
    torch.manual_seed(5)
    factors = dropout_factors((2, 300, 101), 0.1, torch.float32)
    assert factors.shape == (2, 300, 101)
    assert float((factors == 0).float().mean()) == pytest.approx(0.1, abs=0.01)
    assert float(factors.mean()) == pytest.approx(1.0, abs=0.01)
    torch.manual_seed(5)
    assert torch.equal(factors, dropout_factors((2, 300, 101), 0.1, torch.float32))


@pytest.mark.parametrize(("bf16", "fp32", "chosen"), [(1.0, 2.7, True), (2.0, 1.0, False)])
def test_a_processor_multiplies_in_what_is_faster_there(
    bf16: float, fp32: float, chosen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "seconds", lambda dtype: fp32 if dtype is None else bf16)
    found = precision.autocast_dtype("auto", torch.device("cpu"))
    assert found is (torch.bfloat16 if chosen else None)
    assert precision.autocast_dtype("fp32", torch.device("cpu")) is None
    assert precision.autocast_dtype("bf16", torch.device("cpu")) is torch.bfloat16
    assert precision.autocast_dtype("auto", torch.device("cuda")) is torch.bfloat16


def test_a_product_takes_time_in_both_precisions() -> None:
    assert precision.seconds(torch.bfloat16) > 0
    assert precision.seconds(None) > 0
