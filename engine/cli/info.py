"""`engram info`: device, model, memory, versions, paths."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from engine.cli.console import print_json, printable
from engine.cli.context import Context

if TYPE_CHECKING:
    from engine.cli.session import Session

_PACKAGES = ("engram", "torch", "safetensors", "tokenizers", "PySide6-Essentials")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command has no arguments."""


def run(context: Context, args: argparse.Namespace) -> int:
    """Print them, also of a memory that cannot be used; then the exit code is 4."""
    from engine.service import ASKING_ONLY

    with context.session(ASKING_ONLY) as session:
        facts = _facts(context, session)
        if context.as_json:
            print_json(facts)
        else:
            for name, value in facts.items():
                shown = printable("-" if value in (None, "") else str(value))
                print(f"{name.replace('_', ' '):18} {shown}")
        session.require_usable()
    return 0


def _facts(context: Context, session: Session) -> dict[str, Any]:
    status = session.status
    slot = sum(file.stat().st_size for file in (context.home / "slot").glob("*.safetensors"))
    facts: dict[str, Any] = {"home": str(context.home), "log": str(context.home / "logs")}
    if status is not None:
        facts |= {
            "folder": None if status.folder is None else str(status.folder),
            "device": status.device,
            "model": status.model,
            "cells": status.cells,
            "cells_used": status.cells_used,
            "slot_bytes": slot,
            "notes": status.notes_total,
            "remembered": status.notes_remembered,
            "weak": status.notes_weak,
            "queue": status.queue,
            "snapshots": len(session.snapshots),
            "problem": status.problem,
        }
    return {**facts, "python": platform.python_version(), **_versions()}


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found
