"""Tables whose rows carry a seal, so that a flipped byte in the ledger is found.

SQLite's own check looks at the structure of its file, not at what a row says. Each row here ends
with a hash of its values, and the table `totals` keeps, for each table, the sum of these hashes,
so that a row that changed, vanished or came in from elsewhere does not go unnoticed.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from engine.store.errors import LedgerCorrupt

SqlValue = int | float | str | bytes | None
# What SQLite gives back is what a seal vouches for; its types are those of the columns.
Row = tuple[Any, ...]

_MODULUS = 1 << 63  # what an SQLite integer holds


def seal(table: str, values: Row) -> int:
    """A 63-bit hash of a row's values and of the table it belongs to."""
    digest = hashlib.blake2b(repr((table, values)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % _MODULUS


class SealedTable:
    """One table; its first column is the key, its last the seal. Changes run in a transaction."""

    def __init__(self, connection: sqlite3.Connection, name: str, columns: tuple[str, ...]) -> None:
        self._connection = connection
        self.name = name
        self._key = columns[0]
        self._columns = ", ".join(columns)
        self._marks = ", ".join("?" for _ in range(len(columns) + 1))

    def rows(self, rest: str = "", values: Row = ()) -> list[Row]:
        """The rows, without seals; `rest` is what follows the table's name in the query."""
        query = f"SELECT {self._columns} FROM {self.name} {rest}"
        return [tuple(row) for row in self._connection.execute(query, values)]

    def get(self, key: SqlValue) -> Row | None:
        """The row with this key."""
        found = self.rows(f"WHERE {self._key} = ?", (key,))
        return found[0] if found else None

    def count(self) -> int:
        """How many rows there are."""
        return int(self._connection.execute(f"SELECT count(*) FROM {self.name}").fetchone()[0])

    def insert(self, rows: Iterable[Row]) -> None:
        """Add rows whose keys are new."""
        sealed = [(*row, seal(self.name, row)) for row in rows]
        self._connection.executemany(
            f"INSERT INTO {self.name} ({self._columns}, seal) VALUES ({self._marks})", sealed
        )
        self._add(sum(row[-1] for row in sealed))

    def drop(self, keys: Iterable[SqlValue]) -> None:
        """Remove the rows with these keys; a key that is not there is passed over."""
        gone = 0
        for key in keys:
            where = f"FROM {self.name} WHERE {self._key} = ?"
            for (old,) in self._connection.execute(f"SELECT seal {where}", (key,)).fetchall():
                gone += old
            self._connection.execute(f"DELETE {where}", (key,))
        self._add(-gone)

    def put(self, row: Row) -> None:
        """Add a row, in the place of the one with its key if there is one."""
        self.drop((row[0],))
        self.insert((row,))

    def clear(self) -> None:
        """Remove all rows."""
        self._connection.execute(f"DELETE FROM {self.name}")
        self._connection.execute("UPDATE totals SET total = 0 WHERE name = ?", (self.name,))

    def check(self) -> None:
        """Compare every row with its seal and their sum with the total.

        Raises:
            LedgerCorrupt: they differ.
        """
        total = 0
        query = f"SELECT {self._columns}, seal FROM {self.name}"
        for *values, stored in self._all(query):
            row: Row = tuple(values)
            if stored != seal(self.name, row):
                raise LedgerCorrupt(f"A row of the ledger's table {self.name} is damaged.")
            total += seal(self.name, row)
        kept = self._all("SELECT total FROM totals WHERE name = ?", (self.name,))
        if [tuple(row) for row in kept] != [(total % _MODULUS,)]:
            raise LedgerCorrupt(f"Rows of the ledger's table {self.name} are missing.")

    def _all(self, query: str, values: Row = ()) -> Iterator[Row]:
        return iter(self._connection.execute(query, values))

    def _add(self, amount: int) -> None:
        (total,) = self._connection.execute(
            "SELECT total FROM totals WHERE name = ?", (self.name,)
        ).fetchone()
        self._connection.execute(
            "UPDATE totals SET total = ? WHERE name = ?", ((total + amount) % _MODULUS, self.name)
        )
