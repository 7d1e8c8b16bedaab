"""What a file of this package must offer to be a reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.notes.text import NoteText


@dataclass(frozen=True)
class Format:
    """A file format: put one of these, named `FORMAT`, into a module of `engine.notes.readers`.

    Attributes:
        name: what a person calls it, e.g. "PDF"; used in sentences ("This PDF is ...").
        extensions: lower-case endings with their dot.
        read: makes a note of a file's bytes and its name (for the title where there is no other);
            may raise `NoteSkipped` with a reason, and anything else where the bytes are broken.
        isolated: whether the bytes are parsed by code that may be led astray by them (a zip
            container, an object graph): such a reader runs in a child process with limits, and
            imports its library inside `read`.
        is_text: whether the bytes are text (the smaller size limit and the encodings apply).
    """

    name: str
    extensions: tuple[str, ...]
    read: Callable[[bytes, str], NoteText]
    isolated: bool = False
    is_text: bool = True
