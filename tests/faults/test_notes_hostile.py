"""Huge, binary, encrypted, endless and hostile notes: skipped with a reason, never more."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.notes.limits import Limits
from engine.notes.read import load_note, read_bytes, read_note
from engine.notes.reconcile import ChangeKind, reconcile
from engine.notes.scan import KnownFile, Rules, Scan, Vanished, scan
from engine.notes.skip import NoteSkipped, SkipReason
from tests import note_files

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")
unprivileged = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything"
)


def reason_for(path: str | Path, root: Path | None, limits: Limits | None = None) -> SkipReason:
    with pytest.raises(NoteSkipped) as caught:
        read_note(path, root, limits)
    sentence = str(caught.value)
    assert sentence[0].isupper() and sentence[-1] == "." and "Error" not in sentence
    return caught.value.reason


def reason_for_bytes(data: bytes, name: str, limits: Limits | None = None) -> SkipReason:
    with pytest.raises(NoteSkipped) as caught:
        read_bytes(data, name, limits)
    return caught.value.reason


def scanned(root: Path, rules: Rules | None = None) -> Scan:
    found = scan(root, rules=rules)
    assert isinstance(found, Scan)
    return found


# --- each reason ---------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\xef\xbb\xbf", b"---\n---\n", b"***\n\n> \n"])
@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.org"])
def test_empty(tmp_path: Path, data: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(data)
    if b"-" not in data and b"*" not in data or name == "a.md":
        assert reason_for(name, tmp_path) is SkipReason.EMPTY


def test_empty_pages_and_documents() -> None:
    assert reason_for_bytes(b"<html><script>x</script></html>", "a.html") is SkipReason.EMPTY
    assert reason_for_bytes(note_files.docx(""), "a.docx") is SkipReason.NO_TEXT
    assert reason_for_bytes(note_files.pdf([[]]), "a.pdf") is SkipReason.NO_TEXT


def test_binary_under_a_texts_name(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\x7fELF\x02\x01\x01\x00" + os.urandom(100))
    assert reason_for("a.md", tmp_path) is SkipReason.BINARY


def test_huge(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"word " * 30)
    (tmp_path / "a.pdf").write_bytes(note_files.pdf([["word"]]))
    limits = Limits(text_bytes=149, binary_bytes=149)
    assert reason_for("a.md", tmp_path, limits) is SkipReason.HUGE
    assert reason_for("a.pdf", tmp_path, limits) is SkipReason.HUGE
    assert read_note("a.md", tmp_path, Limits(text_bytes=150)).sections


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "a.md", "wb") as file:
        file.truncate(1 << 40)  # a sparse terabyte
    assert reason_for("a.md", tmp_path) is SkipReason.HUGE
    assert scanned(tmp_path).files[0].hash == ""


def test_vanished_unsupported_and_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "d.md").mkdir()
    (tmp_path / "a.exe").write_bytes(b"MZ")
    assert reason_for("gone.md", tmp_path) is SkipReason.VANISHED
    assert reason_for("gone/a.md", tmp_path) is SkipReason.VANISHED
    assert reason_for("nul\0.md", tmp_path) is SkipReason.VANISHED
    assert reason_for("d.md", tmp_path) is SkipReason.NOT_A_FILE
    assert reason_for("a.exe", tmp_path) is SkipReason.UNSUPPORTED
    assert reason_for("README", tmp_path) is SkipReason.UNSUPPORTED


@unprivileged
def test_unreadable(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("words", encoding="utf-8")
    file.chmod(0)
    assert reason_for("a.md", tmp_path) is SkipReason.UNREADABLE
    assert [(seen.path, seen.hash) for seen in scanned(tmp_path).files] == [("a.md", "")]


def test_unreadable_as_the_system_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.md").write_text("words", encoding="utf-8")

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert reason_for("a.md", tmp_path) is SkipReason.UNREADABLE


def test_a_file_that_grows_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.md"
    file.write_text("half a note", encoding="utf-8")
    really = Path.lstat

    def meanwhile(path: Path) -> os.stat_result:
        with open(file, "a", encoding="utf-8") as copied:
            copied.write(" and more")
        return really(path)

    monkeypatch.setattr(Path, "lstat", meanwhile)
    assert reason_for("a.md", tmp_path) is SkipReason.CHANGING


# --- what is not a plain file --------------------------------------------------------------------


@posix
def test_pipes_sockets_and_devices_are_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.md")
        opened: list[object] = []
        really = os.open

        def noted(path: str, flags: int) -> int:
            opened.append(path)
            return really(path, flags)

        monkeypatch.setattr(os, "open", noted)
        assert scanned(tmp_path).files == ()
        for name in ("pipe.md", "socket.md"):
            assert reason_for(name, tmp_path) is SkipReason.NOT_A_FILE
        assert opened == []


@posix
def test_a_file_that_becomes_a_pipe_does_not_stop_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.md"
    file.write_text("words", encoding="utf-8")
    really = os.open

    def swapped(path: Path, flags: int) -> int:
        file.unlink()
        os.mkfifo(file)
        return really(path, flags)

    monkeypatch.setattr(os, "open", swapped)
    assert reason_for("a.md", tmp_path) is SkipReason.NOT_A_FILE


@posix
def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("secret", encoding="utf-8")
    root = tmp_path / "notes"
    root.mkdir()
    (root / "a.md").write_text("mine", encoding="utf-8")
    (root / "file.md").symlink_to(outside / "secret.md")
    (root / "inner.md").symlink_to(root / "a.md")
    (root / "folder").symlink_to(outside, target_is_directory=True)
    assert [seen.path for seen in scanned(root).files] == ["a.md"]
    assert reason_for("file.md", root) is SkipReason.NOT_A_FILE
    assert reason_for("folder/secret.md", root) is SkipReason.OUTSIDE
    follow = Rules(follow_links=True)
    assert [seen.path for seen in scanned(root, follow).files] == [
        "a.md", "file.md", "folder/secret.md", "inner.md"
    ]  # fmt: skip
    assert read_note("file.md", root, follow_links=True).sections[0].text == "secret"


@posix
def test_a_folder_in_two_places_is_seen_in_its_own(tmp_path: Path) -> None:
    for name in ("a", "m", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "n.md").write_text(name, encoding="utf-8")
    (tmp_path / "a" / "link").symlink_to(tmp_path / "m", target_is_directory=True)
    (tmp_path / "z" / "link").symlink_to(tmp_path / "m", target_is_directory=True)
    found = scanned(tmp_path, Rules(follow_links=True))
    assert [seen.path for seen in found.files] == ["a/n.md", "m/n.md", "z/n.md"]


@posix
def test_loops_of_links_end(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.md").write_text("words", encoding="utf-8")
    (tmp_path / "d" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "d" / "self").symlink_to(tmp_path / "d", target_is_directory=True)
    (tmp_path / "round.md").symlink_to(tmp_path / "round.md")
    (tmp_path / "nowhere.md").symlink_to(tmp_path / "gone.md")
    for rules in (Rules(), Rules(follow_links=True)):
        assert [seen.path for seen in scanned(tmp_path, rules).files] == ["d/a.md"]


@pytest.mark.parametrize("path", ["../a.md", "d/../../a.md", "/etc/hosts.md", "", ".", ".."])
def test_paths_that_lead_out_of_the_folder(tmp_path: Path, path: str) -> None:
    root = tmp_path / "notes"
    root.mkdir()
    (tmp_path / "a.md").write_text("secret", encoding="utf-8")
    assert reason_for(path, root) is SkipReason.OUTSIDE


def test_a_note_from_elsewhere_is_read_by_its_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("words", encoding="utf-8")
    assert read_note(tmp_path / "a.md", None).sections[0].text == "words"


# --- folders -------------------------------------------------------------------------------------


@unprivileged
def test_a_folder_without_permission_is_not_taken_for_empty(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.md").write_text("words", encoding="utf-8")
    (tmp_path / "d").chmod(0)
    try:
        found = scanned(tmp_path)
    finally:
        (tmp_path / "d").chmod(0o700)
    assert (found.files, found.unseen) == ((), ("d/",))


def test_a_folder_that_fails_to_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.md").write_text("words", encoding="utf-8")
    known = [KnownFile(7, "d/a.md", "x", 5, 1)]
    really = os.scandir
    failing = [tmp_path / "d"]

    def scandir(path: Path) -> object:
        if Path(path) in failing:
            raise OSError(5, "Input/output error")
        return really(path)

    monkeypatch.setattr("engine.notes.scan.os.scandir", scandir)
    found = scan(tmp_path, known)
    assert isinstance(found, Scan)
    assert found.unseen == ("d/",)
    assert [change.kind for change in reconcile(known, found)] == [ChangeKind.UNCHANGED]
    failing[0] = tmp_path
    assert isinstance(scan(tmp_path, known), Vanished)


@posix
def test_folders_nested_deeper_than_a_path_may_be_long(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("words", encoding="utf-8")
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("x" * 40, dir_fd=here)
        deeper = os.open("x" * 40, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    found = scanned(tmp_path)
    assert [seen.path for seen in found.files] == ["a.md"]
    assert len(found.unseen) == 1  # what lies deeper is unknown, not gone
    subprocess.run(["rm", "-rf", os.fspath(tmp_path / ("x" * 40))], check=True)


NAME = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=()), min_size=1, max_size=60
)
HOSTILE = ["new\nline", "\u202egnp", "-rf", "CON", "a" * 252, "..", "x\udcff\udc80", "*?<>|", "\\"]


@posix
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.one_of(st.sampled_from(HOSTILE), NAME))
def test_hostile_names(tmp_path_factory: pytest.TempPathFactory, stem: str) -> None:
    root = tmp_path_factory.mktemp("names")
    try:
        raw = os.fsencode(f"{stem}.md")
        with open(os.fsencode(root) + b"/" + raw, "wb") as file:
            file.write(b"Berth: 12")
    except (UnicodeEncodeError, OSError):
        return  # the file system has no such name
    name = os.fsdecode(raw)
    found = scanned(root)
    if not Rules().accepts(name):
        assert found.files == ()
        return
    assert [seen.path for seen in found.files] == [name]
    loaded = load_note(name, root)
    assert loaded.hash == found.files[0].hash
    assert loaded.text.sections[0].text == "Berth: 12"
    assert loaded.text.title.isprintable() and loaded.text.title.encode("utf-8")
    known = [KnownFile(1, name, loaded.hash, loaded.size, loaded.mtime_ns)]
    assert [change.kind for change in reconcile(known, found)] == [ChangeKind.UNCHANGED]
    shutil.rmtree(root)
