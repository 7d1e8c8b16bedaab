"""What every command is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.api import NoMemoryYet

if TYPE_CHECKING:
    from engine.cli.session import Session
    from engine.service import Duties

ModelFactory = Callable[[str], Any]
"""An `engine.backing.MemoryFactory`, without importing what that imports."""


@dataclass(frozen=True)
class Context:
    """Where the memory lives and how to print.

    Attributes:
        home: the home folder.
        as_json: print one JSON object on standard output.
        model_factory: opens the base model; None for the embedded one.
    """

    home: Path
    as_json: bool
    model_factory: ModelFactory | None = None

    def require_memory(self) -> None:
        """Raises `NoMemoryYet` where nothing was ever remembered; before anything is loaded."""
        if not (self.home / "ledger.sqlite").exists() and not (self.home / "slot").exists():
            raise NoMemoryYet("Nothing has been remembered yet. Begin with: engram remember PATH")

    def session(self, duties: Duties) -> Session:
        """A running engine, to be used in a `with`."""
        from engine.cli.session import Session

        return Session(self.home, duties, self.model_factory)
