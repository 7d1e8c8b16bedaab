"""How much of a file, of time and of memory one note may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Caps on reading one note.

    Attributes:
        text_bytes: largest text file (Markdown, HTML, ...), and most text taken from any file.
        binary_bytes: largest PDF or DOCX file.
        seconds: longest time a parser in a child process may take, on the wall.
        memory_bytes: most memory such a process may have, where the system can hold it to that.
    """

    text_bytes: int = 2 * 1024 * 1024
    binary_bytes: int = 20 * 1024 * 1024
    seconds: float = 30.0
    memory_bytes: int = 1024 * 1024 * 1024
