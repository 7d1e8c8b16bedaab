"""Every key of the window on one sheet, made from the actions themselves."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QGridLayout, QWidget

from app.actions import Group, group_words, specs
from app.views.sheet import Sheet
from app.widgets.buttons import TextButton
from app.widgets.labels import Label


class ShortcutsSheet(Sheet):
    """Two columns: what, and the keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.title.setText(self.tr("Keyboard shortcuts"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(0, 1)
        row = 0
        for group in Group:
            row = self._add_group(grid, group, row)
        self.body.addLayout(grid)
        self.body.addStretch(1)
        self.add_button(TextButton(self.tr("Close"), self.close), default=True)
        self.fit(44, 48)

    def _add_group(self, grid: QGridLayout, group: Group, row: int) -> int:
        lines = [
            (spec.words.removesuffix("…"), spec.keys) for spec in specs() if spec.group is group
        ]
        lines = [(words, keys) for words, keys in lines if keys]
        if group is Group.CHAT:
            lines += [
                (self.tr("Ask"), ("Return",)),
                (self.tr("New line in the question"), ("Shift+Return",)),
            ]
        if group is Group.MEMORY:
            lines += [(self.tr("Rename the snapshot"), ("F2",)), (self.tr("Delete it"), ("Del",))]
        if not lines:
            return row
        title = Label(group_words(group), bold=True)
        title.setContentsMargins(0, 10 if row else 0, 0, 2)
        grid.addWidget(title, row, 0, 1, 2)
        row += 1
        for words, keys in lines:
            native = QKeySequence.SequenceFormat.NativeText
            shown = "   ".join(QKeySequence(key).toString(native) for key in keys)
            grid.addWidget(Label(words, wrap=True), row, 0)
            key = Label(shown, tone="muted")
            grid.addWidget(key, row, 1, Qt.AlignmentFlag.AlignRight)
            row += 1
        return row
