"""The watched folder: events of the real watcher, and random changes against a fresh look."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from engine.api import ChangeSettings, NoteState, Rescan, Settings
from engine.service import Duties
from tests.engine_run import Run


def test_the_watcher_tells_of_new_edited_and_deleted_files(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    with Run(tmp_path / "home", duties=Duties()) as run:
        run.do(ChangeSettings(Settings(folder=folder)))
        run.do(Rescan())
        (folder / "boat.md").write_text("The boat lies at pier seven.")
        run.until_state("boat.md", NoteState.REMEMBERED)
        (folder / "new.tmp").write_text("The boat\nwas sold.")
        os.replace(folder / "new.tmp", folder / "boat.md")  # as editors save
        run.until(
            lambda: run.has("boat.md", NoteState.REMEMBERED) and run.note("boat.md").cells == 2
        )
        (folder / "boat.md").rename(folder / "ship.md")
        run.until(lambda: run.has("ship.md", NoteState.REMEMBERED))
        (folder / "ship.md").unlink()
        run.until_state("ship.md", NoteState.FORGOTTEN)
        run.until_idle()


NAMES = st.sampled_from(["a.md", "b.md", "c.txt", "sub/d.md"])
TEXTS = st.sampled_from(["One line.", "Two lines.\nOf text.", "Three\nlines\nof text.", ""])


class FolderAndLedger(RuleBasedStateMachine):
    """Whatever happens to the files, after a scan the memory holds what they say."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.folder = self.root / "notes"
        (self.folder / "sub").mkdir(parents=True)
        self.time = 1_600_000_000
        self.run = Run(self.root / "home")
        self.run.__enter__()
        self.run.do(ChangeSettings(Settings(folder=self.folder)))

    def teardown(self) -> None:
        self.run.__exit__(None)
        shutil.rmtree(self.root)

    @rule(name=NAMES, text=TEXTS)
    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.write_text(text)
        self.time += 10
        os.utime(file, (self.time, self.time))

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        if (self.folder / old).exists():
            os.replace(self.folder / old, self.folder / new)

    @rule()
    def restart(self) -> None:
        self.run.__exit__(None)
        self.run = Run(self.root / "home")
        self.run.__enter__()

    @rule()
    def look(self) -> None:
        run = self.run
        run.do(Rescan())
        run.until_idle()
        listed = {note.path: note for note in run.notes.values() if note.in_folder}
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        assert set(listed) == {file.relative_to(self.folder).as_posix() for file in files}
        for path, note in listed.items():
            lines = (self.folder / path).read_text().splitlines()
            if lines:
                assert (note.state, note.cells) == (NoteState.REMEMBERED, len(lines)), path
            else:
                assert note.state is NoteState.SKIPPED, path
        assert run.status is not None
        assert run.status.cells_used == sum(note.cells for note in run.notes.values())


TestFolderAndLedger = FolderAndLedger.TestCase
TestFolderAndLedger.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
