"""Composed facts: distinct, reproducible, rightly counted."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.api import InputError
from engine.bench import capacity
from engine.bench.composed import compose, composed_notes, packed, read_composer
from engine.notes.text import NoteText
from engine.training.facts import Composer
from tests.bench.fake_subject import FakeSubject, Said, owner_of, words_of

DATA = Path(__file__).parents[1] / "data" / "bench"


@pytest.fixture(scope="module")
def composer() -> Composer:
    return read_composer([DATA / "bank.jsonl"], DATA / "values.json")


def test_facts_come_half_from_held_out_relations(composer: Composer) -> None:
    facts = compose(composer, 30, seed=1)
    assert len(facts) == 30
    assert sum(fact.seen for fact in facts) == 15
    for fact in facts:
        assert fact.statement.startswith(fact.cue)
        assert fact.answer in fact.statement[len(fact.cue) :]
        assert fact.answer not in fact.cue
        assert fact.answer not in fact.question
        assert len(fact.cue.split()) >= 4


@pytest.mark.parametrize("seed", range(5))
def test_no_question_fits_two_facts(composer: Composer, seed: int) -> None:
    facts = compose(composer, 40, seed)
    answers: dict[str, str] = {}
    for fact in facts:
        assert answers.setdefault(fact.question, fact.answer) == fact.answer
        assert answers.setdefault(fact.cue, fact.answer) == fact.answer
        assert sum(fact.cue in other.statement for other in facts) == 1


_TREASURER = (
    re.compile(r"The treasurer of (?P<club>.+) is called (?P<person>.+)\."),
    re.compile(r"(?P<person>.+) was elected treasurer of (?P<club>.+)\."),
)


def test_a_club_that_is_asked_about_has_one_treasurer(composer: Composer) -> None:
    found = 0
    for seed in range(10):
        persons: dict[str, str] = {}
        for fact in compose(composer, 40, seed):
            match = next((m for p in _TREASURER if (m := p.fullmatch(fact.statement))), None)
            if match is not None and fact.answer == match["person"]:
                assert persons.setdefault(match["club"], fact.answer) == fact.answer
                found += 1
    assert found > 20


def test_values_that_lack_a_type(tmp_path: Path) -> None:
    values = tmp_path / "values.json"
    values.write_text('{"person": ["Ada"], "building": ["Hall"]}', "utf-8")
    poor = read_composer([DATA / "bank.jsonl"], values)
    with pytest.raises(InputError, match="no values of type"):
        compose(poor, 10, seed=0)
    with pytest.raises(InputError, match="no values of type"):
        composed_notes(poor, 10, seed=0)


def test_the_seed_decides(composer: Composer) -> None:
    assert compose(composer, 12, seed=3) == compose(composer, 12, seed=3)
    assert compose(composer, 12, seed=3) != compose(composer, 12, seed=4)
    assert composed_notes(composer, 3, 1) == composed_notes(composer, 3, 1)


def test_too_many_facts_for_a_small_bank(composer: Composer) -> None:
    with pytest.raises(InputError, match="too few"):
        compose(composer, 400, seed=1)


def test_facts_are_packed_in_order(composer: Composer) -> None:
    facts = compose(composer, 12, seed=2)
    notes, note_of = packed(facts, 5)
    assert [len(n.sections[0].text.splitlines()) for n in notes.values()] == [5, 5, 2]
    for fact, note in zip(facts, note_of, strict=True):
        assert fact.statement in words_of(notes[note])


def test_a_bank_that_is_none(tmp_path: Path) -> None:
    bad = tmp_path / "bank.jsonl"
    bad.write_text('{"id": 1}\n', "utf-8")
    with pytest.raises(InputError, match="not in the form"):
        read_composer([bad], DATA / "values.json")
    with pytest.raises(InputError, match="gone"):
        read_composer([tmp_path / "gone"], DATA / "values.json")


def arguments(**options: object) -> argparse.Namespace:
    standard: dict[str, object] = {
        "bank": [DATA / "bank.jsonl"], "values": DATA / "values.json", "n": [8, 20], "seeds": 2,
        "facts_per_note": 5, "sample": 6, "seed": 0,
    }  # fmt: skip
    return argparse.Namespace(**{**standard, **options})


def says_stored_only(held: Mapping[int, NoteText], question: str) -> Said:
    """Goes on from a cue as the note does; knows no question."""
    for note in held.values():
        for line in note.sections[0].text.splitlines():
            if line.startswith(question):
                answer = line[len(question) :].strip(" .")
                return Said(answer, nearest=owner_of(held, line))
    return Said("", known=False)


def test_capacity_counts_by_wording_and_relation() -> None:
    subject = FakeSubject(says_stored_only)
    result = capacity.measure(arguments(), subject)
    assert [(row.n, row.seed, row.notes) for row in result.rows] == [
        (8, 0, 2), (8, 1, 2), (20, 0, 4), (20, 1, 4),
    ]  # fmt: skip
    # 4 of each sort in memory of 8; of 20 (10 of each sort) 6 are asked
    assert [row.seen_stored.questions for row in result.rows] == [4, 4, 6, 6]
    assert [row.unseen_reworded.questions for row in result.rows] == [4, 4, 6, 6]
    assert [len(asked) for asked in subject.asked] == [16, 16, 24, 24]
    for mean in result.means:
        assert mean.unseen_stored == 1.0  # these statements end with their answer
        assert mean.seen_reworded == 0.0
        assert mean.reworded == 0.0
        assert mean.seen_stored is not None and mean.stored is not None
        assert mean.stored == pytest.approx((mean.seen_stored + 1.0) / 2)
    assert all(row.unseen_stored.right_note == 1.0 for row in result.rows)


def test_means_weigh_by_questions() -> None:
    def says(held: Mapping[int, NoteText], question: str) -> Said:
        return says_stored_only(held, question) if len(held) == 1 else Said("wrong")

    rows = [
        capacity.run(read_composer([DATA / "bank.jsonl"], DATA / "values.json"), n, 0, 10, 99,
                     FakeSubject(says))
        for n in (8, 24)
    ]  # fmt: skip
    summed = capacity.summary(rows, 10, 99)
    assert [m.n for m in summed.means] == [8, 24]
    assert [m.unseen_stored for m in summed.means] == [1.0, 0.0]
    joined = capacity._mean(0, rows, trusted=True)
    assert joined.unseen_stored == pytest.approx(4 / 16)  # 4 of 4 and 0 of 12


def test_a_bank_of_trained_relations_only(tmp_path: Path) -> None:
    lines = (DATA / "bank.jsonl").read_text("utf-8").splitlines()
    bank = tmp_path / "bank.jsonl"
    bank.write_text("\n".join(lines[:3]) + "\n", "utf-8")
    result = capacity.measure(
        arguments(bank=[bank], n=[6], seeds=1), FakeSubject(says_stored_only)
    )
    assert result.means[0].unseen_stored is None
    assert result.rows[0].seen_stored.questions == 6
