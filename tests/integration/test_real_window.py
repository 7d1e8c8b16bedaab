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
from PySide6.QtGui import QImage

ROOT = Path(__file__).parents[2]
PATIENCE = 900
"""Seconds after which a window that neither shows itself nor gives up fails the test."""
PLUGIN = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"

# What the window would paint is ahead of what the screen shows until the event loop has come round
# to painting it. So it is looked at again and again, and given up after a number of looks, each of
# which is a whole round of the event loop and of the X server: that does not depend on speed.
_LOOK = """
import sys
from pathlib import Path
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from app.application import run
from app.views.main_window import MainWindow
from tests.app.fake_engine import FakeEngine
from tests.integration.test_real_window import same

MOST_LOOKS = 400

class Look(QObject):
    looks = 0

    def look(self):
        windows = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)]
        if not windows or not windows[0].workspace.client.settings_known:
            return
        window = windows[0]
        handle = window.windowHandle()
        if handle is None or not handle.isExposed() or not window.welcome.isVisible():
            return
        self.looks += 1
        shown = window.screen().grabWindow(window.winId()).toImage()
        painted = window.grab().toImage()
        if same(shown, painted) <= 0.97 and self.looks < MOST_LOOKS:
            return
        timer.stop()
        shown.save(sys.argv[2])
        painted.save(sys.argv[3])
        print(QGuiApplication.platformName(), shown.width(), shown.height(), flush=True)
        window.leave()

application = QApplication([])
looker, timer = Look(), QTimer()
timer.setInterval(50)
timer.timeout.connect(looker.look)
timer.start()
sys.exit(run(lambda home: FakeEngine(), Path(sys.argv[1])))
"""


def _points(image: QImage) -> list[tuple[int, int]]:
    return [(x, y) for x in range(4, image.width(), 7) for y in range(4, image.height(), 7)]


def same(screen: QImage, window: QImage) -> float:
    """The share of points in which two pictures are alike."""
    if screen.size() != window.size():
        return 0.0
    points = _points(screen)
    return sum(screen.pixel(x, y) == window.pixel(x, y) for x, y in points) / len(points)


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
    assert same(screen, window) > 0.97, "the screen shows something else than the window painted"
    assert len({screen.pixel(x, y) for x, y in _points(screen)}) > 10, "the window is empty"
