"""What can be done with notes and their folder: choose, copy in, open, write again, forget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app import dialogs, filing, opening, wording
from app.actions import Act, Actions
from app.resources import resource
from app.views.remembered_sheet import RememberedSheet
from app.widgets.toast import Offer, Toasts
from app.workspace import Workspace
from engine.api import ChangeSettings, Forget, Note, Pause, Rescan, WriteAgain


class NoteCommands(QObject):
    """Connects the note actions to the engine. `chosen` tells which notes are meant."""

    def __init__(
        self,
        workspace: Workspace,
        actions: Actions,
        toasts: Toasts,
        chosen: Callable[[], tuple[Note, ...]],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._client = workspace.client
        self._toasts = toasts
        self._chosen = chosen
        self._window = window
        self._waiting_drop: tuple[Path, ...] = ()
        actions.on(Act.CHOOSE_FOLDER, self.choose_folder)
        actions.on(Act.ADD_NOTES, self.add_notes)
        actions.on(Act.RESCAN, lambda: self._client.send(Rescan()))
        actions.on(Act.PAUSE, self.toggle_pause)
        actions.on(Act.OPEN_NOTE, self.open_note)
        actions.on(Act.SHOW_IN_FOLDER, self.show_in_folder)
        actions.on(Act.SHOW_REMEMBERED, self.show_remembered)
        actions.on(Act.WRITE_AGAIN, self.write_again)
        actions.on(Act.FORGET, self.forget)

    # --- the folder ---

    def choose_folder(self) -> None:
        """Ask for the folder to watch."""
        title = self.tr("Choose a folder of notes")
        chosen = dialogs.choose_folder(self._window, title, self._client.settings.folder)
        if chosen is not None:
            self.watch(chosen)

    def watch(self, folder: Path) -> None:
        """Watch this folder from now on, and copy in what was dropped before there was one."""
        if folder != self._client.settings.folder:
            self._client.send(ChangeSettings(replace(self._client.settings, folder=folder)))
        waiting, self._waiting_drop = self._waiting_drop, ()
        if waiting:
            self._copy(waiting, folder)

    def toggle_pause(self) -> None:
        """Pause or resume writing."""
        self._client.send(Pause(not self._client.settings.paused))

    def try_samples(self, folder: Path) -> None:
        """Copy the sample notes and watch them."""
        source = resource("sample_notes")
        self._workspace.background.run(
            lambda: filing.copy_samples(source, folder),
            self.watch,
            lambda _: self._toasts.say(
                self.tr("The sample notes could not be copied there. Choose another place."),
                bad=True,
            ),
        )

    # --- copying in ---

    def add_notes(self) -> None:
        """Ask for files to copy into the folder."""
        formats = " ".join(f"*{ending}" for ending in self._client.settings.formats)
        pattern = self.tr("Notes") + f" ({formats})"
        paths = dialogs.choose_files(self._window, self.tr("Add notes"), pattern)
        if paths:
            self.take_in(paths)

    def take_in(self, paths: tuple[Path, ...]) -> None:
        """Copy files into the folder. Without a folder: a dropped folder becomes it."""
        folder = self._client.settings.folder
        if folder is not None:
            self._copy(paths, folder)
        elif len(paths) == 1 and paths[0].is_dir():
            self.watch(paths[0])
        else:
            self._waiting_drop = paths
            self.choose_folder()

    def _copy(self, paths: tuple[Path, ...], folder: Path) -> None:
        formats = self._client.settings.formats
        cancelled = self._workspace.background.cancelled.is_set
        self._workspace.background.run(
            lambda: filing.copy_notes(paths, folder, formats, cancelled),
            self._copied,
            self._copy_failed,
        )

    def _copied(self, filed: filing.Filed) -> None:
        words = []
        if filed.copied:
            words.append(self.tr("Copied %1.").replace("%1", wording.files(len(filed.copied))))
            self._client.send(Rescan())
        for count, text in (
            (filed.already_there, self.tr("%1 already there.")),
            (filed.other_formats, self.tr("%1 left out: not a format Engram reads.")),
            (filed.unreadable, self.tr("%1 left out: cannot be read.")),
        ):
            if count:
                words.append(text.replace("%1", wording.files(count)))
        if not words:
            words.append(self.tr("These files are in the folder already."))
        offer = Offer(self.tr("Undo"), lambda: self._take_back(filed.copied))
        self._toasts.say(" ".join(words), offer if filed.copied else None)

    def _take_back(self, copies: tuple[Path, ...]) -> None:
        self._workspace.background.run(
            lambda: filing.remove_copies(copies), lambda _: self._client.send(Rescan())
        )

    def _copy_failed(self, error: Exception) -> None:
        words = self.tr("The files could not be copied into the folder.")
        if isinstance(error, OSError) and error.strerror:
            words += f" {error.strerror}."
        self._toasts.say(words, bad=True)

    # --- one note or several ---

    def _one(self) -> Note | None:
        notes = self._chosen()
        return notes[0] if len(notes) == 1 else None

    def open_note(self) -> None:
        """Open the note in the system's editor."""
        note = self._one()
        path = opening.note_path(note, self._client.settings) if note else None
        if path is not None:
            settings = self._client.settings
            self._workspace.background.run(
                lambda: opening.look(path, settings), lambda found: self._open(path, found)
            )

    def _open(self, path: Path, found: opening.Found) -> None:
        if found is opening.Found.NOTHING:
            self._toasts.say(self.tr("This file is no longer there."), bad=True)
        elif found is opening.Found.SOMETHING_ELSE:
            self._toasts.say(self.tr("Engram opens only plain notes."), bad=True)
        elif not opening.open_file(path):
            self._toasts.say(self.tr("The system knows no program for this file."), bad=True)

    def show_in_folder(self) -> None:
        """Show the note in the system's file browser."""
        note = self._one()
        path = opening.note_path(note, self._client.settings) if note else None
        if path is not None:
            self._workspace.background.run(
                lambda: opening.show_in_folder(path), lambda shown: self._shown(path, shown)
            )

    def _shown(self, path: Path, shown: opening.Shown) -> None:
        there = shown is opening.Shown.OPEN_THE_FOLDER and opening.open_file(path.parent)
        if shown is not opening.Shown.DONE and not there:
            self._toasts.say(self.tr("The folder could not be shown."), bad=True)

    def show_remembered(self) -> None:
        """Ask the note's probes and show what comes."""
        note = self._one()
        if note is not None:
            RememberedSheet(self._client, note, self._window).show()

    def write_again(self) -> None:
        """Put the chosen notes back in the queue."""
        if notes := self._chosen():
            self._client.send(WriteAgain(tuple(note.id for note in notes)))

    def forget(self) -> None:
        """Forget the chosen notes that are remembered; the toast undoes it."""
        ids = tuple(note.id for note in self._chosen() if note.cells)
        if ids:
            self._client.send(Forget(ids))
        elif self._chosen():
            self._toasts.say(self.tr("There is nothing to forget: none of it is in memory."))
