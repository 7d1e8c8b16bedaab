"""Messages that come, offer, and go."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.flow_layout import FlowLayout
from app.widgets.labels import ElidedLabel, Label
from app.widgets.text_block import TextBlock
from app.widgets.toast import MOST, Offer, Toasts


def host(qtbot: QtBot) -> QWidget:
    """Something to show messages on."""
    widget = QWidget()
    widget.resize(700, 500)
    qtbot.addWidget(widget)
    widget.show()
    return widget


def test_an_offer_is_taken_once(qtbot: QtBot) -> None:
    toasts = Toasts(host(qtbot))
    done: list[str] = []
    offer = Offer("Undo", lambda: done.append("undone"))
    toast = toasts.say("Forgot.", offer, expired=lambda: done.append("expired"))
    QTest.mouseClick(toast.button, Qt.MouseButton.LeftButton)
    toast.accept()
    toast.expire()
    assert done == ["undone"] and toasts.shown == ()


def test_expiry_is_told_once_and_the_oldest_gives_way(qtbot: QtBot) -> None:
    toasts = Toasts(host(qtbot))
    expired: list[int] = []
    for number in range(MOST + 2):
        toasts.say(f"{number}", expired=partial(expired.append, number))
    assert [t.label.text() for t in toasts.shown] == ["2", "3", "4"] and expired == [0, 1]
    toasts.expire_all()
    assert expired == [0, 1, 2, 3, 4] and toasts.shown == ()


def test_the_same_words_are_not_stacked(qtbot: QtBot) -> None:
    toasts = Toasts(host(qtbot))
    assert toasts.say("Copied.") is toasts.say("Copied.")
    toasts.expire_all()


def test_undo_takes_the_newest_offer(qtbot: QtBot) -> None:
    toasts = Toasts(host(qtbot))
    done: list[int] = []
    toasts.say("one", Offer("Undo", lambda: done.append(1)))
    toasts.say("two", Offer("Undo", lambda: done.append(2)))
    toasts.say("no offer")
    assert toasts.undo_newest() and done == [2]
    assert toasts.undo_newest() and done == [2, 1]
    assert not toasts.undo_newest()
    toasts.expire_all()


def test_an_error_stays_and_others_wait_for_the_mouse(qtbot: QtBot) -> None:
    toasts = Toasts(host(qtbot))
    bad = toasts.say("No room.", bad=True)
    assert not bad._timer.isActive()
    toast = toasts.say("Fine.")
    assert toast._timer.isActive()
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QEnterEvent

    enter = QEnterEvent(QPointF(1, 1), QPointF(1, 1), QPointF(1, 1))
    QApplication.sendEvent(toast, enter)
    assert not toast._timer.isActive()
    QApplication.sendEvent(toast, QEvent(QEvent.Type.Leave))
    assert toast._timer.isActive()
    toasts.expire_all()


def test_messages_stay_inside_and_do_not_overlap(qtbot: QtBot) -> None:
    widget = host(qtbot)
    toasts = Toasts(widget)
    for number in range(3):
        toasts.say(f"{number} " + "many words in a row " * 12, Offer("Undo", lambda: None))
    boxes = [toast.geometry() for toast in toasts.shown]
    assert all(widget.rect().contains(box) for box in boxes)
    assert all(not a.intersects(b) for a in boxes for b in boxes if a != b)
    toasts.expire_all()


def test_flow_breaks_lines_instead_of_clipping(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    flow = FlowLayout(widget)
    labels = [Label("some words") for _ in range(6)]
    for label in labels:
        flow.addWidget(label)
    one = labels[0].sizeHint().width()
    widget.resize(one * 3 + 30, 400)
    widget.show()
    QApplication.processEvents()
    assert len({label.y() for label in labels}) == 2
    assert all(label.width() >= one for label in labels)
    assert flow.heightForWidth(one * 3 + 30) > flow.heightForWidth(one * 10)
    assert flow.itemAt(99) is None and flow.takeAt(99) is None


def test_long_names_are_cut_in_the_middle_and_whole_in_the_tooltip(qtbot: QtBot) -> None:
    label = ElidedLabel("a" * 300 + "<b>.md")
    qtbot.addWidget(label)
    assert label.minimumSizeHint().width() < 120
    assert "&lt;b&gt;.md" in label.toolTip() and "<b>" not in label.toolTip()
    label.resize(150, 30)
    assert not label.grab().isNull()


def test_text_is_as_high_as_it_needs_and_keeps_its_selection(qtbot: QtBot) -> None:
    block = TextBlock("one")
    qtbot.addWidget(block)
    block.resize(120, 10)
    block.show()
    low = block.height()
    block.selectAll()
    block.set_text("one " + "more words " * 20)
    assert block.height() > low * 3
    assert block.toPlainText().endswith("more words ")
    assert block.textCursor().selectedText().startswith("one")
    block.set_text("other")
    assert block.toPlainText() == "other"
