"""Buttons as the window uses them: with an icon that follows the theme and an accessible name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from app import wording
from app.icons import wear

OUTDENT = 7
"""From a flat button's edge to its drawing, in logical pixels: so much further left a row of them
begins, for their icons to stand level with the text above."""

if TYPE_CHECKING:
    _Button = QAbstractButton
else:  # Qt's classes do not mix with one another, so at run time this is none of them
    _Button = object


class _GrowingIcon(_Button):
    """What both kinds of buttons share: an icon whose side follows the font."""

    def changeEvent(self, event: QEvent) -> None:
        """Grow with the font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self._scale()

    def _scale(self) -> None:
        side = max(16, round(self.fontMetrics().height() * 1.05))
        self.setIconSize(QSize(side, side))


class IconButton(_GrowingIcon, QToolButton):
    """A button that is only an icon; its words are the tooltip and the accessible name."""

    def __init__(
        self,
        name: str,
        words: str,
        pressed: Callable[[], object] | None = None,
        parent: QWidget | None = None,
        *,
        role: str = "muted",
        checkable: bool = False,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._role = role
        self.setCheckable(checkable)
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_as(name, words)
        self._scale()
        if pressed is not None:
            self.clicked.connect(lambda: pressed())

    def show_as(self, name: str, words: str, role: str | None = None) -> None:
        """Change the icon and the words."""
        self._name, self._role = name, role or self._role
        wear(self, self._name, self._role)
        self.setToolTip(wording.tip(words))
        self.setAccessibleName(words)


class TextButton(_GrowingIcon, QPushButton):
    """A button with words; `kind` is "", "primary", "link" or "quiet".

    A link's words may be a file's name: they are elided in the middle, never cut off.
    """

    def __init__(
        self,
        text: str,
        pressed: Callable[[], object] | None = None,
        parent: QWidget | None = None,
        *,
        kind: str = "",
        icon: str = "",
        role: str = "",
    ) -> None:
        super().__init__(parent)
        self._whole = text
        self.setProperty("kind", kind)
        self.setText(wording.button_text(text))
        self.setAccessibleName(text)
        self.setAutoDefault(False)
        if kind in ("link", "quiet"):
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if icon:
            wear(self, icon, role or ("on_accent" if kind == "primary" else "muted"))
            self._scale()
        if pressed is not None:
            self.clicked.connect(lambda: pressed())

    def set_words(self, text: str) -> None:
        """Change the words."""
        self._whole = text
        self.setText(wording.button_text(text))
        self.setAccessibleName(text)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """A link may shrink; other buttons show all their words."""
        hint = super().minimumSizeHint()
        if self.property("kind") != "link":
            return hint
        return QSize(min(hint.width(), self.fontMetrics().averageCharWidth() * 10), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, with the words cut in the middle where there is no room for all of them."""
        if self.width() >= self.sizeHint().width():
            super().paintEvent(event)
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        style = self.style()
        inside = style.subElementRect(QStyle.SubElement.SE_PushButtonContents, option, self)
        room = inside.width() - (0 if self.icon().isNull() else self.iconSize().width() + 6)
        option.text = wording.button_text(
            self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, room)
        )
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)


class RoundButton(IconButton):
    """The one filled icon button: send, stop."""

    def __init__(
        self, name: str, words: str, pressed: Callable[[], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(name, words, pressed, parent, role="on_accent")
        self.setProperty("kind", "round")
        self.setAutoRaise(False)
