"""A process that takes one step on a memory and dies where `ENGRAM_FAULT` says.

Usage: python -m tests.faults.store_child HOME SNAPSHOT STEP
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engine.store.store import Store
from tests.store_faults import MODEL, START, STEPS, KillingFiles, Prepared


def main() -> None:
    """Take the step."""
    root, snapshot, step = sys.argv[1:]
    files = KillingFiles(os.environ["ENGRAM_FAULT"])
    with Store.open(Path(root), MODEL, files=files, clock=lambda: START) as store:
        STEPS[step](store, Prepared(Path(root), snapshot))


if __name__ == "__main__":
    main()
