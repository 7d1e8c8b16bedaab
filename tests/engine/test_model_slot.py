"""The slot: cells found by content, freed without a trace, saved and loaded byte for byte."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.api import MemoryCorrupt, SlotFull, WrongBaseModel
from engine.model.config import BackboneConfig
from engine.model.slot import NO_CELL, NewCells, Slot
from engine.model.slot_spec import slot_spec

CFG = BackboneConfig(d_model=8, d_context=6, d_semantic=5, d_lexical=4)
G = 9


def _cells(n: int, seed: int, probes: int = 2) -> NewCells:
    g = torch.Generator().manual_seed(seed)
    follows = torch.ones(n, dtype=torch.bool)
    follows[0] = False
    return NewCells(
        torch.randn(n, 6, generator=g),
        torch.randn(n, G, generator=g),
        torch.randn(n, 8, generator=g),
        torch.zeros(n, dtype=torch.long),
        follows,
        torch.randn(1, G, generator=g),
        torch.randn(probes, 6 + 2 * G + 1, generator=g),
        torch.arange(probes),
    )


def _find(slot: Slot, seed: int, k: int = 5) -> tuple[list[float], list[int]]:
    g = torch.Generator().manual_seed(seed)
    fixed = slot.question_scores(torch.randn(G, generator=g))
    found = slot.find(
        torch.randn(6, generator=g), torch.tensor([1.0, 2.0, 0.5, 0.7]), torch.tensor(0.3), fixed,
        {}, k,
    )  # fmt: skip
    return found.scores.tolist(), found.cell.tolist()


def test_find_gives_the_exact_best_cells() -> None:
    slot = Slot(CFG, 50)
    slot.put(3, _cells(10, 1))
    slot.put(4, _cells(12, 2))
    g = torch.Generator().manual_seed(9)
    gist, context = torch.randn(G, generator=g), torch.randn(6, generator=g)
    scales = torch.tensor([1.0, 2.0, 0.5, 0.7])
    found = slot.find(context, scales, torch.tensor(0.25), slot.question_scores(gist), {7: 3.0}, 4)
    every = []
    for i in range(22):
        wide = slot.wide[slot.place[i]]
        s = slot.context[i] @ context + 0.25
        s = s + slot.local[i, :5] @ gist[:5] + 2.0 * (slot.local[i, 5:] @ gist[5:])
        s = s + 0.5 * (wide[:5] @ gist[:5]) + 0.7 * (wide[5:] @ gist[5:])
        every.append(float(s) + (3.0 if i == 7 else 0.0))
    best = sorted(range(22), key=lambda i: -every[i])[:4]
    assert found.cell.tolist() == best
    torch.testing.assert_close(found.scores, torch.tensor([every[i] for i in best]))


def test_a_forgotten_note_leaves_no_trace() -> None:
    slot, without = Slot(CFG, 50), Slot(CFG, 50)
    for note, seed in ((1, 1), (3, 3)):
        without.put(note, _cells(8, seed))
    slot.put(1, _cells(8, 1))
    slot.put(2, _cells(8, 2))
    slot.put(3, _cells(8, 3))
    assert slot.free([2]) == 8
    assert _find(slot, 5)[0] == pytest.approx(_find(without, 5)[0], rel=1e-5)
    assert slot.owners() == without.owners() == {1: 8, 3: 8}
    rows = (slot.owner == 2).nonzero()
    assert len(rows) == 0
    assert float(slot.context[8:16].abs().sum() + slot.value[8:16].abs().sum()) == 0.0
    assert 2 not in slot.probe_owner.tolist()


def test_putting_a_note_again_replaces_its_cells() -> None:
    slot = Slot(CFG, 20)
    slot.put(1, _cells(15, 1))
    slot.put(1, _cells(18, 2))
    assert slot.owners() == {1: 18}
    assert slot.used == 18
    assert slot.probe_owner.tolist() == [1, 1]


def test_successors_run_within_a_window_only() -> None:
    new = _cells(6, 1)
    follows = torch.tensor([False, True, True, False, True, True])
    slot = Slot(CFG, 10)
    slot.put(1, new._replace(follows=follows))
    assert slot.successor[:6].tolist() == [1, 2, NO_CELL, 4, 5, NO_CELL]


def test_a_full_slot_says_so_and_stays_as_it_was() -> None:
    slot = Slot(CFG, 10)
    slot.put(1, _cells(8, 1))
    before = slot.context.clone()
    with pytest.raises(SlotFull, match="needs 5 cells and 2 of 10"):
        slot.put(2, _cells(5, 2))
    assert torch.equal(slot.context, before)
    slot.grow(20)
    slot.put(2, _cells(5, 2))
    assert slot.owners() == {1: 8, 2: 5}


def test_notes_fit_into_holes_when_no_run_is_long_enough() -> None:
    slot = Slot(CFG, 12)
    for note in (1, 2, 3):
        slot.put(note, _cells(4, note))
    slot.free([1, 3])
    slot.put(9, _cells(7, 9))
    cells = slot.cells_of(9).tolist()
    assert cells == [0, 1, 2, 3, 8, 9, 10]
    assert slot.successor[3] == 8


def test_blocks_cover_all_cells() -> None:
    slot = Slot(CFG, 12)
    slot.put(5, _cells(4, 1))
    slot.put(6, _cells(3, 2))
    assert slot.blocks() == [(0, 4, 5), (4, 3, 6), (7, 5, 0)]


def test_saved_and_loaded_it_finds_the_same_and_saves_the_same_bytes(tmp_path: Path) -> None:
    slot = Slot(CFG, 40)
    for note in (1, 2, 3):
        slot.put(note, _cells(7, note))
    slot.free([2])
    slot.save(tmp_path / "a", "base")
    again = Slot.load(CFG, tmp_path / "a", "base")
    assert _find(again, 3) == _find(slot, 3)
    assert again.blocks() == slot.blocks()
    assert again.successor.tolist() == slot.successor.tolist()
    again.save(tmp_path / "b", "base")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_base_model_is_refused_by_name(tmp_path: Path) -> None:
    slot = Slot(CFG, 10)
    slot.save(tmp_path / "a", "aaaa1111")
    with pytest.raises(WrongBaseModel, match="aaaa1111.*bbbb2222"):
        Slot.load(CFG, tmp_path / "a", "bbbb2222")


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    slot = Slot(CFG, 10)
    slot.put(1, _cells(4, 1))
    path = tmp_path / "a"
    slot.save(path, "base")
    whole = path.read_bytes()
    for cut in (0, 5, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(MemoryCorrupt):
            Slot.load(CFG, path, "base")
    other = replace(CFG, d_context=7)
    path.write_bytes(whole)
    with pytest.raises(MemoryCorrupt, match="wrong shape"):
        Slot.load(other, path, "base")


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    slot = Slot(CFG, 10)
    slot.put(1, _cells(4, 1))
    slot.value[2, 3] = float("nan")
    slot.save(tmp_path / "a", "base")
    with pytest.raises(MemoryCorrupt, match="value"):
        Slot.load(CFG, tmp_path / "a", "base")


def test_the_spec_names_every_tensor_of_the_file(tmp_path: Path) -> None:
    from safetensors import safe_open

    Slot(CFG, 4).save(tmp_path / "a", "base")
    with safe_open(tmp_path / "a", "pt") as f:
        assert set(f.keys()) == set(slot_spec(CFG))
