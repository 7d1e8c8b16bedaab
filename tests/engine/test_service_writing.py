"""From a file in the folder to an answer: what a note goes through in the service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.api import (
    Answer,
    Answered,
    AnswerPiece,
    AnswerStarted,
    Ask,
    ChangeSettings,
    Forget,
    InputError,
    Mode,
    NoMemoryYet,
    NotesChanged,
    NoteState,
    OnDelete,
    Pause,
    QueueEnded,
    Remember,
    Remembered,
    Rescan,
    Settings,
    ShowRemembered,
    StatusChanged,
    StopAnswer,
    Undo,
    WriteAgain,
    WriteProgress,
)
from engine.memory.report import Verdict, WriteOptions
from engine.service import ASKING_ONLY, WRITING_ONLY
from engine.store.errors import NothingToUndo
from engine.tasks.asking import UNKNOWN
from tests.engine_run import Gate, Run
from tests.fake_memory import Script

BOAT = "The boat Otter lies at pier seven.\nThe harbour master is Runa."
CAKE = "The plum cake takes forty minutes."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "boat.md").write_text(BOAT)
    (folder / "cake.md").write_text(CAKE)
    return folder


def watch(run: Run, folder: Path, **others: object) -> None:
    """Watch a folder; afterwards what is in it is queued."""
    run.do(ChangeSettings(Settings(folder=folder, **others)))  # type: ignore[arg-type]
    run.do(Rescan())


def ask(run: Run, question: str) -> Answer:
    event = run.do(Ask(question))
    assert isinstance(event, Answered)
    return event.answer


def change(file: Path, text: str) -> None:
    """Write a file anew with a time of its own, however coarse the disk's clock is."""
    file.write_text(text)
    later = file.stat().st_mtime_ns + 5_000_000_000
    os.utime(file, ns=(later, later))


