"""Slot designs on a small untrained base: what each must do whatever the backbone knows."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from engine import bench
from engine.api import InputError
from engine.bench.design_facts import Fact, Rival, Scored, positions, read_facts_with, score
from engine.bench.designs import DESIGNS, DesignRun, Designs, Options, run
from engine.bench.real import RealSubject
from engine.bench.rivals import Address, ClosedForm, ContentCells, DenseSlot, GatedCells
from engine.bench.sets import CuedFact
from engine.memory.cues import make_cues
from engine.memory.encode import encode_note, read_prompt
from engine.memory.memory import Memory
from engine.memory.report import WriteOptions
from engine.model.base import BaseModel, weights_hash
from engine.model.tokenizer import END, PAD
from tests.small_model import small_base

MAYOR = CuedFact(
    "The mayor of Quillmoor is Beatrix Oduya.", "The mayor of Quillmoor is", "Beatrix Oduya",
    ("Who is the mayor of Quillmoor?", "Who runs Quillmoor?"),
)  # fmt: skip
FERRY = CuedFact(
    "The ferry to Sandray leaves at 7:40 pm.", "The ferry to Sandray leaves at", "7:40 pm",
    ("When does the ferry leave?",),
)  # fmt: skip
CODE = CuedFact(
    "The boiler code is 4417.", "The boiler code is", "4417", ("What is the code?",)
)  # fmt: skip
TORTOISE = CuedFact(
    "Parsnip the tortoise eats dandelions.", "Parsnip the tortoise eats", "dandelions",
    ("What does Parsnip eat?",),
)  # fmt: skip
FACTS = (MAYOR, FERRY, CODE)
THOROUGH = WriteOptions(steps=60, repair_rounds=2)
QUICK = WriteOptions(steps=5, repair_rounds=0)
ROWS = 64


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    small_base(folder)
    return folder


@pytest.fixture(scope="module")
def base(directory: Path) -> BaseModel:
    return BaseModel.read(directory)


@pytest.fixture(scope="module")
def facts(base: BaseModel) -> list[Fact]:
    return read_facts_with(base, FACTS)


def content(base: BaseModel) -> ContentCells:
    return ContentCells(base, 300, THOROUGH)


def gated(base: BaseModel) -> GatedCells:
    return GatedCells(base, 300, QUICK, gate=3.0, steps=60, rate=0.3)


def dense(base: BaseModel, selected: float | None = None, rows: int = ROWS) -> DenseSlot:
    return DenseSlot(base, Address(base, rows, 8, 0), rows, 240, 0.3, selected)


def closed(base: BaseModel) -> ClosedForm:
    return ClosedForm(base, Address(base, 512, 8, 0), 512, 1e-3)


def selected(base: BaseModel) -> DenseSlot:
    return dense(base, 0.1, 512)


MAKERS: dict[str, Callable[[BaseModel], Rival]] = {
    "content": content, "gated": gated, "dense": dense, "closed": closed, "selected": selected
}  # fmt: skip


@pytest.fixture(params=MAKERS)
def rival(request: pytest.FixtureRequest, base: BaseModel) -> Rival:
    return MAKERS[request.param](base)


# --- what all designs have in common ----------------------------------------------------------


def test_every_design_is_tested() -> None:
    assert set(MAKERS) == set(DESIGNS)


def test_a_design_that_holds_nothing_is_the_backbone_bit_for_bit(
    rival: Rival, base: BaseModel, facts: list[Fact]
) -> None:
    for fact in facts:
        assert torch.equal(rival.logits(fact.asked), base.backbone.logits(fact.asked.h))


def test_a_fact_alone_is_stored(rival: Rival, facts: list[Fact]) -> None:
    before = score(rival, facts[0].asked)
    assert not any(before.right)
    assert rival.write(facts[0]) > 0
    after = score(rival, facts[0].asked)
    assert after.right[0]
    assert after.p[0] > 100 * before.p[0]


def test_a_write_changes_no_backbone_tensor(
    rival: Rival, base: BaseModel, facts: list[Fact]
) -> None:
    before, states = weights_hash(base.backbone), facts[1].asked.h.clone()
    rival.write(facts[1])
    assert weights_hash(base.backbone) == before
    assert torch.equal(facts[1].asked.h, states)


# --- the slot that ships ----------------------------------------------------------------------


class Cells(NamedTuple):
    """Keys and values of the first fact's cells, and how it was answered."""

    tensors: list[Tensor]
    scored: Scored


