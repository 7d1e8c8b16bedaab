"""Why a note was not read, with a sentence for a person."""

from __future__ import annotations

from enum import Enum

from engine.api import InputError


class SkipReason(Enum):
    """The reasons, each with the sentence that is shown beside the note."""

    EMPTY = "This note is empty."
    BINARY = "This file is not text."
    HUGE = "This file is too large to read as a note."
    ENCRYPTED = "This file is protected with a password."
    UNREADABLE = "This file may not be read: permission was denied."
    VANISHED = "This file is no longer there."
    CHANGING = "This file is still being written."
    NOT_A_FILE = "This is not an ordinary file."
    OUTSIDE = "This file lies outside the folder of notes."
    UNSUPPORTED = "Files of this kind cannot be read."
    BROKEN = "This file is damaged and cannot be read."
    TOO_SLOW = "Reading this file took too long, so it was given up."
    TOO_BIG_INSIDE = "Reading this file took too much memory, so it was given up."
    NO_TEXT = "There is no text in this file, perhaps only pictures."


class NoteSkipped(InputError):
    """A note that cannot be read. `str()` of it is the sentence for a person.

    Args:
        reason: which of the known reasons it is.
        sentence: a more exact sentence than the reason's own.
    """

    def __init__(self, reason: SkipReason, sentence: str = "") -> None:
        super().__init__(sentence or reason.value)
        self.reason = reason
