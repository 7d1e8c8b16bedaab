"""Conversations on the disk and as Markdown."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.models.chat_records import Chat, Turn, from_json, title_from, to_json, to_markdown
from app.models.chat_store import ChatStore
from engine.api import AlternativeAnswer, Answer, InputError, Source

LISBON = Source(3, "travel/lisbon.md", 0.9, 1_770_000_000.0)
ANSWER = Answer(
    "Tram 28.", True, 0.96, (LISBON,), 0.42, ("a",),
    alternatives=(AlternativeAnswer("bus *714*", Source(5, "travel/bus.md", 0.4)),),
)  # fmt: skip
CHAT = Chat(
    "0" * 32,
    "Lisbon",
    1.0,
    (
        Turn("Which tram?", 2.0, ANSWER),
        Turn("And *now*?\nReally?", 3.0, None, "Stopped."),
        Turn("Open", 4.0),
    ),
)


def test_a_conversation_survives_the_disk(tmp_path: Path) -> None:
    store = ChatStore(tmp_path / "chats")
    assert store.load() == ()
    store.save(CHAT)
    assert store.load() == (CHAT,)
    store.delete(CHAT.id)
    store.delete(CHAT.id)
    assert store.load() == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 99}',
        to_json(CHAT).replace('"turns"', '"turn"'),
        to_json(CHAT)[:200],
        to_json(CHAT).replace('"confidence": 0.96', '"confidence": "much"'),
        '{"format": 1, "id": "x", "title": "", "created_at": 1, "turns": 7}',
    ],
)
def test_what_is_no_conversation_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        from_json(text)


def test_a_conversation_of_an_earlier_version_is_read() -> None:
    earlier = to_json(CHAT).replace('"empty": false', '"more": 1')
    assert "empty" not in earlier and from_json(earlier) == CHAT


def test_an_answer_of_an_earlier_version_has_no_alternatives() -> None:
    data = json.loads(to_json(CHAT))
    del data["turns"][0]["answer"]["alternatives"]
    turn = from_json(json.dumps(data)).turns[0]
    assert turn.answer == replace(ANSWER, alternatives=())


def test_a_broken_file_is_set_aside_and_the_others_are_read(tmp_path: Path) -> None:
    store = ChatStore(tmp_path)
    store.save(CHAT)
    bad = tmp_path / f"{'1' * 32}.json"
    bad.write_bytes(b"\xff\xfe not json")
    (tmp_path / ".half.part").write_text("{")
    (tmp_path / "readme.txt").write_text("not ours")
    assert store.load() == (CHAT,)
    assert not bad.exists() and bad.with_suffix(".bad").exists()
    assert not (tmp_path / ".half.part").exists()
    assert (tmp_path / "readme.txt").exists()


def test_a_copied_file_under_another_name_is_not_taken_twice(tmp_path: Path) -> None:
    store = ChatStore(tmp_path)
    store.save(CHAT)
    (tmp_path / f"{'2' * 32}.json").write_text(to_json(CHAT))
    assert store.load() == (CHAT,)


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ChatStore(tmp_path)
    store.save(CHAT)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.models.chat_store.os.fsync", full)
    with pytest.raises(OSError, match="space"):
        store.save(Chat(CHAT.id, "Another", 1.0))
    monkeypatch.undo()
    assert store.load() == (CHAT,)
    assert os.listdir(tmp_path) == [f"{CHAT.id}.json"]


def test_markdown_says_everything_and_escapes_the_question() -> None:
    text = to_markdown(CHAT)
    assert text.startswith("# Lisbon\n")
    assert "**Which tram?**" in text
    assert "> Tram 28." in text
    assert "learned from `travel/lisbon.md` (2 Feb 2026), sure 96" in text
    assert "it may also be: bus \\*714\\* (`travel/bus.md`)" in text
    assert "**And \\*now\\*? Really?**" in text
    assert "*Stopped.*" in text


def test_titles_are_cut_at_a_word() -> None:
    assert title_from("  Who\n is  it? ") == "Who is it?"
    long = title_from("word " * 40)
    assert len(long) <= 61 and long.endswith("word…")
