"""The service when things go wrong: nothing lost without a word, nothing half done."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.api import (
    Answered,
    Ask,
    ChangeSettings,
    DiskFull,
    EstimateRebuild,
    MemoryCorrupt,
    MemoryLocked,
    Mode,
    NoteState,
    Pause,
    Rebuild,
    Remember,
    Rescan,
    RestoreSnapshot,
    Settings,
    TakeSnapshot,
    Undo,
    WrongBaseModel,
)
from engine.memory.report import WriteOptions
from engine.service import ASKING_ONLY, WRITING_ONLY
from tests.engine_run import PATIENCE, Clock, Gate, Run
from tests.fake_memory import CardFull, FakeMemory, Script

ROOT = Path(__file__).parents[2]
BOAT = "The boat Otter lies at pier seven."
QUESTION = "Where lies the boat Otter?"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def boat(tmp_path: Path) -> Path:
    file = tmp_path / "notes" / "boat.md"
    file.parent.mkdir()
    file.write_text(BOAT)
    return file


def answer(run: Run) -> str:
    event = run.do(Ask(QUESTION))
    assert isinstance(event, Answered)
    return event.answer.text


def write(home: Path, boat: Path) -> None:
    with Run(home, duties=WRITING_ONLY) as run:
        run.do(Remember((boat,)))
        run.until_state(boat.as_posix(), NoteState.REMEMBERED)
        run.until_idle()


def snapshot_of(run: Run, folder: Path) -> str:
    """Follow a folder until all of it is written; the id of a snapshot of that."""
    run.do(ChangeSettings(Settings(folder=folder)))
    run.do(Rescan())
    run.until_idle()
    run.do(TakeSnapshot("old"))
    return run.snapshots[0].id


def disk_with_no_room(monkeypatch: pytest.MonkeyPatch, left: list[int]) -> None:
    """Let the next `left[0]` slots find a full disk."""
    save = FakeMemory.save

    def full(self: FakeMemory, path: Path) -> None:
        if not left[0]:
            save(self, path)
            return
        left[0] -= 1
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FakeMemory, "save", full)


def damage_slot(home: Path) -> None:
    (slot,) = (home / "slot").glob("slot-*.safetensors")
    data = bytearray(slot.read_bytes())
    data[-3] ^= 0x40
    slot.write_bytes(data)


def test_close_in_the_middle_of_a_write(home: Path, boat: Path) -> None:
    gate, steps = Gate(at_step=3), []

    def on_step(note_id: int, step: int) -> None:
        steps.append(step)
        gate(note_id, step)

    run = Run(home, Script(on_step=on_step), duties=WRITING_ONLY)
    with run:
        run.do(Remember((boat,)))
        gate.wait_reached()
        assert not run.engine.close(0.0)  # told to end, in the middle of a step
        gate.open()
        assert run.engine.close(PATIENCE)
    assert steps == [1, 2, 3]  # not one step more
    with Run(home, duties=WRITING_ONLY) as run:  # the lock is free, the job still queued
        run.until_state(boat.as_posix(), NoteState.REMEMBERED)


def test_closing_often_does_not_count_as_dying(home: Path, boat: Path) -> None:
    for _ in range(5):
        gate = Gate()
        run = Run(home, Script(on_step=gate), duties=WRITING_ONLY)
        run.engine.start()
        run.submit(Remember((boat,)))
        gate.wait_reached()
        run.engine.close(0.0)
        gate.open()
        assert run.engine.close(PATIENCE)
    with Run(home, duties=WRITING_ONLY) as run:
        run.until_state(boat.as_posix(), NoteState.REMEMBERED)


_CHILD = """
import sys, threading
from pathlib import Path
from engine.api import ChangeSettings, Remember, Settings
from tests.engine_run import Run
from tests.fake_memory import Script
from engine.service import WRITING_ONLY

def on_step(note_id, step):
    if step == int(sys.argv[3]):
        print("reached", flush=True)
        threading.Event().wait()

