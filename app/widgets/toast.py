"""Short messages at the foot of the window, with Undo where there is something to undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.icons import wear_label
from app.widgets.buttons import IconButton, TextButton
from app.widgets.labels import Label

SHOWN_MS = 9000
MOST = 3


@dataclass(frozen=True)
class Offer:
    """A button in a toast."""

    words: str
    accept: Callable[[], object]


class Toast(QFrame):
    """One message. It stays while the mouse is over it; an error stays until it is closed."""

    gone = Signal(object)

    def __init__(
        self,
        text: str,
        offer: Offer | None,
        parent: QWidget,
        *,
        bad: bool = False,
        expired: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.setProperty("tone", "bad" if bad else "")
        self.offer = offer
        self._expired = expired
        self._over = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self.expire)
        self._build(text, offer, bad)
        if not bad:
            self._timer.start()

    def _build(self, text: str, offer: Offer | None, bad: bool) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(10)
        mark = Label()
        wear_label(mark, "failed" if bad else "info", "on_bad" if bad else "accent")
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignVCenter)
        self.label = Label(text, wrap=True)
        row.addWidget(self.label, 1)
        if offer is not None:
            self.button = TextButton(offer.words, self.accept, kind="link")
            row.addWidget(self.button)
        close = IconButton("close", self.tr("Close this message"), self.expire)
        row.addWidget(close)
        self.setAccessibleName(text)

    def accept(self) -> None:
        """Take the offer."""
        if self._over:
            return
        self._over = True
        self._timer.stop()
        if self.offer is not None:
            self.offer.accept()
        self.gone.emit(self)

    def expire(self) -> None:
        """Leave without the offer having been taken."""
        if self._over:
            return
        self._over = True
        self._timer.stop()
        if self._expired is not None:
            self._expired()
        self.gone.emit(self)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while it is being read."""
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Go on counting."""
        if not self._over and self.property("tone") != "bad":
            self._timer.start()


class Toasts(QObject):
    """The messages on screen, newest lowest, at the foot of a widget."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._toasts: list[Toast] = []
        self.place: Callable[[], QRect] = host.rect
        """The part of the host at whose foot the messages stand, in the host's pixels."""
        host.installEventFilter(self)

    @property
    def shown(self) -> tuple[Toast, ...]:
        """The messages on screen, oldest first."""
        return tuple(self._toasts)

    def say(
        self,
        text: str,
        offer: Offer | None = None,
        *,
        bad: bool = False,
        expired: Callable[[], object] | None = None,
    ) -> Toast:
        """Show a message. `expired` is called when it goes without its offer being taken."""
        for other in self._toasts:
            if offer is None and other.offer is None and other.label.text() == text:
                return other
        toast = Toast(text, offer, self._host, bad=bad, expired=expired)
        toast.gone.connect(self._remove)
        self._toasts.append(toast)
        while len(self._toasts) > MOST:
            self._toasts[0].expire()
        toast.show()
        self.arrange()
        return toast

    def undo_newest(self) -> bool:
        """Take the newest offer on screen; False when there is none."""
        for toast in reversed(self._toasts):
            if toast.offer is not None:
                toast.accept()
                return True
        return False

    def expire_all(self) -> None:
        """Let every message go (the window closes)."""
        for toast in self.shown:
            toast.expire()

    def arrange(self) -> None:
        """Put the messages in place."""
        place = self.place()
        width = min(place.width() - 24, self._host.fontMetrics().averageCharWidth() * 76)
        y = place.bottom() - 8
        for toast in reversed(self._toasts):
            toast.ensurePolished()
            wide = min(width, max(toast.sizeHint().width(), 200))
            layout = toast.layout()
            high = max(toast.sizeHint().height(), layout.heightForWidth(wide) if layout else 0)
            y -= high
            toast.setGeometry(place.center().x() - wide // 2, y, wide, high)
            toast.raise_()
            y -= 8

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of whatever this is installed on."""
        if event.type() == QEvent.Type.Resize:
            self.arrange()
        return False

    def _remove(self, toast: Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            toast.hide()
            toast.deleteLater()
            self.arrange()
