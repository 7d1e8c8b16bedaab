"""Benches on a real, if untrained, base model: fresh processes, real writes, real answers.

What an untrained model answers is of no interest; that every path gives the same numbers is.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from engine import bench
from engine.bench import fresh_process
from engine.bench.asking import Reply, reply_of
from engine.bench.real import RealSubject
from engine.bench.sets import plain_note
from engine.bench.subject import write_one
from engine.memory.encode import question_gist
from engine.memory.memory import Memory
from engine.memory.report import WriteOptions
from engine.model.slot import Slot
from engine.model.tokenizer import ANSWER, BEGIN, END, QUESTION
from tests.bench.tiny_base import make_tiny_base

DATA = Path(__file__).parents[1] / "data" / "bench"
CELLS = 600
OPTIONS = WriteOptions(steps=3, repair_rounds=0)
BOATS = "The key of the boat is kept by Ida Voss, and the code of the gate is 7731."
QUESTIONS = ["Who keeps the key of the boat?", "What is the code of the gate?", "Any bell, “Ünï”?"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "untrained"
    texts = [p.read_text("utf-8") for p in sorted(DATA.rglob("*.txt"))]
    make_tiny_base(folder, [*texts, BOATS, (DATA / "facts.jsonl").read_text("utf-8")])
    return folder


@pytest.fixture(scope="module")
def subject(directory: Path) -> RealSubject:
    return RealSubject(directory, "cpu", CELLS, OPTIONS, seed=1)


@pytest.fixture
def memory(subject: RealSubject) -> Memory:
    made = subject.fresh()
    write_one(made, 1, plain_note("Boats", BOATS), OPTIONS)
    return made


def without_clocks(reply: Reply) -> tuple[object, ...]:
    numbers = (reply.confidence, reply.p, reply.first_p)
    return (reply.text, reply.known, reply.source, reply.nearest, *(round(n, 5) for n in numbers))


def test_a_fresh_process_says_what_this_one_says(
    subject: RealSubject, memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the process finds the engine from anywhere
    replies = subject.ask_timed(memory, QUESTIONS)
    here = [without_clocks(reply_of(memory, q)) for q in QUESTIONS]
    assert [without_clocks(r) for r in replies.replies] == here
    assert replies.first_reply_seconds is not None
    assert 0 < replies.ready_seconds < replies.first_reply_seconds
    assert all(0 < r.first_seconds <= r.seconds for r in replies.replies)
    assert all(r.nearest == 1 for r in replies.replies)


def test_a_slot_that_cannot_be_opened_ends_the_fresh_process(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slot = tmp_path / "slot.safetensors"
    slot.write_bytes(b"no slot at all")
    assert fresh_process.main([str(directory), str(slot), "cpu"]) == 4
    out, err = capsys.readouterr()
    assert out == "" and "cannot be read" in err


def test_in_context_decoding_is_greedy(subject: RealSubject) -> None:
    reply = subject.reader().answer(BOATS, "Who?")
    tokenizer, backbone = subject.base.tokenizer, subject.base.backbone
    ids = [BEGIN, *tokenizer.encode(BOATS), QUESTION, *tokenizer.encode("Who?"), ANSWER]
    log_p, tokens = 0.0, []
    for number in range(32):
        scores = backbone(torch.tensor([ids]))[0, -1].log_softmax(-1)
        if number == 0:
            scores[:6] = -math.inf
        token = int(scores.argmax())
        log_p += float(scores[token])
        if token == END or "\n" in tokenizer.decode([token]):
            break
        tokens.append(token)
        ids.append(token)
    assert reply.text == tokenizer.decode(tokens).strip()
    assert reply.p == pytest.approx(math.exp(log_p), rel=1e-3)
    assert reply.known and reply.confidence == reply.p


def test_prose_with_an_empty_slot_is_the_backbones_own_loss(subject: RealSubject) -> None:
    texts = (DATA / "prose.txt").read_text("utf-8").split("<|endoftext|>")
    loss = subject.prose(subject.fresh(), texts)
    assert (loss.documents, loss.tokens, loss.mass) == (2, 128, 0.0)  # the third one is too short
    wanted = []
    for text in texts[:2]:
        ids = torch.tensor([BEGIN, *subject.base.tokenizer.encode(text)[:128]])
        logits = subject.base.backbone(ids[None, :-1])[0, 64:]
        wanted.append(F.cross_entropy(logits, ids[65:]))
    assert loss.nats == pytest.approx(float(torch.stack(wanted).mean()), rel=1e-4)


def test_prose_with_cells_is_the_joint_distribution(
    subject: RealSubject, tmp_path: Path
) -> None:
    base = subject.base
    memory = subject.fresh()
    write_one(memory, 1, plain_note("A", "The key"), OPTIONS)
    assert 0 < memory.cells_used <= 32  # so that the best 32 are all of them
    text = (DATA / "prose.txt").read_text("utf-8").split("<|endoftext|>")[0]
    loss = subject.prose(memory, [text])

    memory.save(tmp_path / "slot")
    slot = Slot.load(base.cfg, tmp_path / "slot", base.id)
    n = slot.used
    ids = base.tokenizer.encode(text)[:128]
    h = base.backbone.read(torch.tensor([[BEGIN, *ids[:-1]]]))[0, 64:]
    gist = question_gist(base, [base.tokenizer.decode(ids[:64])]).expand(len(h), -1)
    context, local, wide = base.space.queries(h, gist)
    score = context @ slot.context[:n].T + local @ slot.local[:n].T
    score = score + wide @ slot.wide[slot.place[:n]].T + base.space.gates(h)[:, None]
    weight = score.exp()  # (64, n)
    words = base.backbone.logits(h).softmax(-1)
    joint = words + weight @ (slot.value[:n] @ base.backbone.head).softmax(-1)
    p = joint.gather(1, torch.tensor(ids[64:])[:, None]).squeeze(1) / (1 + weight.sum(-1))
    assert loss.nats == pytest.approx(float(-p.log().mean()), rel=1e-3)
    share = weight.sum(-1) / (1 + weight.sum(-1))
    assert loss.mass == pytest.approx(float(share.mean()), rel=1e-3)


def test_a_filled_slot_is_full_and_answers(subject: RealSubject) -> None:
    stand = subject.stand()
    filled = stand.filled(450, 40)
    assert (filled.cells_used, filled.cells) == (450, 490)
    assert len(filled.note_ids()) == 3
    assert reply_of(filled, "Where?").nearest in filled.note_ids()
    again = stand.filled(450, 40)
    assert reply_of(again, "Where?").p == reply_of(filled, "Where?").p


def test_the_stand_cuts_by_tokens(subject: RealSubject) -> None:
    stand = subject.stand()
    short = stand.shorten(BOATS, 12)
    assert BOATS.startswith(short)
    assert len(subject.base.tokenizer.encode(short)) == 12
    assert stand.shorten("few", 12) == "few"
    assert stand.forward_seconds(plain_note("A", BOATS), 2) > 0


def command(
    capsys: pytest.CaptureFixture[str], directory: Path, *arguments: str
) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    options = ["--json", "--base", str(directory), "--steps", "2", "--cells", str(CELLS)]
    code = bench.run(parser.parse_args([*arguments, *options, "--device", "cpu"]))
    out = capsys.readouterr().out
    assert code == 0
    assert out.count("\n") == 1
    whole = json.loads(out)
    assert isinstance(whole, dict)
    return whole


def test_facts20(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = command(capsys, directory, "facts20", "--file", str(DATA / "facts.jsonl"))
    assert (result["bench"], result["stored_total"], result["reworded_total"]) == ("facts20", 3, 6)
    assert isinstance(result["setting"], dict)
    assert result["setting"]["model"] == "untrained"
    assert isinstance(result["written"], dict)
    assert result["written"]["notes"] == 3
    assert isinstance(result["answers"], list)
    assert all(answer["known"] for answer in result["answers"])  # the threshold is 0


def test_baseline(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = command(capsys, directory, "baseline", "--root", str(DATA / "folder"))
    assert (result["notes"], result["passages"], result["questions"]) == (2, 2, 4)
    assert result["right_note"] == 1.0


def test_speed(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = command(
        capsys, directory, "speed", "--tokens", "40", "--claimed", "300", "--repeats", "1"
    )
    assert result["cells"] == 300
    assert isinstance(result["write_ratio"], float) and result["write_ratio"] > 0


def test_errors_are_one_line_with_their_code(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    missing = ["facts20", "--file", str(tmp_path / "gone.jsonl"), "--base", str(directory)]
    assert bench.run(parser.parse_args(missing)) == 3
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "gone.jsonl" in err
    no_base = ["speed", "--base", str(tmp_path)]
    assert bench.run(parser.parse_args(no_base)) == 4
    assert capsys.readouterr().err.count("\n") == 1
