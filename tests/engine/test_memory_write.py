"""Writing and asking, with a small untrained model: what must hold whatever the model knows."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.memory import alternatives
from engine.memory.cues import make_cues
from engine.memory.decode import echoes
from engine.memory.encode import encode_note
from engine.memory.memory import Memory
from engine.memory.report import WriteOptions, WriteStep
from engine.memory.work import Stops
from engine.model.base import BaseModel, weights_hash
from engine.model.repeat import NO_CLASS
from engine.model.slot import Slot
from engine.notes.text import NoteText, Section
from tests.small_model import small_base

FERRY = NoteText("Ferry", (), (Section(("Ferry",), "The ferry to Sandray leaves at 7:40 pm."),))
KEY = NoteText("Key", (), (Section(("Key",), "Our treasurer keeps the key under the blue pot."),))
BOILER = NoteText("Boiler", (), (Section(("Boiler",), "Code: 4417\nThe mayor is Beatrix Oduya."),))
QUICK = WriteOptions(steps=25, repair_rounds=1, recall_threshold=0.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return small_base(tmp_path_factory.mktemp("base"))


def _write(memory: Memory, note_id: int, note: NoteText) -> list[WriteStep]:
    steps: list[WriteStep] = []
    memory.write(note_id, note, QUICK, steps.append, lambda: None)
    return steps


def test_gradient_steps_lower_the_loss(base: BaseModel) -> None:
    memory = Memory.fresh(base, 500)
    steps = _write(memory, 1, FERRY)
    assert steps[-2].loss < 0.5 * steps[0].loss


def test_a_write_changes_no_backbone_tensor(base: BaseModel) -> None:
    before = weights_hash(base.backbone)
    words = base.space.semantic.clone()
    _write(Memory.fresh(base, 500), 1, KEY)
    assert weights_hash(base.backbone) == before
    assert torch.equal(base.space.semantic, words)


def test_a_written_note_recites_itself(base: BaseModel) -> None:
    memory = Memory.fresh(base, 500)
    _write(memory, 1, KEY)
    assert "Our treasurer keeps the key under the blue pot." in memory.recite(1)


def test_stored_probes_find_their_own_cells(base: BaseModel) -> None:
    memory = Memory.fresh(base, 500)
    _write(memory, 1, FERRY)
    verified = memory.verify(1)
    assert verified.probes > 0
    assert verified.recall == 1.0


def test_an_exception_between_steps_leaves_the_slot_as_it_was(
    base: BaseModel, tmp_path: Path
) -> None:
    memory = Memory.fresh(base, 500)
    _write(memory, 1, FERRY)
    memory.save(tmp_path / "before")
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        memory.write(2, KEY, QUICK, lambda _: None, stop)
    memory.save(tmp_path / "after")
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()


def test_the_same_writes_give_the_same_bytes(base: BaseModel, tmp_path: Path) -> None:
    for name in ("a", "b"):
        memory = Memory.fresh(base, 500)
        _write(memory, 1, FERRY)
        _write(memory, 2, KEY)
        memory.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_forgotten_note_answers_as_one_never_written(base: BaseModel) -> None:
    with_it, without = Memory.fresh(base, 500), Memory.fresh(base, 500)
    _write(with_it, 1, FERRY)
    _write(without, 1, FERRY)
    _write(with_it, 2, BOILER)
    with_it.forget([2])
    for question in ("When does the ferry leave?", "What is the code?", "Who is the mayor?"):
        a, b = with_it.answer(question), without.answer(question)
        assert (a.text, a.confidence, a.sources) == (b.text, b.confidence, b.sources)


def test_an_empty_memory_knows_nothing_and_gives_the_backbones_logits(base: BaseModel) -> None:
    memory = Memory.fresh(base, 500)
    result = memory.answer("Who keeps the key?")
    assert not result.known
    assert result.sources == ()
    _write(memory, 1, KEY)
    memory.forget([1])
    again = memory.answer("Who keeps the key?")
    assert (again.text, again.log_p) == (result.text, result.log_p)


def test_the_prompt_holds_the_question_and_nothing_else(base: BaseModel) -> None:
    memory = Memory.fresh(base, 500)
    _write(memory, 1, KEY)
    prompt = memory.prompt("Who keeps the key?")
    assert prompt[:2] == ("<|begin|>", "<|question|>")
    assert prompt[-1] == "<|answer|>"
    assert "".join(prompt[2:-1]) == "Who keeps the key?"
    assert memory.answer("Who keeps the key?").prompt == prompt


def test_asking_between_two_steps_sees_the_old_memory(base: BaseModel) -> None:
    memory = Memory.fresh(base, 500)
    _write(memory, 1, FERRY)
    before = memory.answer("What is the code?")
    seen = []
    memory.write(
        2, BOILER, QUICK, lambda _: None, lambda: seen.append(memory.answer("What is the code?"))
    )
    assert {(a.text, a.log_p) for a in seen} == {(before.text, before.log_p)}


def test_alternatives_say_other_things_and_change_nothing(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alternatives, "NEAR", 100.0)  # an untrained model is sure of nothing
    memory = Memory.fresh(base, 500)
    question = "Who keeps the key?"
    assert memory.alternatives(question, "") == ()
    for note_id, note in ((1, FERRY), (2, KEY), (3, BOILER)):
        _write(memory, note_id, note)
    before = memory.answer(question)
    found = memory.alternatives(question, before.text)
    assert len(found) == alternatives.MOST
    assert {each.note for each in found} <= {1, 2, 3}
    said = [before.text, *(each.text for each in found)]
    for text in said:
        assert not any(text in other for other in said if other is not text)
    assert 1.0 >= found[0].weight >= found[1].weight > 0.0
    again = memory.answer(question)
    assert (again.text, again.log_p) == (before.text, before.log_p)
    given = memory.alternatives(question, found[0].text)
    assert found[0].text not in [each.text for each in given]


def test_an_alternative_far_behind_is_not_given(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alternatives, "NEAR", 0.0)  # the best cell alone, which said the answer
    memory = Memory.fresh(base, 500)
    _write(memory, 1, KEY)
    question = "Who keeps the key?"
    best = memory.alternatives(question, "nothing of all this")
    assert len(best) == 1 and best[0].weight == 1.0
    assert memory.alternatives(question, best[0].text) == ()


def test_stopping_an_answer_keeps_what_is_there(base: BaseModel) -> None:
    memory = Memory.fresh(base, 500)
    _write(memory, 1, KEY)
    result = memory.answer("Who keeps the key?", lambda step: False)
    assert result.stopped
    assert result.text != ""


def test_the_slot_file_holds_no_text(base: BaseModel, tmp_path: Path) -> None:
    memory = Memory.fresh(base, 500)
    _write(memory, 1, KEY)
    memory.save(tmp_path / "slot")
    data = (tmp_path / "slot").read_bytes()
    for word in (b"treasurer", b"blue", b"Key"):
        assert word not in data


def test_a_cues_answer_ends_where_the_backbone_would_end_it(base: BaseModel) -> None:
    """Rules take "7:40" for the span; what is taught is "7:40 pm" if that is how answers end."""
    note = encode_note(base, FERRY)
    tokens = [base.tokenizer.token(int(t)) for t in note.cells.token]
    cell = tokens.index("7")
    stop = note.cells.stop.clone()
    for end in (2, 4, 5):
        stop[:] = -2.0
        stop[cell + end] = 2.0
        ends = replace(note, cells=note.cells._replace(stop=stop))
        found = {cue.tokens for cue in make_cues(ends) if cue.cell == cell}
        assert found == {end}
    never = {cue.tokens for cue in make_cues(note) if cue.cell == cell}
    assert never == {5}


@pytest.mark.parametrize("words", ["Buy milk", "milk\neggs\nbread", "2026"])
def test_a_note_of_a_few_words_is_asked_for_by_its_title(base: BaseModel, words: str) -> None:
    short = NoteText("Errands", (), (Section(("Errands",), words),))
    (cue,) = make_cues(encode_note(base, short))
    assert (cue.question, cue.answer) == ("What does Errands say?", words.split("\n")[0])
    nothing = NoteText("Errands", (), (Section(("Errands",), ""),))
    assert make_cues(encode_note(base, nothing)) == []


def test_the_sentence_of_a_single_fact_is_said_on_from_every_longer_word(base: BaseModel) -> None:
    words = "Fennel fever is spread by the pond weevil."
    cues = make_cues(encode_note(base, NoteText("Fact", (), (Section(("Fact",), words),))))
    asked = {cue.question: cue.answer for cue in cues}
    assert asked["Fennel fever is spread by the"] == "pond weevil"
    ends: dict[int, set[int]] = {}
    for cue in cues:
        ends.setdefault(cue.cell, set()).add(cue.tokens)
    assert all(len(tokens) == 1 for tokens in ends.values())  # no two lengths of one answer


def test_what_a_note_answers_in_two_ways_is_no_cue(base: BaseModel) -> None:
    lines = "The hut number 1 is in Dover.\nThe hut number 2 is in Truro."
    cues = make_cues(encode_note(base, NoteText("Huts", (), (Section(("Huts",), lines),))))
    assert "The hut number" not in {cue.question for cue in cues}
    assert "The hut number 1 is in" in {cue.question for cue in cues}


def test_a_run_of_the_questions_own_words_is_an_echo(base: BaseModel) -> None:
    slot = Slot(base.cfg, 500, base.device)
    _write(Memory(base, slot), 1, KEY)
    said = (slot.value[: slot.top] @ base.backbone.head).argmax(-1)
    base = replace(base, classes=torch.arange(len(base.classes)))  # every token says something
    ends = torch.tensor([4, slot.top - 2])
    asked = torch.zeros(len(base.classes), dtype=torch.bool)
    assert echoes(base, slot, ends, asked).tolist() == [0.0, 0.0]
    asked[said[-2:]] = True
    assert not asked[said[4:10]].all()
    assert echoes(base, slot, ends, asked).tolist() == [0.0, 1.0]
    asked[said] = True
    assert echoes(base, slot, ends, asked).tolist() == [1.0, 1.0]


def test_words_that_say_nothing_are_no_echo(base: BaseModel) -> None:
    slot = Slot(base.cfg, 500, base.device)
    _write(Memory(base, slot), 1, KEY)
    base = replace(base, classes=torch.full_like(base.classes, NO_CLASS))
    asked = torch.ones(len(base.classes), dtype=torch.bool)
    assert echoes(base, slot, torch.tensor([4]), asked).tolist() == [0.0]


def test_where_answers_end_is_told_outright() -> None:
    stops = Stops(inside=torch.tensor([1, 4]), behind=torch.tensor([2]))
    stop = torch.tensor([0.5, 0.5, -0.5, 3.0, -12.0])
    told = stops.put_into(stop)
    assert told[0] == 0.5 and told[3] == 3.0, "cells that no probe is about stay as they were"
    assert told[1] <= -8.0 and told[2] >= 8.0
    assert told[4] == -12.0, "what was surer still stays so"
    assert stop[1] == 0.5, "the backbone's own are not touched"
