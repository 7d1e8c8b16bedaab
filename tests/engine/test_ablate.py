"""Ablations: each variant changes what it says and nothing else, and the table goes on."""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from random import Random

import pytest
import torch

from engine.api import InputError
from engine.model.address import pack_words
from engine.model.config import PRESETS
from engine.model.tokenizer import Tokenizer
from engine.training import checkpoint, command, corpora, facts
from engine.training.ablate import (
    VARIANTS,
    Ablation,
    AblationTable,
    CountedBatches,
    Row,
    Setup,
    chosen,
    models,
)
from engine.training.examples import BatchMaker, ExampleMaker, Mix, NoteExample
from engine.training.facts import ComposedNote, Composer, Schema
from engine.training.memory_loss import LossParts
from engine.training.memory_training import MemoryPlan, MemoryTraining
from engine.training.values import Values
from engine.training.wordlist import WordStart
from tests.training_runs import DATA, MICRO, arguments, begin, copy_run, data, prose

pytestmark = pytest.mark.usefixtures("micro")

STEPS = 3
MIX = Mix(written=3, asked=0, composed=3, prose=2)


def _ablate(run: Path, *more: str | Path) -> argparse.Namespace:
    return arguments("ablate", "--run", run, "--preset", "micro", "--steps", str(STEPS), *data(),
                      "--values", DATA / "values.json", "--held-out", DATA / "notes.jsonl",
                      "--mix", "3,0,3,2", "--device", "cpu", "--out", run / "table.csv",
                      *more)  # fmt: skip


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run folder with tokenizer, words and pre-trained weights."""
    run = tmp_path_factory.mktemp("run")
    begin(run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "micro", MICRO)
        command.run(prose(run, 2))
        yield run


@pytest.fixture
def run(started: Path, tmp_path: Path) -> Path:
    return copy_run(started, tmp_path)


@pytest.fixture
def ablation(run: Path) -> Ablation:
    """Over 40 relations, so that a batch has some and not all of them."""
    tokenizer = Tokenizer.read(run / "tokenizer.json")
    words = WordStart.read(run)
    bank = facts.read_bank([DATA / "bank.jsonl"])
    schemas = [replace(s, id=f"{s.id}-{i}") for s in bank for i in range(10)]
    composer = Composer(schemas, Values.read(DATA / "values.json"), ["Nothing else happened."])
    documents = [(d.split("\n")[0], [p for p in d.split("\n")[1:] if len(p) > 80])
                 for d in corpora.documents(DATA / "prose.txt")]  # fmt: skip
    written = corpora.read_notes([DATA / "notes.jsonl"])
    maker = ExampleMaker(tokenizer, words.table)
    batches = BatchMaker(maker, written, composer, [d for d in documents if d[1]], MIX)
    shape = replace(MICRO, vocab_size=tokenizer.vocab_size, gist_words=len(words.table))
    plan = MemoryPlan(run=run, steps=STEPS, reading="both ways", prose_rows=2, prose_length=16)
    pretrained = checkpoint.load(run / "prose.pt")
    assert pretrained is not None
    held_out = {"real": [maker.written(note) for note in written]}
    return Ablation(
        Setup(shape, plan, MIX, len(schemas)), words, pretrained, batches, held_out,
        torch.device("cpu"), corpora.TokenStream(run / "prose.u16"),
    )  # fmt: skip


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def _notes(ablation: Ablation, variant: str, number: int = 0) -> list[NoteExample]:
    batches = CountedBatches(ablation.batches, VARIANTS[variant](ablation.setup))
    return batches.batch(1, number)


def _kinds(notes: list[NoteExample]) -> list[str]:
    return [q.kind for note in notes for q in note.questions]


def test_every_variant_but_the_first_changes_the_setup(ablation: Ablation) -> None:
    setups = {name: change(ablation.setup) for name, change in VARIANTS.items()}
    assert setups["as-is"] == ablation.setup
    assert len(set(setups.values())) == len(VARIANTS)
    for name, setup in setups.items():
        changed = {f.name for f in fields(Setup)
                   if getattr(setup, f.name) != getattr(ablation.setup, f.name)}  # fmt: skip
        both = {"plan", "shape"} if name.startswith("read-") else set()
        assert len(changed) == (name != "as-is") or changed == both, name


def test_shapes_of_address_and_passes(ablation: Ablation) -> None:
    def made(name: str) -> tuple[int, int, int]:
        setup = VARIANTS[name](ablation.setup)
        backbone, space = models(setup, ablation.words, ablation.pretrained)
        assert torch.equal(backbone.encoder, ablation.pretrained["model"]["encoder"])
        return space.query.shape[1], space.key_at.shape[1], backbone.cfg.n_pass

    assert made("as-is") == (16, 16, 2)
    assert made("address-64") == (64, 64, 2)
    assert made("address-256") == (256, 256, 2)
    assert made("pass-less") == (16, 16, 1)
    assert made("pass-more") == (16, 16, 3)


def test_betas_start_lower_and_higher_but_not_that_of_the_chain(ablation: Ablation) -> None:
    _, plain = models(ablation.setup, ablation.words, ablation.pretrained)
    for name, factor in (("betas-half", 0.5), ("betas-double", 2.0)):
        setup = VARIANTS[name](ablation.setup)
        _, space = models(setup, ablation.words, ablation.pretrained)
        share = (space.log_beta - plain.log_beta).exp()
        assert torch.allclose(share, torch.tensor([factor] * 5 + [1.0]))


def test_from_scratch_starts_without_what_prose_taught(ablation: Ablation) -> None:
    setup = VARIANTS["from-scratch"](ablation.setup)
    backbone, space = models(setup, ablation.words, ablation.pretrained)
    _, plain = models(ablation.setup, ablation.words, ablation.pretrained)
    assert not torch.equal(backbone.encoder, ablation.pretrained["model"]["encoder"])
    assert torch.equal(space.query, plain.query)
    assert torch.equal(space.semantic, ablation.words.semantic)


def test_without_word_gist_only_the_context_finds_cells(ablation: Ablation) -> None:
    _, plain = models(ablation.setup, ablation.words, ablation.pretrained)
    setup = VARIANTS["no-word-gist"](ablation.setup)
    _, space = models(setup, ablation.words, ablation.pretrained)
    words = ablation.words.table.split("Who keeps the key?")
    gist = plain.gist_of_question(pack_words([words], [[(0, 100)]]))
    h = torch.randn(1, MICRO.d_model, generator=torch.Generator().manual_seed(1))
    with_gist, without = plain.queries(h, gist), space.queries(h, gist)
    assert torch.equal(with_gist[0], without[0])
    for part in (1, 2):
        assert with_gist[part].abs().sum() > 0
        assert without[part].abs().sum() == 0


@pytest.mark.parametrize("variant", ["as-is", "no-word-meanings", "no-word-gist", "adamw"])
def test_what_training_moves(ablation: Ablation, variant: str) -> None:
    training, _ = ablation.training(variant)
    rarity = training.model.space.rarity.detach().clone()
    training.one_step()
    training.one_step()
    lift = training.model.space.lift
    assert bool((lift == 0).all()) == (variant == "no-word-meanings")
    assert torch.equal(training.model.space.rarity, rarity) == (variant == "no-word-gist")
    kinds = [type(o) for o in training.optimizers]
    muon = [] if variant == "adamw" else [torch.optim.Muon]
    assert kinds == [*muon, torch.optim.AdamW]


def test_reading_once_and_twice_reach_the_model(ablation: Ablation) -> None:
    tokens = {}
    for variant, reading in (("as-is", "both ways"), ("read-once", "once"),
                             ("read-twice", "twice")):  # fmt: skip
        training, batches = ablation.training(variant)
        assert training.model.reading == reading
        assert training.model.backbone.cfg.reading == reading
        tokens[reading] = batches.tokens(1, STEPS)
    assert tokens["both ways"] == tokens["once"]
    assert 1.2 * tokens["once"] < tokens["twice"] < 2 * tokens["once"]


def test_hard_negatives_are_few_relations_for_many_notes(
    ablation: Ablation, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[int] = []
    one = BatchMaker._compose

    def compose(self: BatchMaker, schemas: list[Schema], rng: Random) -> ComposedNote:
        offered.append(len({s.id for s in schemas}))
        return one(self, schemas, rng)

    monkeypatch.setattr(BatchMaker, "_compose", compose)
    _notes(ablation, "as-is")
    assert offered == [MIX.schemas] * MIX.composed
    offered.clear()
    _notes(ablation, "no-hard-negatives")
    assert offered == [40] * MIX.composed


def test_cloze_passages_and_hand_written_notes_change_places(ablation: Ablation) -> None:
    mixes = {n: VARIANTS[n](ablation.setup).mix for n in ("as-is", "no-cloze", "more-cloze")}
    assert {n: (m.prose, m.written) for n, m in mixes.items()} == {
        "as-is": (2, 3), "no-cloze": (0, 5), "more-cloze": (5, 0)}  # fmt: skip
    count = {n: sum(_kinds(_notes(ablation, n, i)).count("cloze") for i in range(4)) for n in mixes}
    assert count["no-cloze"] == 0 < count["as-is"] < count["more-cloze"]


def test_a_batch_is_drawn_again_only_where_it_was_not_seen(
    ablation: Ablation, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = CountedBatches(ablation.batches, ablation.setup)
    for number in range(STEPS):
        whole.batch(1, number)
    resumed = CountedBatches(ablation.batches, ablation.setup)
    resumed.batch(1, 2)
    expected = resumed.tokens(1, STEPS)
    monkeypatch.setattr(BatchMaker, "batch", None)  # nothing is left to draw
    assert whole.tokens(1, STEPS) == resumed.tokens(1, STEPS) == expected > 0


def test_the_table_is_written_and_what_it_holds_is_not_trained_again(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command.run(_ablate(run, "--only", "as-is,adamw"))
    rows = _table(run / "table.csv")
    assert [r["variant"] for r in rows] == ["as-is", "adamw"]
    for row in rows:
        assert (row["steps"], row["seed"]) == (str(STEPS), "1")
        assert float(row["seconds"]) > 0
        assert int(row["tokens"]) > STEPS * 4 * 128  # the prose alone
        assert all(0 <= float(row[f"real_{k}"]) <= 1 for k in ("note", "first", "exact"))
        assert row["unseen_note"] == ""  # the bank holds no relation back
    assert rows[0]["tokens"] == rows[1]["tokens"]
    assert not list(run.rglob("memory*.pt"))
    trained: list[int] = []
    one = MemoryTraining.one_step
    monkeypatch.setattr(
        MemoryTraining, "one_step", lambda self: trained.append(self.step) or one(self)
    )
    command.run(_ablate(run, "--only", "as-is,no-cloze,adamw"))
    assert trained == list(range(STEPS))
    assert [r["variant"] for r in _table(run / "table.csv")] == ["as-is", "adamw", "no-cloze"]
    assert _table(run / "table.csv")[:2] == rows
    assert "in the table already" in capsys.readouterr().out


def test_a_variant_goes_on_from_its_checkpoint(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    one = MemoryTraining.one_step

    def stop(training: MemoryTraining) -> LossParts:
        if training.step == 2 and len(trained) == 2:
            training.save()
            raise InterruptedError
        trained.append(training.step)
        return one(training)

    monkeypatch.setattr(MemoryTraining, "one_step", stop)
    with pytest.raises(InterruptedError):
        command.run(_ablate(run, "--only", "no-word-gist"))
    assert not (run / "table.csv").exists()
    trained.append(-1)
    command.run(_ablate(run, "--only", "no-word-gist"))
    assert trained == [0, 1, -1, 2]
    assert [r["variant"] for r in _table(run / "table.csv")] == ["no-word-gist"]


def test_relations_never_trained_on_are_measured_apart(run: Path) -> None:
    bank = run / "bank.jsonl"
    text = (DATA / "bank.jsonl").read_text("utf-8")
    held_back = text.splitlines()[0].replace('"club-cook"', '"club-cook-1"')
    bank.write_text(text + held_back + "\n", "utf-8")
    assert len(facts.split_bank(facts.read_bank([bank]))[1]) == 1
    command.run(_ablate(run, "--only", "as-is", "--banks", bank))
    (row,) = _table(run / "table.csv")
    assert all(0 <= float(row[f"unseen_{k}"]) <= 1 for k in ("note", "first", "exact"))


def test_time_that_is_over_leaves_the_rest_for_the_next_call(run: Path) -> None:
    command.run(_ablate(run, "--only", "as-is", "--minutes", "0"))
    assert not (run / "table.csv").exists()
    command.run(_ablate(run, "--only", "as-is"))
    assert len(_table(run / "table.csv")) == 1


def test_mistakes_are_told(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no variant sideways"):
        chosen("as-is,sideways")
    with pytest.raises(InputError, match="No variant"):
        chosen(" , ")
    assert chosen(None) == list(VARIANTS)
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(InputError, match="no table of ablations"):
        AblationTable(other, STEPS)
    table = AblationTable(tmp_path / "t.csv", STEPS)
    table.add(Row("as-is", 1, STEPS, 1.0, 10, 0.5, 0.5, 0.5, None, None, None))
    assert AblationTable(tmp_path / "t.csv", STEPS).has("as-is", 1)
    assert not AblationTable(tmp_path / "t.csv", STEPS).has("as-is", 2)
    with pytest.raises(InputError, match=f"{STEPS} steps"):
        AblationTable(tmp_path / "t.csv", 7)
    (run / "prose.pt").unlink()
    with pytest.raises(InputError, match="no pre-training"):
        command.run(_ablate(run, "--only", "as-is"))
