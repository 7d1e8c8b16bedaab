"""One offscreen application, a stage with the fake engine, and a watch for leaks."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.theme import theme
from app.views.main_window import MainWindow
from app.widgets.toast import Toast
from app.workspace import Workspace
from engine.api import Settings
from tests.app.fake_engine import FakeEngine, Knowledge

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

PATIENCE_MS = 120_000
"""After this a test that waits for what never comes fails."""

KNOWS = (
    Knowledge("garden.md", "When were the tomatoes planted?", "On 14 May, by the south wall."),
    Knowledge("people/club.txt", "Who is the treasurer?", "Mira Okonkwo, since March."),
    Knowledge("travel/lisbon.md", "Which tram goes to the castle?", "Tram 28."),
)


def pytest_configure() -> None:
    """The tests never need a screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def _forget_deleted() -> None:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _running_timers() -> list[QTimer]:
    return [
        thing
        for thing in gc.get_objects()
        if issubclass(type(thing), QTimer) and isValid(thing) and thing.isActive()
    ]


@pytest.fixture(autouse=True)
def no_leaks(qapp: QApplication) -> Iterator[None]:
    """Fail when a test leaves a thread, a running timer or a window behind."""
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
    theme().force(False)
    theme().set_font_percent(100)
    threads = set(threading.enumerate())
    windows = set(map(id, QApplication.topLevelWidgets()))
    yield
    _forget_deleted()
    gc.collect()
    _forget_deleted()
    left = [w for w in QApplication.topLevelWidgets() if id(w) not in windows]
    assert not left, f"left behind: {left}"
    assert not _running_timers(), "a timer still runs"
    assert set(threading.enumerate()) <= threads, "a thread still runs"


class Stage:
    """The window with the fake engine; the test moves the time."""

    def __init__(self, home: Path, engine: FakeEngine, qtbot: QtBot) -> None:
        self.home = home
        self.engine = engine
        self.qtbot = qtbot
        self.workspace = Workspace(home)
        self.workspace.clock = lambda: engine.now + 7200
        self.window = MainWindow(self.workspace)
        self.window.resize(1280, 820)

    @property
    def folder(self) -> Path:
        """The watched folder."""
        folder = self.engine.settings.folder
        assert folder is not None
        return folder

    def open(self) -> None:
        """Show the window and hand it its engine."""
        self.window.show()
        self.workspace.chats.load()
        self.workspace.client.attach(self.engine)
        self.settle()

    def files(self) -> None:
        """Wait for the file work that is queued."""
        done: list[object] = []
        self.workspace.background.run(lambda: None, done.append)
        self.qtbot.waitUntil(lambda: bool(done), timeout=PATIENCE_MS)

    def show(self) -> None:
        """Bring to the screen what the engine has said so far."""
        self.workspace.bridge.drain()
        self.workspace.notes.arrange()
        QApplication.processEvents()

    def steps(self, count: int) -> None:
        """Let the engine take some steps."""
        for _ in range(count):
            self.engine.step()
        self.show()

    def settle(self) -> None:
        """Let everything that is on its way come to rest."""
        for _ in range(3):
            self.files()
            self.engine.run()
            self.show()

    def toast(self) -> Toast:
        """The newest message."""
        return self.window.toasts.shown[-1]

    def child(self, kind: type[QWidget]) -> QWidget:
        """The newest dialog of a kind."""
        found = [w for w in self.window.findChildren(kind) if w.isVisible()]
        assert found, f"no {kind.__name__} is open"
        return found[-1]

    def close(self) -> None:
        """Leave."""
        self.window.leave()
        self.workspace.close()
        self.window.deleteLater()
        self.workspace.deleteLater()
        _forget_deleted()


@pytest.fixture
def notes_folder(tmp_path: Path) -> Path:
    """A folder with three notes the fake knows and one it does not."""
    folder = tmp_path / "Notes"
    for known in KNOWS:
        path = folder / known.note
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{known.question} {known.answer}")
    (folder / "shopping.md").write_text("Milk")
    return folder


@pytest.fixture
def make_stage(tmp_path: Path, qtbot: QtBot) -> Iterator[Callable[[FakeEngine], Stage]]:
    """Stages for any engine, all closed at the end."""
    stages: list[Stage] = []

    def make(engine: FakeEngine) -> Stage:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        stage = Stage(home, engine, qtbot)
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        stage.close()


@pytest.fixture
def stage(make_stage: Callable[[FakeEngine], Stage], notes_folder: Path) -> Stage:
    """An open window whose four notes are all remembered."""
    opened = make_stage(FakeEngine(settings=Settings(folder=notes_folder), knows=KNOWS))
    opened.open()
    return opened


@pytest.fixture
def new_user(make_stage: Callable[[FakeEngine], Stage]) -> Stage:
    """An open window without folder, notes or anything."""
    opened = make_stage(FakeEngine(knows=KNOWS))
    opened.open()
    return opened


def children(parent: QObject, kind: type[QWidget]) -> list[QWidget]:
    """The visible children of a kind."""
    return [w for w in parent.findChildren(kind) if w.isVisible()]
