"""Words that more than one task says."""

from __future__ import annotations


def notes(count: int) -> str:
    """"1 note", "12 notes"."""
    return "1 note" if count == 1 else f"{count} notes"
