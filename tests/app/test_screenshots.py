"""The command that makes the pictures of every screen, with the fake engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from app import screenshots
from app.screenshots import make
from engine.api import Engine
from tests.app.fake_engine import FakeEngine, Knowledge

SCREENS = (
    "welcome",
    "writing",
    "ready",
    "chat",
    "forgotten",
    "compare",
    "remembered",
    "settings",
    "rebuild",
    "shortcuts",
    "about",
    "drop",
    "large-text",
    "settings-large-text",
    "small-window",
    "folder-missing",
)


def test_every_screen_light_and_dark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = tmp_path / "sample_notes"
    samples.mkdir()
    for number in range(4):
        (samples / f"note {number}.md").write_text(f"{number}")
    (samples / "questions.jsonl").write_text(
        '{"note": "note 1.md", "question": "One?", "answers": ["1"], "kind": "plain"}\n'
    )
    monkeypatch.setattr(screenshots, "resource", lambda *parts: tmp_path.joinpath(*parts))
    engine = FakeEngine(knows=[Knowledge("note 1.md", "One?", "1")])

    def pump(pumped: Engine) -> None:
        assert pumped is engine
        for _ in range(3):
            engine.step()

    out = tmp_path / "pictures"
    make(out, lambda _: engine, pump)
    assert {p.name for p in out.iterdir()} == {
        f"{screen}-{look}.png" for screen in SCREENS for look in ("light", "dark")
    }
    for screen in SCREENS:
        light, dark = (QImage(str(out / f"{screen}-{look}.png")) for look in ("light", "dark"))
        assert light.size() == dark.size() and light.width() > 300
        assert light.pixelColor(2, light.height() - 2).lightness() > 128
        assert dark.pixelColor(2, dark.height() - 2).lightness() < 128
    assert engine.closed


def test_an_engine_that_does_nothing_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screenshots, "PATIENCE_MS", 0)
    monkeypatch.setattr(screenshots, "resource", lambda *parts: tmp_path.joinpath(*parts))
    (tmp_path / "sample_notes").mkdir()
    with pytest.raises(TimeoutError):
        make(tmp_path / "out", lambda _: FakeEngine())
