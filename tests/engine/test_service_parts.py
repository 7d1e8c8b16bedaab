"""The small parts of the service: inbox, announcer, errands, speed."""

from __future__ import annotations

import queue
import threading

import pytest

from engine.announcer import NOTHING_YET, Announcer
from engine.api import (
    Ask,
    EngramError,
    Event,
    Forget,
    InputError,
    Note,
    NotesChanged,
    NotesGone,
    NotesReset,
    NoteState,
    Rescan,
    SettingsChanged,
    SlotChanged,
    SnapshotsChanged,
    StatusChanged,
    StopAnswer,
    Verify,
)
from engine.errands import Errands
from engine.inbox import Continuation, Inbox, Request
from engine.store.records import NoteRow
from engine.tasks.speed import Speed
from engine.urgency import ends_a_write, is_served_during_a_write


def test_asking_goes_first() -> None:
    inbox = Inbox()
    inbox.put(Rescan())
    inbox.put(Forget((1,)))
    asked = inbox.put(Ask("Where?"))
    order = [inbox.take(), inbox.take(), inbox.take(), inbox.take()]
    assert [each.number for each in order if isinstance(each, Request)] == [asked, 1, 2]
    assert order[-1] is None


def test_only_what_is_accepted_is_taken() -> None:
    inbox = Inbox()
    inbox.put(Forget((1,)))
    inbox.put(Verify())
    inbox.put_continuation(lambda: None)
    assert isinstance(inbox.take(is_served_during_a_write), Continuation)
    assert inbox.take(is_served_during_a_write) is None
    assert inbox.has(ends_a_write)
    inbox.take()
    assert not inbox.has(ends_a_write)  # verifying waits for the write's end


def test_the_same_question_twice_is_two_requests() -> None:
    inbox = Inbox()
    first, second = inbox.put(Ask("Where?")), inbox.put(Ask("Where?"))
    assert first != second
    inbox.put(StopAnswer(first))
    assert inbox.is_stopped(first) and not inbox.is_stopped(second)
    inbox.answered(first)
    assert not inbox.is_stopped(first)
    inbox.close()
    assert inbox.is_stopped(second)


def test_a_wake_before_the_wait_is_not_lost() -> None:
    inbox = Inbox()
    inbox.wake()
    inbox.wait(None)  # would not return otherwise


def note(number: int, state: NoteState = NoteState.WAITING) -> Note:
    return Note(number, f"{number}.md", state)


def test_a_newcomer_is_told_the_present_state() -> None:
    announce = Announcer()
    announce(NotesReset((note(1), note(2))))
    announce(NotesChanged((note(2, NoteState.REMEMBERED), note(3))))
    announce(NotesGone((1,)))
    told: list[Event] = []
    announce.subscribe(told.append)
    kinds = [StatusChanged, SettingsChanged, NotesReset, SnapshotsChanged, SlotChanged]
    assert [type(event) for event in told] == kinds
    assert told[2] == NotesReset((note(2, NoteState.REMEMBERED), note(3)))


def test_a_listener_may_leave_while_it_is_told() -> None:
    announce, told = Announcer(), []

    def listen(event: Event) -> None:
        told.append(event)
        if isinstance(event, NotesGone):
            leave()

    leave = announce.subscribe(listen)
    announce(NotesGone((1,)))
    announce(NotesGone((2,)))
    assert told[-1] == NotesGone((1,))
    leave()


def test_a_status_that_is_no_news_is_left_out() -> None:
    announce = Announcer()
    told: list[Event] = []
    announce.subscribe(told.append)
    announce(StatusChanged(NOTHING_YET))
    assert len(told) == 5


def test_errands_hand_back_results_and_errors() -> None:
    back: queue.SimpleQueue[object] = queue.SimpleQueue()
    errands = Errands(back.put)
    errands.start()
    results: list[object] = []

    def fail(error: Exception) -> int:
        raise error

    errands.run(lambda: threading.current_thread().name, results.append)
    errands.run(lambda: fail(InputError("no")), results.append)
    errands.run(lambda: fail(ValueError("words of a note")), results.append)
    for _ in range(3):
        back.get(timeout=30)()  # type: ignore[operator]
    assert results[0] == "engram-disk"
    assert isinstance(results[1], InputError)
    assert isinstance(results[2], EngramError) and "words" not in str(results[2])
    assert errands.close(30.0)


def row(cells: int) -> NoteRow:
    return NoteRow(1, "a.md", cells=cells)


def test_speed_is_what_was_measured() -> None:
    assert Speed().estimate([row(10)]) is None
    speed = Speed().with_write("CPU normal", 2.0, 40).with_write("CPU normal", 4.0, 80)
    assert speed.estimate([row(20), row(0)]) == pytest.approx((20 + 60) * 6.0 / 120)
    assert Speed.from_text(speed.to_text()) == speed
    assert speed.with_write("Card normal", 1.0, 100) == Speed("Card normal", 1.0, 100, 1)
    assert Speed.from_text("nonsense") == Speed()
    old = Speed("CPU normal", 4000.0, 8000, 100).with_write("CPU normal", 10.0, 20)
    assert old == Speed("CPU normal", 2010.0, 4020, 51)


def test_a_listener_that_fails_keeps_nobody_untold() -> None:
    announce, told = Announcer(), []

    def fail(event: Event) -> None:
        raise ZeroDivisionError

    announce.subscribe(fail)
    announce.subscribe(told.append)
    announce(NotesGone((1,)))
    assert told[-1] == NotesGone((1,))
