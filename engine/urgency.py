"""Which commands may go on beside a running write, and which end it."""

from __future__ import annotations

from engine.api import (
    Ask,
    ChangeSettings,
    CompareSnapshots,
    DeleteSnapshot,
    EstimateRebuild,
    ExportSnapshot,
    ImportSnapshot,
    Pause,
    Rebuild,
    Remember,
    RenameSnapshot,
    Rescan,
    RestoreSnapshot,
    ShowRemembered,
    StopAnswer,
    TakeSnapshot,
    Verify,
    WriteAgain,
)
from engine.inbox import Continuation, Item, Request

_DURING_A_WRITE = (
    Ask,
    StopAnswer,
    ShowRemembered,
    EstimateRebuild,
    Rescan,
    Remember,
    WriteAgain,
    TakeSnapshot,
    RenameSnapshot,
    DeleteSnapshot,
    CompareSnapshots,
    ExportSnapshot,
    ImportSnapshot,
)
"""What leaves slot, settings and the running job alone."""

_AFTER_A_WRITE = (Verify,)
"""What waits for the end of the running write. All other commands end it."""

MAKES_SENSE_IN_TROUBLE = (ChangeSettings, Pause, Rebuild, Rescan, RestoreSnapshot, StopAnswer)
"""What can be done while the memory cannot be used."""


def is_served_during_a_write(item: Item) -> bool:
    """Whether this is done between two gradient steps."""
    return isinstance(item, Continuation) or isinstance(item.command, _DURING_A_WRITE)


def ends_a_write(item: Item) -> bool:
    """Whether a running write is dropped for this, to begin anew afterwards."""
    stays = _DURING_A_WRITE + _AFTER_A_WRITE
    return isinstance(item, Request) and not isinstance(item.command, stays)


def is_urgent(item: Item) -> bool:
    """Whether even other commands stand back for this."""
    return isinstance(item, Request) and isinstance(item.command, Ask | StopAnswer)
