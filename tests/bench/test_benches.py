"""The arithmetic of every bench, on a fake memory that says what the test wants."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.api import InputError
from engine.bench import (
    baseline,
    facts20,
    held_out,
    notes,
    sequence,
    silence,
    speed,
    squad,
    two_documents,
)
from engine.bench.sets import plain_note
from engine.bench.table import render_all
from engine.memory.report import Verdict
from engine.notes.text import NoteText
from tests.bench.fake_subject import FakeSubject, Said, owner_of, words_of

DATA = Path(__file__).parents[1] / "data" / "bench"
UNKNOWN = Said("no idea", known=False, confidence=0.05, p=0.2)


def arguments(**options: object) -> argparse.Namespace:
    return argparse.Namespace(seed=0, **options)


# --- facts20 -------------------------------------------------------------------------------------


def test_facts20() -> None:
    answers = {
        "The harbour master of Tarn is": Said("Ida Voss", p=0.75, nearest=1),
        "Who is the harbour master of Tarn?": Said("Ida", nearest=1),  # half an answer
        "Who runs the port of Tarn?": Said("ida voss.", nearest=1),
        "The bell of Orrin was cast by": Said("Otto", p=0.9, nearest=1),  # wrong: p counts as 0
        "Who cast the bell of Orrin?": Said("Paul Lind", nearest=2),
        "The code of the north gate is": Said("7731", known=False, p=0.5, nearest=3),
    }
    subject = FakeSubject(lambda held, question: answers.get(question, UNKNOWN))
    result = facts20.measure(arguments(file=DATA / "facts.jsonl"), subject)
    assert (result.stored_exact, result.stored_total) == (1, 3)
    assert (result.reworded_exact, result.reworded_total) == (2, 6)
    assert result.stored_exact_untrusted == 2
    assert result.reworded_exact_untrusted == 2
    assert result.median_p == 0.5  # of 0.75, 0, 0.5
    assert result.median_first_p == pytest.approx(0.5**0.5)
    assert result.stored_right_note == 2
    assert result.reworded_right_note == 3
    assert result.reworded_f1 == pytest.approx((2 / 3 + 1 + 1) / 6)
    assert len(subject.asked) == 1 and len(subject.asked[0]) == 9
    held = [words_of(note) for note in subject.memories[0].notes.values()]
    assert "The bell of Orrin was cast by Paul Lind." in held[1]
    assert "1 " in render_all(result.tables())


def test_facts20_counts_how_the_writes_went() -> None:
    subject = FakeSubject(
        lambda held, question: UNKNOWN, verdicts={1: Verdict.WEAK, 2: Verdict.FAILED}
    )
    written = facts20.measure(arguments(file=DATA / "facts.jsonl"), subject).written
    assert (written.notes, written.weak, written.failed) == (3, 1, 1)
    assert (written.tokens, written.cells_used, written.cells) == (21, 20, 1000)
    assert (written.recall, written.seconds) == (0.5, 6.0)
    assert written.remark == "3 writes: 1 weak, 1 failed; 20 of 1000 cells; 6 s"


def test_a_full_slot_is_given_more_cells() -> None:
    subject = FakeSubject(lambda held, question: UNKNOWN, cells=10)
    written = facts20.measure(arguments(file=DATA / "facts.jsonl"), subject).written
    assert written.cells_used == 30
    assert written.cells >= 30
    assert written.failed == 0


# --- two documents -------------------------------------------------------------------------------


def says_two(held: Mapping[int, NoteText], question: str) -> Said:
    both = len(held) == 2
    told = {
        "How many steps has the lighthouse of Sund?": Said("212"),
        "Who kept the lighthouse?": UNKNOWN if both else Said("Brita Holm"),  # lost
        "Where did the lamp come from?": Said("Lyme") if both else UNKNOWN,  # found later
        "Who built the wheel of the mill?": Said("Otto Lang"),
        "What does the mill grind?": Said("oats"),
    }
    return told.get(question, UNKNOWN)


def probes_two(held: Mapping[int, NoteText], note_id: int) -> list[bool]:
    if note_id == 2:
        return [True, False]
    return [True, True, False, True] if len(held) == 2 else [True, True, True, False]


def test_two_documents() -> None:
    subject = FakeSubject(says_two, probe_rights=probes_two)
    result = two_documents.measure(arguments(root=DATA / "two"), subject)
    assert (result.a_right, result.a_kept) == (2, 1)
    assert result.retention == 0.5  # what is found only later does not make up for what is lost
    assert result.a_after_a.em == pytest.approx(2 / 3)
    assert result.a_after_b.em == pytest.approx(2 / 3)
    assert result.b_after_b.em == pytest.approx(1 / 2)
    assert (result.a_probes, result.a_probes_right, result.a_probes_kept) == (4, 3, 2)
    assert result.probe_retention == pytest.approx(2 / 3)
    assert (result.b_probes, result.b_probes_right) == (2, 1)
    assert result.declined == 1.0
    assert [len(asked) for asked in subject.asked] == [3, 6]
    assert "retention 50.0 %" in render_all(result.tables())


def test_retention_of_nothing_is_none() -> None:
    subject = FakeSubject(lambda held, question: UNKNOWN)
    result = two_documents.measure(arguments(root=DATA / "two"), subject)
    assert result.retention is None
    assert result.probe_retention is None


# --- notes and baseline --------------------------------------------------------------------------


def says_notes(held: Mapping[int, NoteText], question: str) -> Said:
    boats, garden = 1, 2
    told = {
        "Who mends the Grey Gull?": Said("Marten", confidence=0.9, source=boats, nearest=boats),
        "Which firm made the oars?": Said("Holm", confidence=0.8, source=garden, nearest=boats),
        "What is the tap code?": Said("3150", False, 0.2, source=garden, nearest=garden),
        "Who planted the apple tree?": Said("Aunt Resi", confidence=0.7, source=garden, nearest=1),
        "How old is the pear tree?": Said("ten", False, 0.1, nearest=garden),
        "What did the oars cost?": Said("4 May", confidence=0.8, source=boats),
    }
    if question in told:
        return told[question]
    code = next((c for c in ("8826", "3150") if owner_of(held, c)), "")
    after = {
        "What is the tap code now?": Said(code),
        "Who planted the apple tree, then?": Said("Aunt Resi", known=False),
        "Who mends the Grey Gull now?": Said("Jule, not Marten" if owner_of(held, "Jule") else "?"),
    }
    return after[question]


def test_notes() -> None:
    result = notes.measure(arguments(root=DATA / "folder"), FakeSubject(says_notes))
    assert (result.notes, result.questions, result.unanswerable) == (2, 4, 2)
    assert result.em == pytest.approx(2 / 4)
    assert result.em_untrusted == pytest.approx(3 / 4)
    # "Holm" of "Holm & Sons" (two words after normalising): P 1, R 1/2
    assert result.f1 == pytest.approx((1 + 2 / 3 + 0 + 1) / 4)
    assert result.f1_untrusted == pytest.approx((1 + 2 / 3 + 1 + 1) / 4)
    assert result.contains == pytest.approx(2 / 4)
    assert result.right_note == pytest.approx(3 / 4)
    assert result.answered == pytest.approx(3 / 4)
    assert result.source_accuracy == pytest.approx(2 / 3)
    assert result.declined == pytest.approx(1 / 2)
    # .9 .8 .2 .7 against .1 .8: 2 + 1.5 + 1 + 1 of 8
    assert result.auroc == pytest.approx(5.5 / 8)
    assert set(result.by_kind) == {"plain", "reworded"}
    assert result.by_kind["plain"].em == pytest.approx(1 / 2)
    assert result.by_kind["reworded"].f1 == pytest.approx((2 / 3 + 1) / 2)
    assert len(result.answers) == 6
    assert result.answers[2].right and not result.answers[2].known


def test_edits_are_written_before_they_are_asked() -> None:
    subject = FakeSubject(says_notes)
    edits = notes.measure(arguments(root=DATA / "folder"), subject).edits
    assert edits is not None
    assert edits.total == 3
    assert edits.old_known == 2  # 3150 and Aunt Resi
    assert edits.new_right == 1  # 8826
    assert edits.new_contained == 2  # and "Jule, not Marten"
    assert edits.old_gone == 1  # "Aunt Resi" is still said, though not trusted
    assert edits.both == 1
    held = words_of(subject.memories[0].notes[2])
    assert "8826" in held and "Uncle Fedor" in held


def test_notes_without_edits(tmp_path: Path) -> None:
    (tmp_path / "notes").symlink_to(DATA / "folder" / "notes", target_is_directory=True)
    (tmp_path / "questions.jsonl").symlink_to(DATA / "folder" / "questions.jsonl")
    subject = FakeSubject(says_notes)
    result = notes.measure(arguments(root=tmp_path), subject)
    assert result.edits is None
    assert len(subject.asked) == 1
    assert "edits" not in render_all(result.tables())


def test_held_out_notes_share_a_memory_with_their_neighbours(tmp_path: Path) -> None:
    def note(name: str, code: str) -> dict[str, object]:
        asked = {"question": f"What is the {name} code?", "answers": [code], "kind": "plain"}
        nowhere = {"question": f"Who has the {name}?", "answers": [], "kind": "unanswerable"}
        return {"name": f"{name}.md", "text": f"The {name} code is {code}.",
                "questions": [asked, nowhere]}  # fmt: skip

    rows = [note("tap", "3150"), note("gate", "8826"), note("shed", "1107")]
    path = tmp_path / "notes.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")

    def says(held: Mapping[int, NoteText], question: str) -> Said:
        if not question.startswith("What"):
            return Said("", known=False, confidence=0.1)
        code = "8826" if "gate" in question else "3150"
        beside = ("Thursday", "1107") if "shed" in question else ()
        return Said(code, source=owner_of(held, code), beside=beside)

    subject = FakeSubject(says)
    result = held_out.measure(arguments(file=path, in_memory=2), subject)
    assert (result.in_memory, result.memories) == (2, 2)
    assert [len(m.notes) for m in subject.memories] == [2, 1]
    found = result.found
    assert (found.notes, found.questions, found.unanswerable) == (3, 3, 3)
    assert found.em == pytest.approx(2 / 3)
    assert found.declined == 1.0
    assert found.known_right == pytest.approx(2 / 3)
    assert found.known_right_among == 1.0
    assert found.alternatives == pytest.approx(2 / 3)
    assert found.written.notes == 3
    assert found.written.cells_used == sum(m.cells_used for m in subject.memories)
    assert "3 notes, 2 in memory" in render_all(result.tables())


def test_baseline_reads_the_best_line_and_answers_from_it() -> None:
    seen: dict[str, str] = {}

    def reads(passage: str, question: str) -> str:
        seen[question] = passage
        return "3150" if "3150" in passage else "Marten"

    subject = FakeSubject(says_notes, reads=reads)
    result = baseline.measure(arguments(root=DATA / "folder"), subject)
    assert "Tap code 3150" in seen["What is the tap code?"]
    assert "Grey Gull" in seen["Who mends the Grey Gull?"]
    assert "apple tree" in seen["Who planted the apple tree?"]
    assert result.questions == 4
    assert result.em == pytest.approx(2 / 4)
    assert result.by_kind["plain"].em == 1.0
    assert result.by_kind["reworded"].em == 0.0
    assert result.passage_holds_answer == 1.0
    assert result.right_note == 1.0
    assert result.auroc == 0.5  # every confidence is the same
    assert not subject.memories  # nothing is remembered


# --- squad ---------------------------------------------------------------------------------------


def says_squad(held: Mapping[int, NoteText], question: str) -> Said:
    told = {
        "Where does the brook rise?": "Fell Rigg",
        "How long is the brook?": "nine miles",
        "Who finished the tower?": "Edda Roth",
        "When does the fair open?": "3 June" if len(held) == 1 else "4 June",
    }
    owner = owner_of(held, told[question])
    return Said(told[question], nearest=owner, source=owner)


def test_squad() -> None:
    subject = FakeSubject(says_squad, reads=lambda passage, question: "Fell Rigg")
    result = squad.measure(
        arguments(
            passages=DATA / "passages.json", in_memory=[1, 200], limit=200, single=20, questions=50
        ),
        subject,
    )
    alone, together = result.rows
    assert (alone.in_memory, alone.memories, alone.scores.questions) == (1, 3, 4)
    assert alone.scores.em == 1.0
    assert alone.scores.right_note == 1.0
    assert (together.in_memory, together.memories, together.scores.questions) == (3, 1, 4)
    assert together.scores.em == pytest.approx(3 / 4)
    assert together.scores.f1 == pytest.approx((3 + 0.5) / 4)
    assert result.in_context.em == pytest.approx(1 / 4)
    assert [len(memory.notes) for memory in subject.memories] == [1, 1, 1, 3]


def test_squad_asks_a_sample_that_the_seed_decides() -> None:
    def asked(seed: int) -> list[list[str]]:
        subject = FakeSubject(says_squad)
        args = argparse.Namespace(
            seed=seed, passages=DATA / "passages.json", in_memory=[3], limit=3, single=1,
            questions=2,
        )  # fmt: skip
        assert squad.measure(args, subject).rows[0].scores.questions == 2
        return subject.asked

    assert asked(1) == asked(1)
    assert len({str(asked(seed)) for seed in range(12)}) > 1


# --- sequence ------------------------------------------------------------------------------------


def says_sequence(held: Mapping[int, NoteText], question: str) -> Said:
    both = len(held) == 2
    told = {
        "The ninth council of Vell met in the": "amber hall",
        "The council of Vell came together for the ninth time in the":
            "green hall" if both else "amber hall",
        "In the amber hall the word was given by": "Orsa Tand" if both else "Orsa",
        "The ship Merle carried": "salt",
    }  # fmt: skip
    return Said(told[question]) if question in told else UNKNOWN


def test_sequence() -> None:
    subject = FakeSubject(says_sequence)
    result = sequence.measure(arguments(file=DATA / "documents.json", limit=None), subject)
    assert (result.documents, result.failed, result.cells_used) == (2, 0, 20)
    assert (result.kept.right, result.kept.kept) == (3, 2)
    assert result.kept.share == pytest.approx(2 / 3)
    assert result.kept_by_kind["verbatim"].share == 1.0
    assert result.kept_by_kind["paraphrased"].share == 0.0
    assert result.kept_by_kind["compositional"].share is None
    assert result.at_write["paraphrased"].em == pytest.approx(1 / 2)
    assert result.at_end["paraphrased"].em == 0.0
    assert result.at_end["compositional"].em == pytest.approx(1 / 2)
    assert result.overall_at_write.em == pytest.approx(3 / 6)
    assert result.overall_at_end.em == pytest.approx(3 / 6)
    assert len(subject.asked) == 1 and len(subject.asked[0]) == 6


def test_sequence_can_be_cut_short() -> None:
    subject = FakeSubject(says_sequence)
    result = sequence.measure(arguments(file=DATA / "documents.json", limit=1), subject)
    assert result.documents == 1
    assert result.kept.share == 1.0


# --- silence -------------------------------------------------------------------------------------


def test_silence() -> None:
    def nats(held: int) -> float:
        return 2.0 + 0.01 * held

    subject = FakeSubject(lambda held, question: UNKNOWN, prose_nats=nats)
    result = silence.measure(
        arguments(
            prose=DATA / "prose.txt", documents=2, bank=[DATA / "bank.jsonl"],
            values=DATA / "values.json", n=[5, 0, 2],
        ),
        subject,
    )  # fmt: skip
    assert [row.notes for row in result.rows] == [0, 2, 5]
    assert result.documents == 2
    assert result.rows[0].increase == 0.0
    assert result.rows[0].perplexity == pytest.approx(math.exp(2.0))
    assert result.rows[2].increase == pytest.approx(math.exp(0.05) - 1)
    assert [row.written.notes for row in result.rows[1:] if row.written] == [2, 3]
    assert len(subject.memories) == 1


# --- speed ---------------------------------------------------------------------------------------


def test_speed() -> None:
    subject = FakeSubject(lambda held, question: Said("the oak key", p=0.5))
    result = speed.measure(
        arguments(note=None, question=None, tokens=20, claimed=500, repeats=3), subject
    )
    assert result.note_tokens == 7
    assert result.forward_seconds == 0.5
    assert result.write_ratio == pytest.approx(result.write_seconds / 0.5)
    assert result.write_ratio_full == pytest.approx(result.write_seconds_full / 0.5)
    assert subject.the_stand.filled_with == (493, 7)
    assert len(subject.asked[0]) == 10
    assert result.answer_seconds == 0.4  # the process's first answer is told apart
    assert result.first_token_seconds == 0.1
    assert result.cold_answer_seconds == 3.0
    assert (result.start_seconds, result.start_to_answer_seconds) == (1.5, 4.5)
    assert result.answer_words == 2.0
    assert len(words_of(subject.memories[0].notes[1]).split()) == 1 + 20
    assert "0.8 x" in render_all(result.tables())


def test_speed_on_a_note_of_ones_own_needs_a_question(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("The key hangs in the hall.", "utf-8")
    subject = FakeSubject(lambda held, question: UNKNOWN)
    with pytest.raises(InputError, match="--question"):
        speed.measure(
            arguments(note=path, question=None, tokens=20, claimed=50, repeats=1), subject
        )
    own = speed.measure(
        arguments(note=path, question=["Where?"], tokens=3, claimed=50, repeats=2), subject
    )
    assert own.repeats == 2
    assert subject.asked == [["Where?"] * 3]
    assert words_of(subject.memories[0].notes[1]).endswith("The key hangs")


def test_plain_note_has_one_section() -> None:
    assert words_of(plain_note("T", "x")) == "T\nx"
