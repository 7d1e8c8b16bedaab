"""The first thing a new user sees: choose a folder, or try it with sample notes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app import dialogs, wording
from app.icons import wear_label
from app.resources import resource
from app.widgets.buttons import TextButton
from app.widgets.labels import ElidedLabel, Label

LOGO_SIDE = 76


def default_samples_folder() -> Path:
    """Where the sample notes go unless another place is chosen."""
    where = QStandardPaths.StandardLocation.DocumentsLocation
    documents = QStandardPaths.writableLocation(where)
    return Path(documents or Path.home()) / "Engram notes"


class Logo(QWidget):
    """The application's icon, drawn sharp at any scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(LOGO_SIDE, LOGO_SIDE)
        self._drawing = QSvgRenderer(str(resource("icons", "engram.svg")), self)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        self._drawing.render(painter)


class Welcome(QWidget):
    """A page, not a dialog; files can be dropped on it as anywhere."""

    choose_folder = Signal()
    try_samples = Signal(object)
    """The folder the samples go to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.samples_folder = default_samples_folder()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer.addWidget(scroll)
        inside = QWidget()
        scroll.setWidget(inside)
        row = QHBoxLayout(inside)
        row.addStretch(1)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(32, 32, 32, 32)
        self._column.setSpacing(10)
        row.addLayout(self._column, 6)
        row.addStretch(1)
        self._build()

    def _centred(self, widget: QWidget) -> None:
        self._column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)

    def _build(self) -> None:
        self._column.addStretch(2)
        self._centred(Logo())
        self._column.addSpacing(8)
        title = Label(self.tr("A memory for your notes"), bold=True, scale=1.9, wrap=True)
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._column.addWidget(title)
        text = Label(
            self.tr(
                "Engram learns your notes by heart, on this computer, and answers your questions."
            ),
            tone="muted",
            scale=1.1,
            wrap=True,
        )
        text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._column.addWidget(text)
        self._column.addSpacing(18)
        self.choose = TextButton(
            self.tr("Choose a folder of notes"),
            self.choose_folder.emit,
            kind="primary",
            icon="folder",
        )
        self._centred(self.choose)
        self.samples = TextButton(
            self.tr("Try it with sample notes"), lambda: self.try_samples.emit(self.samples_folder)
        )
        self._centred(self.samples)
        self._column.addLayout(self._samples_line())
        self._column.addSpacing(26)
        self._column.addLayout(self._points())
        self._column.addStretch(3)

    def _samples_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(2)
        line.addStretch(1)
        self.where = ElidedLabel(tone="muted", scale=0.9)
        line.addWidget(self.where)
        self.change = TextButton(self.tr("Change…"), self._change, kind="link")
        line.addWidget(self.change)
        line.addStretch(1)
        self._show_where()
        return line

    def _show_where(self) -> None:
        words = self.tr("Samples are copied to %1")
        self.where.setText(words.replace("%1", wording.shown(_short(self.samples_folder))))

    def _change(self) -> None:
        title = self.tr("Where shall the sample notes go?")
        chosen = dialogs.choose_folder(self, title, self.samples_folder.parent)
        if chosen is not None:
            self.samples_folder = chosen
            self._show_where()

    def _points(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(32)
        row.addStretch(1)
        for icon, title, text in (
            (
                "note",
                self.tr("Write as you do"),
                self.tr("Markdown, text, PDF, Word: any folder. Engram never changes a file."),
            ),
            (
                "memory",
                self.tr("It is learned"),
                self.tr("Each note is written into the memory and tested until it is recalled."),
            ),
            (
                "chats",
                self.tr("Just ask"),
                self.tr("Answers name their note, say how sure they are, or say “not in memory”."),
            ),
        ):
            row.addLayout(self._point(icon, title, text), 4)
        row.addStretch(1)
        return row

    def _point(self, icon: str, title: str, text: str) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(5)
        mark = Label()
        wear_label(mark, icon, "accent", 1.5)
        column.addWidget(mark)
        column.addWidget(Label(title, bold=True, wrap=True))
        words = Label(text, tone="muted", wrap=True)
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(words, 1)
        return column


def _short(folder: Path) -> str:
    """A path with the home folder as ``~``."""
    try:
        return str(Path("~") / folder.relative_to(Path.home()))
    except ValueError:
        return str(folder)
