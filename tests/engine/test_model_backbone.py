"""The backbone: its two forms are equal, it looks only back, its padding is harmless."""

import pytest
import torch

from engine.model.bdh import Backbone, rotary_angles, rotate
from engine.model.config import PRESETS, BackboneConfig
from engine.model.tokenizer import PAD


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    cfg = BackboneConfig(vocab_size=97, d_model=24, n_head=2, n_neuron=40, n_pass=3)
    model = Backbone(cfg)
    model.initialise(torch.Generator().manual_seed(3))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(6.0)  # far from the linear regime of the start
    return model.requires_grad_(False)


def _tokens(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(6, 97, (1, n), generator=torch.Generator().manual_seed(seed))


def test_the_recurrent_form_equals_the_parallel_form(backbone: Backbone) -> None:
    tokens = _tokens(60)
    whole = backbone.read(tokens)[0]
    states, state = backbone.prefill(tokens[:, :21])
    torch.testing.assert_close(states, whole[:21], atol=2e-5, rtol=1e-4)
    for i in range(21, 60):
        h, state = backbone.step(int(tokens[0, i]), state)
        torch.testing.assert_close(h, whole[i], atol=1e-4, rtol=1e-3)
    assert state.position == 60


def test_the_state_of_decoding_does_not_grow(backbone: Backbone) -> None:
    _, state = backbone.prefill(_tokens(3))
    size = state.rho.numel()
    for token in _tokens(50)[0].tolist():
        _, state = backbone.step(token, state)
    assert state.rho.numel() == size


def test_a_position_sees_only_what_is_before_it(backbone: Backbone) -> None:
    tokens = _tokens(30)
    changed = tokens.clone()
    changed[0, 20] = (changed[0, 20] + 1) % 90 + 6
    a, b = backbone.read(tokens)[0], backbone.read(changed)[0]
    assert torch.equal(a[:20], b[:20])
    assert not torch.allclose(a[20:], b[20:])


def test_read_both_ways_a_position_sees_what_is_after_it_but_no_padding(
    backbone: Backbone,
) -> None:
    tokens = _tokens(20)
    changed = tokens.clone()
    changed[0, 19] = (changed[0, 19] + 1) % 90 + 6
    a = backbone.read(tokens, causal=False)[0]
    assert not torch.allclose(a[:5], backbone.read(changed, causal=False)[0, :5])
    padded = torch.cat([tokens, torch.full((1, 7), PAD)], dim=1)
    torch.testing.assert_close(backbone.read(padded, causal=False)[0, :20], a, atol=1e-5, rtol=1e-4)


def test_neurons_are_positive_and_sparse(backbone: Backbone) -> None:
    x = backbone.norm(backbone.embed(_tokens(40)))
    x_sparse = torch.relu(x.unsqueeze(1) @ backbone.by_head(backbone.encoder))
    assert bool((x_sparse >= 0).all())
    assert 0.2 < float((x_sparse == 0).float().mean()) < 0.8


def test_neurons_are_left_out_in_training_mode_alone(backbone: Backbone) -> None:
    tokens = _tokens(30)
    whole = backbone.read(tokens)
    backbone.dropout = 0.5
    try:
        assert not torch.equal(backbone.train().read(tokens), whole)
        assert torch.equal(backbone.eval().read(tokens), whole)
    finally:
        backbone.dropout = 0.0


def test_rotation_keeps_the_length_and_depends_on_the_distance_alone() -> None:
    cfg = BackboneConfig(n_neuron=32)
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randn(32, generator=generator), torch.randn(32, generator=generator)
    cos, sin = rotary_angles(cfg, torch.arange(50))

    def at(x: torch.Tensor, position: int) -> torch.Tensor:
        return rotate(x, cos[position], sin[position])

    torch.testing.assert_close(at(a, 17).norm(), a.norm())
    torch.testing.assert_close(at(a, 9) @ at(b, 4), at(a, 45) @ at(b, 40), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("preset", "millions"), [("tiny", 4.9), ("small", 10.5), ("base", 29.4)])
def test_presets_have_the_sizes_they_are_named_for(preset: str, millions: float) -> None:
    with torch.device("meta"):
        model = Backbone(PRESETS[preset])
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)


def test_the_same_seed_gives_the_same_weights() -> None:
    def weights(seed: int) -> torch.Tensor:
        model = Backbone(BackboneConfig(vocab_size=50, d_model=8, n_head=2, n_neuron=8))
        model.initialise(torch.Generator().manual_seed(seed))
        return model.encoder.detach()

    assert torch.equal(weights(5), weights(5))
    assert not torch.equal(weights(5), weights(6))
