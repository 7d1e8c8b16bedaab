"""Which reader reads which file: every module of this package that has a `FORMAT`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import PurePath

from engine.notes import readers
from engine.notes.readers.format import Format


@cache
def formats() -> dict[str, Format]:
    """Return the formats by lower-case extension (with its dot)."""
    found: dict[str, Format] = {}
    for module in pkgutil.iter_modules(readers.__path__):
        if module.name == __name__.rpartition(".")[2]:
            continue
        loaded = importlib.import_module(f"{readers.__name__}.{module.name}")
        offered = getattr(loaded, "FORMAT", None)
        if isinstance(offered, Format):
            found.update(dict.fromkeys(offered.extensions, offered))
    return found


def extension(name: str) -> str:
    """Return a file name's ending in lower case with its dot, "" for none."""
    return PurePath(name).suffix.lower()


def format_of(name: str) -> Format | None:
    """Return the format of a file by its name, None if no reader reads it."""
    return formats().get(extension(name))
