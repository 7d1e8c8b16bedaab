"""What differs between two memories: which notes, how their recall changed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QHeaderView, QTreeView, QWidget

from app import wording
from app.views.sheet import Sheet
from app.widgets.buttons import TextButton
from app.widgets.flow_layout import FlowLayout
from app.widgets.labels import Label
from engine.api import Change, Comparison, NoteDifference


def recall_words(share: float | None) -> str:
    """A recall, or a dash where the note is not there."""
    return wording.DASH if share is None else wording.percent(share)


class CompareSheet(Sheet):
    """A line of totals and a table of notes."""

    def __init__(
        self, comparison: Comparison, first: str, second: str, parent: QWidget | None = None
    ) -> None:
        super().__init__("", parent, scrolls=False)
        title = self.tr("Compare two memories")
        self.setWindowTitle(title)
        self.title.setText(title)
        words = self.tr("From %1 to %2").replace("%1", wording.shown(first))
        self.say(words.replace("%2", wording.shown(second)))
        self.body.addWidget(self._totals(comparison))
        if comparison.notes:
            self.table = self._table(comparison, first, second)
            self.body.addWidget(self.table, 1)
        else:
            same = Label(self.tr("They remember the same notes, equally well."), wrap=True)
            same.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.body.addWidget(same, 1)
        close = TextButton(self.tr("Close"), self.close)
        self.add_button(close, default=True)
        self.fit(54, 36)

    def _totals(self, comparison: Comparison) -> QWidget:
        line = QWidget()
        flow = FlowLayout(line, gap=18, line_gap=4)
        for words, count in (
            (self.tr("Notes that differ:"), len(comparison.notes)),
            (self.tr("Cells changed:"), comparison.cells_changed),
            (self.tr("Cells the same:"), comparison.cells_same),
            (self.tr("Probes changed:"), comparison.probes_changed),
        ):
            flow.addWidget(Label(f"{words} {wording.number(count)}", tone="muted"))
        return line

    def _table(self, comparison: Comparison, first: str, second: str) -> QTreeView:
        model = QStandardItemModel(self)
        model.setHorizontalHeaderLabels(
            [
                self.tr("Note"),
                self.tr("Change"),
                self.tr("Recall before"),
                self.tr("after"),
                self.tr("Probes changed"),
            ]
        )
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for section in (2, 3, 4):
            model.horizontalHeaderItem(section).setTextAlignment(right)
        for difference in comparison.notes:
            model.appendRow(self._row(difference))
        table = QTreeView()
        table.setObjectName("table")
        table.setModel(model)
        table.setRootIsDecorated(False)
        table.setUniformRowHeights(True)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        table.setAccessibleName(self.tr("Notes that differ"))
        header = table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for section in (1, 2, 3, 4):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.ResizeToContents)
        return table

    def _row(self, difference: NoteDifference) -> list[QStandardItem]:
        changes = {
            Change.ONLY_IN_FIRST: self.tr("only in the first"),
            Change.ONLY_IN_SECOND: self.tr("only in the second"),
            Change.REWRITTEN: self.tr("written anew"),
            Change.RECALL: self.tr("recall changed"),
        }
        name = QStandardItem(wording.shown(difference.path))
        name.setToolTip(wording.tip(wording.shown(difference.path)))
        row = [name, QStandardItem(changes[difference.change])]
        for share in (difference.first_recall, difference.second_recall):
            item = QStandardItem(recall_words(share))
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row.append(item)
        probes = QStandardItem(wording.number(difference.probes_changed))
        probes.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return [*row, probes]
