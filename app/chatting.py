"""Questions on their way: which conversation asked, what has come so far, how to stop it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from app.client import EngineClient, Ticket
from app.models.chats import ChatsModel
from engine.api import (
    Answered,
    AnswerPiece,
    AnswerStarted,
    Ask,
    Event,
    Failed,
    NoMemoryYet,
    StopAnswer,
)


@dataclass
class Running:
    """An answer on its way. `started` is True once the model has been given its prompt."""

    ticket: Ticket
    text: str = ""
    prompt: tuple[str, ...] = ()
    started: bool = False
    stopping: bool = False


class Chatting(QObject):
    """Asks the engine and files the answers, whichever conversation is on screen."""

    moved = Signal(str, int)
    """Turn `int` of conversation `str` has more text, or is complete."""
    answered = Signal(str, int)
    """Turn `int` of conversation `str` is complete."""

    def __init__(
        self, client: EngineClient, chats: ChatsModel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._client = client
        self._chats = chats
        self._running: dict[tuple[str, int], Running] = {}

    def ask(self, chat_id: str, question: str) -> int:
        """Ask in a conversation; the number of the new turn."""
        number = self._chats.add_turn(chat_id, question)
        key = (chat_id, number)
        ticket = self._client.send(Ask(question), lambda event: self._on_event(key, event))
        self._running[key] = Running(ticket)
        return number

    def running(self, chat_id: str, number: int) -> Running | None:
        """What has come so far of an answer, None when it is complete."""
        return self._running.get((chat_id, number))

    def busy(self, chat_id: str) -> bool:
        """True while the conversation waits for an answer."""
        return any(chat == chat_id for chat, _ in self._running)

    def stop(self, chat_id: str) -> None:
        """Stop the answers this conversation waits for; what is there is kept."""
        for (chat, _), running in self._running.items():
            if chat == chat_id and running.ticket.request is not None and not running.stopping:
                running.stopping = True
                self._client.send(StopAnswer(running.ticket.request))

    def _on_event(self, key: tuple[str, int], event: Event) -> None:
        running = self._running.get(key)
        if running is None:
            return
        chat_id, number = key
        match event:
            case AnswerStarted(prompt=prompt):
                running.started, running.prompt = True, prompt
            case AnswerPiece(text=text):
                running.started = True
                running.text += text
            case Answered(answer=answer):
                del self._running[key]
                self._file(chat_id, number, answer=answer)
            case Failed(error=NoMemoryYet()):
                del self._running[key]
                self._file(chat_id, number, empty=True)
            case Failed(error=error):
                del self._running[key]
                self._file(chat_id, number, problem=str(error))
            case _:
                return
        self.moved.emit(chat_id, number)
        if key not in self._running:
            self.answered.emit(chat_id, number)

    def _file(self, chat_id: str, number: int, **result: object) -> None:
        chat = self._chats.chat(chat_id)
        if chat is not None and number < len(chat.turns):
            self._chats.set_turn(chat_id, number, replace(chat.turns[number], **result))  # type: ignore[arg-type]
