"""The window's hold on the engine: sends commands and brings each reply to whoever asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.bridge import EngineBridge
from engine.api import (
    Answered,
    Command,
    Compared,
    Done,
    Engine,
    EngineStatus,
    EngramError,
    Event,
    Failed,
    Mode,
    RebuildEstimate,
    Remembered,
    Settings,
    Undo,
)

log = logging.getLogger(__name__)

Handler = Callable[[Event], None]

NOTHING_YET = EngineStatus(
    mode=Mode.STARTING,
    device="",
    model="",
    folder=None,
    notes_total=0,
    notes_remembered=0,
    queue=0,
    cells=0,
    cells_used=0,
)
"""What the window shows before the engine has said anything: no figure at all."""

_LAST_WORDS = (Answered, Remembered, Compared, RebuildEstimate, Done, Failed)


@dataclass
class Ticket:
    """A command on its way. `request` is None until an engine is there to take it."""

    command: Command
    request: int | None = None


class EngineClient(QObject):
    """Holds the engine, once there is one. Lives on the GUI thread."""

    said = Signal(str, int)
    """A sentence to show, with the request that `Undo` would take back (-1 for none)."""
    refused = Signal(object, object)
    """An `EngramError` with the command it came from; nobody nearer has shown it."""
    status_changed = Signal(object)
    settings_changed = Signal(object)
    attached = Signal()

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.status = NOTHING_YET
        self.settings = Settings()
        self.settings_known = False
        self._engine: Engine | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._waiting: list[tuple[Ticket, Handler | None]] = []
        self._open: dict[int, tuple[Ticket, Handler | None]] = {}
        bridge.reply.connect(self._on_reply)
        bridge.status.connect(self._on_status)
        bridge.settings.connect(self._on_settings)

    @property
    def engine(self) -> Engine | None:
        """The engine, or None while it is being made."""
        return self._engine

    def attach(self, engine: Engine) -> None:
        """Take the engine, start it and send what was asked for meanwhile."""
        self._engine = engine
        self._unsubscribe = engine.subscribe(self.bridge.listen)
        engine.start()
        waiting, self._waiting = self._waiting, []
        for ticket, handler in waiting:
            self._submit(engine, ticket, handler)
        self.attached.emit()

    def send(self, command: Command, handler: Handler | None = None) -> Ticket:
        """Send a command; `handler` gets every event that names it, `Failed` included.

        Without a handler, a `Done` with a message becomes a toast, and so does an error.
        """
        ticket = Ticket(command)
        if self._engine is None:
            self._waiting.append((ticket, handler))
        else:
            self._submit(self._engine, ticket, handler)
        return ticket

    def close(self, timeout: float = 1.0) -> bool:
        """End the engine. True if its thread ended in time (or there never was one)."""
        self.bridge.close()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        engine, self._engine = self._engine, None
        return engine is None or engine.close(timeout)

    def _submit(self, engine: Engine, ticket: Ticket, handler: Handler | None) -> None:
        ticket.request = engine.submit(ticket.command)
        self._open[ticket.request] = (ticket, handler)

    def _on_reply(self, event: Event) -> None:
        request = getattr(event, "request", None)
        ticket, handler = (
            self._open.get(request, (None, None))
            if request is not None
            else (
                None,
                None,
            )
        )
        if request is not None and isinstance(event, _LAST_WORDS):
            self._open.pop(request, None)
        if handler is not None:
            handler(event)
            return
        match event:
            case Done(request=number, message=message, undoable=undoable) if message:
                self.said.emit(message, number if undoable else -1)
            case Failed(error=error):
                self.refuse(error, ticket.command if ticket else None)
            case _:
                pass

    def report(self, event: Event) -> None:
        """What a handler does with an event it has nothing of its own to do with."""
        match event:
            case Done(request=number, message=message, undoable=undoable) if message:
                self.said.emit(message, number if undoable else -1)
            case Failed(error=error):
                self.refuse(error, None)
            case _:
                pass

    def refuse(self, error: EngramError, command: Command | None) -> None:
        """Show an error that no view shows by itself."""
        log.warning("refused: %s", type(error).__name__)
        self.refused.emit(error, command)

    def undo(self, request: int) -> None:
        """Take back a `Forget` or a `RestoreSnapshot`."""
        self.send(Undo(request))

    def _on_status(self, status: EngineStatus) -> None:
        self.status = status
        self.status_changed.emit(status)

    def _on_settings(self, settings: Settings) -> None:
        self.settings = settings
        self.settings_known = True
        self.settings_changed.emit(settings)
