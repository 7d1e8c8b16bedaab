"""The scan sees what is there, reads only what it must, and never takes absence for deletion."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from engine.notes import scan as scanning
from engine.notes.limits import Limits
from engine.notes.scan import KnownFile, Rules, Scan, Vanished, look, scan


def put(root: Path, path: str, content: str = "words") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def scanned(root: Path, *known: KnownFile, rules: Rules | None = None) -> Scan:
    found = scan(root, known, rules)
    assert isinstance(found, Scan)
    return found


def as_known(found: Scan) -> list[KnownFile]:
    return [
        KnownFile(i, file.path, file.hash, file.size, file.mtime_ns, file.inode)
        for i, file in enumerate(found.files, start=1)
    ]


def test_sees_notes_in_all_folders_in_order(tmp_path: Path) -> None:
    for path in ("b.md", "a.TXT", "deep/er/c.pdf", "deep/d.org", "x.exe", "noending"):
        put(tmp_path, path, path)
    found = scanned(tmp_path)
    assert [file.path for file in found.files] == ["a.TXT", "b.md", "deep/d.org", "deep/er/c.pdf"]
    status = (tmp_path / "b.md").stat()
    assert found.files[1] == scanning.SeenFile(
        "b.md", 4, status.st_mtime_ns, status.st_ino, hashlib.sha256(b"b.md").hexdigest()
    )
    assert found.unseen == ()
    assert found.device == tmp_path.stat().st_dev


@pytest.mark.parametrize(
    "path",
    [".a.md", ".git/a.md", "d/.trash/a.md", "a.md~", "~$a.docx", ".#a.md", "#a.md#", ".~lock.a.md#",
     ".a.md.swp", "a.md.swp", "a.md.part", "a.md.tmp", "~lock.a.md", "#a.md"],
)  # fmt: skip
def test_leaves_hidden_files_and_temporaries_out(tmp_path: Path, path: str) -> None:
    put(tmp_path, path)
    assert scanned(tmp_path).files == ()
    assert not Rules().accepts(path)
    assert look(tmp_path, path, Rules()) is None


def test_takes_only_the_formats_that_were_chosen(tmp_path: Path) -> None:
    put(tmp_path, "a.md")
    put(tmp_path, "b.txt")
    found = scanned(tmp_path, rules=Rules(formats=(".txt",)))
    assert [file.path for file in found.files] == ["b.txt"]


def test_reads_a_file_again_only_if_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("same.md", "touched.md", "longer.md", "replaced.md"):
        put(tmp_path, name, "one")
    before = scanned(tmp_path)
    read: list[str] = []
    really = scanning.hash_file

    def hash_file(full: Path, follow_links: bool = False) -> str:
        read.append(full.name)
        return really(full, follow_links)

    monkeypatch.setattr(scanning, "hash_file", hash_file)
    times = {file.path: file.mtime_ns for file in before.files}
    os.utime(tmp_path / "touched.md", ns=(1, 1))
    put(tmp_path, "longer.md", "longer")
    os.utime(tmp_path / "longer.md", ns=(1, times["longer.md"]))
    put(tmp_path, "other", "two")
    os.utime(tmp_path / "other", ns=(1, times["replaced.md"]))
    os.replace(tmp_path / "other", tmp_path / "replaced.md")  # same size, same time
    after = scanned(tmp_path, *as_known(before))
    assert sorted(read) == ["longer.md", "replaced.md", "touched.md"]
    assert {file.path: file.hash for file in after.files} == {
        "same.md": hashlib.sha256(b"one").hexdigest(),
        "touched.md": hashlib.sha256(b"one").hexdigest(),
        "longer.md": hashlib.sha256(b"longer").hexdigest(),
        "replaced.md": hashlib.sha256(b"two").hexdigest(),
    }


def test_does_not_hash_what_is_too_large_to_read(tmp_path: Path) -> None:
    put(tmp_path, "a.md", "x" * 11)
    put(tmp_path, "b.md", "x" * 10)
    put(tmp_path, "c.pdf", "x" * 11)
    rules = Rules(limits=Limits(text_bytes=10, binary_bytes=20))
    assert [bool(file.hash) for file in scanned(tmp_path, rules=rules).files] == [False, True, True]


def test_a_folder_that_is_gone_has_vanished(tmp_path: Path) -> None:
    found = scan(tmp_path / "gone", [KnownFile(1, "a.md", "x", 1, 1)])
    assert found == Vanished("The folder of notes is not there.")
    put(tmp_path, "file")
    assert isinstance(scan(tmp_path / "file"), Vanished)


def test_an_empty_folder_on_another_device_has_vanished(tmp_path: Path) -> None:
    known = [KnownFile(1, "a.md", "x", 1, 1)]
    here = tmp_path.stat().st_dev
    assert isinstance(scan(tmp_path, known, device=here + 1), Vanished)
    assert isinstance(scan(tmp_path, known, device=here), Scan)  # emptied by hand
    assert isinstance(scan(tmp_path, [], device=here + 1), Scan)  # it was empty before
    put(tmp_path, "a.md")
    assert isinstance(scan(tmp_path, known, device=here + 1), Scan)  # moved to another disk


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    put(tmp_path, "real/a.md")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert [file.path for file in scanned(tmp_path / "link").files] == ["a.md"]


def test_look_sees_one_file_as_the_scan_does(tmp_path: Path) -> None:
    put(tmp_path, "d/a.md")
    (file,) = scanned(tmp_path).files
    seen = look(tmp_path, "d/a.md", Rules())
    assert seen is not None
    assert (seen.path, seen.size, seen.mtime_ns, seen.inode) == (
        file.path, file.size, file.mtime_ns, file.inode
    )  # fmt: skip
    for path in ("d/b.md", "../a.md", "d", "d/a\0.md", "/etc/hosts.md"):
        assert look(tmp_path, path, Rules()) is None
