"""Copying into the folder and back, with everything that may lie in the way."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from app import opening
from app.filing import copy_notes, remove_copies
from engine.api import Note, NoteState, Settings

FORMATS = (".md", ".txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "Notes"
    made.mkdir()
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "from"
    made.mkdir()
    return made


def test_a_file_arrives_whole_under_its_name(folder: Path, source: Path) -> None:
    file = source / "Ünïcode & co.md"
    file.write_bytes(b"x" * 300_000)
    filed = copy_notes([file], folder, FORMATS)
    assert filed.copied == (folder / file.name,)
    assert filed.copied[0].read_bytes() == file.read_bytes()
    assert os.listdir(folder) == [file.name]


def test_a_folder_arrives_with_its_shape_and_without_hidden_things(
    folder: Path, source: Path
) -> None:
    for name in ("a.md", "deep/b.TXT", "deep/c.png", ".hidden.md", ".git/d.md"):
        path = source / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    filed = copy_notes([source], folder, FORMATS)
    arrived = sorted(p.relative_to(folder).as_posix() for p in filed.copied)
    assert arrived == ["from/a.md", "from/deep/b.TXT"]
    assert filed.other_formats == 1


def test_a_taken_name_gets_a_number_unless_the_bytes_are_the_same(
    folder: Path, source: Path
) -> None:
    (folder / "a.md").write_text("old")
    (folder / "a (2).md").write_text("older")
    (source / "a.md").write_text("new")
    assert copy_notes([source / "a.md"], folder, FORMATS).copied == (folder / "a (3).md",)
    again = copy_notes([source / "a.md"], folder, FORMATS)
    assert again.copied == () and again.already_there == 1
    assert (folder / "a.md").read_text() == "old"


def test_the_folder_dropped_onto_itself_is_no_copy(folder: Path) -> None:
    (folder / "a.md").write_text("a")
    for dropped in (folder, folder / "a.md", folder.parent):
        assert copy_notes([dropped], folder, FORMATS).copied == ()
    assert os.listdir(folder) == ["a.md"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_links_pipes_and_locked_files_are_left_out(folder: Path, source: Path) -> None:
    (source / "real.md").write_text("x")
    (source / "link.md").symlink_to(source / "real.md")
    os.mkfifo(source / "pipe.md")
    filed = copy_notes([source / "link.md", source / "pipe.md"], folder, FORMATS)
    assert filed.copied == () and filed.unreadable == 2
    assert os.listdir(folder) == []


def test_links_in_a_dropped_folder_are_not_followed(folder: Path, source: Path) -> None:
    (source / "loop").symlink_to(source, target_is_directory=True)
    (source / "a.md").write_text("a")
    assert len(copy_notes([source], folder, FORMATS).copied) == 1


def test_a_failed_copy_leaves_nothing_half(
    folder: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a.md").write_text("a")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.filing.shutil.copyfileobj", full)
    with pytest.raises(OSError, match="space"):
        copy_notes([source / "a.md"], folder, FORMATS)
    assert os.listdir(folder) == []


def test_cancelling_stops_between_two_files(folder: Path, source: Path) -> None:
    for number in range(5):
        (source / f"{number}.md").write_text(str(number))
    answers = iter([False, False, True])
    filed = copy_notes([source], folder, FORMATS, lambda: next(answers))
    assert len(filed.copied) == 2


def test_taking_back_removes_copies_and_empty_folders_only(folder: Path, source: Path) -> None:
    (source / "a.md").write_text("a")
    filed = copy_notes([source], folder, FORMATS)
    (folder / "mine.md").write_text("mine")
    remove_copies(filed.copied)
    remove_copies(filed.copied)
    assert os.listdir(folder) == ["mine.md"]


def test_where_a_note_lies(folder: Path) -> None:
    settings = Settings(folder=folder)
    note = Note(1, "deep/a.md", NoteState.REMEMBERED)
    assert opening.note_path(note, settings) == folder / "deep" / "a.md"
    assert opening.note_path(note, Settings()) is None
    far = str(folder / "far.md")
    elsewhere = Note(2, far, NoteState.REMEMBERED, in_folder=False)
    assert opening.note_path(elsewhere, Settings()) == Path(far)
