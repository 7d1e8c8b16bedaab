"""The command line, in this process, with a slow memory that needs no torch."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.api import Effort
from engine.cli import command_line
from engine.memory.report import Verdict
from engine.store.lock import MemoryLock
from engine.tasks.writing import EFFORTS
from tests.fake_memory import Script, factory

BOAT = "The boat Otter lies at pier seven.\nThe harbour master is Runa."
QUESTION = "Where lies the boat Otter?"


class Line:
    """Runs command lines on one home and keeps what they print."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.script = Script()
        self.cells = 64
        self.identity = "fake 0123456789"
        self.opened: list[Path] = []
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        windows = command_line.Windows(self._open, lambda directory: 0)
        make = factory(self.script, self.cells, self.identity)
        code = command_line.run(["--home", str(self.home), *words], windows, make)
        self.out, self.err = self._capsys.readouterr()
        return code

    def _open(self, home: Path) -> int:
        self.opened.append(home)
        return 0

    def json(self, *words: str) -> Any:
        assert self(*words, "--json") == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(tmp_path / "home", capsys)


@pytest.fixture
def boat(tmp_path: Path) -> Path:
    file = tmp_path / "notes" / "boat.md"
    file.parent.mkdir()
    file.write_text(BOAT)
    return file


def test_no_command_opens_the_window(line: Line) -> None:
    assert line() == 0
    assert line.opened == [line.home]


def test_remember_then_ask_with_the_notes_gone(line: Line, boat: Path) -> None:
    assert line("remember", str(boat.parent)) == 0
    assert "100 %" in line.out and "boat.md" in line.out and "1 of 1 remembered" in line.out
    boat.unlink()
    answer = line.json("ask", QUESTION)
    assert list(answer) == [
        "answer", "confidence", "known", "sources", "alternatives", "seconds", "prompt",
    ]  # fmt: skip
    assert answer["known"] is True and "pier seven" in answer["answer"]
    assert answer["sources"] == [{"note": boat.as_posix(), "weight": 1.0}]
    assert answer["prompt"][0] == "<question>"
    assert line("ask", QUESTION) == 0
    assert "pier seven" in line.out and "learned from" in line.out
    assert line("ask", "Who invented calculus?") == 0
    assert line.out == "I don't have that in memory.\n"


def test_what_else_it_may_be_is_told_with_its_note(line: Line, boat: Path) -> None:
    other = boat.with_name("pier.md")
    other.write_text("Nobody lies at pier nine.\n")
    line("remember", str(boat.parent))
    answer = line.json("ask", QUESTION)
    assert {"answer": "Nobody lies at pier nine.", "note": other.as_posix(), "weight": 0.5} in (
        answer["alternatives"]
    )
    line("ask", QUESTION)
    assert "it may also be: " in line.out
    assert f"Nobody lies at pier nine. ({other.as_posix()})" in line.out
    assert line.json("ask", "Who invented calculus?")["alternatives"] == []


@pytest.mark.parametrize("before", [True, False])
def test_home_and_json_stand_anywhere(line: Line, boat: Path, before: bool) -> None:
    line("remember", str(boat))
    words = ["--json", "notes"] if before else ["notes", "--json", f"--home={line.home}"]
    assert line(*words) == 0
    (note,) = json.loads(line.out)["notes"]
    assert (note["note"], note["state"], note["cells"]) == (boat.as_posix(), "remembered", 2)


def test_remember_again_only_when_asked(line: Line, boat: Path) -> None:
    line("remember", str(boat))
    line("remember", str(boat))
    assert line.script.writes == ["boat"]
    result = line.json("remember", "--again", str(boat))
    assert line.script.writes == ["boat", "boat"]
    assert [note["state"] for note in result["notes"]] == ["remembered"]


def test_a_weak_note_is_told_and_a_retry_takes_more_effort(line: Line, boat: Path) -> None:
    line.script.verdicts["boat"] = Verdict.WEAK
    assert line("remember", str(boat)) == 3
    assert "0 of 1 remembered, 1 weak" in line.out and "Trying again" in line.err
    (note,) = line.json("notes")["notes"]
    assert (note["state"], note["recall"], note["cells"]) == ("weak", 0.5, 0)
    assert note["written_at"] is None and "not in memory" in note["reason"]
    info = line.json("info")
    assert (info["remembered"], info["weak"]) == (0, 1)
    assert line("remember", str(boat)) == 3 and "most thorough" in line.err
    efforts = (EFFORTS[Effort.NORMAL], EFFORTS[Effort.THOROUGH])
    assert line.script.steps == [each.steps for each in efforts]
    line.script.verdicts.clear()
    assert line("remember", str(boat)) == 0 and "1 of 1 remembered, " in line.out


