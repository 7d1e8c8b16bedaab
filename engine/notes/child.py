"""The child process of `isolated`: bytes on standard input, a note as JSON on standard output.

Run with the request as the last argument. Before the bytes are looked at, the process gives up
what a parser does not need: writing files, the network, other processes, much memory, much time.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from engine.notes.readers.format import Format
from engine.notes.readers.registry import formats
from engine.notes.skip import NoteSkipped, SkipReason

_FORBIDDEN = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system",
    "os.kill", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink",
    "os.truncate", "os.chmod", "os.chown", "os.startfile", "pty.", "shutil.", "ctypes.dlopen",
    "ftplib.", "http.", "urllib.", "smtplib.", "webbrowser.", "winreg.",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Denied(PermissionError):
    """The parser tried what a parser of notes has no business with."""


def main() -> None:
    """Read the note that `sys.argv` and standard input give, and write the answer."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is not the answer
    request = json.loads(sys.argv[-1])
    sys.setrecursionlimit(3000)
    data = sys.stdin.buffer.read()
    found = formats()[request["extension"]]
    _limit(request["limits"])
    _close_doors()
    _write(output, _result(found, data, request["name"]))
    os._exit(0)


def _result(found: Format, data: bytes, name: str) -> dict[str, Any]:
    try:
        return asdict(found.read(data, name))
    except NoteSkipped as skipped:
        return {"skip": skipped.reason.name, "sentence": str(skipped)}
    except (MemoryError, RecursionError):
        return {"skip": SkipReason.TOO_BIG_INSIDE.name, "sentence": ""}
    except Exception as error:  # the border of this process: any failure means a damaged file
        print(repr(error), file=sys.stderr)
        return {"skip": SkipReason.BROKEN.name, "sentence": _damaged(found)}


def _damaged(found: Format) -> str:
    return f"This {found.name} is damaged and cannot be read."


def _write(output: BinaryIO, result: dict[str, Any]) -> None:
    output.write(json.dumps(result).encode("ascii"))
    output.flush()


def _limit(limits: dict[str, float]) -> None:
    """Hold this process to its memory and time, where the system has such limits."""
    try:
        import resource
    except ImportError:  # Windows; the parent still holds it to its time
        return
    seconds = int(limits["seconds"]) + 1
    wanted = (
        (resource.RLIMIT_AS, int(limits["memory_bytes"])),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in wanted:
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):  # macOS refuses some
            continue


def _close_doors() -> None:
    """Deny from now on everything but reading Python's own files."""
    roots = tuple(
        os.path.realpath(folder) + os.sep for folder in {*sys.path, sys.prefix, sys.base_prefix}
    )

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int):
                return
            if flags & _WRITING or not os.path.realpath(os.fsdecode(path)).startswith(roots):
                raise Denied(event)
        elif event.startswith(_FORBIDDEN):
            raise Denied(event)

    sys.addaudithook(watch)
