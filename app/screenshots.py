"""Pictures of every screen, light and dark, with sample notes really written and really asked.

The engine is whichever the caller brings; nothing on the pictures is made up here.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QEventLoop, QLocale, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.actions import Act
from app.application import EngineFactory, name_application
from app.filing import copy_samples
from app.resources import resource
from app.theme import theme
from app.views.about_sheet import AboutSheet
from app.views.chat_empty import OFFERED
from app.views.compare_sheet import CompareSheet
from app.views.main_window import MainWindow
from app.views.rebuild_sheet import RebuildSheet
from app.views.remembered_sheet import RememberedSheet
from app.views.shortcuts_sheet import ShortcutsSheet
from app.workspace import Workspace
from engine.api import Engine, Mode, NoteState, TakeSnapshot

WIDE = (1280, 800)
NARROW = (720, 600)
PATIENCE_MS = 30 * 60 * 1000
"""Writing the samples on a slow machine takes a while; longer than this is a fault."""

Pump = Callable[[Engine], object]

_FINAL = (NoteState.REMEMBERED, NoteState.WEAK, NoteState.SKIPPED, NoteState.FAILED)
_OFFER_WAITS = 50
"""Fifths of a second that an empty conversation may take to find what it offers."""
_UNKNOWN = "Who won the chess tournament in Reykjavik?"


@dataclass(frozen=True)
class SampleQuestion:
    """A question about a sample note."""

    note: str
    question: str
    plain: bool


def make(directory: Path, engine_factory: EngineFactory, pump: Pump | None = None) -> None:
    """Write ``NAME-light.png`` and ``NAME-dark.png`` for every screen into `directory`.

    Args:
        directory: made if it is not there; pictures of the same names are replaced.
        engine_factory: makes the engine for a fresh, temporary home.
        pump: called with the engine again and again while something is awaited, for engines
            that have no thread of their own.

    Raises:
        TimeoutError: the engine did not get its work done.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(["engram"])
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
    name_application(application)
    directory.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="engram-screenshots-"))
    try:
        with _session(scratch, directory, engine_factory, pump) as session:
            session.run()
    finally:
        theme().force(None)
        theme().set_font_percent(100)
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _session(
    scratch: Path, directory: Path, engine_factory: EngineFactory, pump: Pump | None
) -> Iterator[_Session]:
    home = scratch / "home"
    home.mkdir()
    workspace = Workspace(home)
    window = MainWindow(workspace)
    try:
        yield _Session(scratch, directory, workspace, window, engine_factory(home), pump)
    finally:
        window.leave()
        workspace.close()
        window.deleteLater()
        workspace.deleteLater()
        QApplication.processEvents()


