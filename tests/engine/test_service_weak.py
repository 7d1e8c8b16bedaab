"""Writes that come out weak: what was in force before stays, and trying again takes more effort."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.api import (
    ChangeSettings,
    Compared,
    CompareSnapshots,
    Effort,
    Forget,
    Note,
    NoteState,
    OnDelete,
    QueueEnded,
    Rebuild,
    Rescan,
    Settings,
    ShowRemembered,
    TakeSnapshot,
    Verify,
    WriteAgain,
)
from engine.memory.report import Verdict
from engine.tasks.weak_writes import KEY, MOST, WeakWrites
from engine.tasks.writing import EFFORTS
from tests.engine.test_service_writing import BOAT, ask, change, folder, home, watch
from tests.engine_run import PATIENCE, Run
from tests.fake_memory import Script

__all__ = ["folder", "home"]

WHERE = "Where lies the boat Otter?"
SOLD = "The boat Otter was sold."
WEAK_BOAT = {"boat": Verdict.WEAK}


def counts(run: Run) -> tuple[int, int]:
    """How many notes the status calls remembered and weak."""
    assert run.status is not None
    return run.status.notes_remembered, run.status.notes_weak


def slot_bytes(home: Path) -> bytes:
    (file,) = (home / "slot").glob("slot-*.safetensors")
    return file.read_bytes()


def edit(run: Run, file: Path, text: str) -> None:
    """Change a note's file and wait until the engine has done what it wanted with it."""
    change(file, text)
    run.do(Rescan())
    run.until_idle()


def retry(run: Run, path: str = "boat.md") -> Note:
    """Write a note again, and wait for the end."""
    begun = len(run.script.writes)
    run.do(WriteAgain((run.note(path).id,)))
    run.until(lambda: len(run.script.writes) > begun)
    run.until_idle()
    return run.note(path)


@pytest.fixture
def run(home: Path, folder: Path) -> Iterator[Run]:
    """A run on a memory with two notes, of which the edit of one came out weak."""
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        run.script.verdicts.update(WEAK_BOAT)
        edit(run, folder / "boat.md", SOLD)
        yield run


def test_a_weak_first_write_leaves_the_slot_as_it_was(home: Path, folder: Path) -> None:
    script = Script(verdicts=dict(WEAK_BOAT))
    (folder / "boat.md").rename(folder.parent / "boat.md")
    with Run(home, script) as run:
        watch(run, folder)
        run.until_idle()
        before = slot_bytes(home)
        (folder.parent / "boat.md").rename(folder / "boat.md")
        run.do(Rescan())
        note = run.until_state("boat.md", NoteState.WEAK)
        run.until_idle()
        assert (note.recall, note.cells, note.written_at) == (0.5, 0, None)
        assert "50%" in note.reason and "not in memory" in note.reason
        assert "Trying again" in note.reason
        assert slot_bytes(home) == before
        assert not ask(run, WHERE).known and ask(run, "How long takes the plum cake?").known
        assert counts(run) == (1, 1)
        ended = run.of(QueueEnded)[-1]
        assert (ended.written, ended.weak, ended.failed) == (0, 1, 0)
    with Run(home) as run:
        assert run.note("boat.md").state is NoteState.WEAK
        assert not ask(run, WHERE).known


def test_a_weak_rewrite_leaves_the_old_memory_in_force(
    home: Path, folder: Path, run: Run
) -> None:
    note = run.note("boat.md")
    assert (note.state, note.recall, note.cells) == (NoteState.WEAK, 0.5, 2)
    assert note.written_at is not None
    assert "50%" in note.reason and "earlier version is still remembered" in note.reason
    assert counts(run) == (1, 1)
    assert "pier seven" in ask(run, WHERE).text
    shown = run.do(ShowRemembered(note.id))
    assert "pier seven" in shown.recited  # type: ignore[union-attr]
    before = slot_bytes(home)
    assert run.engine.close(PATIENCE)
    with Run(home) as again:
        again.do(Rescan())
        again.until_idle()
        assert again.note("boat.md").state is NoteState.WEAK
        assert again.script.writes == [], "only a person tries again"
        assert "pier seven" in ask(again, WHERE).text
        assert slot_bytes(home) == before
        assert retry(again).state is NoteState.REMEMBERED
        assert "sold" in ask(again, WHERE).text and counts(again) == (2, 0)


def test_an_edit_taken_back_after_a_weak_write_needs_none(
    folder: Path, run: Run
) -> None:
    writes = len(run.script.writes)
    edit(run, folder / "boat.md", BOAT)
    note = run.note("boat.md")
    assert (note.state, note.recall, note.reason) == (NoteState.REMEMBERED, 1.0, "")
    assert len(run.script.writes) == writes and counts(run) == (2, 0)


def test_asking_every_note_again_tells_nothing_of_a_refused_write(
    run: Run,
) -> None:
    before = run.note("boat.md")
    done = run.do(Verify())
    assert run.note("boat.md") == before
    assert done.message == "Asked 1 note again; weak: 0."  # type: ignore[union-attr]


