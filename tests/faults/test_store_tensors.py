"""Slot files from strangers: every name, shape, number format and value is looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from engine.store.bundle import SLOT
from engine.store.store import Store
from engine.store.tensors import SlotSpec, TensorSpec, check_slot
from tests.store_archives import Members, agreeing, packed, refuse
from tests.store_archives import members_fixture as members_fixture
from tests.store_archives import store_fixture as store_fixture
from tests.store_faults import no_waiting_for_the_disk as no_waiting_for_the_disk

Change = Callable[[dict[str, Any]], None]


def _set(name: str, value: Any) -> Change:
    return lambda tensors: tensors.__setitem__(name, value)


def _poke(name: str, value: Any) -> Change:
    def poke(tensors: dict[str, Any]) -> None:
        tensors[name] = tensors[name].copy()
        tensors[name].flat[-1] = value

    return poke


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_poke("keys", np.nan), "not finite"),
        (_poke("values", np.inf), "not finite"),
        (_poke("values", -np.inf), "not finite"),
        (_poke("owners", 3), "does not know"),
        (_poke("owners", -1), "does not know"),
        (_set("more", np.zeros(3, np.float16)), "does not belong"),
        (_set("keys", np.zeros((16, 9), np.float16)), "shape"),
        (_set("keys", np.zeros((15, 8), np.float16)), "shape"),
        (_set("keys", np.zeros((16, 8, 1), np.float16)), "shape"),
        (_set("keys", np.zeros((16, 8), np.float32)), "format"),
        (_set("owners", np.zeros(16, np.int64)), "format"),
        (lambda tensors: tensors.pop("owners"), "lacks"),
    ],
)
def test_tensors(change: Change, why: str, store: Store, members: Members) -> None:
    tensors = dict(load(members[SLOT]))
    change(tensors)
    refuse(store, packed(agreeing(members | {SLOT: save(tensors)})), match=why)


def test_too_many_cells(store: Store, members: Members) -> None:
    tensors: dict[str, Any] = {
        "keys": np.zeros((65, 8), np.float16),
        "values": np.zeros((65, 4), np.float16),
        "owners": np.zeros(65, np.int32),
    }
    refuse(store, packed(agreeing(members | {SLOT: save(tensors)})), match="65 cells")


def header_of(slot: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file, and its data."""
    length = int.from_bytes(slot[:8], "little")
    return json.loads(slot[8 : 8 + length]), slot[8 + length :]


def with_header(header: bytes, data: bytes, length: int | None = None) -> bytes:
    """A safetensors file with this header."""
    size = len(header) if length is None else length
    return size.to_bytes(8, "little") + header + data


def test_headers_of_tensors(store: Store, members: Members) -> None:
    header, data = header_of(members[SLOT])
    keys = header["keys"]
    bad: list[bytes] = [
        with_header(json.dumps(header).encode(), data, 1 << 62),
        with_header(json.dumps(header).encode(), data + b"tail"),
        with_header(json.dumps(header).encode(), data[:-1]),
        with_header(b"[]", data),
        with_header(b"{" * 5000, data),
        with_header(json.dumps(header).encode() + b" " * 200_000, data),
        b"1234",
    ]
    for change in [
        {"data_offsets": [0, 10**15]}, {"data_offsets": [-1, 5]}, {"data_offsets": [0]},
        {"data_offsets": header["values"]["data_offsets"]}, {"shape": [16, -8]},
        {"shape": [True, 8]}, {"shape": "16,8"}, {"shape": [2**47, 2**47]}, {"dtype": "F99"},
        {"dtype": 16}, {"more": 1},
    ]:  # fmt: skip
        bad.append(with_header(json.dumps(header | {"keys": keys | change}).encode(), data))
    bad.append(with_header(json.dumps(header | {"__metadata__": {"a": 1}}).encode(), data))
    bad.append(with_header(json.dumps(header).encode().replace(b'"keys"', b'"values"'), data))
    for slot in bad:
        refuse(store, packed(agreeing(members | {SLOT: slot})))


@pytest.mark.parametrize("dtype", ["BF16", "F32", "F64", "BOOL"])
def test_values_of_every_format(dtype: str, tmp_path: Path) -> None:
    spec = SlotSpec({"a": TensorSpec(dtype, ("n",))})
    good = {"BF16": 0x7F7F, "F32": 0x7F7FFFFF, "F64": 0x7FEFFFFFFFFFFFFF, "BOOL": 1}[dtype]
    bad = {"BF16": 0xFF80, "F32": 0x7FC00000, "F64": 0xFFF0000000000000, "BOOL": 2}[dtype]
    width = {"BF16": 2, "F32": 4, "F64": 8, "BOOL": 1}[dtype]
    for value, fine in ((good, True), (bad, False)):
        data = (0).to_bytes(width, "little") * 2 + value.to_bytes(width, "little")
        header = {"a": {"dtype": dtype, "shape": [3], "data_offsets": [0, 3 * width]}}
        path = tmp_path / f"{value}"
        path.write_bytes(with_header(json.dumps(header).encode(), data))
        if fine:
            check_slot(path, spec, set())
        else:
            with pytest.raises(ValueError, match="finite|neither"):
                check_slot(path, spec, set())
