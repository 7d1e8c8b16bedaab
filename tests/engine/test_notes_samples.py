"""The sample notes: readable, of the promised size, and their questions have their answers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.notes.read import read_note
from engine.notes.scan import Scan, scan
from engine.notes.text import NoteText

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "sample_notes"
NAMES = sorted(file.name for file in SAMPLES.iterdir() if file.suffix in (".md", ".txt"))


def questions() -> list[dict[str, Any]]:
    lines = (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def words_of(note: NoteText) -> str:
    parts = [note.title, *(f"{key}: {value}" for key, value in note.fields)]
    for section in note.sections:
        parts += [*section.headings, section.text]
    return " ".join(" ".join(parts).lower().split())


def test_the_folder_holds_eight_notes_and_only_those_are_seen() -> None:
    found = scan(SAMPLES)
    assert isinstance(found, Scan)
    assert [file.path for file in found.files] == NAMES
    assert len(NAMES) == 8 and [Path(name).suffix for name in NAMES].count(".txt") == 1


@pytest.mark.parametrize("name", NAMES)
def test_each_note_is_read_and_of_the_right_length(name: str) -> None:
    note = read_note(name, SAMPLES)
    assert note.title and note.sections
    assert 120 <= len((SAMPLES / name).read_text(encoding="utf-8").split()) <= 250


def test_five_questions_a_note_and_eight_without_an_answer() -> None:
    asked = questions()
    answerable = [entry for entry in asked if entry["answers"]]
    assert Counter(entry["note"] for entry in answerable) == Counter(dict.fromkeys(NAMES, 5))
    assert {entry["kind"] for entry in answerable} == {"plain", "reworded", "casual"}
    without = [entry["kind"] for entry in asked if not entry["answers"]]
    assert without == ["unanswerable"] * 8
    assert len({entry["question"] for entry in asked}) == len(asked)


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_survives_reading(name: str) -> None:
    said = words_of(read_note(name, SAMPLES))
    for entry in questions():
        if entry["note"] == name:
            for answer in entry["answers"]:
                assert " ".join(answer.lower().split()) in said
