"""The parts of the store by themselves: schema, comparing, thinning, settings, files."""

from __future__ import annotations

import errno
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import Change, Effort, NoteDifference, OnDelete, Settings, Snapshot, SnapshotKind
from engine.store import thinning
from engine.store.atomic import Files, set_aside, write_atomically
from engine.store.compare import compare
from engine.store.errors import LedgerCorrupt, MemoryTooNew, StorageFailed
from engine.store.home import Home
from engine.store.ledger import Ledger
from engine.store.migrations import STEPS, migrate
from engine.store.records import NoteRow
from engine.store.settings import SettingsFile
from engine.store.store import Store
from engine.store.thinning import DAY, HOUR, MONTH, WEEK
from tests.store_faults import MODEL, START, prepare, written
from tests.store_faults import no_waiting_for_the_disk as no_waiting_for_the_disk

# --- schema

MORE = ("ALTER TABLE meta ADD COLUMN more TEXT", "CREATE TABLE extra (id INTEGER PRIMARY KEY)")


def connect(path: Path) -> sqlite3.Connection:
    """A connection as the ledger has it."""
    return sqlite3.connect(path, isolation_level=None)


def test_an_older_schema_is_brought_forward(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger", may_create=True).close()
    connection = connect(tmp_path / "ledger")
    migrate(connection, (*STEPS, MORE))
    assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS) + 1,)
    migrate(connection, (*STEPS, MORE))
    assert connection.execute("SELECT count(*) FROM extra").fetchone() == (0,)
    connection.close()
    with pytest.raises(MemoryTooNew, match="newer Engram"):
        Ledger.open(tmp_path / "ledger", may_create=True)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger", may_create=True).close()
    connection = connect(tmp_path / "ledger")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*STEPS, (*MORE, "CREATE TABLE extra (again INTEGER)")))
    connection.close()
    Ledger.open(tmp_path / "ledger", may_create=False).close()


def test_a_newer_memory_is_refused_and_left_alone(tmp_path: Path) -> None:
    memory = prepare(tmp_path)
    connection = connect(Home(memory.root).ledger)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    before = Home(memory.root).ledger.read_bytes()
    with pytest.raises(MemoryTooNew, match="format 7"):
        Store.open(memory.root, MODEL)
    assert Home(memory.root).ledger.read_bytes() == before


def test_the_database_of_another_program(tmp_path: Path) -> None:
    connection = connect(tmp_path / "ledger")
    connection.execute("CREATE TABLE things (id INTEGER)")
    connection.close()
    with pytest.raises(LedgerCorrupt, match="not a file that Engram wrote"):
        Ledger.open(tmp_path / "ledger", may_create=True)


def test_the_ledger_has_no_place_for_text(tmp_path: Path) -> None:
    """Whoever adds a column has to look at this list, and at what the README promises."""
    Ledger.open(tmp_path / "ledger", may_create=True).close()
    connection = connect(tmp_path / "ledger")
    columns = {
        (table, row[1])
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for row in connection.execute(f"PRAGMA table_info({table})")
        if row[2] in ("TEXT", "BLOB")
    }
    connection.close()
    assert columns == {
        ("totals", "name"),
        ("memory", "slot_sha256"),
        ("memory", "base_model"),
        ("notes", "path"),
        ("notes", "state"),
        ("notes", "content_hash"),
        ("notes", "written_hash"),
        ("notes", "probes"),
        ("notes", "reason"),
        ("jobs", "kind"),
        ("jobs", "reason"),
        ("meta", "key"),
        ("meta", "value"),
    }


# --- comparing

A = written(NoteRow(1, "a.md"), 1, 4)
B = written(NoteRow(2, "b.md"), 1, 3)


def test_nothing_differs() -> None:
    result = compare("x", "", (A, B), (A, B))
    assert (result.notes, result.cells_same, result.cells_changed) == ((), 7, 0)
    assert (result.first, result.second, result.probes_changed) == ("x", "", 0)


def test_what_differs() -> None:
    waiting = NoteRow(9, "waiting.md")
    rewritten = written(A, 2, 6)
    verified = replace(B, recall=1.0, probes="11")
    new = written(NoteRow(3, "c.md"), 1, 5)
    result = compare("x", "y", (A, B), (rewritten, verified, new, waiting))
    assert result.notes == (
        NoteDifference("a.md", Change.REWRITTEN, 0.5, 0.5),
        NoteDifference("b.md", Change.RECALL, 0.5, 1.0, 1),
        NoteDifference("c.md", Change.ONLY_IN_SECOND, None, 0.5),
    )
    assert (result.cells_same, result.cells_changed, result.probes_changed) == (3, 6 + 5, 1)
    back = compare("y", "x", (rewritten, verified, new, waiting), (A, B))
    assert back.notes[2] == NoteDifference("c.md", Change.ONLY_IN_FIRST, 0.5, None)


def test_probes_that_changed_places_are_a_difference_at_equal_recall() -> None:
    assert B.probes == "10"
    result = compare("x", "", (A, B), (A, replace(B, probes="01")))
    assert result.notes == (NoteDifference("b.md", Change.RECALL, 0.5, 0.5, 2),)
    assert result.probes_changed == 2


def test_a_renamed_note_is_the_same() -> None:
    result = compare("x", "y", (A,), (replace(A, path="z.md"),))
    assert (result.notes, result.cells_same) == ((), 4)
    other = replace(A, path="z.md", written_hash="f" * 64)
    changes = {each.change for each in compare("x", "y", (A,), (other,)).notes}
    assert changes == {Change.ONLY_IN_FIRST, Change.ONLY_IN_SECOND}