class _Session:
    """One run through all screens, in the order in which a new user meets them."""

    def __init__(
        self,
        scratch: Path,
        directory: Path,
        workspace: Workspace,
        window: MainWindow,
        engine: Engine,
        pump: Pump | None,
    ) -> None:
        self._scratch = scratch
        self._directory = directory
        self._workspace = workspace
        self._window = window
        self._engine = engine
        self._pump = pump
        self._questions = _sample_questions()

    def run(self) -> None:
        """Take all pictures."""
        self._window.resize(*WIDE)
        self._window.show()
        self._workspace.client.attach(self._engine)
        self._until(lambda: self._workspace.client.settings_known)
        self._shoot("welcome")
        self._write_samples()
        self._ask()
        self._memory()
        self._sheets()
        self._sizes()
        self._problem()

    # --- the screens ---

    def _write_samples(self) -> None:
        folder = copy_samples(resource("sample_notes"), self._scratch / "Engram notes")
        self._window.note_commands.watch(folder)
        notes = self._workspace.notes
        plot = self._window.memory.plot

        def well_on_its_way() -> bool:
            """Two notes are done, and another is past the middle of its write."""
            done = sum(note.state in _FINAL for note in notes.notes())
            last = plot.points[-1] if plot.points else None
            running = notes.note(plot.note_id)
            return self._settled() or (
                done >= 2
                and last is not None
                and running is not None
                and running.state is NoteState.WRITING
                and last.step * 2 > last.steps
            )

        self._until(well_on_its_way)
        self._shoot("writing")
        self._until(self._settled)
        self._workspace.notes.arrange()
        for _ in range(_OFFER_WAITS):
            if len(self._window.chat.empty.offers) == OFFERED:
                break
            self._wait(200)
        self._shoot("ready")

    def _settled(self) -> bool:
        notes = self._workspace.notes.notes()
        client = self._workspace.client
        return (
            bool(notes)
            and all(note.state in _FINAL for note in notes)
            and client.status.queue == 0
            and client.status.mode in (Mode.IDLE, Mode.PAUSED)
        )

    def _ask(self) -> None:
        chat = self._window.chat
        for question in [*self._good_questions(2), _UNKNOWN]:
            chat.ask(question)
            self._until(lambda: chat.chat is not None and not self._busy())
        known = [m for m in chat.conversation.messages if m.turn.answer and m.turn.answer.known]
        if known:
            known[0].unfold()
            if known[0].turn.answer and known[0].turn.answer.sources:
                self._window.show_note(known[0].turn.answer.sources[0].note_id)
        self._wait(300)
        chat.conversation.verticalScrollBar().setValue(0)
        self._shoot("chat")

    def _busy(self) -> bool:
        chat = self._window.chat.chat
        return chat is not None and self._workspace.chatting.busy(chat.id)

    def _good_questions(self, count: int) -> list[str]:
        """Plain questions about different notes."""
        found: dict[str, str] = {}
        for question in self._questions:
            if question.plain:
                found.setdefault(question.note, question.question)
        return list(found.values())[:count]

    def _memory(self) -> None:
        snapshots = self._workspace.snapshots
        before = snapshots.rowCount()
        self._workspace.client.send(TakeSnapshot("Before spring cleaning"))
        self._until(lambda: snapshots.rowCount() > before)
        self._window.toasts.expire_all()
        self._window.notes.select(next(iter(self._workspace.notes.notes())).id)
        self._window.actions_[Act.FORGET].trigger()
        self._until(lambda: bool(self._window.toasts.shown))
        self._wait(400)
        self._shoot("forgotten")
        self._window.memory_commands.compare(_first(snapshots.at(0)), "")
        self._sheet("compare", CompareSheet)
        self._window.toasts.undo_newest()
        self._until(self._settled)
        self._wait(500)
        self._window.toasts.expire_all()

    def _sheets(self) -> None:
        window = self._window
        remembered = [
            n for n in self._workspace.notes.notes() if n.state is NoteState.REMEMBERED
        ] or list(self._workspace.notes.notes())
        window.notes.select(remembered[0].id)
        window.actions_[Act.SHOW_REMEMBERED].trigger()
        self._until(lambda: self._answered(RememberedSheet))
        self._sheet("remembered", RememberedSheet)
        sheet = window.open_settings()
        self._wait(100)
        self._shoot("settings", sheet)
        sheet.reject()
        window.memory_commands.rebuild()
        self._until(lambda: self._answered(RebuildSheet))
        self._sheet("rebuild", RebuildSheet)
        window.actions_[Act.SHORTCUTS].trigger()
        self._sheet("shortcuts", ShortcutsSheet)
        window.actions_[Act.ABOUT].trigger()
        self._sheet("about", AboutSheet)

    def _answered(self, kind: type[QWidget]) -> bool:
        for sheet in self._window.findChildren(kind):
            if isinstance(sheet, RememberedSheet):
                return bool(sheet.cards)
            if isinstance(sheet, RebuildSheet):
                return sheet.go.isEnabled()
        return False

    def _sizes(self) -> None:
        window = self._window
        window.drop_zone.cover(window.tr("Drop to copy into “%1”").replace("%1", "Engram notes"))
        self._shoot("drop")
        window.drop_zone.hide()
        theme().set_font_percent(175)
        self._wait(100)
        self._shoot("large-text")
        sheet = window.open_settings()
        self._wait(100)
        self._shoot("settings-large-text", sheet)
        sheet.reject()
        theme().set_font_percent(100)
        window.resize(*NARROW)
        self._wait(100)
        self._shoot("small-window")
        window.resize(*WIDE)

    def _problem(self) -> None:
        """The folder goes away, as when a disk is unmounted."""
        folder = self._workspace.client.settings.folder
        if folder is None:
            return
        folder.rename(folder.with_name("away"))
        self._window.actions_[Act.RESCAN].trigger()
        self._until(lambda: self._workspace.client.status.mode is Mode.FOLDER_MISSING)
        self._wait(200)
        self._shoot("folder-missing")
        folder.with_name("away").rename(folder)

    # --- how a picture is taken ---

    def _sheet(self, name: str, kind: type[QWidget]) -> None:
        self._until(lambda: bool(self._window.findChildren(kind)))
        self._wait(100)
        sheet = self._window.findChildren(kind)[-1]
        self._shoot(name, sheet)
        sheet.close()
        self._wait(50)

    def _shoot(self, name: str, widget: QWidget | None = None) -> None:
        for dark in (False, True):
            theme().force(dark)
            self._wait(60)
            picture = (widget or self._window).grab()
            picture.save(str(self._directory / f"{name}-{'dark' if dark else 'light'}.png"))
        theme().force(False)

    def _until(self, ready: Callable[[], bool]) -> None:
        clock = QElapsedTimer()
        clock.start()
        while not ready():
            if clock.elapsed() > PATIENCE_MS:
                raise TimeoutError("the engine did not get its work done")
            self._wait(20)

    def _wait(self, milliseconds: int) -> None:
        if self._pump is not None:
            self._pump(self._engine)
        loop = QEventLoop()
        timer = QTimer()
        timer.setSingleShot(True)
        timer.timeout.connect(loop.quit)
        timer.start(milliseconds)
        loop.exec()


def _first(snapshot: object) -> str:
    identity: str = getattr(snapshot, "id", "")
    return identity


def _sample_questions() -> list[SampleQuestion]:
    """The questions that come with the sample notes."""
    file = resource("sample_notes", "questions.jsonl")
    if not file.exists():
        return []
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip():
            data = json.loads(line)
            plain = data.get("kind", "plain") == "plain" and bool(data.get("answers"))
            found.append(SampleQuestion(str(data["note"]), str(data["question"]), plain))
    return found