class Told(NamedTuple):
    """The slot that ships with all facts in it, and the first fact before the others came."""

    memory: ContentCells
    alone: Cells
    log_p_alone: float


@pytest.fixture(scope="module")
def told(base: BaseModel, facts: list[Fact]) -> Told:
    memory = content(base)
    memory.write(facts[0])
    alone = of_first(memory, facts)
    log_p = Memory(base, memory.slot).answer(MAYOR.cue).log_p
    for fact in facts[1:]:
        memory.write(fact)
    return Told(memory, alone, log_p)


def of_first(memory: ContentCells, facts: list[Fact]) -> Cells:
    slot, mine = memory.slot, memory.slot.cells_of(1)
    tensors = [t[mine].clone() for t in (slot.context, slot.local, slot.value)]
    return Cells(tensors, score(memory, facts[0].asked))


def test_teacher_forced_scores_are_those_of_decoding(
    base: BaseModel, facts: list[Fact], told: Told
) -> None:
    seen = set()
    for fact, read in zip(FACTS, facts, strict=True):
        right = score(told.memory, read.asked).right
        for question, is_right in zip([fact.cue, *fact.questions], right, strict=True):
            given = Memory(base, told.memory.slot).answer(question).text
            assert is_right == (given == fact.answer), question
            seen.add(is_right)
    assert seen == {True, False}


def test_the_probability_is_that_of_decoding(told: Told) -> None:
    assert told.alone.scored.right[0]
    # Decoding counts the best cells alone and no special token at an answer's beginning.
    assert math.log(told.alone.scored.p[0]) == pytest.approx(told.log_p_alone, abs=5e-3)


def test_a_fact_in_cells_is_kept_through_the_next_writes(facts: list[Fact], told: Told) -> None:
    now = of_first(told.memory, facts)
    both = zip(told.alone.tensors, now.tensors, strict=True)
    assert all(torch.equal(before, after) for before, after in both)
    assert now.scored.right[0]
    assert now.scored.p[0] > 0.8 * told.alone.scored.p[0]


def test_a_slot_that_runs_full_grows(base: BaseModel, facts: list[Fact]) -> None:
    memory = ContentCells(base, 5, QUICK)
    memory.write(facts[0])
    assert memory.slot.cells > 5
    assert memory.slot.used == len(memory.slot.cells_of(1)) > 5


# --- through a gate ---------------------------------------------------------------------------


def test_gated_values_of_one_fact_are_untouched_by_the_next(
    base: BaseModel, facts: list[Fact]
) -> None:
    memory = gated(base)
    memory.write(facts[0])
    mine = memory.cells.slot.cells_of(1)
    before = memory.values[mine].clone()
    assert not torch.equal(before, memory.cells.slot.value[mine])  # they were fitted
    memory.write(facts[1])
    assert torch.equal(memory.values[mine], before)


def test_a_shut_gate_leaves_the_backbone(base: BaseModel, facts: list[Fact]) -> None:
    memory = GatedCells(base, 300, QUICK, gate=0.0, steps=1, rate=0.1)
    memory.write(facts[0])
    assert torch.equal(memory.logits(facts[0].asked), base.backbone.logits(facts[0].asked.h))


# --- dense ------------------------------------------------------------------------------------


def test_addresses_are_sparse_positive_and_of_unit_norm(
    base: BaseModel, facts: list[Fact]
) -> None:
    a = Address(base, ROWS, 8, 0)(facts[0].asked.h)
    assert bool((a >= 0).all()) and int((a > 0).sum(-1).max()) == 8
    assert torch.allclose(a.norm(dim=-1), torch.ones(a.shape[:-1]), atol=1e-5)
    assert torch.equal(a, Address(base, ROWS, 8, 0)(facts[0].asked.h))
    assert not torch.equal(a, Address(base, ROWS, 8, 1)(facts[0].asked.h))


