"""`engram snapshot …`: copies of the memory, as in the window."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.api import (
    Comparison,
    Done,
    ImportSnapshot,
    InputError,
    RestoreSnapshot,
    Snapshot,
    SnapshotKind,
)
from engine.cli.console import moment, percent, print_json, print_table, printable
from engine.cli.context import Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs, each with its arguments."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def verb(
        name: str, about: str, act: Callable[[Context, argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=about, description=about)
        sub.set_defaults(act=act)
        return sub

    which = "id or name of a snapshot"
    verb("take", "keep the present", _take).add_argument("name", nargs="?", default="")
    verb("list", "list them, newest first", _list)
    verb("restore", "go back to one; the present is kept first", _restore).add_argument(
        "snapshot", help=which
    )
    compare = verb("compare", "tell what differs", _compare)
    compare.add_argument("first", help=which)
    compare.add_argument("second", nargs="?", default="", help=f"{which}; else the present")
    export = verb("export", "write one to a file", _export)
    export.add_argument("file", type=Path)
    export.add_argument("snapshot", nargs="?", default="", help=f"{which}; else the present")
    verb("import", "check a file and add it; nothing is restored", _import).add_argument(
        "file", type=Path
    )
    verb("delete", "remove one for good", _delete).add_argument("snapshot", help=which)


def run(context: Context, args: argparse.Namespace) -> int:
    """Carry out the verb."""
    code: int = args.act(context, args)
    return code


def _find(snapshots: Sequence[Snapshot], name: str) -> Snapshot:
    """By id, by name, or "latest". Raises: InputError."""
    if name == "latest" and snapshots:
        return snapshots[0]
    found = [s for s in snapshots if s.id == name] or [s for s in snapshots if s.name == name]
    if not found:
        raise InputError(f"There is no snapshot {name}. See: engram snapshot list")
    if len(found) > 1:
        raise InputError(f"{len(found)} snapshots are named {name}; please give an id.")
    return found[0]


def _as_json(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "name": snapshot.name,
        "kind": snapshot.kind.value,
        "taken_at": snapshot.taken_at,
        "notes": snapshot.notes,
        "cells": snapshot.cells,
        "size": snapshot.size,
    }


def _say(context: Context, snapshot: Snapshot, what: str) -> int:
    if context.as_json:
        print_json(_as_json(snapshot))
    else:
        print(printable(f"{what}: {snapshot.name} ({snapshot.id})"))
    return 0


def _take(context: Context, args: argparse.Namespace) -> int:
    context.require_memory()
    from engine.cli.ledger import opened

    with opened(context.home) as store:
        return _say(context, store.take_snapshot(args.name), "Taken")


def _list(context: Context, args: argparse.Namespace) -> int:
    """Also of a memory that is damaged: that is when one is looked for."""
    context.require_memory()
    from engine.cli.snapshots_on_disk import listed

    snapshots = listed(context.home)
    if context.as_json:
        print_json({"snapshots": [_as_json(each) for each in snapshots]})
        return 0
    rows = [
        (s.id, moment(s.taken_at), s.kind.value, str(s.notes), f"{s.size / 1e6:.1f} MB", s.name)
        for s in snapshots
    ]
    print_table(("id", "taken", "kind", "notes", "size", "name"), rows)
    return 0


def _restore(context: Context, args: argparse.Namespace) -> int:
    context.require_memory()
    from engine.cli.snapshots_on_disk import listed
    from engine.service import ASKING_ONLY

    snapshot = _find(listed(context.home), args.snapshot)
    with context.session(ASKING_ONLY) as session:
        event = session.do(RestoreSnapshot(snapshot.id))
        newest = session.snapshots[0]
        kept = newest if newest.kind is SnapshotKind.BEFORE_RESTORE else None
    if context.as_json:
        print_json({"restored": snapshot.id, "before": kept.id if kept else None})
    elif isinstance(event, Done):
        print(event.message)
        if kept is not None:
            print(f"To take it back: engram snapshot restore {kept.id}")
    return 0


def _compare(context: Context, args: argparse.Namespace) -> int:
    context.require_memory()
    from engine.cli.ledger import opened

    with opened(context.home) as store:
        snapshots = store.snapshots()
        first = _find(snapshots, args.first).id
        second = _find(snapshots, args.second).id if args.second else ""
        comparison = store.compare(first, second)
    print_json(_comparison(comparison)) if context.as_json else _print(comparison)
    return 0


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "first": comparison.first,
        "second": comparison.second,
        "notes": [
            {
                "note": each.path,
                "change": each.change.value,
                "first_recall": each.first_recall,
                "second_recall": each.second_recall,
                "probes_changed": each.probes_changed,
            }
            for each in comparison.notes
        ],
        "cells_same": comparison.cells_same,
        "cells_changed": comparison.cells_changed,
        "probes_changed": comparison.probes_changed,
    }


def _print(comparison: Comparison) -> None:
    rows = [
        (each.change.value, percent(each.first_recall), percent(each.second_recall), each.path)
        for each in comparison.notes
    ]
    if rows:
        print_table(("change", "first", "second", "note"), rows)
    print(f"{comparison.cells_same} cells the same, {comparison.cells_changed} changed")


def _export(context: Context, args: argparse.Namespace) -> int:
    context.require_memory()
    from engine.cli.ledger import opened

    file = args.file.absolute()
    with opened(context.home) as store:
        snapshot = _find(store.snapshots(), args.snapshot).id if args.snapshot else ""
        store.export_snapshot(snapshot, file)
    if context.as_json:
        print_json({"file": str(file), "size": file.stat().st_size})
    else:
        print(printable(f"Written to {file}"))
    return 0


def _import(context: Context, args: argparse.Namespace) -> int:
    from engine.service import ASKING_ONLY

    file = args.file.absolute()
    if not file.is_file():
        raise InputError(f"There is no file {file}.")
    with context.session(ASKING_ONLY) as session:
        session.require_usable()
        before = {snapshot.id for snapshot in session.snapshots}
        session.do(ImportSnapshot(file))
        added = next(s for s in session.snapshots if s.id not in before)
    return _say(context, added, "Imported")


def _delete(context: Context, args: argparse.Namespace) -> int:
    context.require_memory()
    from engine.cli.ledger import opened

    with opened(context.home) as store:
        snapshot = _find(store.snapshots(), args.snapshot)
        store.delete_snapshot(snapshot.id)
    return _say(context, snapshot, "Deleted")
