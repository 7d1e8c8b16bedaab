"""A real window on a real (virtual) X screen, seen as the screen shows it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import PySide6
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 120
PLUGIN = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"

_LOOK = """
import sys
from pathlib import Path
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from app.application import run
from app.views.main_window import MainWindow
from tests.app.fake_engine import FakeEngine

class Look(QObject):
    def look(self):
        windows = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)]
        if not windows or not windows[0].workspace.client.settings_known:
            return
        window = windows[0]
        if not window.windowHandle().isExposed() or not window.welcome.isVisible():
            return
        timer.stop()
        shown = window.screen().grabWindow(window.winId()).toImage()
        shown.save(sys.argv[2])
        window.grab().save(sys.argv[3])
        print(QGuiApplication.platformName(), shown.width(), shown.height(), flush=True)
        window.leave()

application = QApplication([])
looker, timer = Look(), QTimer()
timer.setInterval(50)
timer.timeout.connect(looker.look)
timer.start()
sys.exit(run(lambda home: FakeEngine(), Path(sys.argv[1])))
"""


def _why_not() -> str:
    """Why there can be no real window here; "" where there can."""
    if sys.platform != "linux":
        return "Xvfb is for Linux"
    if shutil.which("Xvfb") is None:
        return "Xvfb is not installed"
    load = f"import ctypes; ctypes.CDLL({str(PLUGIN)!r})"
    tried = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True)
    if tried.returncode:
        return "Qt's xcb plugin does not load: " + tried.stderr.strip().splitlines()[-1]
    return ""


@pytest.fixture
def display() -> Iterator[str]:
    """A screen of its own; the server says itself when it is ready."""
    if reason := _why_not():
        pytest.skip(reason)
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x900x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp"], pass_fds=(writing,), stderr=subprocess.DEVNULL
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb ended before it was ready"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def test_the_screen_shows_the_window(display: str, tmp_path: Path) -> None:
    from PySide6.QtGui import QImage

    seen, painted = tmp_path / "seen.png", tmp_path / "painted.png"
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    environment.pop("WAYLAND_DISPLAY", None)
    arguments = [str(tmp_path / "home"), str(seen), str(painted)]
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    platform, width, height = done.stdout.split()
    assert platform == "xcb" and int(width) > 600 and int(height) > 400
    screen, window = QImage(str(seen)), QImage(str(painted))
    points = [(x, y) for x in range(4, screen.width(), 7) for y in range(4, screen.height(), 7)]
    same = sum(screen.pixel(x, y) == window.pixel(x, y) for x, y in points)
    assert same > 0.97 * len(points), "the screen shows something else than the window painted"
    assert len({screen.pixel(x, y) for x, y in points}) > 10, "the window is empty"
