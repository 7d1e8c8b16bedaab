"""Making exports as a forger would, and seeing that they are refused."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from engine.api import EngramError
from engine.store.bundle import LEDGER, MANIFEST, SLOT, manifest_from_json, manifest_to_json
from engine.store.errors import BadArchive
from engine.store.rows import state_from_json
from engine.store.store import Store
from tests.store_faults import MODEL, SPEC, START, look, prepare

Members = dict[str, bytes]


@pytest.fixture(name="store")
def store_fixture(tmp_path: Path) -> Iterator[Store]:
    """The store of a small memory; an export of its snapshot lies beside the home."""
    memory = prepare(tmp_path)
    with Store.open(memory.root, MODEL, clock=lambda: START) as store:
        yield store


@pytest.fixture(name="members")
def members_fixture(store: Store, tmp_path: Path) -> Members:
    """What that export holds."""
    with zipfile.ZipFile(tmp_path / "old.engram") as archive:
        return {name: archive.read(name) for name in (MANIFEST, LEDGER, SLOT)}


def packed(members: Members, **attributes: Any) -> bytes:
    """A zip of these members."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            archive.writestr(info, data)
    return file.getvalue()


def agreeing(members: Members, **changes: Any) -> Members:
    """The members with a manifest that agrees with them, as a forger would make it."""
    manifest = manifest_from_json(members[MANIFEST])
    state = None
    try:
        state = state_from_json(members[LEDGER])
    except ValueError:
        pass
    facts: dict[str, Any] = {
        "slot_sha256": hashlib.sha256(members[SLOT]).hexdigest(),
        "slot_size": len(members[SLOT]),
        "ledger_sha256": hashlib.sha256(members[LEDGER]).hexdigest(),
        "ledger_size": len(members[LEDGER]),
    }
    if state is not None:
        held = [note for note in state.notes if note.written_hash]
        facts |= {"notes": len(held), "cells": sum(note.cells for note in held)}
    return members | {MANIFEST: manifest_to_json(replace(manifest, **{**facts, **changes}))}


def refuse(
    store: Store, data: bytes, kind: type[EngramError] = BadArchive, match: str | None = None
) -> None:
    """Import a file with these bytes and see that nothing of it got in."""
    file = store.home.root.parent / "hostile.engram"
    file.write_bytes(data)
    before = look(store)
    around = sorted(path for path in store.home.root.parent.rglob("*"))
    with pytest.raises(kind, match=match):
        store.import_snapshot(file, SPEC)
    assert look(store) == before
    assert sorted(path for path in store.home.root.parent.rglob("*")) == around
