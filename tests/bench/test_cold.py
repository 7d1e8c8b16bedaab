"""What the asking side makes of a fresh process that does not do its part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.bench import cold
from engine.bench.asking import Reply

REPLY = {
    "text": "x", "known": True, "in_memory": 0.7, "confidence": 0.5, "p": 0.4, "first_p": 0.6,
    "source": 1, "nearest": 2, "first_seconds": 0.1, "seconds": 0.2, "alternatives": ["y"],
}  # fmt: skip


def run(monkeypatch: pytest.MonkeyPatch, body: str, questions: list[str]) -> cold.ColdReplies:
    """Ask a process that runs `body` instead of the engine."""
    monkeypatch.setattr(cold, "COMMAND", ("-c", f"import sys, json\n{body}\n"))
    return cold.ask(Path("base"), Path("slot"), "cpu", questions)


def test_questions_arrive_whole_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = ["Who?", "two\nlines", "Ünï “x” \u2028 end", "\udcff lone"]
    body = (
        "print('{}')\n"
        f"reply = {REPLY!r}\n"
        "for line in sys.stdin:\n"
        "    print(json.dumps({**reply, 'text': json.loads(line)}), flush=True)"
    )
    asked = run(monkeypatch, body, questions)
    assert [reply.text for reply in asked.replies] == questions
    expected = {**REPLY, "text": "Who?", "alternatives": ("y",)}
    assert asked.replies[0] == Reply(**expected)  # type: ignore[arg-type]
    assert asked.first_reply_seconds is not None
    assert asked.first_reply_seconds >= asked.ready_seconds > 0


def test_it_is_given_base_slot_and_device_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"print('{{}}')\nprint(json.dumps({{**{REPLY!r}, 'text': repr(sys.argv[1:])}}))"
    asked = run(monkeypatch, body, ["Who?"])
    assert asked.replies[0].text == "['base', 'slot', 'cpu']"


def test_no_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = run(monkeypatch, "print('{}')", [])
    assert asked.replies == []
    assert asked.first_reply_seconds is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit(4)", "code 4 after 0 of 2"),
        ("pass", "code 0 after 0 of 2"),
        (f"print('{{}}')\nprint({json.dumps(REPLY)!r})", "code 0 after 1 of 2"),
        (f"print('{{}}')\nprint({json.dumps(REPLY)!r})\nsys.exit(1)", "code 1 after 1 of 2"),
    ],
)
def test_a_process_that_ends_early_is_told(
    monkeypatch: pytest.MonkeyPatch, body: str, message: str
) -> None:
    with pytest.raises(cold.ColdProcessFailed, match=message):
        run(monkeypatch, body, ["Who?", "Where?"])