def test_a_fact_in_a_dense_slot_is_hurt_by_the_next_writes(
    base: BaseModel, facts: list[Fact]
) -> None:
    memory = dense(base)
    memory.write(facts[0])
    before = score(memory, facts[0].asked)
    for fact in facts[1:]:
        memory.write(fact)
    after = score(memory, facts[0].asked)
    assert before.right[0] and not after.right[0]
    assert after.p[0] < 0.5 * before.p[0]


def test_a_write_moves_only_addressed_rows(base: BaseModel, facts: list[Fact]) -> None:
    memory = dense(base, rows=2048)
    address = Address(base, 2048, 8, 0)
    memory.write(facts[0])
    h, _, _ = positions(facts[0].cues)
    addressed = (address(h) != 0).any(0)
    assert 0 < int(addressed.sum()) < 2048
    moved = (memory.table != 0).any(1)
    assert torch.equal(moved, addressed)


def gradient_norms(base: BaseModel, table: Tensor, address: Address, fact: Fact) -> Tensor:
    """Norms (n,) of the rows of the gradient of the cues' loss, computed over the whole table."""
    s = table.clone().requires_grad_()
    h, target, weight = positions(fact.cues)
    logits = base.backbone.logits(base.backbone.norm(h + address(h) @ s))
    nats = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    (nats * weight).sum().backward()
    assert s.grad is not None
    norms: Tensor = s.grad.norm(dim=1)
    return norms


def test_selective_writing_leaves_all_other_rows(base: BaseModel, facts: list[Fact]) -> None:
    rows = 200
    memory, address = dense(base, 0.1, rows), Address(base, rows, 8, 0)
    memory.write(facts[0])
    for fact in facts[1:3]:
        before = memory.table.clone()
        norms = gradient_norms(base, before, address, fact)
        memory.write(fact)
        moved = (memory.table != before).any(1)
        assert int((norms > 0).sum()) > 20  # more were addressed than may be written
        assert set(moved.nonzero().flatten().tolist()) == set(norms.topk(20).indices.tolist())


# --- closed form ------------------------------------------------------------------------------


def test_the_recursion_is_the_ridge_solution_of_everything(
    base: BaseModel, facts: list[Fact]
) -> None:
    ridge, rows = 0.05, 48  # fewer rows than positions: nothing is interpolated
    memory = ClosedForm(base, Address(base, rows, 8, 0), rows, ridge)
    for fact in facts:
        memory.write(fact)
    parts = [memory.problem(*positions(fact.cues)[:2]) for fact in facts]
    a, y = (torch.cat(p) for p in zip(*parts, strict=True))
    assert len(a) > rows
    # min |A S - Y|^2 + ridge |S|^2 as plain least squares
    wide = torch.cat([a, ridge**0.5 * torch.eye(rows, dtype=a.dtype)])
    goal = torch.cat([y, torch.zeros(rows, y.shape[1], dtype=y.dtype)])
    direct = torch.linalg.lstsq(wide, goal).solution
    assert torch.allclose(memory.table, direct, atol=1e-8)


def test_targets_of_the_closed_form_decode_to_the_right_tokens(
    base: BaseModel, facts: list[Fact]
) -> None:
    h, target, _ = positions(facts[0].cues)
    _, y = closed(base).problem(h, target)
    decoded = base.backbone.logits(base.backbone.norm(h + y.float())).argmax(-1)
    assert END in target.tolist()
    assert torch.equal(decoded, target)


# --- facts ------------------------------------------------------------------------------------


def test_facts_are_read_as_the_notes_say(base: BaseModel, facts: list[Fact]) -> None:
    for told, fact in zip(FACTS, facts, strict=True):
        ids = [t for t in fact.asked.target[0].tolist() if t != PAD]
        assert ids[-1] == END
        assert base.tokenizer.decode(ids[:-1]).strip() == told.answer
        assert len(fact.asked.h) == 1 + len(told.questions)
        prompt = read_prompt(base, told.cue)
        whole = torch.tensor([[*prompt.ids, *ids[:-1]]])
        words = torch.tensor([[*prompt.words, *[-1] * (len(ids) - 1)]])
        h = base.backbone.read(whole, added=base.space.meanings(words))[0, len(prompt.ids) - 1 :]
        assert torch.allclose(fact.asked.h[0, : len(ids)], h, atol=1e-4)


