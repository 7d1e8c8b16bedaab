"""Events from any thread, folded, on the GUI thread."""

from __future__ import annotations

import threading
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from app.bridge import EngineBridge, ProgressBatch, fold
from engine.api import (
    AnswerPiece,
    Event,
    Note,
    NotesChanged,
    NotesGone,
    NotesReset,
    NoteState,
    StatusChanged,
    WriteProgress,
)
from tests.app.conftest import PATIENCE_MS
from tests.app.fake_engine import FakeEngine


def note(number: int, state: NoteState = NoteState.WAITING) -> Note:
    return Note(number, f"{number}.md", state)


def test_steps_become_one_batch_behind_the_notes() -> None:
    steps = [WriteProgress(1, i, 3, 1.0, None) for i in range(3)]
    writing = NotesChanged((note(1, NoteState.WRITING),))
    assert fold([*steps[:2], writing, steps[2]]) == [writing, ProgressBatch(tuple(steps))]


def test_only_the_newest_status_counts() -> None:
    status = FakeEngine().status()
    newer = replace(status, queue=7)
    assert fold([StatusChanged(status), StatusChanged(newer)]) == [StatusChanged(newer)]


def test_pieces_of_one_answer_join_and_those_of_two_do_not() -> None:
    pieces = [AnswerPiece(1, "a"), AnswerPiece(1, "b"), AnswerPiece(2, "c"), AnswerPiece(1, "d")]
    assert fold(pieces) == [AnswerPiece(1, "ab"), AnswerPiece(2, "c"), AnswerPiece(1, "d")]


def outcome(events: list[object]) -> dict[int, Note]:
    """What a listener knows after these events."""
    known: dict[int, Note] = {}
    for event in events:
        match event:
            case NotesReset(notes):
                known = {n.id: n for n in notes}
            case NotesChanged(notes):
                known.update({n.id: n for n in notes})
            case NotesGone(ids):
                for number in ids:
                    known.pop(number, None)
            case _:
                pass
    return known


some_notes = st.lists(
    st.builds(note, st.integers(1, 6), st.sampled_from(NoteState)), max_size=3
).map(tuple)
note_events = st.one_of(
    st.builds(NotesReset, some_notes),
    st.builds(NotesChanged, some_notes),
    st.builds(NotesGone, st.lists(st.integers(1, 6), max_size=2).map(tuple)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(note_events, max_size=12))
def test_folding_never_changes_the_outcome(events: list[Event]) -> None:
    folded = fold(events)
    assert outcome(list(folded)) == outcome(list(events))
    assert len(folded) <= len(events)


def test_events_from_another_thread_arrive_here_in_order(qtbot: QtBot) -> None:
    bridge = EngineBridge()
    got: list[tuple[str, int]] = []
    here = threading.get_ident()
    bridge.notes_changed.connect(
        lambda notes: got.append((notes[0].path, threading.get_ident() - here))
    )
    bridge.notes_gone.connect(lambda ids: got.append((f"gone {ids[0]}", 0)))

    def speak() -> None:
        for number in range(50):
            bridge.listen(NotesChanged((note(number),)))
            bridge.listen(NotesGone((number,)))

    thread = threading.Thread(target=speak)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(got) == 100, timeout=PATIENCE_MS)
    assert got == [pair for n in range(50) for pair in ((f"{n}.md", 0), (f"gone {n}", 0))]
    bridge.close()
    bridge.deleteLater()


def test_a_flood_of_steps_is_one_signal(qtbot: QtBot) -> None:
    bridge = EngineBridge()
    batches: list[tuple[WriteProgress, ...]] = []
    bridge.progress.connect(batches.append)
    for step in range(5000):
        bridge.listen(WriteProgress(1, step, 5000, 1.0, None))
    bridge.drain()
    assert [len(batch) for batch in batches] == [5000]
    bridge.close()
    bridge.deleteLater()


def test_after_closing_nothing_arrives(qtbot: QtBot) -> None:
    bridge = EngineBridge()
    got: list[object] = []
    bridge.notes_gone.connect(got.append)
    bridge.listen(NotesGone((1,)))
    bridge.close()
    bridge.listen(NotesGone((2,)))
    bridge.drain()
    assert got == []
    bridge.deleteLater()