def test_comparing_a_snapshot_with_the_present(tmp_path: Path) -> None:
    memory = prepare(tmp_path)
    with Store.open(memory.root, MODEL) as store:
        result = store.compare(memory.snapshot)
        assert [(each.path, each.change) for each in result.notes] == [("one.md", Change.REWRITTEN)]
        assert (result.first, result.second) == (memory.snapshot, "")


# --- thinning


def automatic(age: float, kind: SnapshotKind = SnapshotKind.AUTOMATIC) -> Snapshot:
    """A snapshot of this age."""
    return Snapshot(f"{age:012.1f}-{kind.value}", "", kind, START - age, 1, 1, 1)


def left(snapshots: list[Snapshot], now: float = START) -> list[Snapshot]:
    """What is left of them."""
    gone = set(thinning.superfluous(snapshots, now))
    return [each for each in snapshots if each.id not in gone]


def test_hourly_daily_weekly() -> None:
    every_half_hour = [automatic(number * HOUR / 2) for number in range(2 * 24 * 90)]
    kept = left(every_half_hour)
    ages = [START - each.taken_at for each in kept]
    assert 24 <= sum(age < DAY for age in ages) <= 26
    assert 29 <= sum(DAY <= age < MONTH for age in ages) <= 31
    assert 8 <= sum(MONTH <= age for age in ages) <= 10
    assert every_half_hour[0] in kept


@given(st.lists(st.floats(-DAY, 100 * DAY), max_size=60), st.floats(0, 10 * WEEK))
def test_thinning_again_takes_nothing_and_never_all(ages: list[float], later: float) -> None:
    snapshots = list({each.id: each for each in map(automatic, ages)}.values())
    once = left(snapshots)
    assert left(once) == once
    assert bool(once) == bool(snapshots)
    if snapshots:
        newest = max(snapshots, key=lambda each: (each.taken_at, each.id))
        assert newest in left(once, START + later)


@pytest.mark.parametrize("kind", [SnapshotKind.MANUAL, SnapshotKind.IMPORTED])
def test_what_a_person_took_stays(kind: SnapshotKind) -> None:
    snapshots = [automatic(400 * DAY + number, kind) for number in range(5)]
    assert left(snapshots) == snapshots


def test_those_before_a_restore_stay_for_a_month() -> None:
    young = [automatic(DAY + number, SnapshotKind.BEFORE_RESTORE) for number in range(5)]
    old = [automatic(40 * DAY + number, SnapshotKind.BEFORE_RESTORE) for number in range(5)]
    assert left(young) == young
    assert len(left(old)) == 1


def test_when_one_is_due() -> None:
    assert thinning.is_due([], START)
    assert not thinning.is_due([automatic(HOUR - 1)], START)
    assert thinning.is_due([automatic(HOUR)], START)
    assert thinning.is_due([automatic(-WEEK)], START), "the clock was set back"
    assert thinning.is_due([automatic(1, SnapshotKind.MANUAL)], START)


# --- settings

OTHER = Settings(
    folder=Path("/some/folder"),
    formats=(".md",),
    on_delete=OnDelete.KEEP,
    device="cuda",
    effort=Effort.THOROUGH,
    automatic_snapshots=False,
    follow_links=True,
    paused=True,
)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def test_settings_come_back(path: Path) -> None:
    file = SettingsFile(path)
    assert file.load().settings == Settings()
    assert not path.exists()
    for settings in (OTHER, Settings()):
        file.save(settings)
        assert file.load().settings == settings
        assert file.load().problem == ""


def test_unknown_keys_stay(path: Path) -> None:
    path.write_text(json.dumps({"from the future": [1, 2], "paused": True}))
    file = SettingsFile(path)
    assert file.load().settings == Settings(paused=True)
    file.save(OTHER)
    assert json.loads(path.read_text())["from the future"] == [1, 2]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b" " * (1 << 21)])
def test_a_broken_file_is_set_aside(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    loaded = SettingsFile(path).load()
    assert loaded.settings == Settings()
    assert "settings.json.bad" in loaded.problem
    assert path.with_name("settings.json.bad").read_bytes() == data
    assert not path.exists()


def test_saving_over_a_broken_file_keeps_a_copy(path: Path) -> None:
    path.write_bytes(b"broken")
    SettingsFile(path).save(OTHER)
    assert SettingsFile(path).load().settings == OTHER
    assert path.with_name("settings.json.bad").read_bytes() == b"broken"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("effort", "heroic"),
        ("on_delete", None),
        ("device", "tpu"),
        ("paused", 1),
        ("folder", 5),
        ("folder", ""),
        ("formats", ".md"),
        ("formats", ["md"]),
    ],
)
def test_a_value_that_cannot_be_used(name: str, value: object, path: Path) -> None:
    data = json.dumps({name: value, "follow_links": True})
    path.write_text(data)
    loaded = SettingsFile(path).load()
    assert loaded.settings == Settings(follow_links=True)
    assert name in loaded.problem
    assert path.read_text() == data, "nothing is rewritten before a person changes something"
    SettingsFile(path).save(OTHER)
    assert path.with_name("settings.json.bad").read_text() == data


def test_settings_that_cannot_be_read(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StorageFailed, match="settings"):
        SettingsFile(path).load()


# --- files


def test_nothing_is_overwritten_when_set_aside(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "x").write_text(str(number))
        set_aside(Files(), tmp_path / "x")
    names = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert names == {"x.bad": "0", "x-2.bad": "1", "x-3.bad": "2"}


def test_an_atomic_write_that_fails_leaves_the_old(tmp_path: Path) -> None:
    class NoRename(Files):
        def replace(self, source: Path, target: Path) -> None:
            raise OSError(errno.EIO, "no")

    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(OSError, match="no"):
        write_atomically(NoRename(), tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"
