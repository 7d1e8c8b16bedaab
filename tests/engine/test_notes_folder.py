"""What the folder reports over time, whatever hints come, come twice, or never come."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.notes.folder import FolderReport, NoteFolder
from engine.notes.scan import KnownFile, Scan, Vanished, scan


class Home:
    """A folder, a ledger that follows its reports, and a clock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 0.0
        self.rows: dict[int, KnownFile] = {}
        self.folder = NoteFolder(root, clock=lambda: self.now)
        self.device: int | None = None
        self.next_id = 1
        self.tick = 0

    def check(self) -> list[tuple[str, str]]:
        """Look once and bring the ledger up to date; return (kind, path)s."""
        report = self.folder.check(self.rows.values(), self.device)
        assert isinstance(report, FolderReport)
        self.device = report.device
        for change in report.changes:
            file = change.seen
            if file is None:
                del self.rows[change.id or 0]
                continue
            number = change.id
            if number is None:
                number, self.next_id = self.next_id, self.next_id + 1
            self.rows[number] = KnownFile(
                number, file.path, file.hash, file.size, file.mtime_ns, file.inode
            )
        return [(change.kind.value, change.path) for change in report.changes]

    def settled(self) -> list[tuple[str, str]]:
        """Look, wait, and look again."""
        first = self.check()
        self.now += 1.125  # more than a second also where sums of tenths are rounded
        return first + self.check()

    def write(self, path: str, content: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        self.tick += 1  # file systems' own clocks are coarser than a test is fast
        os.utime(file, ns=(self.tick, self.tick))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    root = tmp_path / "notes"
    root.mkdir()
    return Home(root)


def test_a_note_is_reported_once_it_is_still(home: Home) -> None:
    home.write("a.md", "one")
    assert home.check() == []
    assert home.folder.wait() == 1.0
    home.now += 0.5
    home.write("a.md", "one and more")
    assert home.check() == []
    home.now += 0.5
    assert home.check() == []
    home.now += 0.5
    assert home.check() == [("new", "a.md")]
    assert home.folder.wait() is None
    assert home.settled() == []


def test_edit_rename_and_removal(home: Home) -> None:
    home.write("a.md", "one")
    home.write("b.md", "two")
    assert home.settled() == [("new", "a.md"), ("new", "b.md")]
    home.write("a.md", "one!")
    assert home.settled() == [("edited", "a.md")]
    (home.root / "b.md").rename(home.root / "c.md")
    assert home.settled() == [("renamed", "c.md")]
    assert home.rows[2].path == "c.md"
    (home.root / "c.md").unlink()
    assert home.settled() == [("removed", "c.md")]


def test_an_atomic_save_is_an_edit(home: Home) -> None:
    home.write("a.md", "one")
    home.settled()
    home.write(".a.md.tmp", "two")
    os.replace(home.root / ".a.md.tmp", home.root / "a.md")
    assert home.settled() == [("edited", "a.md")]


def test_delete_and_recreate_is_an_edit(home: Home) -> None:
    home.write("a.md", "one")
    home.settled()
    (home.root / "a.md").unlink()
    assert home.check() == []  # gone, but not for long enough
    home.now += 0.9
    home.write("a.md", "two")
    assert home.settled() == [("edited", "a.md")]


def test_a_move_in_two_steps_keeps_the_note(home: Home) -> None:
    home.write("a.md", "one")
    home.settled()
    (home.root / "a.md").rename(home.root.parent / "elsewhere")
    assert home.check() == []
    home.now += 0.5
    (home.root.parent / "elsewhere").rename(home.root / "b.md")
    assert home.check() == []
    home.now += 1.0
    assert home.check() == [("renamed", "b.md")]
    assert home.rows[1].path == "b.md"


def test_a_half_copied_file_waits_and_does_not_hold_up_the_others(home: Home) -> None:
    home.write("big.md", "x")
    home.write("small.md", "y")
    home.check()
    for size in range(2, 6):
        home.now += 0.5
        home.write("big.md", "x" * size)
        found = home.check()
        assert ("new", "big.md") not in found
    assert [row.path for row in home.rows.values()] == ["small.md"]
    home.now += 1.0
    assert home.check() == [("new", "big.md")]


def test_a_vanished_folder_reports_no_removals(home: Home) -> None:
    home.write("a.md", "one")
    home.settled()
    shutil.move(home.root, home.root.parent / "away")
    assert isinstance(home.folder.check(home.rows.values(), home.device), Vanished)
    shutil.move(home.root.parent / "away", home.root)
    assert home.settled() == []


def test_hints_wake_and_do_nothing_else(home: Home) -> None:
    home.write("a.md", "one")
    home.settled()
    assert not home.folder.is_hinted
    for path in ("a.md", "a.md", "never-there.md", "", "../out.md", ".hidden.md", "x.exe"):
        home.folder.mark_dirty(path)
    assert home.folder.is_hinted
    assert home.settled() == []
    assert not home.folder.is_hinted
    assert home.folder.wait() is None


def test_a_hint_lets_the_second_begin_earlier(home: Home) -> None:
    home.write("a.md", "one")
    home.folder.mark_dirty("a.md")
    home.check()
    home.now += 1.0
    assert home.check() == [("new", "a.md")]


def test_hidden_hints_do_not_wake(home: Home) -> None:
    for path in (".git/x.md", "a.md.swp", "x.exe"):
        home.folder.mark_dirty(path)
    assert not home.folder.is_hinted


NAMES = st.sampled_from(["a.md", "b.md", "A.md", "d/a.md", "d/e/c.txt", ".x.md", "x.exe"])
STEPS = st.one_of(
    st.tuples(st.just("write"), NAMES, st.text("xyz", max_size=3)),
    st.tuples(st.just("save"), NAMES, st.text("xyz", max_size=3)),
    st.tuples(st.just("move"), NAMES, NAMES),
    st.tuples(st.just("remove"), NAMES, st.just("")),
    st.tuples(st.just("hint"), NAMES, st.just("")),
    st.tuples(st.just("look"), st.just(""), st.just("")),
    st.tuples(st.just("wait"), st.just(""), st.sampled_from(["0.3", "1.1"])),
)


def do(home: Home, step: tuple[str, str, str]) -> None:
    verb, path, value = step
    file = home.root / path
    if verb == "write":
        home.write(path, value)
    elif verb == "save":
        home.write("saving", value)
        file.parent.mkdir(parents=True, exist_ok=True)
        os.replace(home.root / "saving", file)
    elif verb == "move" and file.exists():
        (home.root / value).parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, home.root / value)
    elif verb == "remove":
        file.unlink(missing_ok=True)
    elif verb == "hint":
        home.folder.mark_dirty(path)
    elif verb == "look":
        home.check()
    elif verb == "wait":
        home.now += float(value)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STEPS, max_size=30))
def test_in_the_end_the_ledger_equals_a_fresh_scan(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]
) -> None:
    home = Home(tmp_path_factory.mktemp("notes"))
    for step in steps:
        do(home, step)
    home.settled()
    fresh = scan(home.root)
    assert isinstance(fresh, Scan)
    assert sorted((row.path, row.hash) for row in home.rows.values()) == [
        (file.path, file.hash) for file in fresh.files
    ]
    assert home.settled() == []
    report = home.folder.check(home.rows.values(), home.device)
    assert isinstance(report, FolderReport)
    assert report.changes == () and report.held_back == 0
