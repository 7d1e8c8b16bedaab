"""The icons: line drawings from `resources/icons`, in a colour of the theme, at any size."""

from __future__ import annotations

from functools import lru_cache
from weakref import WeakKeyDictionary

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel
from shiboken6 import isValid

from app.resources import resource
from app.theme import theme, tones

_SIZES = (16, 20, 24, 32, 48)

_Wearer = QAbstractButton | QAction
_worn: WeakKeyDictionary[_Wearer, tuple[str, str]] = WeakKeyDictionary()
_labels: WeakKeyDictionary[QLabel, tuple[str, str, float]] = WeakKeyDictionary()
_followed: set[int] = set()


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=2048)
def pixmap(name: str, color: str, side: int, ratio: float = 1.0) -> QPixmap:
    """An icon as a picture of `side` by `side` logical pixels in the colour ``#rrggbb``."""
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", color).encode()))
    real = max(1, round(side * ratio))
    picture = QPixmap(QSize(real, real))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    renderer.render(painter, QRectF(0, 0, real, real))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


@lru_cache(maxsize=512)
def _icon(name: str, color: str, disabled: str) -> QIcon:
    icon = QIcon()
    for side in _SIZES:
        icon.addPixmap(pixmap(name, color, side))
        icon.addPixmap(pixmap(name, color, side, 2.0))
        icon.addPixmap(pixmap(name, disabled, side), QIcon.Mode.Disabled)
        icon.addPixmap(pixmap(name, color, side), QIcon.Mode.Selected)
    return icon


def icon(name: str, role: str = "text") -> QIcon:
    """An icon in the present colours. For what stays on screen use `wear`."""
    t = tones()
    return _icon(name, getattr(t, role), t.disabled)


def app_icon() -> QIcon:
    """The application's own icon."""
    drawn = QIcon()
    renderer = QSvgRenderer(str(resource("icons", "engram.svg")))
    for side in (16, 24, 32, 48, 64, 128, 256):
        picture = QPixmap(side, side)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        renderer.render(painter)
        painter.end()
        drawn.addPixmap(picture)
    return drawn


def wear(widget: _Wearer, name: str, role: str = "text") -> None:
    """Give a button or action an icon that follows the theme."""
    _follow()
    _worn[widget] = (name, role)
    widget.setIcon(icon(name, role))


def wear_label(label: QLabel, name: str, role: str = "muted", scale: float = 1.0) -> None:
    """Show an icon in a label, following the theme; `scale` is in heights of its text."""
    _follow()
    _labels[label] = (name, role, scale)
    _dress(label, name, role, scale)


def _dress(label: QLabel, name: str, role: str, scale: float) -> None:
    side = round(max(16, QFontMetrics(QApplication.font()).height() * 1.05) * scale)
    label.setPixmap(pixmap(name, tone(role), side, label.devicePixelRatioF()))


def tone(role: str) -> str:
    """The colour of a role, by name."""
    value: str = getattr(tones(), role)
    return value


def _follow() -> None:
    look = theme()
    if id(look) in _followed:
        return
    _followed.add(id(look))
    look.changed.connect(_again)


def _again() -> None:
    for widget, (name, role) in list(_worn.items()):
        if isValid(widget):
            widget.setIcon(icon(name, role))
    for label, (name, role, scale) in list(_labels.items()):
        if isValid(label):
            _dress(label, name, role, scale)
