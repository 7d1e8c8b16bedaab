"""A line across a pane that says what is wrong and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.icons import wear_label
from app.widgets.buttons import TextButton
from app.widgets.flow_layout import FlowLayout
from app.widgets.labels import Label
from app.widgets.toast import Offer

_INK = {"bad": "on_bad", "warn": "on_warn", "info": "on_accent_soft"}
_ICON = {"bad": "failed", "warn": "weak", "info": "info"}


class Banner(QFrame):
    """Hidden until `show_problem`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 9, 16, 9)
        row.setSpacing(12)
        self._mark = Label()
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignVCenter)
        self.label = Label(wrap=True)
        row.addWidget(self.label, 1)
        self._buttons = QWidget()
        self._flow = FlowLayout(self._buttons)
        row.addWidget(self._buttons, 0, Qt.AlignmentFlag.AlignVCenter)
        self._shown: tuple[str, str, tuple[str, ...]] | None = None
        self.hide()

    def show_problem(self, text: str, tone: str, offers: tuple[Offer, ...] = ()) -> None:
        """Show a sentence in a tone ("bad", "warn" or "info") with its buttons."""
        now = (text, tone, tuple(offer.words for offer in offers))
        if now == self._shown:
            self.show()
            return
        self._shown = now
        self.setProperty("tone", tone)
        self.style().unpolish(self)
        self.style().polish(self)
        wear_label(self._mark, _ICON[tone], _INK[tone])
        self.label.setText(text)
        self.setAccessibleName(text)
        while (item := self._flow.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for offer in offers:
            self._flow.addWidget(TextButton(offer.words, offer.accept))
        self._buttons.setVisible(bool(offers))
        self.show()

    def buttons(self) -> list[TextButton]:
        """The buttons offered now."""
        return [
            widget
            for i in range(self._flow.count())
            if (item := self._flow.itemAt(i)) and isinstance(widget := item.widget(), TextButton)
        ]

    def clear(self) -> None:
        """Nothing is wrong any more."""
        self._shown = None
        self.hide()
