"""Files to be imported, from strangers: nothing gets in that is not exactly an export."""

from __future__ import annotations

import json
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from engine.api import EngramError, SnapshotKind, WrongBaseModel
from engine.store import bundle
from engine.store.bundle import LEDGER, MANIFEST, SLOT
from engine.store.errors import BadArchive, MemoryTooNew
from engine.store.home import Home
from engine.store.rows import state_from_json, state_to_json
from engine.store.store import Store
from tests.store_archives import Members, agreeing, packed, refuse
from tests.store_archives import members_fixture as members_fixture
from tests.store_archives import store_fixture as store_fixture
from tests.store_faults import MODEL, SPEC
from tests.store_faults import no_waiting_for_the_disk as no_waiting_for_the_disk


def test_an_export_comes_back_the_same(store: Store, tmp_path: Path) -> None:
    store.export_snapshot("", tmp_path / "present.engram")
    imported = store.import_snapshot(tmp_path / "present.engram", SPEC)
    assert imported.kind is SnapshotKind.IMPORTED
    assert store.slot is not None
    slot, notes = store.slot.path.read_bytes(), store.notes()
    store.restore_snapshot(store.snapshots()[-1].id)
    store.restore_snapshot(imported.id)
    assert store.slot.path.read_bytes() == slot
    assert store.notes() == notes


