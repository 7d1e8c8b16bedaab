"""Bytes to text: UTF-8, UTF-16 with its mark, else Windows' Western code page; never binary."""

from __future__ import annotations

import codecs
import re

from engine.notes.skip import NoteSkipped, SkipReason

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_SHARE = 0.01
"""More control characters than this share of the text, and it is no text."""


def decode(data: bytes) -> str:
    """Decode the bytes of a text file.

    Raises:
        NoteSkipped: with `SkipReason.BINARY` where they are no text.
    """
    text = _decode(data)
    if "\0" in text:
        raise NoteSkipped(SkipReason.BINARY)
    found = len(_CONTROL.findall(text))
    if found:
        if found > _CONTROL_SHARE * len(text) and found > 2:
            raise NoteSkipped(SkipReason.BINARY)
        text = _CONTROL.sub(" ", text)
    return text


def _decode(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "replace")
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return data.decode("utf-32", "replace")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) - error.start < 4 and error.reason == "unexpected end of data":
            return data[: error.start].decode("utf-8")  # cut in the middle of a character
        return data.decode("cp1252", "replace")
