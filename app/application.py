"""Starting the window: one instance for a memory, the exception hook, the engine off-thread."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QLibraryInfo,
    QLocale,
    QObject,
    QtMsgType,
    QTranslator,
    Signal,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication

from app.icons import app_icon
from app.instance import SingleInstance
from app.logs import close_log, open_log
from app.resources import resource
from app.signals import EndSignals, possible
from app.theme import theme
from app.views.main_window import MainWindow
from app.workspace import Workspace
from engine.api import Engine, EngramError, Mode

log = logging.getLogger(__name__)

EngineFactory = Callable[[Path], Engine]

CLOSE_SECONDS = 1.0
LAST_PATIENCE_SECONDS = 8.0
"""After the window is gone: a commit in progress may finish its last file."""


class Application(QObject):
    """One window over one memory, from its first to its last moment."""

    ended = Signal()
    """The engine and the file work have ended."""

    def __init__(self, engine_factory: EngineFactory, home: Path) -> None:
        super().__init__()
        self.workspace = Workspace(home, self)
        self.window = MainWindow(self.workspace)
        self.window.quitting.connect(self.end)
        self._ended = False
        self._make = lambda: engine_factory(home)
        self._old_hook = sys.excepthook
        sys.excepthook = self._on_exception

    def begin(self) -> None:
        """Show the window at once; make the engine (which loads torch) behind its back."""
        theme().set_font_percent(self.workspace.preferences.font_percent)
        self.window.show()
        self.workspace.chats.load()
        self.workspace.background.run(self._make, self._attach, self._no_engine)

    def end(self) -> None:
        """End the engine and the file work, with the window already gone. Runs once."""
        if self._ended:
            return
        self._ended = True
        self.window.hide()
        engine = self.workspace.client.engine
        if not self.workspace.close(CLOSE_SECONDS) and engine is not None:
            log.warning("the engine takes long to end")
            if not engine.close(LAST_PATIENCE_SECONDS):
                log.error("the engine did not end")
        sys.excepthook = self._old_hook
        self.ended.emit()

    def destroy(self) -> None:
        """Take the window and everything that belongs to it apart."""
        self.window.deleteLater()
        self.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def _attach(self, engine: Engine) -> None:
        if self._ended:
            engine.close(CLOSE_SECONDS)
            return
        try:
            self.workspace.client.attach(engine)
        except EngramError as error:
            self._no_engine(error)

    def _no_engine(self, error: Exception) -> None:
        log.error("no engine: %s", type(error).__name__, exc_info=error)
        if not isinstance(error, EngramError):
            error = EngramError(
                self.tr("Engram could not start its engine. Its log names the reason.")
            )
        status = self.workspace.client.status
        self.workspace.bridge.status.emit(replace(status, mode=Mode.BROKEN, problem=str(error)))

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """A fault in a slot: log it, say so, go on. The engine's thread is not concerned."""
        if issubclass(kind, KeyboardInterrupt):
            self.window.leave()
            return
        log.error("a fault in the window", exc_info=(kind, error, trace))
        if not self._ended:
            self.window.report_bug()


def run(engine_factory: EngineFactory, home: Path) -> int:
    """Open the window over the memory in `home`; returns when it is closed.

    A second start for the same home raises the first window and returns 0 at once.
    """
    home.mkdir(parents=True, exist_ok=True)
    existing = QApplication.instance()
    qt = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    name_application(qt)
    instance = SingleInstance(home)
    if not instance.claim():
        return 0
    handler = open_log(home)
    qInstallMessageHandler(_log_qt)
    translators = _translate(qt)
    application = Application(engine_factory, home)
    instance.raised.connect(application.window.raise_window)
    application.ended.connect(qt.quit)
    qt.commitDataRequest.connect(lambda _: application.window.leave())
    signals = EndSignals(application.window.leave) if possible() else None
    try:
        application.begin()
        return qt.exec()
    finally:
        if signals is not None:
            signals.close()
        application.end()
        application.destroy()
        instance.close()
        for translator in translators:
            qt.removeTranslator(translator)
        qInstallMessageHandler(None)
        close_log(handler)


def name_application(qt: QApplication) -> None:
    """Name, icon and desktop file, so that the system can tell whose window it is."""
    qt.setApplicationName("Engram")
    qt.setApplicationDisplayName("Engram")
    qt.setDesktopFileName("engram")
    qt.setWindowIcon(app_icon())
    qt.setQuitOnLastWindowClosed(False)


def _translate(qt: QApplication) -> list[QTranslator]:
    """Install Qt's and Engram's words in the system's language, where there are any."""
    found = []
    places = (
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
        ("engram", str(resource("translations"))),
    )
    for name, folder in places:
        translator = QTranslator(qt)
        if translator.load(QLocale(), name, "_", folder):
            qt.installTranslator(translator)
            found.append(translator)
    return found


def _log_qt(kind: QtMsgType, context: object, message: str) -> None:
    level = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.DEBUG,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }.get(kind, logging.ERROR)
    log.log(level, "Qt: %s", message)
