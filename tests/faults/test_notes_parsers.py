"""Parsers of hostile files end in a child process: with a reason, within time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.notes.isolated import _answer, read_isolated
from engine.notes.limits import Limits
from engine.notes.read import read_bytes
from engine.notes.readers import rst
from engine.notes.skip import NoteSkipped, SkipReason
from tests import note_files

ROOT = Path(__file__).resolve().parents[2]


def reason_for_bytes(data: bytes, name: str, limits: Limits | None = None) -> SkipReason:
    with pytest.raises(NoteSkipped) as caught:
        read_bytes(data, name, limits)
    return caught.value.reason


@pytest.mark.parametrize("name", ["a.pdf", "a.docx"])
@pytest.mark.parametrize("data", [b"%PDF-1.7 and no more", b"PK\x03\x04 broken", b"hello there"])
def test_damaged_files(name: str, data: bytes) -> None:
    assert reason_for_bytes(data, name) is SkipReason.BROKEN


@settings(max_examples=4, deadline=None)
@given(cut=st.integers(1, 1500), at=st.integers(0, 1500), value=st.integers(0, 255))
def test_cut_and_flipped_documents_are_read_or_skipped(cut: int, at: int, value: int) -> None:
    for name, whole in (
        ("a.pdf", note_files.pdf([["Berth: 12"]])),
        ("a.docx", note_files.docx(note_files.paragraph("Berth: 12"))),
    ):
        data = bytearray(whole[: -min(cut, len(whole) - 1)])
        data[at % len(data)] = value
        try:
            read_bytes(bytes(data), name)
        except NoteSkipped as skipped:
            assert skipped.reason in (SkipReason.BROKEN, SkipReason.NO_TEXT, SkipReason.ENCRYPTED)


def test_a_zip_bomb() -> None:
    huge = b"<a>" + b" " * (70 * 1024 * 1024) + b"</a>"
    bomb = note_files.docx("", document=huge)
    assert len(bomb) < 1024 * 1024
    assert reason_for_bytes(bomb, "a.docx") is SkipReason.TOO_BIG_INSIDE


def test_a_zip_with_too_many_members() -> None:
    out = BytesIO(note_files.docx(note_files.paragraph("words")))
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(10_001):
            archive.writestr(f"m/{number}", b"")
    assert reason_for_bytes(out.getvalue(), "a.docx") is SkipReason.TOO_BIG_INSIDE


def test_an_xml_bomb() -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)
    )
    bomb = f"<?xml version='1.0'?><!DOCTYPE x [{entities}]><x>&a11;</x>".encode()
    assert reason_for_bytes(note_files.docx("", document=bomb), "a.docx") is SkipReason.BROKEN


def test_an_external_entity(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    bomb = f"<!DOCTYPE x [<!ENTITY s SYSTEM '{secret.as_uri()}'>]><x>&s;</x>".encode()
    assert reason_for_bytes(note_files.docx("", document=bomb), "a.docx") is SkipReason.BROKEN


def test_a_pdf_whose_page_unpacks_to_more_than_memory() -> None:
    packer = zlib.compressobj(9)
    chunk = b"(ha) Tj " * (1 << 17)
    packed = b"".join(packer.compress(chunk) for _ in range(192)) + packer.flush()
    bomb = note_files.pdf([["x"]], content=packed).replace(
        b"<< /Length %d >>" % len(packed), b"<< /Length %d /Filter /FlateDecode >>" % len(packed)
    )
    assert len(bomb) < 8 * 1024 * 1024
    limits = Limits(seconds=20, memory_bytes=160 * 1024 * 1024)
    assert reason_for_bytes(bomb, "a.pdf", limits) in (
        SkipReason.BROKEN, SkipReason.TOO_BIG_INSIDE, SkipReason.TOO_SLOW, SkipReason.NO_TEXT
    )  # fmt: skip


def test_a_pdf_whose_pages_go_round_in_a_circle() -> None:
    data = note_files.pdf([["x"]])
    looped = data.replace(b"/Kids [6 0 R]", b"/Kids [2 0 R]")
    assert looped != data
    limits = Limits(seconds=20)
    assert reason_for_bytes(looped, "a.pdf", limits) in (SkipReason.BROKEN, SkipReason.NO_TEXT)


def test_a_reader_that_does_not_end_is_ended() -> None:
    endless = b"*a `b |c| :d:`e` " * 100_000 + b"\n"  # minutes of work for docutils
    limits = Limits(seconds=1.5)
    assert reason_for_bytes(endless, "a.rst", limits) is SkipReason.TOO_SLOW


@pytest.mark.skipif(sys.platform != "linux", reason="no such limit elsewhere")
def test_a_reader_that_wants_too_much_memory_is_refused() -> None:
    page = b"<p>" + b"word " * 2_000_000
    limits = Limits(text_bytes=20 << 20, memory_bytes=80 << 20)
    assert read_isolated(b"<p>word", "a.html", limits).sections  # enough for a small one
    with pytest.raises(NoteSkipped) as caught:
        read_isolated(page * 3, "a.html", limits)
    assert caught.value.reason in (SkipReason.TOO_BIG_INSIDE, SkipReason.BROKEN)


def test_more_text_than_a_note_may_have() -> None:
    data = note_files.docx(note_files.paragraph("word " * 1000))
    assert reason_for_bytes(data, "a.docx", Limits(text_bytes=4000)) is SkipReason.HUGE


@pytest.mark.parametrize("data", [b"[" * 50_000, b"<div>" * 50_000, b"> " * 20_000 + b"x"])
@pytest.mark.parametrize("name", ["a.md", "a.html", "a.org", "a.txt"])
def test_deep_nesting(name: str, data: bytes) -> None:
    try:
        read_bytes(data, name)
    except NoteSkipped as skipped:
        assert skipped.reason in (SkipReason.EMPTY, SkipReason.BROKEN, SkipReason.TOO_BIG_INSIDE)


def test_deeply_nested_front_matter() -> None:
    note = read_bytes(b"---\na: " + b"[" * 30_000 + b"\n---\nwords", "a.md")
    assert note.sections[-1].text.endswith("words")


CHILD = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from engine.notes import child
child._close_doors()
def tried(what):
    try:
        what()
    except child.Denied:
        return True
    return False
print(json.dumps([
    tried(lambda: open(sys.argv[2])),
    tried(lambda: open(sys.argv[2], "w")),
    tried(lambda: os.open(sys.argv[2], os.O_RDONLY)),
    tried(lambda: open(os.path.join(sys.prefix, "new"), "w")),
    tried(lambda: os.system("true")),
    tried(lambda: os.remove(sys.argv[2])),
    tried(lambda: os.rename(sys.argv[2], sys.argv[2] + "2")),
    tried(lambda: __import__("subprocess").run(["true"])),
    tried(lambda: __import__("socket").socket()),
]))
import colorsys  # Python's own files stay readable
"""


