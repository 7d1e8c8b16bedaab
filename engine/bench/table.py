"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """A table as it is printed.

    Attributes:
        title: the line above it.
        head: column names.
        rows: cells; None is shown as a dash, a float with three decimals.
        remarks: lines below it.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    remarks: tuple[str, ...] = ()


def percent(share: float | None) -> str | None:
    """A share (0 to 1) in percent with one decimal."""
    return None if share is None else f"{100 * share:.1f} %"


def seconds(value: float | None) -> str | None:
    """A time in s, or in ms where it is short."""
    if value is None:
        return None
    return f"{value:.2f} s" if value >= 1.0 else f"{1000 * value:.1f} ms"


def render(table: Table) -> str:
    """The table as text, first column left-aligned, the others right-aligned."""
    body = [[_shown(cell) for cell in row] for row in table.rows]
    widths = [max(len(line[i]) for line in [list(table.head), *body])
              for i in range(len(table.head))]  # fmt: skip
    lines = [table.title, _line(table.head, widths), "  ".join("-" * w for w in widths)]
    lines += [_line(row, widths) for row in body]
    return "\n".join([*lines, *table.remarks])


def render_all(tables: Iterable[Table]) -> str:
    """Tables one below the other."""
    return "\n\n".join(render(table) for table in tables)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "  ".join([first, *others]).rstrip()


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)