def test_notes_of_the_folder_are_written_and_asked(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        note = run.until_state("boat.md", NoteState.REMEMBERED)
        run.until_state("cake.md", NoteState.REMEMBERED)
        assert (note.recall, note.cells, note.in_folder) == (1.0, 2, True)
        answer = ask(run, "Where lies the boat Otter?")
        assert answer.known and "pier seven" in answer.text
        assert [source.path for source in answer.sources] == ["boat.md"]
        assert answer.prompt[0] == "<question>"
        started = run.of(AnswerStarted)[0]
        pieces = [p.text for p in run.of(AnswerPiece) if p.request == started.request]
        assert "".join(pieces).strip() == answer.text
        steps = [p.step for p in run.of(WriteProgress) if p.note_id == note.id]
        assert steps == list(range(1, WriteOptions().steps + 1))
        states = [n.state for e in run.of(NotesChanged) for n in e.notes if n.id == note.id]
        assert states == [
            NoteState.WAITING, NoteState.READING, NoteState.WRITING, NoteState.REMEMBERED,
        ]  # fmt: skip
        run.until(lambda: bool(run.of(QueueEnded)))
        assert run.of(QueueEnded)[0].written == 2


def test_memory_outlives_the_process_and_the_folder(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_state("cake.md", NoteState.REMEMBERED)
        run.until_idle()
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    with Run(home, duties=ASKING_ONLY) as run:
        assert "forty minutes" in ask(run, "How long takes the plum cake?").text


def test_what_is_not_in_memory_is_said_so(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_state("boat.md", NoteState.REMEMBERED)
        run.until_idle()
        far = ask(run, "Who invented calculus")
        assert (far.text, far.known, far.sources) == (UNKNOWN, False, ())
        near = ask(run, "Does the harbour sell diesel")
        assert not near.known and [s.path for s in near.sources] == ["boat.md"]
        # How sure it says it is, is how sure the declining is: the farther, the surer.
        assert far.confidence >= near.confidence > 0.5


@pytest.mark.parametrize("question", ["", "  \n", "x" * 10_000])
def test_a_question_that_cannot_be_asked(home: Path, question: str) -> None:
    with Run(home) as run:
        assert isinstance(run.fails(Ask(question)), InputError)


def test_nothing_remembered_yet(home: Path) -> None:
    with Run(home) as run:
        assert isinstance(run.fails(Ask("Where is the boat?")), NoMemoryYet)


def test_asking_goes_between_two_gradient_steps(home: Path, folder: Path) -> None:
    script = Script()
    with Run(home, script) as run:
        watch(run, folder)
        run.until_state("cake.md", NoteState.REMEMBERED)
        run.until_idle()
        gate = Gate(at_step=5)
        script.on_step = gate
        change(folder / "cake.md", "The plum cake takes fifty minutes.")
        run.submit(Rescan())
        gate.wait_reached()
        question = run.submit(Ask("How long takes the plum cake?"))
        gate.open()
        event = run.reply(question)
        assert isinstance(event, Answered)
        assert "forty" in event.answer.text  # the old memory is in force until the write is done
        at = run.events.index(event)
        before, after = run.events[:at], run.events[at:]
        last = [e.step for e in before if isinstance(e, WriteProgress)][-1]
        run.until(lambda: "fifty" in ask(run, "How long takes the plum cake?").text)
        assert last == 5
        assert [e.step for e in after if isinstance(e, WriteProgress)][:1] in ([], [6])
        assert any(
            isinstance(e, StatusChanged) and e.status.mode is Mode.ANSWERING for e in before
        )


def test_an_edited_note_keeps_its_recall_while_it_waits(home: Path, folder: Path) -> None:
    script = Script()
    with Run(home, script) as run:
        watch(run, folder)
        run.until_idle()
        gate = Gate()
        script.on_step = gate
        change(folder / "boat.md", "The boat Otter was sold.")
        run.submit(Rescan())
        gate.wait_reached()
        note = run.until_state("boat.md", NoteState.WRITING)
        assert (note.recall, note.cells) == (1.0, 2)
        gate.open()
        assert run.until_state("boat.md", NoteState.REMEMBERED).cells == 1


def test_an_edit_taken_back_needs_no_write(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        run.do(Pause(True))
        change(folder / "boat.md", "Other words.")
        run.do(Rescan())
        run.until_state("boat.md", NoteState.WAITING)
        writes = len(run.script.writes)
        change(folder / "boat.md", BOAT)
        run.do(Rescan())
        run.until_state("boat.md", NoteState.REMEMBERED)
        run.do(Pause(False))
        run.until_idle()
        assert len(run.script.writes) == writes


def test_a_renamed_note_keeps_its_memory(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        before = run.note("boat.md")
        (folder / "boat.md").rename(folder / "ship.md")
        run.do(Rescan())
        run.until(lambda: run.has("ship.md", NoteState.REMEMBERED))
        after = run.note("ship.md")
        assert (after.id, after.written_at) == (before.id, before.written_at)
        assert len(run.script.writes) == 2


def test_a_deleted_note_is_forgotten_and_that_can_be_undone(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        (folder / "boat.md").unlink()
        run.do(Rescan())
        note = run.until_state("boat.md", NoteState.FORGOTTEN)
        assert (note.cells, note.in_folder) == (0, False)
        assert not ask(run, "Where lies the boat Otter?").known
        forgot = next(e for e in run.events if getattr(e, "undoable", False))
        run.do(Undo(forgot.request))  # type: ignore[union-attr]
        assert run.note("boat.md").cells == 2
        assert ask(run, "Where lies the boat Otter?").known
        run.do(Rescan())
        run.until_idle()
        assert run.note("boat.md").cells == 2  # not forgotten once more


def test_a_deleted_note_is_kept_where_the_setting_says_so(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder, on_delete=OnDelete.KEEP)
        run.until_idle()
        (folder / "boat.md").unlink()
        run.do(Rescan())
        note = run.until_state("boat.md", NoteState.REMOVED)
        assert note.cells == 2
        assert ask(run, "Where lies the boat Otter?").known
        (folder / "boat.md").write_text(BOAT)
        run.do(Rescan())
        assert run.until_state("boat.md", NoteState.REMEMBERED).in_folder
        assert len(run.script.writes) == 2


def test_a_format_that_is_switched_off_forgets_nothing(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        watch(run, folder, formats=(".txt",))
        assert run.until_state("boat.md", NoteState.REMOVED).cells == 2
        watch(run, folder)
        run.until_state("boat.md", NoteState.REMEMBERED)
        run.until_idle()
        assert len(run.script.writes) == 2


def test_another_folder_keeps_what_is_remembered(home: Path, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "tram.md").write_text("The tram leaves at nine.")
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        watch(run, other)
        run.until_state("tram.md", NoteState.REMEMBERED)
        away = run.note((folder / "boat.md").as_posix())
        assert (away.cells, away.in_folder, away.state) == (2, False, NoteState.REMEMBERED)
        watch(run, folder)
        back = run.until_state("boat.md", NoteState.REMEMBERED)
        assert (back.id, back.in_folder) == (away.id, True)
        run.until_idle()
        assert len(run.script.writes) == 3


def test_forget_and_undo(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        slot = next((home / "slot").glob("slot-*.safetensors")).read_bytes()
        boat = run.note("boat.md")
        number = run.submit(Forget((boat.id,)))
        done = run.reply(number)
        assert done.message == "Forgot 1 note." and done.undoable  # type: ignore[union-attr]
        assert run.note("boat.md").state is NoteState.FORGOTTEN
        assert not ask(run, "Where lies the boat Otter?").known
        run.do(Rescan())
        run.until_idle()
        assert run.note("boat.md").state is NoteState.FORGOTTEN  # only by hand written again
        run.do(Undo(number))
        assert run.note("boat.md").state is NoteState.REMEMBERED
        assert next((home / "slot").glob("slot-*.safetensors")).read_bytes() == slot
        assert isinstance(run.fails(Undo(number)), NothingToUndo)


def test_what_was_written_after_a_forget_is_written_again_after_its_undo(
    home: Path, folder: Path
) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        number = run.submit(Forget((run.note("boat.md").id,)))
        run.reply(number)
        (folder / "tram.md").write_text("The tram leaves at nine.")
        change(folder / "cake.md", "The plum cake takes fifty minutes.")
        run.do(Rescan())
        run.until_state("tram.md", NoteState.REMEMBERED)
        run.until_idle()
        run.do(Undo(number))
        run.until_state("tram.md", NoteState.REMEMBERED)
        run.until_state("cake.md", NoteState.REMEMBERED)
        run.until_idle()
        assert ask(run, "Where lies the boat Otter?").known
        assert "fifty" in ask(run, "How long takes the plum cake?").text
        assert ask(run, "When leaves the tram?").known


def test_forgotten_by_hand_can_be_written_again(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        boat = run.note("boat.md").id
        run.do(Forget((boat,)))
        run.do(WriteAgain((boat,)))
        run.until_state("boat.md", NoteState.REMEMBERED)


def test_weak_failed_and_skipped_have_reasons(home: Path, folder: Path) -> None:
    (folder / "empty.md").write_text("")
    (folder / "picture.txt").write_bytes(b"\0\1\2" * 100)
    script = Script(verdicts={"boat": Verdict.WEAK, "cake": Verdict.FAILED})
    with Run(home, script) as run:
        watch(run, folder)
        run.until_idle()
        assert run.note("empty.md").state is NoteState.SKIPPED
        assert run.note("empty.md").reason == "This note is empty."
        assert run.note("picture.txt").state is NoteState.SKIPPED
        weak, failed = run.note("boat.md"), run.note("cake.md")
        assert (weak.state, weak.recall) == (NoteState.WEAK, 0.5) and "50" in weak.reason
        assert failed.state is NoteState.FAILED and failed.reason
        script.verdicts.clear()
        run.do(WriteAgain((weak.id, failed.id)))
        run.until_state("boat.md", NoteState.REMEMBERED)
        run.until_state("cake.md", NoteState.REMEMBERED)
        assert run.note("cake.md").reason == ""


def test_a_failed_rewrite_leaves_the_old_memory(home: Path, folder: Path) -> None:
    script = Script()
    with Run(home, script) as run:
        watch(run, folder)
        run.until_idle()
        script.verdicts["boat"] = Verdict.FAILED
        change(folder / "boat.md", "The boat Otter was sold.")
        run.do(Rescan())
        note = run.until_state("boat.md", NoteState.FAILED)
        assert note.cells == 2
        assert "pier seven" in ask(run, "Where lies the boat Otter?").text


def test_an_emptied_note_keeps_its_memory_and_says_so(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        change(folder / "boat.md", "")
        run.do(Rescan())
        note = run.until_state("boat.md", NoteState.SKIPPED)
        assert note.cells == 2 and "still there" in note.reason


def test_pause_drops_the_write_and_resume_begins_it_anew(home: Path, folder: Path) -> None:
    gate = Gate()
    script = Script(on_step=gate)
    with Run(home, script) as run:
        watch(run, folder)
        gate.wait_reached()
        number = run.submit(Pause(True))
        gate.open()
        run.reply(number)
        run.until(lambda: run.status is not None and run.status.mode is Mode.PAUSED)
        assert run.settings.paused
        assert {n.state for n in run.notes.values()} == {NoteState.WAITING}
        run.do(Pause(False))
        run.until_idle()
        assert {n.state for n in run.notes.values()} == {NoteState.REMEMBERED}


def test_a_vanished_folder_pauses_and_deletes_nothing(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        folder.rename(folder.with_name("unmounted"))
        run.do(Rescan())
        run.until(lambda: run.status is not None and run.status.mode is Mode.FOLDER_MISSING)
        assert run.status is not None and run.status.problem
        assert ask(run, "Where lies the boat Otter?").known
        assert all(note.cells for note in run.notes.values())
        folder.with_name("unmounted").rename(folder)
        run.do(Rescan())
        run.until(lambda: run.status is not None and run.status.mode is Mode.IDLE)
        assert len(run.script.writes) == 2


def test_an_edit_during_the_write_starts_it_anew(home: Path, folder: Path) -> None:
    gate = Gate()
    (folder / "boat.md").unlink()
    with Run(home, Script(on_step=gate)) as run:
        watch(run, folder)
        gate.wait_reached()
        change(folder / "cake.md", "The plum cake takes fifty minutes.")
        number = run.submit(Rescan())
        gate.open()
        run.reply(number)
        run.until_idle()
        assert "fifty" in ask(run, "How long takes the plum cake?").text


def test_remember_files_from_anywhere(home: Path, folder: Path) -> None:
    with Run(home, duties=WRITING_ONLY) as run:
        run.do(Remember((folder / "boat.md",)))
        note = run.until_state((folder / "boat.md").as_posix(), NoteState.REMEMBERED)
        assert not note.in_folder
        done = run.do(Remember((folder,)))
        assert done.message == "1 note to write. 1 note remembered already."  # type: ignore[union-attr]
        run.until_state((folder / "cake.md").as_posix(), NoteState.REMEMBERED)
        run.until_idle()
        assert run.script.writes == ["boat", "cake"]
        assert isinstance(run.fails(Remember((folder / "none.md",))), InputError)


def test_remember_in_the_watched_folder_uses_its_name_there(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        (folder / "tram.md").write_text("The tram leaves at nine.")
        run.do(Remember((folder / "tram.md",)))
        assert run.until_state("tram.md", NoteState.REMEMBERED).in_folder


def test_show_remembered(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        boat = run.note("boat.md")
        shown = run.do(ShowRemembered(boat.id))
        assert isinstance(shown, Remembered) and len(shown.probes) == 2 and not shown.recited
        (folder / "boat.md").unlink()
        shown = run.do(ShowRemembered(boat.id))
        assert isinstance(shown, Remembered) and not shown.probes
        assert "pier seven" in shown.recited
        assert isinstance(run.fails(ShowRemembered(999)), InputError)


def test_stop_an_answer(home: Path, folder: Path) -> None:
    script = Script()
    with Run(home, script) as run:
        watch(run, folder)
        run.until_idle()
        numbers: list[int] = []
        # The stop comes while the answer has begun and before its first token is out.
        script.on_answer = lambda question: numbers.append(run.submit(StopAnswer(numbers[0])))
        numbers.append(run.submit(Ask("Where lies the boat Otter?")))
        event = run.reply(numbers[0])
        assert isinstance(event, Answered)
        assert event.answer.stopped and event.answer.text == "The"
        run.reply(numbers[1])


def test_a_note_that_ended_the_process_three_times_is_given_up(home: Path, folder: Path) -> None:
    from engine.store.store import Store

    with Run(home) as run:
        run.do(Pause(True))
        watch(run, folder, paused=True)
        run.until_state("boat.md", NoteState.WAITING)
        boat = run.note("boat.md").id
    for _ in range(3):
        with Store.open(home, "fake 0123456789") as store:
            job = store.next_job()
            assert job is not None and job.note_id == boat  # and closed without finishing it
    with Run(home) as run:
        run.do(Pause(False))
        note = run.until_state("boat.md", NoteState.FAILED)
        assert "3 times" in note.reason
        run.until_state("cake.md", NoteState.REMEMBERED)