def test_a_comparison_looks_at_what_the_slot_holds(run: Run) -> None:
    run.do(TakeSnapshot("refused"))
    (automatic,) = (each.id for each in run.snapshots if each.name != "refused")
    (refused,) = (each.id for each in run.snapshots if each.name == "refused")
    for first, second in ((automatic, refused), (refused, "")):
        event = run.do(CompareSnapshots(first, second))
        assert isinstance(event, Compared)
        assert [n for n in event.comparison.notes if n.path == "boat.md"] == []
    run.script.verdicts.clear()
    retry(run)
    event = run.do(CompareSnapshots(refused))
    assert isinstance(event, Compared)
    (boat,) = event.comparison.notes
    assert (boat.first_recall, boat.second_recall) == (1.0, 1.0)


def test_a_refused_note_whose_file_goes_keeps_what_is_remembered(
    folder: Path, run: Run
) -> None:
    watch(run, folder, on_delete=OnDelete.KEEP)
    (folder / "boat.md").unlink()
    run.do(Rescan())
    note = run.until_state("boat.md", NoteState.REMOVED)
    assert (note.recall, note.cells, note.reason) == (1.0, 2, "")


def test_written_again_less_well_what_was_there_is_kept(home: Path, folder: Path) -> None:
    with Run(home) as run:
        watch(run, folder)
        run.until_idle()
        before = slot_bytes(home)
        run.script.verdicts.update(WEAK_BOAT)
        note = retry(run)
        assert (note.state, note.recall, note.cells) == (NoteState.REMEMBERED, 1.0, 2)
        assert "50%" in note.reason and "kept" in note.reason
        assert slot_bytes(home) == before and counts(run) == (2, 0)


def test_each_retry_takes_more_effort_up_to_the_most(home: Path, folder: Path) -> None:
    (folder / "cake.md").unlink()
    script = Script(verdicts=dict(WEAK_BOAT))
    with Run(home, script) as run:
        watch(run, folder, effort=Effort.QUICK)
        run.until_idle()
        assert "Trying again" in run.note("boat.md").reason
        assert "Trying again" in retry(run).reason
    with Run(home, script) as run:  # it is known over a restart
        for _ in range(2):
            note = retry(run)
            assert "most thorough" in note.reason and "Trying again" not in note.reason
        efforts = (Effort.QUICK, Effort.NORMAL, Effort.THOROUGH, Effort.THOROUGH)
        assert script.steps == [EFFORTS[each].steps for each in efforts]
        edit(run, folder / "boat.md", SOLD)
        assert script.steps[-1] == EFFORTS[Effort.QUICK].steps, "other words begin anew"
        run.do(ChangeSettings(Settings(folder=folder, effort=Effort.THOROUGH)))
        retry(run)
        assert script.steps[-1] == EFFORTS[Effort.THOROUGH].steps


def test_efforts_grow() -> None:
    steps = [EFFORTS[each].steps for each in Effort]
    rounds = [EFFORTS[each].repair_rounds for each in Effort]
    assert steps == sorted(set(steps)) and rounds == sorted(set(rounds))


def test_a_note_that_nothing_can_be_asked_of(home: Path, folder: Path) -> None:
    with Run(home, Script(unasked={"boat"})) as run:
        watch(run, folder)
        note = run.until_state("boat.md", NoteState.WEAK)
        assert note.reason == "There is nothing to ask. So it is not in memory."


def test_a_weak_note_can_be_forgotten_and_rebuilt(home: Path, run: Run) -> None:
    run.do(Forget((run.note("boat.md").id,)))
    assert run.note("boat.md").state is NoteState.FORGOTTEN
    run.until(lambda: counts(run) == (1, 0))
    run.do(WriteAgain((run.note("boat.md").id,)))
    run.until_idle()
    note = run.note("boat.md")
    assert (note.state, note.cells) == (NoteState.WEAK, 0)
    run.script.verdicts.clear()
    run.do(Rebuild())
    run.until_idle()
    assert counts(run) == (2, 0)


def test_what_came_out_weak_is_kept_as_text() -> None:
    weak = WeakWrites().with_write(3, "ab", Effort.QUICK).with_write(4, "cd", MOST)
    assert WeakWrites.from_text(weak.to_text()) == weak
    assert weak.effort(3, "ab", Effort.QUICK) is Effort.NORMAL
    assert weak.effort(3, "ab", MOST) is MOST
    assert weak.effort(3, "other", Effort.QUICK) is Effort.QUICK
    assert weak.effort(4, "cd", Effort.QUICK) is MOST
    assert weak.only((4,)).effort(3, "ab", Effort.QUICK) is Effort.QUICK
    assert KEY and WeakWrites.from_text("3 heroic ab") == WeakWrites.from_text("x") == WeakWrites()
