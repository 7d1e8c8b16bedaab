"""Start and end, one instance, faults, the log; and that the arrows run one way."""

from __future__ import annotations

import ast
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import app
from app.application import Application, run
from app.background import Background
from app.instance import SingleInstance, name_for
from app.logs import KEPT_FILES, FramesOnly, close_log, open_log
from app.models.chat_store import ChatStore
from app.views.main_window import MainWindow
from engine.api import Engine, MemoryCorrupt, Mode
from tests.app.conftest import PATIENCE_MS
from tests.app.fake_engine import FakeEngine

APP = Path(app.__file__).parent


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def quitter(qapp: QApplication) -> Iterator[QTimer]:
    """Closes the window as soon as it has its engine."""
    timer = QTimer()
    timer.setInterval(5)
    yield timer
    timer.stop()


def leave_when(timer: QTimer, ready: object) -> None:
    """Leave the first window for which `ready` holds."""
    assert callable(ready)

    def look() -> None:
        for window in QApplication.topLevelWidgets():
            if isinstance(window, MainWindow) and ready(window):
                timer.stop()
                window.leave()

    timer.timeout.connect(look)
    timer.start()


def test_a_whole_life(home: Path, quitter: QTimer) -> None:
    engine = FakeEngine()
    made_on: list[int] = []

    def factory(where: Path) -> Engine:
        assert where == home
        made_on.append(threading.get_ident())
        return engine

    leave_when(quitter, lambda w: w.workspace.client.engine is engine)
    assert run(factory, home) == 0
    assert engine.started and engine.closed
    assert made_on != [threading.get_ident()], "the engine is made off the GUI thread"
    assert (home / "window.ini").exists() and (home / "logs" / "window.log").exists()
    assert sys.excepthook is not None and logging.getLogger("app").handlers == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_sigterm_ends_the_engine_well(home: Path, quitter: QTimer) -> None:
    engine = FakeEngine()
    before = signal.getsignal(signal.SIGTERM)

    def ask_to_end() -> None:
        if engine.started:
            quitter.stop()
            os.kill(os.getpid(), signal.SIGTERM)

    quitter.timeout.connect(ask_to_end)
    quitter.start()
    assert run(lambda _: engine, home) == 0
    assert engine.closed and signal.getsignal(signal.SIGTERM) == before


def test_an_engine_that_cannot_be_made_is_told_in_the_window(home: Path, quitter: QTimer) -> None:
    seen: list[str] = []

    def factory(_: Path) -> Engine:
        raise MemoryCorrupt("The ledger fails its checks.")

    def told(window: MainWindow) -> bool:
        if window.workspace.client.status.mode is Mode.BROKEN:
            seen.append(window.banner.label.text())
        return bool(seen)

    leave_when(quitter, told)
    assert run(factory, home) == 0
    assert seen == ["The ledger fails its checks."]


def test_any_other_fault_of_the_factory_is_told_without_its_words(
    home: Path, quitter: QTimer
) -> None:
    seen: list[str] = []

    def factory(_: Path) -> Engine:
        words = "my secret note says 42".upper()
        raise RuntimeError(words)

    def told(window: MainWindow) -> bool:
        if window.workspace.client.status.mode is Mode.BROKEN:
            seen.append(window.banner.label.text())
        return bool(seen)

    leave_when(quitter, told)
    run(factory, home)
    assert seen == ["Engram could not start its engine. Its log names the reason."]
    log = (home / "logs" / "window.log").read_text()
    assert "RuntimeError" in log and "SECRET" not in log


def test_a_second_start_raises_the_first_window(home: Path, qtbot: QtBot) -> None:
    first = SingleInstance(home)
    assert first.claim()
    raised: list[int] = []
    first.raised.connect(lambda: raised.append(1))

    def never(_: Path) -> Engine:
        raise AssertionError("a second engine was made")

    assert run(never, home) == 0
    qtbot.waitUntil(lambda: raised == [1], timeout=PATIENCE_MS)
    first.close()


