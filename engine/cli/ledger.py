"""Reading a memory's files without a model: for commands that must not wait for torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.api import InputError, Note
from engine.store.errors import MemoryDamaged
from engine.store.store import Store


@contextmanager
def opened(home: Path) -> Iterator[Store]:
    """The store, for whatever does not change the slot.

    Raises:
        MemoryLocked, MemoryDamaged: as the case may be.
    """
    try:
        # Which base model wrote the slot matters to those who load it, and nobody does here.
        store = Store.open(home, "", accept_other_model=True)
    except MemoryDamaged as error:
        names = ", ".join(path.name for path in error.set_aside) or "a file is missing"
        raise MemoryDamaged(
            f"This memory is damaged (set aside: {names}). What can be restored is told by: "
            "engram snapshot list",
            "",
            error.set_aside,
        ) from error
    with store:
        yield store


def find(notes: list[Note], name: str, folder: Path | None) -> Note:
    """The note that a person means: by its path as listed, its whole path, or its file name.

    Raises:
        InputError: there is none, or more than one.
    """
    whole = Path(name).absolute()
    exact = [n for n in notes if n.path == name or Path(n.path) == whole]
    if folder is not None:
        exact = exact or [n for n in notes if folder / n.path == whole]
    found = exact or [n for n in notes if n.path.endswith("/" + name)]
    if not found:
        raise InputError(f"There is no note {name}. See: engram notes")
    if len(found) > 1:
        raise InputError(f"There are {len(found)} notes {name}; please give the whole path.")
    return found[0]
