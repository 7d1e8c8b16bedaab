"""Contrast and the theme."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from app.icons import pixmap
from app.resources import resource
from app.theme import theme
from app.tones import DARK, LIGHT, READABLE_PAIRS, Tones, contrast
from app.widgets.labels import Label
from app.widgets.state_chip import LOOKS
from engine.api import NoteState


@pytest.mark.parametrize("tones", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), READABLE_PAIRS)
def test_text_is_readable(tones: Tones, text: str, ground: str) -> None:
    assert contrast(getattr(tones, text), getattr(tones, ground)) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


@pytest.mark.parametrize("state", list(NoteState))
def test_every_state_has_its_own_icon_and_a_readable_pair(state: NoteState) -> None:
    look = LOOKS[state]
    assert (look.ink, look.ground) in READABLE_PAIRS
    assert resource("icons", f"{look.icon}.svg").is_file()
    assert len({other.icon for other in LOOKS.values()}) == len(NoteState)


def test_dark_and_back(qapp: QApplication) -> None:
    label = Label("words", tone="muted")
    theme().force(True)
    assert qapp.palette().window().color() == QColor(DARK.window)
    assert theme().dark
    theme().force(False)
    assert qapp.palette().window().color() == QColor(LIGHT.window)
    label.deleteLater()


def test_text_grows_with_the_setting() -> None:
    label = Label("words", scale=1.25)
    before = label.font().pointSizeF()
    theme().set_font_percent(200)
    assert label.font().pointSizeF() == pytest.approx(before * 2)
    label.deleteLater()


@pytest.mark.parametrize("path", sorted(resource("icons").glob("*.svg")), ids=lambda p: p.stem)
def test_every_icon_draws_something(path: object, qapp: QApplication) -> None:
    from pathlib import Path

    assert isinstance(path, Path)
    picture = pixmap(path.stem, "#000000", 32).toImage()
    inked = sum(picture.pixelColor(x, y).alpha() > 0 for x in range(0, 32) for y in range(0, 32))
    assert inked > 5
