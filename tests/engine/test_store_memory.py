"""The store from outside: commits, notes, the queue."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api import NoMemoryYet, NoteState, WrongBaseModel
from engine.store import ledger as ledger_module
from engine.store.errors import NoSuchNote, PathTaken
from engine.store.home import Home, default_home
from engine.store.records import Changes, JobKind, LedgerState, NoteRow
from engine.store.rows import note_from_row, note_to_row, state_from_json, state_to_json
from engine.store.store import Store
from tests.store_faults import MODEL, add, look, prepare, slot_writer, written
from tests.store_faults import clock as clock
from tests.store_faults import no_waiting_for_the_disk as no_waiting_for_the_disk
from tests.store_faults import store as store

ROOT = Path(__file__).resolve().parents[2]
REAL_PRAGMAS = ledger_module._PRAGMAS


# --- slot and notes


def test_a_new_memory_is_empty(store: Store) -> None:
    assert store.slot is None
    assert store.notes() == ()
    assert store.next_job() is None
    with pytest.raises(NoMemoryYet):
        store.take_snapshot()
    with pytest.raises(NoMemoryYet):
        store.export_snapshot("", store.home.root.parent / "x")


def test_a_commit_changes_slot_and_rows_and_job(store: Store) -> None:
    one, two = add(store, "one.md", "two.md")
    store.queue(JobKind.WRITE, (one.id,))
    job = store.next_job()
    assert job is not None
    done = store.commit(
        slot_writer(1), Changes(notes=(written(one, 1),), remove=(two.id,), finish=(job.id,))
    )
    assert done.slot == store.slot
    assert store.notes() == (written(one, 1),)
    assert store.jobs() == ()
    first = done.slot
    second = store.commit(slot_writer(2), Changes()).slot
    assert first is not None and second is not None
    assert second.generation > first.generation
    assert not first.path.exists() and second.path.exists()
    assert second.base_model == MODEL


def test_what_a_writer_leaves_beside_the_slot_is_removed(store: Store) -> None:
    def write(path: Path) -> None:
        slot_writer(1)(path)
        (path.parent / ".tmpAbCdEf").write_bytes(b"of a library")

    store.commit(write, Changes())
    assert len(list(store.home.slots.iterdir())) == 1


def test_it_is_all_there_after_a_restart(tmp_path: Path) -> None:
    memory = prepare(tmp_path)
    with Store.open(memory.root, MODEL) as store:
        seen = look(store)
        store.set_meta("folder device", "7")
    with Store.open(memory.root, MODEL) as store:
        assert look(store) == seen
        assert store.get_meta("folder device") == "7"
        assert store.get_meta("something else") == ""


def test_work_that_a_kill_interrupted_is_queued_again(tmp_path: Path) -> None:
    with Store.open(tmp_path / "home", MODEL) as store:
        (note,) = add(store, "one.md")
        store.queue(JobKind.WRITE, (note.id,), priority=3)
        store.next_job()
        store.update(Changes(notes=(replace(written(note, 1), state=NoteState.WRITING),)))
    with Store.open(tmp_path / "home", MODEL) as store:
        (job,) = store.jobs()
        assert (job.running, job.attempts, job.priority) == (False, 1, 3)
        row = store.note(note.id)
        assert row.state is NoteState.WAITING
        assert row.written_hash, "the old memory stays in force"


def test_a_renamed_note_keeps_its_id(store: Store) -> None:
    one, two = add(store, "one.md", "two.md")
    assert store.rename_note(one.id, "three.md").id == one.id
    assert store.find("one.md") is None
    with pytest.raises(PathTaken):
        store.rename_note(one.id, "two.md")
    assert store.note(one.id).path == "three.md"
    swapped = (replace(one, path="two.md"), replace(two, path="three.md"))
    store.update(Changes(notes=swapped))
    assert store.notes() == swapped


def test_what_cannot_be_changed_changes_nothing(store: Store) -> None:
    (one,) = add(store, "one.md")
    store.commit(slot_writer(1), Changes(notes=(written(one, 1),)))
    before = look(store)
    with pytest.raises(NoSuchNote):
        store.commit(slot_writer(2), Changes(notes=(written(one, 2), NoteRow(9, "x"))))
    with pytest.raises(NoSuchNote):
        store.update(Changes(notes=(NoteRow(9, "x"),)))
    with pytest.raises(NoSuchNote):
        store.queue(JobKind.WRITE, (one.id, 9))
    with pytest.raises(PathTaken):
        add(store, "two.md", "one.md")
    with pytest.raises(ValueError, match="recall"):
        store.update(Changes(notes=(replace(one, recall=float("nan")),)))
    assert look(store) == before
    assert len(list(store.home.slots.iterdir())) == 1


def test_ids_are_never_used_again(store: Store) -> None:
    (one,) = add(store, "one.md")
    store.update(Changes(remove=(one.id,)))
    (two,) = add(store, "one.md")
    assert two.id > one.id
    store.commit(slot_writer(1), Changes())
    snapshot = store.take_snapshot().id
    (three,) = add(store, "three.md")
    store.restore_snapshot(snapshot)
    (four,) = add(store, "four.md")
    assert four.id > three.id


def test_another_base_model_is_refused_naming_both(tmp_path: Path) -> None:
    memory = prepare(tmp_path)
    with pytest.raises(WrongBaseModel, match=f'"{MODEL}".*"another model"'):
        Store.open(memory.root, "another model")
    with Store.open(memory.root, "another model", accept_other_model=True) as store:
        assert store.slot is not None and store.slot.base_model == MODEL
        with pytest.raises(WrongBaseModel, match=MODEL):
            store.restore_snapshot(memory.snapshot)
        store.commit(slot_writer(7), Changes())
        assert store.slot.base_model == "another model"
    Store.open(memory.root, "another model").close()
    with pytest.raises(WrongBaseModel):
        Store.open(memory.root, MODEL)


# --- any name that a file can have

names = st.one_of(
    st.binary(min_size=1, max_size=255).filter(lambda name: b"\0" not in name).map(os.fsdecode),
    st.sampled_from(
        ["CON", "-rf", "a\nb", "\u202egpj.exe", "..", "~", "'; DROP TABLE notes; --", "\ud800", " "]
    ),
)


@given(st.lists(names, min_size=1, max_size=5, unique=True))
@settings(max_examples=40, deadline=None)
def test_hostile_names(paths: list[str]) -> None:
    notes = tuple(
        replace(NoteRow(number, path), reason=path) for number, path in enumerate(paths, 1)
    )
    assert tuple(note_from_row(note_to_row(note)) for note in notes) == notes
    assert state_from_json(state_to_json(LedgerState(notes))) == LedgerState(notes)


def test_hostile_names_in_the_ledger(store: Store) -> None:
    paths = ["a\nb", "\u202egpj.exe", os.fsdecode(b"\xff\xfe\x80"), "CON", "-rf", "x" * 255]
    rows = add(store, *paths)
    assert [store.find(path) for path in paths] == list(rows)
    store.commit(slot_writer(1), Changes(notes=tuple(written(row, 1) for row in rows)))
    snapshot = store.take_snapshot("\ud800 name").id
    done = store.restore_snapshot(snapshot)
    assert [note.path for note in store.notes()] == paths
    store.undo(done.undo)
    inside = {path.name for path in store.home.root.rglob("*")}
    assert not inside & set(paths), "a note's name is never the name of a file of ours"


# --- queue


def test_the_order_of_jobs(store: Store) -> None:
    one, two, three = (note.id for note in add(store, "1", "2", "3"))
    store.queue(JobKind.WRITE, (one, two, three))
    store.queue(JobKind.VERIFY, (one,), priority=5)
    order = [(job.kind, job.note_id) for job in store.jobs()]
    assert order == [(JobKind.VERIFY, one)] + [(JobKind.WRITE, each) for each in (one, two, three)]
    begun = [store.next_job() for _ in range(4)]
    assert [(job.kind, job.note_id) for job in begun if job] == order
    assert store.next_job() is None
    assert store.queue_length() == 4


def test_the_same_job_twice_is_one(store: Store) -> None:
    (one,) = (note.id for note in add(store, "1"))
    (first,) = store.queue(JobKind.WRITE, (one,), priority=1)
    (again,) = store.queue(JobKind.WRITE, (one,), priority=4)
    assert (again.id, again.priority, store.queue_length()) == (first.id, 4, 1)
    store.next_job()
    # Edited while it is being written: to be written again afterwards.
    store.queue(JobKind.WRITE, (one,))
    assert [job.running for job in store.jobs()] == [True, False]
    store.update(Changes(finish=(first.id,)))
    (rest,) = store.jobs()
    assert rest.attempts == 0


def test_putting_back(store: Store) -> None:
    one, two = (note.id for note in add(store, "1", "2"))
    store.queue(JobKind.WRITE, (one, two))
    job = store.next_job()
    assert job is not None
    store.put_back(job.id, "The recall was too low.")
    assert [each.note_id for each in store.jobs()] == [two, one]
    back = store.jobs()[1]
    assert (back.attempts, back.reason, back.running) == (1, "The recall was too low.", False)
    store.put_back(999, "gone already")
    store.next_job()
    store.queue(JobKind.WRITE, (two,), priority=2)
    running = next(each for each in store.jobs() if each.running)
    store.put_back(running.id, "again")
    assert [(each.note_id, each.priority, each.attempts) for each in store.jobs()] == [
        (two, 2, 1),
        (one, 0, 1),
    ]


def test_jobs_go_with_their_note(store: Store) -> None:
    one, two = (note.id for note in add(store, "1", "2"))
    store.queue(JobKind.WRITE, (one, two))
    store.next_job()
    store.queue(JobKind.WRITE, (one,))
    store.drop_jobs(one)
    assert [(job.note_id, job.running) for job in store.jobs()] == [(one, True), (two, False)]
    store.update(Changes(remove=(one,)))
    assert [job.note_id for job in store.jobs()] == [two]


# --- the house


def test_only_this_user_may_look(store: Store) -> None:
    if os.name == "posix":
        assert store.home.root.stat().st_mode & 0o077 == 0


def test_the_ledger_is_durable_and_forgets() -> None:
    assert "PRAGMA synchronous = FULL" in REAL_PRAGMAS
    assert "PRAGMA secure_delete = ON" in REAL_PRAGMAS


def test_a_removed_notes_name_is_gone_from_the_disk(store: Store) -> None:
    (note,) = add(store, "a name like no other.md")
    store.update(Changes(remove=(note.id,)))
    root = store.home.root
    store.close()
    for path in root.rglob("*"):
        assert path.is_dir() or b"a name like no other" not in path.read_bytes()


def test_the_default_home() -> None:
    assert "engram" in str(default_home()).lower()
    assert Home(Path("x")).slot(3) == Path("x/slot/slot-3.safetensors")


def test_neither_torch_nor_qt() -> None:
    code = (
        "import sys, engine.store.store;"
        "print([m for m in sys.modules if m.split('.')[0] in ('torch', 'PySide6')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
