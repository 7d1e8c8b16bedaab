"""The ledger's schema, and how an older one becomes the present one.

To change the schema, append a step; never edit one that has shipped. A step is a list of SQL
statements; all that are missing run in one transaction, together with the new version's number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from engine.store.errors import LedgerCorrupt, MemoryTooNew

APPLICATION_ID = 0x456E6772
"""Written into the SQLite header, so that `file` and we can tell a ledger ("Engr")."""

Step = tuple[str, ...]

# Paths and sentences are blobs: UTF-8 with surrogates passed, so that any file name fits.
_FIRST: Step = (
    "CREATE TABLE totals (name TEXT PRIMARY KEY, total INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO totals VALUES ('memory', 0), ('notes', 0), ('jobs', 0), ('meta', 0)",
    """CREATE TABLE memory (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        generation INTEGER NOT NULL,
        slot_sha256 TEXT NOT NULL,
        slot_size INTEGER NOT NULL,
        base_model BLOB NOT NULL,
        next_note INTEGER NOT NULL,
        next_job INTEGER NOT NULL,
        seal INTEGER NOT NULL)""",
    """CREATE TABLE notes (
        id INTEGER PRIMARY KEY,
        path BLOB NOT NULL UNIQUE,
        state TEXT NOT NULL,
        in_folder INTEGER NOT NULL,
        content_hash TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        written_hash TEXT NOT NULL,
        written_at REAL,
        recall REAL,
        median_p REAL,
        probes TEXT NOT NULL,
        cells INTEGER NOT NULL,
        reason BLOB NOT NULL,
        seal INTEGER NOT NULL)""",
    """CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        note_id INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        reason BLOB NOT NULL,
        running INTEGER NOT NULL,
        seal INTEGER NOT NULL)""",
    "CREATE INDEX jobs_by_note ON jobs (note_id)",
    "CREATE INDEX jobs_by_turn ON jobs (running, priority DESC, id)",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL, seal INTEGER NOT NULL)",
)

STEPS: tuple[Step, ...] = (_FIRST,)


def migrate(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Bring the schema to the newest version, or make it in an empty file.

    Args:
        connection: in autocommit mode.

    Raises:
        MemoryTooNew: the file is of a version that is not known here; it was not touched.
        LedgerCorrupt: the schema is not the one that its version has.
    """
    version = _pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    known = tables == 0 and version == 0
    if not known and _pragma(connection, "application_id") != APPLICATION_ID:
        raise LedgerCorrupt("The ledger is not a file that Engram wrote.")
    if version > len(steps):
        raise MemoryTooNew(
            f"This memory was written by a newer Engram (format {version}; this one knows "
            f"{len(steps)}). Please use that version or a newer one."
        )
    if version < 0:
        raise LedgerCorrupt("The ledger has no valid version.")
    _check_schema(connection, steps[:version])
    if version == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check_schema(connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
    """Compare the schema with the one that these steps make, word for word."""
    fresh = sqlite3.connect(":memory:")
    try:
        for step in steps:
            for statement in step:
                fresh.execute(statement)
        if _schema(fresh) != _schema(connection):
            raise LedgerCorrupt("The tables of the ledger are damaged.")
    finally:
        fresh.close()


def _schema(connection: sqlite3.Connection) -> list[tuple[str, str, str | None]]:
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    return connection.execute(query).fetchall()


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