with Run(Path(sys.argv[1]), Script(on_step=on_step), duties=WRITING_ONLY) as run:
    run.do(Remember((Path(sys.argv[2]),)))
    threading.Event().wait()
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("step", [1, WriteOptions().steps])
def test_killed_in_the_middle_of_a_write(home: Path, boat: Path, step: int) -> None:
    write(home, boat)
    boat.write_text("The boat Otter was sold.")
    command = [sys.executable, "-c", _CHILD, str(home), str(boat), str(step)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"reached\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Run(home, duties=ASKING_ONLY) as run:
        assert "pier seven" in answer(run)  # the old memory is whole
        assert run.note(boat.as_posix()).state is NoteState.WAITING
    with Run(home, duties=WRITING_ONLY) as run:
        run.until_state(boat.as_posix(), NoteState.REMEMBERED)
        assert "sold" in answer(run)


def test_two_engines_on_one_memory(home: Path, boat: Path) -> None:
    write(home, boat)
    with Run(home, duties=ASKING_ONLY) as first:
        with Run(home) as second:
            assert second.status is not None and second.status.mode is Mode.BROKEN
            assert isinstance(second.fails(Ask(QUESTION)), MemoryLocked)
        assert "pier seven" in answer(first)


def test_a_damaged_slot_is_offered_a_snapshot(home: Path, boat: Path) -> None:
    write(home, boat)
    with Run(home, duties=ASKING_ONLY) as run:
        run.do(TakeSnapshot("good"))
        good = run.snapshots[0].id
    damage_slot(home)
    with Run(home) as run:
        assert run.status is not None and run.status.mode is Mode.BROKEN
        assert run.status.offered_snapshot == good and run.status.problem
        assert isinstance(run.fails(Ask(QUESTION)), MemoryCorrupt)
        run.do(Rescan())  # as the window says whenever it gets the focus: no error each time
        run.do(RestoreSnapshot(good))
        run.until(lambda: run.status is not None and run.status.mode is Mode.IDLE)
        assert "pier seven" in answer(run)
        assert not run.status.problem


def test_a_damaged_slot_without_a_snapshot_can_be_rebuilt(home: Path, boat: Path) -> None:
    write(home, boat)
    damage_slot(home)
    with Run(home) as run:
        assert run.status is not None and run.status.offered_snapshot == ""
        run.do(Rebuild())
        run.until_state(boat.as_posix(), NoteState.REMEMBERED)
        run.until_idle()
        assert "pier seven" in answer(run)


def test_another_base_model_is_refused_by_name(home: Path, boat: Path) -> None:
    write(home, boat)
    with Run(home, identity="other 77") as run:
        error = run.fails(Ask(QUESTION))
        assert isinstance(error, WrongBaseModel)
        assert "fake 0123456789" in str(error) and "other 77" in str(error)


@pytest.mark.parametrize("fails", [1, 2])
def test_a_full_disk_holds_writing_and_loses_nothing(
    home: Path, boat: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    write(home, boat)
    left = [fails]
    disk_with_no_room(monkeypatch, left)
    boat.write_text("The boat Otter was sold.")
    with Run(home, duties=WRITING_ONLY) as run:
        run.do(Remember((boat,)))
        run.until(lambda: run.status is not None and run.status.problem.startswith("Writing waits"))
        assert "pier seven" in answer(run)
        assert run.note(boat.as_posix()).state is NoteState.WAITING
        assert run.status is not None and run.status.queue == 1
    left[0] = 0
    with Run(home, duties=WRITING_ONLY) as run:
        run.until_state(boat.as_posix(), NoteState.REMEMBERED)
        assert "sold" in answer(run)


def test_forgetting_on_a_full_disk_changes_nothing(
    home: Path, boat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.api import Forget

    write(home, boat)

    disk_with_no_room(monkeypatch, [100])
    with Run(home, duties=ASKING_ONLY) as run:
        error = run.fails(Forget((run.note(boat.as_posix()).id,)))
        assert isinstance(error, DiskFull)
        assert "pier seven" in answer(run)
        assert run.note(boat.as_posix()).cells == 1


def test_the_card_runs_full_while_asking(home: Path, boat: Path) -> None:
    write(home, boat)
    script = Script()
    with Run(home, script, duties=ASKING_ONLY) as run:
        run.do(ChangeSettings(Settings(device="cuda")))
        run.until(lambda: run.status is not None and run.status.device == "Card")
        full = [CardFull("2 GiB")]

        def on_answer(question: str) -> None:
            if full:
                raise full.pop()

        script.on_answer = on_answer
        assert "pier seven" in answer(run)
        assert run.status is not None and run.status.device == "CPU"
        assert "ran out of memory" in run.status.problem
        assert run.settings.device == "cuda"


def test_the_card_runs_full_while_writing(home: Path, boat: Path) -> None:
    full = [CardFull("2 GiB")]

    def on_step(note_id: int, step: int) -> None:
        if full:
            raise full.pop()

    with Run(home, Script(on_step=on_step), duties=WRITING_ONLY) as run:
        run.do(ChangeSettings(Settings(device="cuda")))
        run.do(Remember((boat,)))
        run.until_state(boat.as_posix(), NoteState.REMEMBERED)
        assert run.status is not None and run.status.device == "CPU"


def test_the_card_is_full_at_the_start(home: Path, boat: Path) -> None:
    write(home, boat)
    with Run(home, duties=ASKING_ONLY) as run:
        run.do(ChangeSettings(Settings(device="cuda")))

    def on_load(device: str) -> None:
        if device == "Card":
            raise CardFull("2 GiB")

    with Run(home, Script(on_load=on_load), duties=ASKING_ONLY) as run:
        assert run.status is not None and run.status.device == "CPU"
        assert "pier seven" in answer(run)


def test_an_error_nobody_foresaw_fails_one_note_only(home: Path, boat: Path) -> None:
    (boat.parent / "tram.md").write_text("The tram leaves at nine.")

    def on_step(note_id: int, step: int) -> None:
        if note_id == 1:
            raise ZeroDivisionError("secret words of the note")

    with Run(home, Script(on_step=on_step), duties=WRITING_ONLY) as run:
        run.do(Remember((boat.parent,)))
        run.until_idle()
        states = {Path(n.path).name: n.state for n in run.notes.values()}
        assert states == {"boat.md": NoteState.FAILED, "tram.md": NoteState.REMEMBERED}
    assert "secret words" not in (home / "logs" / "engram.log").read_text()
    assert "ZeroDivisionError" in (home / "logs" / "engram.log").read_text()


def test_the_log_holds_no_note_text_and_no_questions(home: Path, boat: Path) -> None:
    write(home, boat)
    with Run(home, duties=ASKING_ONLY) as run:
        answer(run)
        run.fails(Ask("x" * 10_000))
    log = (home / "logs" / "engram.log").read_text()
    assert "note 1: good" in log and "answered" in log
    for word in ("Otter", "pier", "seven", "lies", "xxx", "boat"):
        assert word not in log


def test_restored_by_mistake(home: Path, boat: Path) -> None:
    with Run(home) as run:
        old = snapshot_of(run, boat.parent)
        boat.write_text("The boat Otter was sold for nine crowns.")
        run.do(Rescan())
        run.until_idle()
        (slot,) = (home / "slot").glob("slot-*.safetensors")
        before = slot.read_bytes()
        number = run.submit(RestoreSnapshot(old))
        done = run.reply(number)
        assert done.undoable and "paused" in done.message  # type: ignore[union-attr]
        run.do(Rescan())
        assert "pier seven" in answer(run)
        assert run.settings.paused and run.note("boat.md").state is NoteState.WAITING
        run.do(Undo(number))
        (slot,) = (home / "slot").glob("slot-*.safetensors")
        assert slot.read_bytes() == before and not run.settings.paused
        assert "sold" in answer(run)


def test_what_a_restore_brings_back_without_a_file_is_kept(home: Path, boat: Path) -> None:
    with Run(home) as run:
        old = snapshot_of(run, boat.parent)
        boat.unlink()
        run.do(Rescan())
        run.until_state("boat.md", NoteState.FORGOTTEN)
        run.do(RestoreSnapshot(old))
        run.do(Pause(False))
        run.do(Rescan())
        run.until_idle()
        assert run.note("boat.md").cells == 1 and "pier seven" in answer(run)


def test_automatic_snapshots_come_before_the_first_change_of_an_hour(
    home: Path, boat: Path
) -> None:
    clock = Clock()
    with Run(home, duties=WRITING_ONLY, clock=clock) as run:
        for sentence in ("It is red.", "It is blue.", "It is green."):
            boat.write_text(f"{BOAT}\n{sentence}")
            run.do(Remember((boat,)))
            run.until_idle()
            clock.now += 600
        assert len(run.snapshots) == 1  # of what was before the second write
        clock.now += 3600
        boat.write_text(f"{BOAT}\nIt is gone.")
        run.do(Remember((boat,)))
        run.until_idle()
        assert len(run.snapshots) == 2


def test_a_home_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with Run(tmp_path / "file" / "home") as run:
        assert run.status is not None and run.status.mode is Mode.BROKEN
        assert run.status.problem
        run.fails(EstimateRebuild())
