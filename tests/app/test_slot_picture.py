"""The picture of the slot and the plot of a write, as pixels and numbers."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.widgets.loss_plot import KEPT, LossPlot
from app.widgets.slot_picture import (
    HUES,
    STRIP,
    SlotView,
    columns_for,
    note_tint,
    raster,
    tint,
)
from engine.api import SlotBlock, SlotPicture, WriteProgress


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(1, 90), st.integers(0, 5)), min_size=1, max_size=20))
def test_every_cell_is_drawn_once_in_its_notes_colour(runs: list[tuple[int, int]]) -> None:
    blocks, at = [], 0
    for length, note in runs:
        blocks.append(SlotBlock(at, length, note))
        at += length
    columns = columns_for(at)
    data, rows = raster(SlotPicture(at, tuple(blocks)), columns)
    stride = (columns + 3) // 4 * 4
    assert len(data) == stride * rows and rows % STRIP == 0
    for block in blocks:
        for cell in (block.start, block.start + block.length - 1):
            strip, inside = divmod(cell, columns * STRIP)
            column, row = divmod(inside, STRIP)
            pixel = data[(strip * STRIP + row) * stride + column]
            assert pixel == (note_tint(block.note_id) if block.note_id else 0)
    owned = sum(block.length for block in blocks if block.note_id)
    assert sum(byte != 0 for byte in data) == owned


def test_neighbouring_notes_look_different() -> None:
    hues = [tint(note_tint(n), False).hslHueF() for n in range(1, 40)]
    for first, second in zip(hues, hues[1:], strict=False):
        apart = abs(first - second)
        assert min(apart, 1 - apart) > 0.2
    assert {note_tint(n) for n in range(1, 5000)} <= set(range(1, HUES + 1))


def test_the_point_of_a_cell_is_that_cells_note(qtbot: QtBot) -> None:
    view = SlotView(lambda n: f"note {n}")
    qtbot.addWidget(view)
    view.resize(400, 300)
    picture = SlotPicture(
        4096, (SlotBlock(0, 300, 7), SlotBlock(300, 1000, 0), SlotBlock(1300, 2796, 9))
    )
    view.set_picture(picture)
    place = view._place()
    across, down = place.width() / view._columns, place.height() / view._rows
    for cell, note in ((0, 7), (299, 7), (300, 0), (1299, 0), (1300, 9), (4095, 9)):
        strip, inside = divmod(cell, view._columns * STRIP)
        column, row = divmod(inside, STRIP)
        point = QPointF(
            place.x() + (column + 0.5) * across, place.y() + (strip * STRIP + row + 0.5) * down
        )
        assert view.note_at(point) == note
    assert view.note_at(QPointF(-5, 2)) == 0
    assert view.accessibleDescription() == "2 notes in the slot"


def test_walking_the_picture_by_keys(qtbot: QtBot) -> None:
    view = SlotView(lambda n: f"note {n}")
    qtbot.addWidget(view)
    view.set_picture(SlotPicture(100, (SlotBlock(0, 10, 3), SlotBlock(10, 90, 5))))
    picked: list[int] = []
    view.picked.connect(picked.append)
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.marked == 5 and view.accessibleDescription() == "note 5"
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert picked == [3]


def test_an_empty_picture_paints(qtbot: QtBot) -> None:
    view = SlotView(str)
    qtbot.addWidget(view)
    view.grab()
    view.set_picture(SlotPicture(0, ()))
    view.grab()
    assert view.note_at(QPointF(3, 3)) == 0


def step(note: int, number: int, loss: float = 1.0, recall: float | None = None) -> WriteProgress:
    return WriteProgress(note, number, 100, loss, recall)


def test_another_note_or_a_repeated_write_starts_anew(qtbot: QtBot) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.add([step(1, n) for n in range(5)])
    assert len(plot.points) == 5
    plot.add([step(2, 0), step(2, 1)])
    assert plot.note_id == 2 and len(plot.points) == 2
    plot.add([step(2, 0)])
    assert len(plot.points) == 1
    plot.clear()
    assert plot.points == ()


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 0.0, 1e30])
def test_any_loss_paints(qtbot: QtBot, loss: float) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.add([step(1, 0, 2.0, 0.1), step(1, 1, loss, 0.2), step(1, 2, 1.0, None)])
    assert not plot.grab().isNull()


def test_a_long_write_keeps_a_bounded_number_of_points(qtbot: QtBot) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.add([step(1, n) for n in range(3 * KEPT)])
    plot.add([step(1, 3 * KEPT)])
    assert len(plot.points) <= 2 * KEPT
    assert plot.points[-1].step == 3 * KEPT
