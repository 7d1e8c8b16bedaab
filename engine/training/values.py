"""Values for the fact schemas: names, places, codes, dates, composed from a small pattern language.

A value spec is a list, or ``{"parts": {...}, "range": [lo, hi], "patterns": [...]}``. In a pattern
``{part}`` is an item of that list, ``{n}`` (with any format spec) a random integer of the range,
``#`` a digit and ``@`` a capital letter; the last two only in the pattern's own text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

_PLACEHOLDER = re.compile(r"(\{[a-z0-9_]+[^{}]*\})")
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


class Values:
    """Composes values by type.

    Args:
        specs: value specs by type name.
    """

    def __init__(self, specs: dict[str, Any]) -> None:
        self._specs = specs

    @classmethod
    def read(cls, path: Path) -> Values:
        """Load a values file."""
        return cls(json.loads(path.read_text("utf-8")))

    def types(self) -> list[str]:
        """All type names."""
        return list(self._specs)

    def compose(self, kind: str, rng: Random) -> str:
        """A random value of a type; raises KeyError for an unknown one."""
        spec = self._specs[kind]
        if isinstance(spec, list):
            return str(rng.choice(spec))
        pieces = _PLACEHOLDER.split(rng.choice(spec["patterns"]))
        return "".join(self._piece(piece, spec, rng) for piece in pieces)

    @staticmethod
    def _piece(piece: str, spec: dict[str, Any], rng: Random) -> str:
        if piece.startswith("{"):
            name = piece[1:-1]
            if name == "n" or name.startswith("n:"):
                return piece.format(n=rng.randint(*spec["range"]))
            return str(rng.choice(spec["parts"][name]))
        return "".join(
            str(rng.randrange(10)) if c == "#" else rng.choice(_LETTERS) if c == "@" else c
            for c in piece
        )