def test_a_parser_reaches_nothing_but_its_bytes(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, os.fspath(ROOT), os.fspath(secret)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [True] * 9
    assert secret.read_text(encoding="utf-8") == "secret"


def test_rst_includes_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("classified", encoding="utf-8")
    text = f"words\n\n.. include:: {secret}\n\n.. raw:: html\n   :file: {secret}\n\n" + (
        f".. csv-table::\n   :file: {secret}\n"
    )
    for note in (rst.read_text(text, "a.rst"), read_bytes(text.encode(), "a.rst")):
        assert "classified" not in str(note)
        assert note.sections[0].text.startswith("words")


@pytest.mark.parametrize(
    "output",
    [b"", b"[]", b"null", b"\xff", b'{"title": 1}', b'{"skip": "NONE", "sentence": ""}', b"7"],
)
def test_an_answer_that_is_no_note_is_not_believed(output: bytes) -> None:
    with pytest.raises(NoteSkipped) as caught:
        _answer(output)
    assert caught.value.reason is SkipReason.BROKEN


def test_the_child_knows_neither_torch_nor_qt(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import engine.notes.child, engine.notes.read,"
        " engine.notes.folder, engine.notes.watch; from engine.notes.readers.registry import"
        " formats; formats(); print([m for m in sys.modules if m.split('.')[0] in"
        " ('torch', 'PySide6', 'pypdf', 'docutils')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, os.fspath(ROOT)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