def test_other_homes_have_other_windows(tmp_path: Path, qapp: QApplication) -> None:
    one, two = SingleInstance(tmp_path / "a"), SingleInstance(tmp_path / "b")
    assert one.claim() and two.claim()
    assert name_for(tmp_path / "a") == name_for(tmp_path / "b" / ".." / "a")
    one.close()
    two.close()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes leave nothing behind")
def test_a_killed_instance_leaves_no_lock(home: Path, qapp: QApplication) -> None:
    import socket

    dead = SingleInstance(home)
    assert dead.claim()
    path = dead._server.fullServerName()
    dead.close()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)  # bound, never listening: what a killed process leaves
    assert Path(path).exists()
    fresh = SingleInstance(home)
    assert fresh.claim()
    fresh.close()


def test_a_fault_in_a_slot_is_logged_and_told_and_life_goes_on(home: Path, qtbot: QtBot) -> None:
    handler = open_log(home)
    life = Application(lambda _: FakeEngine(), home)
    try:
        try:
            raise ValueError("the question was: where is the key?")
        except ValueError:
            kind, error, trace = sys.exc_info()
            assert kind is not None and error is not None
            sys.excepthook(kind, error, trace)
        assert "went wrong" in life.window.toasts.shown[-1].label.text()
    finally:
        life.end()
        close_log(handler)
        life.destroy()
    log = (home / "logs" / "window.log").read_text()
    assert "ValueError" in log and "test_application.py" in log
    assert "invalid literal" not in log


def test_the_log_keeps_frames_and_drops_words() -> None:
    try:
        raise KeyError("a line of a note")
    except KeyError:
        text = FramesOnly().formatException(sys.exc_info())
    assert "KeyError" in text and "a line of a note" not in text.splitlines()[-1]


def test_the_log_rotates(home: Path) -> None:
    handler = open_log(home)
    handler.maxBytes = 2000
    try:
        for number in range(200):
            logging.getLogger("app.window").warning("something happened, number %d", number)
    finally:
        close_log(handler)
    files = sorted(path.name for path in (home / "logs").iterdir())
    assert files == ["window.log"] + [f"window.log.{n + 1}" for n in range(KEPT_FILES)]
    assert all(path.stat().st_size <= 2000 for path in (home / "logs").iterdir())
    assert "number 199" in (home / "logs" / "window.log").read_text()


def test_what_is_queued_is_written_before_the_end(tmp_path: Path, qtbot: QtBot) -> None:
    background = Background()
    written: list[int] = []
    for number in range(20):
        background.run(lambda n=number: written.append(n))  # type: ignore[misc]
    background.close()
    assert written == list(range(20))
    background.run(lambda: written.append(99))
    assert 99 not in written
    background.deleteLater()


def test_a_failing_job_reports_here_and_the_next_one_runs(tmp_path: Path, qtbot: QtBot) -> None:
    background = Background()
    got: list[object] = []

    def fail() -> None:
        raise OSError("no")

    background.run(fail, None, lambda error: got.append(type(error)))
    background.run(lambda: 7, got.append)
    qtbot.waitUntil(lambda: len(got) == 2, timeout=PATIENCE_MS)
    assert got == [OSError, 7]
    background.close()
    background.deleteLater()
    assert ChatStore(tmp_path).load() == ()


def imports(path: Path) -> set[str]:
    """The modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=lambda p: p.name)
def test_the_window_meets_the_engine_at_its_contract_only(path: Path) -> None:
    for module in imports(path):
        top = module.split(".")[0]
        assert top not in ("torch", "numpy", "safetensors", "sqlite3", "urllib", "http"), module
        assert top != "engine" or module == "engine.api", module


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=lambda p: p.name)
def test_files_and_functions_are_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") < 400
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 50, node.name
