"""A question and its answer, with everything that is known about the answer."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app import wording
from app.chatting import Running
from app.icons import wear, wear_label
from app.models.chat_records import Turn
from app.widgets.buttons import OUTDENT, IconButton, TextButton
from app.widgets.flow_layout import FlowLayout
from app.widgets.labels import ElidedLabel, Label
from app.widgets.recall_bar import RecallBar
from app.widgets.text_block import TextBlock
from app.widgets.token_strip import TokenStrip
from engine.api import AlternativeAnswer, Answer, Source


def _level(widget: QWidget) -> QWidget:
    """A part that stands level with the answer's text; flat buttons begin further left."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(OUTDENT, 0, 0, 0)
    row.addWidget(widget)
    return holder


class Message(QWidget):
    """One turn of a conversation. Its text stands `OUTDENT` to the right of its left edge."""

    source_clicked = Signal(int)
    """A note that carried (or lies near) the answer."""
    again = Signal(str)
    """The question is to be asked again."""
    stop = Signal()
    add_notes = Signal()
    """There is nothing in memory, and notes are to be added."""

    def __init__(self, turn: Turn, running: Running | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.turn = turn
        self.links: list[TextButton] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(self._question(turn.question))
        self.text = TextBlock()
        self.text.setAccessibleName(self.tr("Answer"))
        beside = QHBoxLayout()
        beside.setContentsMargins(OUTDENT, 0, 0, 0)
        beside.addWidget(self.text)
        column.addLayout(beside)
        self._state = QWidget()
        state = QHBoxLayout(self._state)
        state.setContentsMargins(OUTDENT, 0, 0, 0)
        self._waiting = Label(tone="muted")
        state.addWidget(self._waiting)
        self.stop_button = TextButton(self.tr("Stop"), self.stop.emit, kind="quiet", icon="stop")
        state.addWidget(self.stop_button)
        state.addStretch(1)
        column.addWidget(self._state)
        self._facts = QWidget()
        self._facts_column = QVBoxLayout(self._facts)
        self._facts_column.setContentsMargins(0, 0, 0, 0)
        self._facts_column.setSpacing(4)
        column.addWidget(self._facts)
        self.update_turn(turn, running)

    def _question(self, question: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addSpacing(48)
        row.addStretch(1)
        card = QFrame()
        card.setObjectName("question")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(14, 9, 14, 9)
        block = TextBlock(question)
        block.setAccessibleName(self.tr("Question"))
        block.hug()
        card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        inside.addWidget(block)
        row.addWidget(card)
        return row

    def update_turn(self, turn: Turn, running: Running | None) -> None:
        """Show what has come so far, or all of it."""
        self.turn = turn
        self._state.setVisible(running is not None)
        if running is not None:
            self.text.setVisible(bool(running.text))
            self.text.set_text(running.text)
            if running.stopping:
                self._waiting.setText(self.tr("Stopping…"))
            else:
                waiting = self.tr("Remembering…") if running.started else self.tr("Waiting…")
                self._waiting.setText(waiting)
            return
        if turn.answer is not None:
            self.text.set_text(turn.answer.text)
            self.text.setVisible(bool(turn.answer.text))
            self._show_facts(turn.answer)
        elif turn.empty:
            self.text.set_text(wording.nothing_yet())
            self.text.show()
            self._show_way_in()
        else:
            self.text.hide()
            self._show_problem(turn.problem or self.tr("This question was not answered."))

    # --- under the answer ---

    def _clear(self) -> None:
        while (item := self._facts_column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()

    def _show_problem(self, problem: str) -> None:
        self._clear()
        line = QFrame()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        mark = Label()
        wear_label(mark, "failed", "on_bad")
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(Label(problem, tone="bad", wrap=True), 1)
        self._facts_column.addWidget(_level(line))
        self._facts_column.addWidget(self._actions(None))

    def _show_way_in(self) -> None:
        """Nothing is in memory: say how something gets there."""
        self._clear()
        words = self.tr("Notes that are added are written into memory; then ask again.")
        self._facts_column.addWidget(_level(Label(words, tone="muted", scale=0.9, wrap=True)))
        self.add_button = TextButton(
            self.tr("Add notes…"), self.add_notes.emit, kind="link", icon="plus", role="accent"
        )
        self._facts_column.addWidget(self.add_button)
        self._facts_column.addWidget(self._actions(None))

    def _show_facts(self, answer: Answer) -> None:
        self._clear()
        self.links.clear()
        if answer.sources:
            self._facts_column.addWidget(_level(self._sources(answer)))
        self._facts_column.addWidget(_level(self._measures(answer)))
        if answer.alternatives:
            self._facts_column.addWidget(_level(self._alternatives(answer)))
        self.given = self._given(answer)
        self._facts_column.addWidget(self._actions(answer))
        self._facts_column.addWidget(_level(self.given))

    def _sources(self, answer: Answer) -> QWidget:
        line = QWidget()
        flow = FlowLayout(line, gap=4, line_gap=2)
        words = self.tr("Learned from") if answer.known else self.tr("Nearest in memory")
        flow.addWidget(Label(words, tone="muted", scale=0.9))
        for source in answer.sources:
            flow.addWidget(self._source(source, answer.known))
        return line

    def _source(self, source: Source, known: bool) -> QWidget:
        """A link to the note with the date it was written on; the two stay together."""
        pair = QWidget()
        row = QHBoxLayout(pair)
        row.setContentsMargins(0, 0, 6, 0)
        row.setSpacing(5)
        tip = wording.shown(source.path)
        if known:
            share = self.tr("carried %1 of the answer")
            tip += "\n" + share.replace("%1", wording.percent(source.weight))
        row.addWidget(self._link(source, tip))
        if source.written_at is not None:
            when = Label(wording.date(source.written_at), tone="muted", scale=0.9)
            written = self.tr("written into memory on %1")
            when.setToolTip(wording.tip(written.replace("%1", wording.moment(source.written_at))))
            row.addWidget(when)
        return pair

    def _alternatives(self, answer: Answer) -> QWidget:
        """What else it may be, each on a line with its note."""
        block = QWidget()
        lines = QGridLayout(block)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setHorizontalSpacing(6)
        lines.setVerticalSpacing(2)
        lines.setColumnStretch(1, 1)
        lines.addWidget(Label(self.tr("It may also be"), tone="muted", scale=0.9), 0, 0)
        for row, each in enumerate(answer.alternatives):
            lines.addWidget(self._alternative(each), row, 1)
        return block

    def _alternative(self, each: AlternativeAnswer) -> QWidget:
        """An answer with its note close behind; the answer gives way where room is short."""
        line, pair = QWidget(), QWidget()
        FlowLayout(line).addWidget(pair)
        row = QHBoxLayout(pair)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        words = " ".join(each.text.split())
        row.addWidget(ElidedLabel(words, mode=Qt.TextElideMode.ElideRight), 1)
        row.addWidget(self._link(each.source, wording.shown(each.source.path)))
        return line

    def _link(self, source: Source, tip: str) -> TextButton:
        """A link to a note."""
        name = wording.file_name(source.path)
        link = TextButton(name, kind="link", icon="note", role="accent")
        link.clicked.connect(lambda _=False, n=source.note_id: self.source_clicked.emit(n))
        link.setToolTip(wording.tip(tip))
        self.links.append(link)
        return link

    def _measures(self, answer: Answer) -> QWidget:
        line = QWidget()
        flow = FlowLayout(line, gap=14, line_gap=2)
        self.sure = RecallBar(self.tr("How sure"), answer.confidence)
        flow.addWidget(self.sure)
        took = Label(wording.seconds(answer.seconds), tone="muted", scale=0.9)
        took.setToolTip(wording.tip(self.tr("from the question to the whole answer")))
        flow.addWidget(took)
        if answer.stopped:
            flow.addWidget(Label(self.tr("stopped"), tone="muted", scale=0.9))
        return line

    def _actions(self, answer: Answer | None) -> QWidget:
        line = QWidget()
        flow = FlowLayout(line, gap=2, line_gap=2)
        if answer is not None:
            self.copy_button = IconButton("copy", self.tr("Copy the answer"), self.copy)
            flow.addWidget(self.copy_button)
        self.again_button = IconButton("again", self.tr("Ask again"), self._ask_again)
        flow.addWidget(self.again_button)
        if answer is not None:
            self.fold = TextButton(
                self.tr("What the model was given"), self.unfold, kind="quiet", icon="chevron-right"
            )
            self.fold.setCheckable(False)
            flow.addWidget(self.fold)
        return line

    def _given(self, answer: Answer) -> QWidget:
        box = QFrame()
        box.setObjectName("quiet")
        column = QVBoxLayout(box)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(8)
        words = self.tr(
            "These %1 tokens are everything the model was given. No note is among them: "
            "the answer comes from its memory."
        ).replace("%1", wording.number(len(answer.prompt)))
        column.addWidget(Label(words, tone="muted", scale=0.9, wrap=True))
        column.addWidget(TokenStrip(answer.prompt))
        box.hide()
        return box

    def unfold(self) -> None:
        """Show or hide the tokens of the prompt."""
        shown = self.given.isHidden()
        self.given.setVisible(shown)
        wear(self.fold, "chevron-down" if shown else "chevron-right", "muted")

    def copy(self) -> None:
        """Put the answer on the clipboard."""
        if self.turn.answer is not None:
            QGuiApplication.clipboard().setText(self.turn.answer.text)

    def _ask_again(self) -> None:
        self.again.emit(self.turn.question)
