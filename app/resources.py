"""Where the files that ship with Engram lie: in the checkout, a bundle, or the prefix."""

from __future__ import annotations

import sys
from pathlib import Path


def resource(*parts: str) -> Path:
    """The path of a shipped file or folder, e.g. ``resource("icons", "folder.svg")``.

    A frozen bundle is looked at first, then the folder above the `app` package, then the
    prefix's ``share/engram``. Where none holds the file the checkout's path comes back, so that
    the error that follows names a place a person can look at.
    """
    checkout = Path(__file__).resolve().parent.parent / "resources"
    roots = [checkout, Path(sys.prefix) / "share" / "engram" / "resources"]
    bundle = getattr(sys, "_MEIPASS", None)
    if bundle is not None:
        roots.insert(0, Path(bundle) / "resources")
    for root in roots:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    return checkout.joinpath(*parts)