def test_the_same_memory_gives_the_same_file(store: Store, tmp_path: Path) -> None:
    snapshot = store.snapshots()[0].id
    store.export_snapshot(snapshot, tmp_path / "a")
    store.export_snapshot(snapshot, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_into_another_home(store: Store, tmp_path: Path) -> None:
    with Store.open(tmp_path / "other" / "home", MODEL) as other:
        snapshot = other.import_snapshot(tmp_path / "old.engram", SPEC)
        done = other.restore_snapshot(snapshot.id)
        assert done.before is None
        assert [note.path for note in other.notes()] == [note.path for note in store.notes()]
        undone = other.undo(done.undo)
        assert undone.slot is None and other.slot is None
        assert other.notes() == ()


def test_the_forger_of_these_tests_could_get_in(store: Store, members: Members) -> None:
    """What follows is refused for its one fault, not for how it is packed."""
    file = store.home.root.parent / "fine.engram"
    file.write_bytes(packed(agreeing(members)))
    assert store.import_snapshot(file, SPEC).name == "first"


@pytest.mark.parametrize(
    "name",
    [
        "../../evil",
        "/tmp/evil",
        "slot.safetensors/x",
        "C:\\evil",
        "ledger.JSON",
    ],
)
def test_unexpected_members(name: str, store: Store, members: Members) -> None:
    refuse(store, packed(members | {name: b"evil"}), match="members")
    for missing in members:
        others = {key: data for key, data in members.items() if key != missing}
        refuse(store, packed(others | {name: members[missing]}), match="members")
        refuse(store, packed(others), match="members")


def test_a_name_with_a_nul(store: Store, members: Members) -> None:
    others = {key: data for key, data in members.items() if key != MANIFEST}
    data = packed(others | {"manifest.json-.txt": members[MANIFEST]})
    refuse(store, data.replace(b"manifest.json-", b"manifest.json\0"), match="members")


def test_a_member_twice(store: Store, members: Members) -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive, pytest.warns(UserWarning):
        for name in (MANIFEST, MANIFEST, SLOT):
            archive.writestr(name, members[name])
    refuse(store, file.getvalue(), match="members")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices(kind: int, store: Store, members: Members) -> None:
    refuse(store, packed(members, external_attr=(kind | 0o777) << 16), match="plain file")


def test_ways_of_packing(store: Store, members: Members) -> None:
    refuse(store, packed(members, compress_type=zipfile.ZIP_BZIP2), match="packed")
    refuse(store, packed(members, compress_type=zipfile.ZIP_LZMA), match="packed")
    encrypted = bytearray(packed(members))
    at = encrypted.rindex(b"PK\x01\x02")
    encrypted[at + 8] |= 1
    refuse(store, bytes(encrypted), match="encrypted")


def test_bombs(store: Store, members: Members) -> None:
    zeros = bytes(64 * 1024 * 1024)
    refuse(store, packed(members | {SLOT: zeros}), match="size")
    refuse(store, packed(agreeing(members | {SLOT: zeros})), match="size")
    refuse(store, packed(agreeing(members | {LEDGER: zeros})), match="too large")
    refuse(store, packed(members | {MANIFEST: zeros}), match="too large")


def test_a_bomb_that_lies_about_its_size(store: Store, members: Members) -> None:
    honest = agreeing(members)
    data = bytearray(packed(honest | {SLOT: members[SLOT] + bytes(64 * 1024 * 1024)}))
    at = data.rindex(b"PK\x01\x02")
    assert data[at + 46 : at + 46 + len(SLOT)] == SLOT.encode()
    struct.pack_into("<L", data, at + 24, len(members[SLOT]))
    refuse(store, bytes(data))


def test_a_directory_of_many_entries(store: Store, members: Members) -> None:
    many = members | {f"{number}": b"" for number in range(2000)}
    refuse(store, packed(many), match="members")
    # One whose end says three all the same.
    data = bytearray(packed(many))
    struct.pack_into("<HH", data, len(data) - 14, 3, 3)
    refuse(store, bytes(data), match="members")


def test_the_form_for_large_files(store: Store, members: Members) -> None:
    data = packed(members)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    refuse(store, data[:-22] + locator + data[-22:], match="large")


def test_something_after_the_end(store: Store, members: Members) -> None:
    refuse(store, packed(members) + b"x", match="end")
    refuse(store, b"", match="size")
    refuse(store, b"PK", match="size")
    refuse(store, bytes(1000), match="end")


def test_flips_and_cuts(store: Store, members: Members) -> None:
    data = packed(agreeing(members))
    for at in range(0, len(data), 23):
        refuse(store, data[:at])
        flipped = bytearray(data)
        flipped[at] ^= 0x44
        file = store.home.root.parent / "flipped.engram"
        file.write_bytes(bytes(flipped))
        try:
            snapshot = store.import_snapshot(file, SPEC)
        except EngramError:
            continue
        # The flip was in a date or an attribute that says nothing.
        folder = Home(store.home.root).snapshots / snapshot.id
        assert (folder / SLOT).read_bytes() == members[SLOT]
        assert (folder / LEDGER).read_bytes() == members[LEDGER]
        store.delete_snapshot(snapshot.id)


def test_another_base_model(store: Store, members: Members) -> None:
    other = packed(agreeing(members, base_model="test model 2"))
    refuse(store, other, WrongBaseModel, "test model 2.*test model 1")


def test_a_newer_format(store: Store, members: Members) -> None:
    values = json.loads(members[MANIFEST]) | {"format": 2}
    refuse(store, packed(members | {MANIFEST: json.dumps(values).encode()}), MemoryTooNew, "newer")


def bad_manifests(members: Members) -> Iterator[bytes]:
    """Manifests that nobody but a stranger writes."""
    values = json.loads(members[MANIFEST])
    for key, value in [
        ("id", "../../evil"), ("id", 5), ("name", "x" * 201), ("name", None), ("kind", "evil"),
        ("taken_at", float("inf")), ("taken_at", 1e300), ("taken_at", "now"), ("notes", -1),
        ("cells", 1.5), ("notes", True), ("slot_sha256", "x" * 64), ("slot_sha256", ""),
        ("slot_size", 10**18), ("ledger_size", -5), ("base_model", 7), ("extra", 1),
        ("notes", 999),
    ]:  # fmt: skip
        changed = {**values, key: value}
        try:
            changed["seal"] = bundle._seal(changed | {"seal": ""})
        except ValueError:
            pass
        yield json.dumps(changed).encode()
    yield json.dumps({key: value for key, value in values.items() if key != "name"}).encode()
    yield members[MANIFEST].replace(b"first", b"other")
    yield b"[" * 60_000
    yield b'{"format": ' + b"9" * 5000 + b"}"
    yield b'{"a": ' * 9000 + b"1" + b"}" * 9000
    yield b"\xff\xfe"
    yield b"null"


def test_manifests(store: Store, members: Members) -> None:
    for manifest in bad_manifests(members):
        refuse(store, packed(members | {MANIFEST: manifest}), EngramError)


def bad_ledgers(members: Members) -> Iterator[bytes]:
    """Ledgers that nobody but a stranger writes."""
    text = members[LEDGER].decode()
    top = json.loads(text)
    for key, value in [
        ("path", "../evil.sh"), ("path", "a/../../b"), ("path", "/etc/passwd"), ("path", ""),
        ("path", "a\0b"), ("path", "x" * 40_000), ("path", 5), ("id", 0), ("id", 2**31),
        ("id", "1"), ("id", 2), ("state", "evil"), ("state", []), ("recall", 1.5),
        ("recall", "1"), ("median_p", -0.1), ("written_at", 1e300), ("cells", -1),
        ("cells", 0.5), ("probes", "102"), ("content_hash", "abc"), ("in_folder", 1),
        ("size", -1), ("reason", "x" * 5000), ("extra", 1),
    ]:  # fmt: skip
        notes = [dict(note) for note in top["notes"]]
        notes[0][key] = value
        yield json.dumps(top | {"notes": notes}).encode()
    yield json.dumps(top | {"notes": [top["notes"][0], top["notes"][0]]}).encode()
    yield json.dumps(top | {"notes": 5}).encode()
    yield json.dumps(top | {"notes": [5]}).encode()
    yield json.dumps(top | {"extra": 5}).encode()
    yield json.dumps(top | {"format": 99}).encode()
    job = {"id": 1, "kind": "forget", "note_id": 1, "priority": 9, "attempts": 0, "reason": ""}
    yield json.dumps(top | {"jobs": [job | {"running": False}]}).encode()
    yield text.replace('"recall": 0.5', '"recall": NaN').encode()
    yield text.replace('"recall": 0.5', '"recall": 1e999').encode()
    yield text.replace('"id": 1', '"id": 1, "id": 2').encode()
    yield b"[" * 1_000_000


def test_ledgers(store: Store, members: Members) -> None:
    for ledger in bad_ledgers(members):
        refuse(store, packed(agreeing(members | {LEDGER: ledger})))


def test_the_ledger_of_the_test_itself_is_fine(members: Members) -> None:
    assert state_to_json(state_from_json(members[LEDGER])) == members[LEDGER]


@pytest.mark.skipif(os.name != "posix", reason="POSIX only")
def test_not_even_a_file(store: Store, tmp_path: Path) -> None:
    with pytest.raises(EngramError):
        store.import_snapshot(tmp_path / "none.engram", SPEC)
    with pytest.raises(EngramError):
        store.import_snapshot(tmp_path, SPEC)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadArchive, match="no such file"):
        store.import_snapshot(tmp_path / "pipe", SPEC)
