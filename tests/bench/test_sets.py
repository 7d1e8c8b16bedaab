"""Reading the benches' data, and what is said where it is not as it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.api import InputError
from engine.bench import sets
from engine.bench.notes import apply_edits, read_set
from engine.bench.sets import Edit

DATA = Path(__file__).parents[1] / "data" / "bench"


def test_facts_are_read_in_order() -> None:
    facts = sets.read_facts(DATA / "facts.jsonl")
    assert [f.answer for f in facts] == ["Ida Voss", "Paul Lind", "7731"]
    assert facts[0].statement.startswith(facts[0].cue)
    assert facts[1].questions == ("Who cast the bell of Orrin?", "Whose work is the bell of Orrin?")


def test_notes_are_read_by_name_and_other_files_are_not() -> None:
    notes = sets.read_notes(DATA / "folder" / "notes")
    assert list(notes) == ["boats.md", "garden.txt"]
    assert notes["boats.md"].title == "Boats"


def test_documents_and_passages() -> None:
    documents = sets.read_documents(DATA / "documents.json")
    assert documents[1].compositional == (("The salt of Quorn came with captain", "Hanno Weil"),)
    passages = sets.read_passages(DATA / "passages.json")
    assert passages[0].questions[1] == ("How long is the brook?", "nine miles")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone.jsonl cannot be read"):
        sets.read_facts(tmp_path / "gone.jsonl")
    with pytest.raises(InputError, match="There is no folder"):
        sets.read_notes(tmp_path / "gone")
    with pytest.raises(InputError, match="There are no notes"):
        sets.read_notes(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"note": "a", "question": "q", "answers": []}\n{"note": 1\n', "line 2"),
        ('\n{"question": "q", "answers": []}\n', "line 2"),
        ('["a list"]\n', "line 1"),
        ("\n\n", "is empty"),
    ],
)
def test_the_place_of_a_bad_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=message):
        sets.read_questions(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is not JSON"), ("{}", "does not hold a list"), ('[{"title": "x"}]', "entry 1")],
)
def test_a_bad_list_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "passages.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=message):
        sets.read_passages(path)


def test_text_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        sets.read_questions(path)


def test_probes_of_unequal_length_are_told(tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    text = (DATA / "documents.json").read_text("utf-8")
    path.write_text(text.replace('["salt"]', '["salt", "more"]', 1), "utf-8")
    with pytest.raises(InputError, match="entry 2"):
        sets.read_documents(path)


def test_edits_of_one_note_add_up() -> None:
    data = read_set(DATA / "folder")
    assert [edit.note for edit, _ in data.edits] == ["garden.txt", "garden.txt", "boats.md"]
    first, second, _ = (note.sections[0].text for _, note in data.edits)
    assert "8826" in first and "Aunt Resi" in first
    assert "8826" in second and "Uncle Fedor" in second and "3150" not in second


@pytest.mark.parametrize("old", ["not there", "a"])
def test_an_edit_must_fit_exactly_once(old: str) -> None:
    edit = Edit("garden.txt", old, "x", "q", ("o",), ("n",))
    with pytest.raises(InputError, match="exactly once in garden.txt"):
        apply_edits(DATA / "folder" / "notes", [edit])


def test_a_question_about_a_note_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("Words.\n", "utf-8")
    line = '{"note": "b.txt", "question": "q", "answers": ["x"], "kind": "plain"}\n'
    (tmp_path / "questions.jsonl").write_text(line, "utf-8")
    with pytest.raises(InputError, match="b.txt, which is not"):
        read_set(tmp_path)