def test_a_weak_rewrite_leaves_what_was_remembered(line: Line, boat: Path) -> None:
    line("remember", str(boat))
    line.script.verdicts["boat"] = Verdict.WEAK
    boat.write_text("The boat Otter was sold.")
    line("remember", str(boat))
    (note,) = line.json("notes")["notes"]
    assert (note["state"], note["recall"], note["cells"]) == ("weak", 0.5, 2)
    assert "earlier version is still remembered" in note["reason"]
    assert "pier seven" in line.json("ask", QUESTION)["answer"]


def test_ask_a_batch(line: Line, boat: Path, tmp_path: Path) -> None:
    line("remember", str(boat))
    batch = tmp_path / "questions.jsonl"
    questions = [{"question": QUESTION, "id": 7}, {"other": 1}, {"question": "Who is calculus?"}]
    batch.write_text("\n".join(map(json.dumps, questions)) + "\n\n")
    assert line("ask", "--batch", str(batch)) == 0
    answers = [json.loads(each) for each in line.out.splitlines()]
    assert [answer["known"] for answer in answers] == [True, False]
    batch.write_text(json.dumps({"question": "x" * 10_000}) + "\n" + json.dumps(questions[0]))
    assert line("ask", "--batch", str(batch)) == 3
    first, second = (json.loads(each) for each in line.out.splitlines())
    assert "10,000 characters" in first["error"] and second["known"]
    batch.write_text("no json")
    assert line("ask", "--batch", str(batch)) == 3
    assert "line 1 is not JSON" in line.err


