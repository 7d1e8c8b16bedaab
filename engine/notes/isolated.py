"""Runs a reader in a child process: with a time limit, a memory limit, and only the bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict

from engine.notes.limits import Limits
from engine.notes.readers.registry import extension
from engine.notes.skip import NoteSkipped, SkipReason
from engine.notes.text import NoteText, Section

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    " import engine.notes.child; engine.notes.child.main()"
)
_KEPT_ENVIRONMENT = ("SYSTEMROOT", "PATH", "LD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP")


def read_isolated(data: bytes, name: str, limits: Limits) -> NoteText:
    """Read `data` as the format that `name` ends in, in a child process.

    Raises:
        NoteSkipped: the reader gave a reason, failed, or went over a limit.
    """
    request = json.dumps({"extension": extension(name), "name": name, "limits": asdict(limits)})
    command = [sys.executable, "-I", "-X", "utf8", "-c", _BOOT, json.dumps(_import_path()), request]
    environment = {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ}
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limits.seconds,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoteSkipped(SkipReason.TOO_SLOW) from None
    except OSError as error:
        raise NoteSkipped(SkipReason.BROKEN, "The reader could not be started.") from error
    if done.returncode:
        raise NoteSkipped(_reason_of(done.returncode))
    return _answer(done.stdout)


def _import_path() -> list[str]:
    """Return `sys.path` with the working directory spelled out."""
    return [os.path.abspath(folder) for folder in sys.path]


def _reason_of(returncode: int) -> SkipReason:
    """Tell from how a child ended why it did (killed by a limit, or broken by the file)."""
    if os.name == "posix":
        import signal

        if -returncode in (signal.SIGXCPU, signal.SIGKILL):
            return SkipReason.TOO_SLOW
    return SkipReason.BROKEN


def _answer(output: bytes) -> NoteText:
    """Make a note of what the child wrote, believing nothing about its form.

    Raises:
        NoteSkipped: the child says so, or wrote something else than a note.
    """
    try:
        found = json.loads(output)
        if "skip" in found:
            reason, sentence = SkipReason[found["skip"]], str(found["sentence"])
        else:
            return NoteText(
                str(found["title"]),
                tuple((str(key), str(value)) for key, value in found["fields"]),
                tuple(
                    Section(tuple(map(str, part["headings"])), str(part["text"]))
                    for part in found["sections"]
                ),
            )
    except (ValueError, KeyError, TypeError):
        reason, sentence = SkipReason.BROKEN, ""
    raise NoteSkipped(reason, sentence)
