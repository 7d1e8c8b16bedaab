"""Two processes on one memory: the second is refused; a dead one's lock never blocks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.api import MemoryLocked
from engine.store.home import Home
from engine.store.lock import MemoryLock, holder
from engine.store.store import Store
from tests.store_faults import MODEL, prepare, reopened
from tests.store_faults import no_waiting_for_the_disk as no_waiting_for_the_disk

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from engine.store.store import Store
store = Store.open(Path(sys.argv[1]), sys.argv[2])
print("open", flush=True)
sys.stdin.read()
"""


def test_two_processes(tmp_path: Path) -> None:
    root = prepare(tmp_path).root
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root), MODEL],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        assert holder(Home(root).lock) == child.pid
        before = sorted(path.name for path in root.rglob("*"))
        with pytest.raises(MemoryLocked, match=f"process {child.pid}"):
            Store.open(root, MODEL)
        assert sorted(path.name for path in root.rglob("*")) == before
        child.kill()
    # Killed, it gave nothing back by itself; the file is still there, and does not matter.
    assert holder(Home(root).lock) == child.pid
    assert len(reopened(root).notes) == 2


def test_twice_in_one_process(tmp_path: Path) -> None:
    with Store.open(tmp_path / "home", MODEL):
        with pytest.raises(MemoryLocked, match=str(os.getpid())):
            Store.open(tmp_path / "home", MODEL)
    Store.open(tmp_path / "home", MODEL).close()


@pytest.mark.parametrize("left", [b"", b"1\n", b"999999999\n", b"\xff\xfe nonsense"])
def test_a_lock_file_without_a_lock(left: bytes, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    Home(tmp_path / "home").lock.write_bytes(left)
    with Store.open(tmp_path / "home", MODEL):
        assert holder(Home(tmp_path / "home").lock) == os.getpid()
    assert holder(Home(tmp_path / "home").lock) is None


def test_the_lock_is_given_back_when_opening_fails(tmp_path: Path) -> None:
    root = prepare(tmp_path).root
    ledger = Home(root).ledger.read_bytes()
    Home(root).ledger.write_bytes(b"not a ledger")
    with pytest.raises(Exception, match="ledger"):
        Store.open(root, MODEL)
    Home(root).ledger.write_bytes(ledger)
    Store.open(root, MODEL).close()


def test_releasing_twice(tmp_path: Path) -> None:
    lock = MemoryLock(tmp_path / "lock")
    lock.acquire()
    lock.release()
    lock.release()
    other = MemoryLock(tmp_path / "lock")
    other.acquire()
    lock.release()
    with pytest.raises(MemoryLocked):
        MemoryLock(tmp_path / "lock").acquire()
    other.release()


def test_closing_twice(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "home", MODEL)
    store.close()
    store.close()
