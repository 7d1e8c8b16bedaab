"""Training curves: one CSV that survives kills, and a picture of it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path


class Curve:
    """A CSV of numbers by step. Rows after `resume_at` are dropped on opening.

    Args:
        path: the file; made with a header on the first row.
        resume_at: the step a run goes on from.
    """

    def __init__(self, path: Path, resume_at: int = 0) -> None:
        self._path = path
        self._rows: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="", encoding="utf-8") as f:
                self._rows = [r for r in csv.DictReader(f) if int(r["step"]) <= resume_at]
            self._write_all()

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append one row."""
        row = {"step": str(step)} | {k: f"{v:.6g}" for k, v in values.items()}
        known = list(self._rows[0]) if self._rows else []
        self._rows.append(row)
        if known and set(row) <= set(known):
            with self._path.open("a", newline="", encoding="utf-8") as f:
                csv.DictWriter(f, known, restval="").writerow(row)
        else:
            self._write_all()

    def _write_all(self) -> None:
        names = list(dict.fromkeys(k for r in self._rows for k in r)) or ["step"]
        self._rows = [dict.fromkeys(names, "") | r for r in self._rows]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("w", newline="", encoding="utf-8") as f:
            writer = csv.DictWriter(f, names, restval="")
            writer.writeheader()
            writer.writerows(self._rows)

    def column(self, name: str) -> list[tuple[int, float]]:
        """(step, value) of one column, rows without a value left out."""
        return [(int(r["step"]), float(r[name])) for r in self._rows if r.get(name)]

    def draw(self, picture: Path, names: list[str]) -> None:
        """Draw columns over steps, one panel each, as a PNG. Does nothing without matplotlib."""
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            return
        figure = Figure(figsize=(5.0 * len(names), 3.6), layout="constrained")
        FigureCanvasAgg(figure)
        for i, name in enumerate(names):
            axes = figure.add_subplot(1, len(names), i + 1)
            points = self.column(name)
            axes.plot([p[0] for p in points], [p[1] for p in points], linewidth=1.0)
            axes.set_title(name)
            axes.set_xlabel("step")
            axes.grid(alpha=0.3)
        figure.savefig(picture, dpi=110)