def test_chat(line: Line, boat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line("remember", str(boat))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{QUESTION}\n\nWho is calculus?\n/quit\nnever"))
    assert line("chat") == 0
    assert "pier seven" in line.out and "I don't have that in memory." in line.out


def test_forget(line: Line, boat: Path) -> None:
    line("remember", str(boat))
    assert line("forget", "boat.md") == 0 and line.out == "Forgot 1 note.\n"
    assert line.json("notes") == {"notes": []}
    assert line("forget", "boat.md") == 3 and "There is no note boat.md" in line.err


def test_verify(line: Line, boat: Path) -> None:
    line("remember", str(boat))
    line.script.verified = type(line.script.verified)(4, 0.75, 0.9)
    (note,) = line.json("verify")["notes"]
    assert (note["recall_before"], note["recall"], note["state"]) == (1.0, 0.75, "weak")


def test_snapshots(line: Line, boat: Path, tmp_path: Path) -> None:
    line("remember", str(boat))
    taken = line.json("snapshot", "take", "harbour")
    boat.write_text("The boat Otter was sold.")
    line("remember", str(boat))
    assert "sold" in line.json("ask", QUESTION)["answer"]
    listed = line.json("snapshot", "list")["snapshots"]
    assert "harbour" in [each["name"] for each in listed]
    compared = line.json("snapshot", "compare", "harbour")
    assert [each["change"] for each in compared["notes"]] == ["rewritten"]
    file = tmp_path / "memory.engram"
    assert line.json("snapshot", "export", str(file), "harbour")["size"] == file.stat().st_size
    restored = line.json("snapshot", "restore", "harbour")
    assert restored["restored"] == taken["id"] and restored["before"]
    assert "pier seven" in line.json("ask", QUESTION)["answer"]
    line.json("snapshot", "delete", "harbour")
    assert line("snapshot", "restore", "harbour") == 3
    line.home = tmp_path / "other computer"
    imported = line.json("snapshot", "import", str(file))
    line.json("snapshot", "restore", imported["id"])
    assert "pier seven" in line.json("ask", QUESTION)["answer"]


def test_a_full_memory_offers_to_grow(line: Line, boat: Path) -> None:
    line.cells = 1
    assert line("remember", str(boat)) == 3
    assert "engram grow" in line.err
    assert line.json("grow", "8") == {"cells": 8}
    assert line("remember", str(boat)) == 0
    assert line("grow", "8") == 3


def test_rebuild_tells_its_cost_first(line: Line, boat: Path) -> None:
    line("remember", str(boat))
    estimate = line.json("rebuild")
    assert estimate == {"notes": 1, "seconds": 0.5}
    assert line.script.writes == ["boat"]
    assert line.json("rebuild", "--yes")["written"] == 1
    assert line.script.writes == ["boat", "boat"]
    assert "pier seven" in line.json("ask", QUESTION)["answer"]


def test_rebuild_a_memory_of_another_base_model(line: Line, boat: Path) -> None:
    line("remember", str(boat))
    line.identity = "other 987"
    assert line("ask", QUESTION) == 4
    assert "fake 0123456789" in line.err and "other 987" in line.err
    assert line.json("rebuild", "--yes")["written"] == 1
    assert "pier seven" in line.json("ask", QUESTION)["answer"]


def test_info(line: Line, boat: Path) -> None:
    line("remember", str(boat))
    info = line.json("info")
    assert info["home"] == str(line.home)
    assert (info["device"], info["cells"], info["cells_used"]) == ("CPU", 64, 2)
    assert info["slot_bytes"] > 0 and "torch" in info


def one_line(line: Line, *words: str) -> str:
    """What a command that fails prints: one line on standard error, nothing else."""
    code = line(*words)
    assert code != 0 and line.out == "" and line.err.count("\n") == 1
    return f"{code} {line.err}"


def test_errors_are_one_line(line: Line, boat: Path, tmp_path: Path) -> None:
    assert one_line(line, "ask", QUESTION).startswith("3 engram: Nothing has been remembered")
    missing = one_line(line, "remember", str(tmp_path / "none.md"))
    assert missing.startswith("3 engram: There is no file")
    assert one_line(line, "ask", "x" * 10_000).startswith("3 engram: This question has 10,000")
    assert one_line(line, "ask", " ").startswith("3 ")
    assert one_line(line, "ask", "--batch", str(tmp_path / "none")).startswith("3 ")
    assert one_line(line, "watch", str(tmp_path / "none")).startswith("3 ")
    (tmp_path / "nothing").mkdir()
    assert one_line(line, "remember", str(tmp_path / "nothing")).startswith("3 ")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.md", b"", "empty"),
        ("picture.txt", b"\0\1\2\3" * 99, "not text"),
        ("huge.md", b"words " * 500_000, "too large"),
        ("odd.xyz", b"words", "cannot be read"),
    ],
)
def test_a_note_that_cannot_be_read(
    line: Line, tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    assert line("remember", str(file)) == 3
    assert reason in line.err and name in line.err


def test_among_others_such_a_note_is_only_told(line: Line, boat: Path) -> None:
    (boat.parent / "empty.md").write_text("")
    assert line("remember", str(boat.parent)) == 0
    assert "1 of 2 remembered" in line.out and "This note is empty." in line.err
    assert line("remember", str(boat), str(boat.parent / "empty.md")) == 3


@pytest.mark.parametrize("words", [("bogus",), ("ask",), ("grow", "many"), ("notes", "--home")])
def test_a_wrong_command_line_ends_with_2(line: Line, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        line(*words)
    assert ended.value.code == 2


def test_a_locked_memory(line: Line, boat: Path) -> None:
    line("remember", str(boat))
    lock = MemoryLock(line.home / "memory.lock")
    lock.acquire()
    try:
        for words in (("ask", QUESTION), ("notes",), ("snapshot", "list"), ("remember", str(boat))):
            assert "already running" in one_line(line, *words)
            assert line(*words) == 4
    finally:
        lock.release()


def test_a_corrupt_slot_offers_a_snapshot(line: Line, boat: Path) -> None:
    line("remember", str(boat))
    taken = line.json("snapshot", "take", "good")
    (slot,) = (line.home / "slot").glob("slot-*.safetensors")
    data = bytearray(slot.read_bytes())
    data[-1] ^= 1
    slot.write_bytes(data)
    told = one_line(line, "ask", QUESTION)
    assert told.startswith("4 ") and f"engram snapshot restore {taken['id']}" in told
    assert line.json("snapshot", "list")["snapshots"][0]["id"] == taken["id"]
    assert line("notes") == 4
    assert line("snapshot", "restore", "good") == 0
    assert "pier seven" in line.json("ask", QUESTION)["answer"]


def test_hostile_names_are_shown_escaped(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[31m\u202eb.md"
    file.write_text(BOAT)
    assert line("remember", str(file)) == 0
    assert "\x1b" not in line.out and "\u202e" not in line.out
    assert "\\x1b[31m\\u202eb.md" in line.out


@pytest.mark.skipif(os.name == "nt", reason="such names are there on POSIX only")
def test_names_that_are_no_text_are_shown(line: Line, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.md")
    file.write_text(BOAT)
    assert line("remember", str(file)) == 0
    (note,) = line.json("notes")["notes"]
    assert note["note"] == file.as_posix()


def test_watch_writes_what_is_there_and_ends_with_ctrl_c(
    line: Line, boat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.api import QueueEnded
    from engine.cli import watch

    shown = watch._Watcher.show

    def show(self: watch._Watcher, event: object) -> None:
        shown(self, event)  # type: ignore[arg-type]
        if isinstance(event, QueueEnded):
            raise KeyboardInterrupt

    monkeypatch.setattr(watch._Watcher, "show", show)
    assert line("watch", str(boat.parent)) == 0
    assert "remembered" in line.out and "boat.md" in line.out
    assert "1 written, 0 weak, 0 failed" in line.out
