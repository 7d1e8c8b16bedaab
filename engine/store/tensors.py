"""Is a slot file what the model expects? Looked at as bytes, without torch.

The format is safetensors: eight bytes (little-endian) with the length of the header, the header in
JSON (name -> dtype, shape, begin and end in the data), then the data, without gaps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from engine.store.rows import parse_object

MAX_HEADER = 100_000
"""Bytes; a slot has a handful of tensors."""

_CHUNK = 1 << 20  # elements looked at in one go
_LARGEST = 1 << 32

_SIZES = {
    "BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "U32": 4, "I32": 4, "U64": 8, "I64": 8,
    "F16": 2, "BF16": 2, "F32": 4, "F64": 8,
}  # fmt: skip

# A floating-point number is infinite or none if all its exponent's bits are set.
_EXPONENTS = {
    "F16": 0x7C00,
    "BF16": 0x7F80,
    "F32": 0x7F800000,
    "F64": 0x7FF0000000000000,
}
_INTEGERS = {"U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64"}


@dataclass(frozen=True)
class TensorSpec:
    """What one tensor has to be.

    Attributes:
        dtype: safetensors' word: "F16", "BF16", "F32", "F64", "I64", "I32", "U8", "BOOL", ...
        shape: an exact size, or a name ("cells") that stands for the same size in all tensors.
    """

    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class SlotSpec:
    """What a slot file has to hold: exactly these tensors.

    Attributes:
        tensors: by name.
        largest: the greatest size each named dimension may have.
        owners: the integer tensor whose values are note ids or 0 (free), "" where there is none;
            every id in it has to be a note of the archive's ledger.
    """

    tensors: Mapping[str, TensorSpec]
    largest: Mapping[str, int] = field(default_factory=dict)
    owners: str = ""

    @property
    def max_bytes(self) -> int:
        """The greatest size of a slot file that fits."""
        data = 0
        for tensor in self.tensors.values():
            sizes = (
                size if isinstance(size, int) else self.largest.get(size, _LARGEST)
                for size in tensor.shape
            )
            data += _SIZES[tensor.dtype] * math.prod(sizes)
        return 8 + MAX_HEADER + data


@dataclass(frozen=True)
class _Entry:
    """A tensor as the header has it; begin and end in bytes from the start of the data."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def check_slot(path: Path, spec: SlotSpec, note_ids: AbstractSet[int]) -> None:
    """Check a slot file of any origin: names, shapes, dtypes, finiteness, owners.

    Args:
        note_ids: the notes that may own cells.

    Raises:
        ValueError: it is not what `spec` says; says what is wrong.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        entries, start = _read_header(file, size)
        _check_names_and_shapes(entries, spec)
        _check_layout(entries, size - start)
        for entry in entries:
            owners = note_ids if entry.name == spec.owners else None
            _check_values(file, start, entry, owners)


def _read_header(file: BinaryIO, size: int) -> tuple[list[_Entry], int]:
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(MAX_HEADER, size - 8):
        raise ValueError("the slot file has no valid header")
    header = parse_object(file.read(length), "the header of the slot file")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("the header of the slot file is not valid")
    return [_entry(name, values) for name, values in header.items()], 8 + length


def _entry(name: str, values: Any) -> _Entry:
    if not isinstance(values, dict) or set(values) != {"dtype", "shape", "data_offsets"}:
        raise ValueError("the header of the slot file is not valid")
    dtype, shape, offsets = values["dtype"], values["shape"], values["data_offsets"]
    if not isinstance(dtype, str) or not _are_sizes(shape) or not _are_sizes(offsets):
        raise ValueError("the header of the slot file is not valid")
    if len(offsets) != 2:
        raise ValueError("the header of the slot file is not valid")
    return _Entry(name, dtype, tuple(shape), offsets[0], offsets[1])


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(
        type(value) is int and 0 <= value < 1 << 48 for value in values
    )


def _check_names_and_shapes(entries: list[_Entry], spec: SlotSpec) -> None:
    missing = spec.tensors.keys() - {entry.name for entry in entries}
    if missing:
        raise ValueError(f"the slot file lacks the tensor {min(missing)}")
    sizes: dict[str, int] = {}
    for entry in entries:
        wanted = spec.tensors.get(entry.name)
        if wanted is None:
            raise ValueError("the slot file has a tensor that does not belong there")
        if entry.dtype != wanted.dtype:
            raise ValueError(f"the tensor {entry.name} has the wrong number format")
        if len(entry.shape) != len(wanted.shape):
            raise ValueError(f"the tensor {entry.name} has the wrong shape")
        for size, pattern in zip(entry.shape, wanted.shape, strict=True):
            if isinstance(pattern, str):
                if size > spec.largest.get(pattern, _LARGEST):
                    raise ValueError(f"the slot file has {size} {pattern}")
                pattern = sizes.setdefault(pattern, size)
            if size != pattern:
                raise ValueError(f"the tensor {entry.name} has the wrong shape")


def _check_layout(entries: list[_Entry], data: int) -> None:
    """Every byte of the data belongs to exactly one tensor."""
    at = 0
    for entry in sorted(entries, key=lambda each: (each.begin, each.end)):
        if entry.begin != at or entry.end - at != _SIZES[entry.dtype] * math.prod(entry.shape):
            raise ValueError("the tensors of the slot file overlap or have gaps")
        at = entry.end
    if at != data:
        raise ValueError("the slot file is cut short or has something at its end")


def _check_values(
    file: BinaryIO, start: int, entry: _Entry, note_ids: AbstractSet[int] | None
) -> None:
    width = _SIZES[entry.dtype]
    kind = "i" if entry.dtype.startswith("I") else "u"
    left = (entry.end - entry.begin) // width
    allowed = None if note_ids is None else np.array(sorted({0, *note_ids}), dtype=np.int64)
    file.seek(start + entry.begin)
    while left:
        count = min(left, _CHUNK)
        data = file.read(count * width)
        if len(data) != count * width:
            raise ValueError("the slot file is cut short")
        _check_chunk(np.frombuffer(data, dtype=f"<{kind}{width}"), entry, allowed)
        left -= count


def _check_chunk(
    values: npt.NDArray[Any], entry: _Entry, allowed: npt.NDArray[np.int64] | None
) -> None:
    exponent = _EXPONENTS.get(entry.dtype)
    if exponent is not None:
        mask = values.dtype.type(exponent)
        if bool(np.any((values & mask) == mask)):
            raise ValueError(f"the tensor {entry.name} has values that are not finite")
    if entry.dtype == "BOOL" and bool(np.any(values > 1)):
        raise ValueError(f"the tensor {entry.name} has values that are neither true nor false")
    if allowed is not None:
        if entry.dtype not in _INTEGERS:
            raise ValueError(f"the tensor {entry.name} does not hold note numbers")
        if not bool(np.all(np.isin(values, allowed))):
            raise ValueError("the slot file has cells of notes that the ledger does not know")