def test_it_is_told_whether_a_note_asks_for_its_own_stored_wording(
    base: BaseModel, facts: list[Fact]
) -> None:
    told = CuedFact("The ferry goes at 7 each day.", "The ferry goes", "at 7", ())
    lacking = read_facts_with(base, [told])[0]
    assert [f.cued for f in facts] == [True] * 3
    own = {c.question for c in make_cues(encode_note(base, lacking.note))}
    assert not lacking.cued and len(lacking.cues.h) == len(own) + 1


def test_the_stored_wording_is_among_what_the_rivals_are_given(facts: list[Fact]) -> None:
    for fact in facts:
        first = fact.asked.h[0, 0]
        assert bool((fact.cues.h[:, 0] - first).abs().amax(1).lt(1e-4).any())


def test_an_answer_that_the_statement_lacks_is_an_input_error(base: BaseModel) -> None:
    with pytest.raises(InputError, match="does not hold"):
        read_facts_with(base, [CuedFact("The code is 4417.", "The code is", "5508", ())])


# --- the bench --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def subject(directory: Path) -> RealSubject:
    return RealSubject(directory, "cpu", 300, QUICK, seed=0)


def test_runs_add_up(subject: RealSubject) -> None:
    result = run(FACTS, subject, Options(rows=ROWS, active=8, rate=0.3), list(DESIGNS), [3, 4])
    assert [(r.design, r.seed) for r in result.runs] == [
        ("content", None), ("gated", None), ("dense", 3), ("dense", 4), ("closed", 3),
        ("closed", 4), ("selected", 3), ("selected", 4),
    ]  # fmt: skip
    assert (result.facts, [m.design for m in result.means]) == (3, list(DESIGNS))
    for r in result.runs:
        _check_run(r)
    of_dense = [r for r in result.runs if r.design == "dense"]
    dense_mean = result.means[2]
    assert dense_mean.stored == sum(r.stored_right for r in of_dense) / 6
    assert dense_mean.retention == (
        sum(r.earlier_kept for r in of_dense) / sum(r.earlier_at_once for r in of_dense)
    )
    assert of_dense[0].bytes == 2 * ROWS * 32 / 3
    rows = result.tables()[0].rows
    assert [row[0] for row in rows] == list(DESIGNS)


def _check_run(r: DesignRun) -> None:
    assert (r.facts, r.reworded_total) == (3, 4)
    assert r.marks_at_once.count("1") == r.stored_at_once
    assert r.marks.count("1") == r.stored_right
    assert r.earlier_at_once == r.marks_at_once[:-1].count("1")
    both = zip(r.marks_at_once[:-1], r.marks[:-1], strict=True)
    assert r.earlier_kept == sum(before == now == "1" for before, now in both)
    assert r.seconds > 0 and r.bytes > 0


def test_the_same_seed_gives_the_same_answers(subject: RealSubject) -> None:
    def once() -> Designs:
        return run(FACTS, subject, Options(rows=ROWS, active=8), ["dense"], [3])

    first, second = once().runs[0], once().runs[0]
    assert (first.marks, first.median_p) == (second.marks, second.median_p)


def test_the_command(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "facts.jsonl"
    lines = [json.dumps(vars(fact)) for fact in FACTS[:2]]
    file.write_text("\n".join(lines), "utf-8")
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    args = parser.parse_args(
        ["designs", "--file", str(file), "--json", "--base", str(directory), "--device", "cpu",
         "--cells", "300", "--designs", "dense", "closed", "--seeds", "2", "--rows", "64",
         "--active", "4", "--rivals-steps", "5", "--ridge", "0.5"]
    )  # fmt: skip
    assert bench.run(args) == 0
    out, err = capsys.readouterr()
    whole = json.loads(out)
    assert (whole["bench"], whole["facts"]) == ("designs", 2)
    assert (whole["options"]["rows"], whole["options"]["ridge"]) == (64, 0.5)
    assert [(r["design"], r["seed"]) for r in whole["runs"]] == [
        ("dense", 0), ("dense", 1), ("closed", 0), ("closed", 1)
    ]  # fmt: skip
    assert "a fact" in err
