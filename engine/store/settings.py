"""The settings file: `api.Settings` as JSON, written atomically, unknown keys kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any

from engine.api import Effort, OnDelete, Settings
from engine.store.atomic import Files, keep_copy, set_aside, write_atomically
from engine.store.errors import storage_errors
from engine.store.rows import parse_object

DEVICES = ("auto", "cpu", "cuda")
MAX_SIZE = 1 << 20


@dataclass(frozen=True)
class LoadedSettings:
    """The settings in force after reading the file.

    Attributes:
        problem: a sentence for a person where the file, or a value in it, could not be used.
    """

    settings: Settings
    problem: str = ""


class SettingsFile:
    """One settings file. Reading it changes nothing, except that a broken one is set aside."""

    def __init__(self, path: Path, files: Files | None = None) -> None:
        self._path = path
        self._files = files or Files()

    def load(self) -> LoadedSettings:
        """Read the settings; what the file does not say is as by default.

        A file that is no JSON is renamed to `.bad`. One with a value that cannot be used stays as
        it is until `save`, which keeps a copy; the default is in force for that value.

        Raises:
            StorageFailed: the file is there and cannot be read.
        """
        with storage_errors("read its settings"):
            try:
                values = self._read()
            except ValueError:
                bad = set_aside(self._files, self._path)
                return LoadedSettings(
                    Settings(),
                    f"The settings file was damaged and is now {bad.name}; the settings are back "
                    "at their defaults.",
                )
        known, unusable = _from_json(values)
        problem = ""
        if unusable:
            names = ", ".join(unusable)
            problem = f"The settings file has values that cannot be used, for: {names}."
        return LoadedSettings(Settings(**known), problem)

    def save(self, settings: Settings) -> None:
        """Put these settings into the file; keys that this version does not know stay.

        Raises:
            DiskFull, StorageFailed: the file is as it was.
        """
        with storage_errors("save its settings"):
            try:
                values = self._read()
                broken = bool(_from_json(values)[1])
            except ValueError:
                values, broken = {}, True
            if broken:
                keep_copy(self._files, self._path)
            values.update(_to_json(settings))
            data = json.dumps(values, indent=2, allow_nan=False) + "\n"
            self._files.make_folder(self._path.parent)
            write_atomically(self._files, self._path, data.encode("ascii"))

    def _read(self) -> dict[str, Any]:
        try:
            with open(self._path, "rb") as file:
                data = file.read(MAX_SIZE + 1)
        except FileNotFoundError:
            return {}
        if len(data) > MAX_SIZE:
            raise ValueError("the settings file is too large")
        return parse_object(data, "the settings file")


def _to_json(settings: Settings) -> dict[str, Any]:
    return {field.name: _plain(getattr(settings, field.name)) for field in fields(Settings)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _from_json(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The known settings among `values`, and the names of those whose values cannot be used."""
    known: dict[str, Any] = {}
    unusable: list[str] = []
    for field in fields(Settings):
        if field.name in values:
            try:
                known[field.name] = _usable(field.name, values[field.name])
            except ValueError:
                unusable.append(field.name)
    return known, unusable


def _usable(name: str, value: Any) -> Any:
    """The value of one setting. Raises: ValueError if it is none."""
    if name == "folder" and value is None:
        return None
    if name == "folder" and isinstance(value, str) and value and "\0" not in value:
        return Path(value)
    if name == "formats" and _are_suffixes(value):
        return tuple(value)
    if name == "on_delete":
        return OnDelete(value)
    if name == "effort":
        return Effort(value)
    if name == "device" and value in DEVICES:
        return value
    if isinstance(getattr(Settings, name, None), bool) and isinstance(value, bool):
        return value
    raise ValueError(f"{name} cannot be {value!r:.100}")


def _are_suffixes(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, str) and item.startswith(".") and len(item) < 32 for item in value
    )
