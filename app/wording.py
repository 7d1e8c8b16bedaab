"""Facts put into words: names, ages, shares, sizes. Nothing here rounds a figure upwards.

File names come from anywhere and may be hostile, so every name passes through `shown` before it
reaches the screen, and every tooltip through `tip`, because Qt takes tooltips that look like
HTML for HTML.
"""

from __future__ import annotations

import html
import math
import unicodedata
from functools import lru_cache

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from engine.api import EngineStatus, Note, NoteState, SnapshotKind

NBSP = "\u00a0"
DASH = "\u2013"
_JOINERS = "\u200c\u200d"  # spelling of Persian and Indic names needs them; they cannot reorder


translate = QCoreApplication.translate  # a name that the translators' tools know


def shown(name: str) -> str:
    """A name with everything that could mislead the eye written as an escape.

    Control characters, bidirectional overrides, line separators, unassigned characters and the
    surrogates of undecodable bytes become ``\\n``, ``\\x9b`` or ``\\u{202e}``.
    """
    if name.isprintable():  # false for every character that the below would escape
        return name
    return "".join(_shown_character(c) for c in name)


def _shown_character(c: str) -> str:
    if c in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[c]
    code = ord(c)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as Python carries it
        return f"\\x{code - 0xDC00:02x}"
    category = unicodedata.category(c)
    if category in ("Zl", "Zp", "Cs", "Cn", "Co") or (category == "Cf" and c not in _JOINERS):
        return f"\\u{{{code:x}}}"
    if category == "Cc":
        return f"\\x{code:02x}"
    return c


def tip(text: str) -> str:
    """Text for a tooltip: always shown as it is, never read as rich text."""
    if not text:
        return ""
    return f"<qt><p style='white-space:pre-wrap'>{html.escape(text)}</p></qt>"


def button_text(text: str) -> str:
    """Text for a button or menu, where an ampersand would become a shortcut."""
    return text.replace("&", "&&")


def file_name(path: str) -> str:
    """The last part of a ledger path, ready to be shown."""
    return shown(path.rpartition("/")[2] or path)


def percent(share: float) -> str:
    """A share as whole per cent, rounded down: 0.997 is not "100 %"."""
    if not math.isfinite(share):
        return "?"
    value = math.floor(min(max(share, 0.0), 1.0) * 100 + 1e-9)
    return f"{QLocale().toString(value)}{NBSP}%"


def number(value: int) -> str:
    """A whole number with the locale's separators."""
    return QLocale().toString(value)


def remembered(status: EngineStatus) -> str:
    """How many notes are remembered, and how many more are weak."""
    text = translate("wording", "%1 of %2 remembered")
    text = text.replace("%1", number(status.notes_remembered))
    text = text.replace("%2", number(status.notes_total))
    if status.notes_weak:
        weak = translate("wording", "%1 weak").replace("%1", number(status.notes_weak))
        text += f", {weak}"
    return text


def nothing_yet() -> str:
    """What is said to a question while nothing is in memory."""
    return translate("wording", "I don't have anything in memory yet.")


def size(count: int) -> str:
    """Bytes as kB, MB or GB."""
    return QLocale().formattedDataSize(count, 1, QLocale.DataSizeFormat.DataSizeTraditionalFormat)


def seconds(value: float) -> str:
    """How long something took: ``0.42 s``, ``12 s``, ``3 min``, ``1 h 10 min``."""
    if value < 9.95:
        digits = 2 if value < 1 else 1
        return f"{QLocale().toString(value, 'f', digits)}{NBSP}s"
    whole = round(value)
    if whole < 60:
        return f"{whole}{NBSP}s"
    if whole < 3600:
        return f"{max(1, round(whole / 60))}{NBSP}min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours}{NBSP}h" + (f" {minutes}{NBSP}min" if minutes else "")


def age(then: float, now: float) -> str:
    """How long ago, in one short word; a date after four weeks."""
    passed = max(0.0, now - then)
    if passed < 60:
        return translate("wording", "now")
    if passed < 3600:
        return f"{int(passed // 60)}{NBSP}" + translate("wording", "min")
    if passed < 86400:
        return f"{int(passed // 3600)}{NBSP}" + translate("wording", "h")
    if passed < 28 * 86400:
        return f"{int(passed // 86400)}{NBSP}" + translate("wording", "d")
    return date(then)


def date(then: float) -> str:
    """A day with the month's name, so that it is read the same everywhere: ``2 Feb 2026``."""
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(then)).date(), "d MMM yyyy")


def moment(then: float) -> str:
    """A day and a time."""
    clock = QDateTime.fromSecsSinceEpoch(int(then)).time()
    return f"{date(then)}, {QLocale().toString(clock, 'HH:mm')}"


def notes(n: int) -> str:
    """``1 note``, ``12 notes``."""
    return translate("wording", "1 note") if n == 1 else translate("wording", "%Ln notes", None, n)


def files(n: int) -> str:
    """``1 file``, ``12 files``."""
    return translate("wording", "1 file") if n == 1 else translate("wording", "%Ln files", None, n)


def cells(n: int) -> str:
    """``1 cell``, ``12 cells``."""
    return translate("wording", "1 cell") if n == 1 else translate("wording", "%Ln cells", None, n)


@lru_cache(maxsize=len(NoteState))  # asked for every note when the list is filtered
def _state_word(state: NoteState) -> str:
    return {
        NoteState.WAITING: translate("wording", "waiting"),
        NoteState.READING: translate("wording", "reading"),
        NoteState.WRITING: translate("wording", "writing"),
        NoteState.REMEMBERED: translate("wording", "remembered"),
        NoteState.WEAK: translate("wording", "weak"),
        NoteState.SKIPPED: translate("wording", "skipped"),
        NoteState.FAILED: translate("wording", "failed"),
        NoteState.FORGOTTEN: translate("wording", "forgotten"),
        NoteState.REMOVED: translate("wording", "file removed"),
    }[state]


def state(note: Note) -> str:
    """The state chip's word."""
    if note.state is NoteState.WRITING and note.steps:
        return f"{_state_word(note.state)} {note.step}/{note.steps}"
    return _state_word(note.state)


def snapshot_kind(kind: SnapshotKind) -> str:
    """Who took it, for the snapshot's second line."""
    return {
        SnapshotKind.MANUAL: translate("wording", "taken by you"),
        SnapshotKind.AUTOMATIC: translate("wording", "automatic"),
        SnapshotKind.BEFORE_RESTORE: translate("wording", "before a restore"),
        SnapshotKind.IMPORTED: translate("wording", "imported"),
    }[kind]


def percent_of(value: int) -> str:
    """A whole percentage as it is, e.g. a font's size."""
    return f"{QLocale().toString(value)}{NBSP}%"
