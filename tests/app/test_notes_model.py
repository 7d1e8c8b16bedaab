"""The notes as rows: folders, groups, order, filter, progress."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from app.models.note_rows import Order
from app.models.notes import NotesModel
from engine.api import WEAK_BELOW, Note, NoteState, WriteProgress
from engine.memory.report import WriteOptions

N = NoteState


@pytest.fixture
def model() -> Iterator[NotesModel]:
    made = NotesModel()
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    yield made
    made._later.stop()
    tester.deleteLater()
    made.deleteLater()


def lines(model: NotesModel, parent: QModelIndex | None = None, depth: int = 0) -> list[str]:
    """The rows as indented text."""
    parent = parent or QModelIndex()
    found = []
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        found.append("  " * depth + str(index.data()))
        found += lines(model, index, depth + 1)
    return found


NOTES = (
    Note(1, "zebra.md", N.REMEMBERED, recall=0.9, written_at=30.0),
    Note(2, "Projects/b.md", N.FAILED, reason="It is encrypted."),
    Note(3, "Projects/deep/A.md", N.REMEMBERED, recall=0.5, written_at=20.0),
    Note(4, "old.md", N.REMOVED, in_folder=False, recall=1.0, written_at=10.0),
    Note(5, "/elsewhere/far.md", N.WAITING, in_folder=False),
)


def test_folders_first_groups_last(model: NotesModel) -> None:
    model.reset(NOTES)
    assert lines(model) == [
        "Projects",
        "  deep",
        "    A.md",
        "  b.md",
        "zebra.md",
        "From elsewhere",
        "  far.md",
        "Removed from folder",
        "  old.md",
    ]


def test_flat_and_ordered(model: NotesModel) -> None:
    model.reset(NOTES)
    model.set_flat(True)
    assert lines(model)[:3] == ["A.md", "b.md", "zebra.md"]
    model.set_order(Order.ATTENTION)
    assert lines(model)[0] == "b.md"
    model.set_order(Order.RECALL)
    assert lines(model)[:2] == ["A.md", "zebra.md"]
    model.set_order(Order.NEWEST)
    assert lines(model)[:2] == ["zebra.md", "A.md"]


def test_the_filter_knows_names_folders_states_and_reasons(model: NotesModel) -> None:
    model.reset(NOTES)
    model.set_filter("projects deep")
    assert lines(model) == ["Projects", "  deep", "    A.md"]
    model.set_filter("FAILED")
    assert lines(model) == ["Projects", "  b.md"]
    model.set_filter("encrypted")
    assert model.shown_count == 1
    model.set_filter("nothing like it")
    assert lines(model) == [] and model.filtered
    model.set_filter("  ")
    assert len(lines(model)) == 9


def test_a_folder_counts_what_is_remembered_in_it(model: NotesModel) -> None:
    model.reset(NOTES)
    row = model.row_at(model.index(0, 0))
    assert row is not None and model.summary(row) == "1 of 2 remembered"
    model.change([Note(2, "Projects/b.md", N.REMEMBERED, recall=1.0)])
    row = model.row_at(model.index(0, 0))
    assert row is not None and model.summary(row) == "2 of 2 remembered"


def test_a_note_whose_edit_waits_is_still_counted(model: NotesModel) -> None:
    model.reset(NOTES)

    def summary() -> str:
        row = model.row_at(model.index(0, 0))
        assert row is not None
        return model.summary(row)

    edited = Note(3, "Projects/deep/A.md", N.WAITING, recall=0.9, cells=40)
    for state in (N.WAITING, N.READING, N.WRITING):
        model.change([replace(edited, state=state)])
        assert summary() == "1 of 2 remembered"
    model.progress([WriteProgress(3, 4, 40, 1.5, 0.0)])
    model.arrange()
    assert summary() == "1 of 2 remembered", "the recall so far is not that of what is in force"
    model.change([replace(edited, state=N.FAILED, reason="It diverged.")])
    assert summary() == "1 of 2 remembered"
    model.change([replace(edited, recall=0.5)])
    assert summary() == "0 of 2 remembered", "what is in force is weak"
    model.change([Note(2, "Projects/b.md", N.WAITING)])
    assert summary() == "0 of 2 remembered", "nothing of it was ever written"


def test_weak_begins_where_the_engine_lets_it_begin() -> None:
    assert WriteOptions().recall_threshold == WEAK_BELOW


def test_a_change_in_place_touches_the_row_and_its_folders_only(model: NotesModel) -> None:
    model.reset(NOTES)
    touched: list[str] = []
    resets: list[int] = []
    model.dataChanged.connect(lambda index, *_: touched.append(index.data()))
    model.modelReset.connect(lambda: resets.append(1))
    model.change([Note(3, "Projects/deep/A.md", N.WEAK, recall=0.4)])
    assert touched == ["A.md", "deep", "Projects"] and not resets


def test_a_renamed_note_moves_and_keeps_its_id(model: NotesModel) -> None:
    model.reset(NOTES)
    model.change([Note(1, "Projects/zebra.md", N.REMEMBERED, recall=0.9)])
    model.arrange()
    assert lines(model)[:5] == ["Projects", "  deep", "    A.md", "  b.md", "  zebra.md"]
    assert model.note_at(model.index_of(1)) is not None


def test_gone_notes_take_their_empty_folders_along(model: NotesModel) -> None:
    model.reset(NOTES)
    model.drop([2, 3, 99])
    assert "Projects" not in lines(model)


def test_progress_shows_while_writing_and_never_after(model: NotesModel) -> None:
    model.reset([Note(1, "a.md", N.WRITING)])
    model.progress([WriteProgress(1, 4, 40, 1.5, None), WriteProgress(1, 5, 40, 1.4, 0.25)])
    note = model.note(1)
    assert note is not None and (note.step, note.steps, note.recall) == (5, 40, 0.25)
    model.change([Note(1, "a.md", N.REMEMBERED, recall=0.96)])
    model.progress([WriteProgress(1, 6, 40, 1.4, 0.3), WriteProgress(77, 1, 2, 1.0, None)])
    note = model.note(1)
    assert note is not None and note.state is N.REMEMBERED and note.recall == 0.96


def test_hostile_names_are_shown_escaped_everywhere(model: NotesModel) -> None:
    model.reset([Note(1, "x/<b>bold</b>\u202emp3\n.md", N.FAILED, reason="<i>why</i>")])
    index = model.index_of(1)
    assert index.data() == "b>\\u{202e}mp3\\n.md"  # what follows the last slash
    tip = index.data(Qt.ItemDataRole.ToolTipRole)
    assert "<b>" not in tip and "&lt;" in tip and "\u202e" not in tip
    assert "\u202e" not in index.data(Qt.ItemDataRole.AccessibleTextRole)


def test_accessible_text_tells_state_recall_and_reason(model: NotesModel) -> None:
    model.reset([Note(1, "a.md", N.WEAK, recall=0.62, reason="Only 62 % right.")])
    text = model.index_of(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert text == "a.md, weak, recall 62\u00a0%, Only 62 % right."


def test_five_thousand_notes_are_all_there(model: NotesModel) -> None:
    model.reset([Note(i, f"f{i % 50}/n{i}.md", N.WAITING) for i in range(1, 5001)])
    assert model.rowCount() == 50
    assert sum(model.rowCount(model.index(r, 0)) for r in range(50)) == 5000
    assert model.index_of(4999).data() == "n4999.md"
