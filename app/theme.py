"""Light and dark, one accent colour, font size: the look of the window in one place.

Every pair of text and ground below keeps the contrast of WCAG AA (4.5 to 1); a test holds that.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication

from app.stylesheet import stylesheet
from app.tones import DARK, LIGHT, Tones


@dataclass(frozen=True)
class _Look:
    dark: bool
    percent: int


class Theme(QObject):
    """Dresses the application and follows the system's light and dark mode."""

    changed = Signal()
    """Colours or font size are new; whoever painted with the old ones paints again."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._base = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        self._look: _Look | None = None
        self._forced: bool | None = None
        self._percent = 100
        application.setStyle("Fusion")
        application.styleHints().colorSchemeChanged.connect(self._follow)
        self._follow()

    @property
    def tones(self) -> Tones:
        """The colours in force."""
        return DARK if self.dark else LIGHT

    @property
    def dark(self) -> bool:
        """True in dark mode."""
        return self._look is not None and self._look.dark

    def set_font_percent(self, percent: int) -> None:
        """Scale the system's font, 100 for its own size."""
        self._percent = percent
        self._follow()

    def force(self, dark: bool | None) -> None:
        """Dark or light whatever the system says (screenshots, tests); None follows again."""
        self._forced = dark
        self._follow()

    def _follow(self) -> None:
        scheme = self._application.styleHints().colorScheme()
        dark = scheme is Qt.ColorScheme.Dark if self._forced is None else self._forced
        look = _Look(dark, self._percent)
        if look == self._look:
            return
        self._look = look
        font = QFont(self._base)
        size = self._base.pointSizeF() if self._base.pointSizeF() > 0 else 10.0
        font.setPointSizeF(size * self._percent / 100)
        self._application.setFont(font)
        self._application.setPalette(_palette(self.tones))
        self._application.setStyleSheet(stylesheet(self.tones, QFontMetrics(font).height()))
        self.changed.emit()


_theme: Theme | None = None


def theme() -> Theme:
    """The application's theme; made at first use, once for each application object."""
    global _theme
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError("a theme needs a QApplication")
    if _theme is None or _theme.parent() is not application:
        _theme = Theme(application)
    return _theme


def tones() -> Tones:
    """The colours in force."""
    return theme().tones


def _palette(t: Tones) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, value in (
        (role.Window, t.window),
        (role.WindowText, t.text),
        (role.Base, t.surface),
        (role.AlternateBase, t.window),
        (role.Text, t.text),
        (role.Button, t.raised),
        (role.ButtonText, t.text),
        (role.BrightText, t.on_accent),
        (role.ToolTipBase, t.raised),
        (role.ToolTipText, t.text),
        (role.PlaceholderText, t.muted),
        (role.Highlight, t.accent),
        (role.HighlightedText, t.on_accent),
        (role.Link, t.accent),
        (role.LinkVisited, t.accent),
        (role.Accent, t.accent),
        (role.Light, t.raised),
        (role.Midlight, t.border),
        (role.Mid, t.border),
        (role.Dark, t.border),
        (role.Shadow, t.border),
    ):
        palette.setColor(which, QColor(value))
    disabled = QPalette.ColorGroup.Disabled
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(disabled, which, QColor(t.disabled))
    return palette
