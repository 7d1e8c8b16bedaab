"""The rows of the notes pane as they are painted: what they say, and where it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionViewItem

from app.actions import Act
from app.theme import theme
from app.tones import LIGHT
from app.views.note_delegate import PAD
from app.widgets.labels import scaled_font
from app.widgets.notes_tree import MARGIN
from engine.api import Note, NoteState
from tests.app.conftest import Stage

N = NoteState


def painted(stage: Stage, note: Note, *, selected: bool = False) -> str:
    """A note's row as an SVG drawing: its words are in there as they were painted."""
    stage.engine.put(note)
    stage.show()
    file = stage.home / "row.svg"
    drawing = QSvgGenerator()
    drawing.setFileName(str(file))
    drawing.setSize(QSize(400, 60))
    option = QStyleOptionViewItem()
    option.rect = QRect(0, 0, 400, 60)
    option.state = QStyle.StateFlag.State_Enabled
    if selected:
        option.state |= QStyle.StateFlag.State_Selected
    painter = QPainter(drawing)
    index = stage.workspace.notes.index_of(note.id)
    stage.window.notes._delegate.paint(painter, option, index)
    painter.end()
    return file.read_text()


@pytest.mark.parametrize(
    ("changes", "words", "icons"),
    [
        ({"state": N.REMEMBERED, "recall": 0.964}, ("remembered", "96\u00a0%", "2\u00a0h"), 1),
        ({"state": N.WEAK, "recall": 0.5, "reason": "Half right."}, ("weak", "Half right."), 1),
        ({"state": N.FAILED, "reason": "It diverged."}, ("failed", "It diverged."), 1),
        ({"state": N.SKIPPED, "reason": "Too large."}, ("skipped", "Too large."), 1),
        ({"state": N.WRITING, "step": 31, "steps": 120}, ("writing 31/120",), 1),
        ({"state": N.WAITING}, ("waiting",), 1),
    ],
)
def test_a_row_says_name_state_recall_and_age(
    stage: Stage, changes: dict[str, object], words: tuple[str, ...], icons: int
) -> None:
    note = next(n for n in stage.engine.notes.values() if n.path == "garden.md")
    note = replace(note, written_at=stage.engine.now, **changes)  # type: ignore[arg-type]
    drawing = painted(stage, note)
    for text in ("garden.md", *words):
        assert f">{text}<" in drawing, f"{text} is not in the row"
    assert drawing.count("<image") == icons, "a state is told by an icon and a word"


def test_a_chip_keeps_a_ground_of_its_own_on_a_selected_row(stage: Stage) -> None:
    note = next(iter(stage.engine.notes.values()))
    assert f'fill="{LIGHT.accent_soft}"' in painted(stage, note)
    chosen = painted(stage, note, selected=True)
    assert f'fill="{LIGHT.selected}"' in chosen and f'fill="{LIGHT.surface}"' in chosen


@pytest.mark.parametrize("percent", [100, 200])
def test_arrows_are_as_high_as_the_text_and_level_with_it(stage: Stage, percent: int) -> None:
    theme().set_font_percent(percent)
    stage.show()
    view = stage.window.notes.view
    line = QFontMetrics(scaled_font()).height()
    index = dict(stage.workspace.notes.folder_rows())["people"]
    row = view.visualRect(index)
    place = view.arrow_place(row)
    assert (place.width(), place.height()) == (line, line)
    assert place.top() == row.top() + PAD, "level with the first line"
    assert 0 <= place.left() and place.right() < row.left(), "left of the row, not cut off"
    picture = view.grab().toImage()
    at = view.viewport().mapTo(view, place.topLeft())
    inked = [
        (x, y)
        for x in range(place.width())
        for y in range(place.height())
        if picture.pixelColor(at.x() + x, at.y() + y) != picture.pixelColor(at.x(), at.y())
    ]
    high = max(y for _, y in inked) - min(y for _, y in inked)
    wide = max(x for x, _ in inked) - min(x for x, _ in inked)
    assert wide > line / 4 and high > line / 8
    middle = (max(y for _, y in inked) + min(y for _, y in inked)) / 2
    assert abs(middle - line / 2) <= line / 6


def test_an_arrow_folds_and_unfolds(stage: Stage) -> None:
    view = stage.window.notes.view
    index = dict(stage.workspace.notes.folder_rows())["people"]
    at = view.arrow_place(view.visualRect(index)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert not view.isExpanded(index)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.isExpanded(index)


def test_rows_of_a_list_stand_level_with_what_is_above_them(stage: Stage) -> None:
    pane = stage.window.notes
    index = stage.workspace.notes.index_of(next(iter(stage.engine.notes)))
    assert pane.view.visualRect(index).left() > 0, "room for the arrows of a tree"
    stage.window.actions_[Act.FLAT].trigger()
    QApplication.processEvents()
    index = stage.workspace.notes.index_of(next(iter(stage.engine.notes)))
    row = pane.view.visualRect(index)
    left = pane.view.viewport().mapTo(pane, row.topLeft()).x() + MARGIN
    assert row.left() == 0 and left == pane.filter.mapTo(pane, pane.filter.rect().topLeft()).x()
    assert pane.view.inset == MARGIN
