"""The metadata block on top of a Markdown file: YAML between ``---``, TOML between ``+++``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_YAML = re.compile(r"\s*---[ \t]*\n(.*?)(?:\n|^)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\s*\+\+\+[ \t]*\n(.*?)\n\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)
_LONGEST = 65_536
_DEEPEST = 8
_MOST_FIELDS = 500
_SIMPLE = re.compile(r"([^\W\d][\w .-]{0,60}):(?:\s+(.*))?$")
"""A ``key: value`` line, for front matter that is not quite YAML."""


class _PlainLoader(yaml.BaseLoader):
    """Reads scalars as they are written, and no aliases (they can grow without bound)."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node.

        Raises:
            ComposerError: at an alias.
        """
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(problem="aliases are not read")
        return super().compose_node(parent, index)


@dataclass(frozen=True)
class FrontMatter:
    """The metadata of a note: its title, if it gives one, and the other fields in order."""

    title: str = ""
    fields: tuple[tuple[str, str], ...] = ()


def split_front_matter(text: str) -> tuple[FrontMatter, str]:
    """Take the front matter off `text`.

    What only looks like front matter (text between two rules) stays in the body.

    Returns:
        The front matter and the body.
    """
    start = text.lstrip()[:3]
    if start == "---" and (match := _YAML.match(text)) and len(match[1]) <= _LONGEST:
        fields = _yaml_fields(match[1])
    elif start == "+++" and (match := _TOML.match(text)) and len(match[1]) <= _LONGEST:
        fields = _toml_fields(match[1])
    else:
        return FrontMatter(), text
    if fields is None:
        return FrontMatter(), text
    title = next((value for key, value in fields if key.lower() == "title"), "")
    rest = tuple((key, value) for key, value in fields if key.lower() != "title")
    return FrontMatter(title, rest), text[match.end() :]


def _yaml_fields(block: str) -> list[tuple[str, str]] | None:
    """Return the fields with their values as written (no dates or numbers made of them)."""
    try:
        root = yaml.compose(block, Loader=_PlainLoader)
    except (yaml.YAMLError, RecursionError):
        return _simple_fields(block)
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        return None
    return list(_flatten_node("", root, 0))[:_MOST_FIELDS]


def _flatten_node(key: str, node: yaml.Node, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(node, yaml.MappingNode) and depth < _DEEPEST:
        for name, value in node.value:
            words = name.value if isinstance(name, yaml.ScalarNode) else ""
            yield from _flatten_node(f"{key} {words}".strip(), value, depth + 1)
    elif value := _node_words(node, depth):
        yield key, value


def _node_words(node: yaml.Node, depth: int) -> str:
    if isinstance(node, yaml.ScalarNode):
        return " ".join(str(node.value).split())
    if depth >= _DEEPEST:
        return ""
    if isinstance(node, yaml.SequenceNode):
        return ", ".join(filter(None, (_node_words(part, depth + 1) for part in node.value)))
    pairs = ((_node_words(k, depth + 1), _node_words(v, depth + 1)) for k, v in node.value)
    return "; ".join(f"{key}: {value}" for key, value in pairs if value)


def _toml_fields(block: str) -> list[tuple[str, str]] | None:
    try:
        table = tomllib.loads(block)
    except (tomllib.TOMLDecodeError, RecursionError):
        return _simple_fields(block.replace(" = ", ": "))
    return list(_flatten_value("", table, 0))[:_MOST_FIELDS]


def _flatten_value(key: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth < _DEEPEST:
        for name, part in value.items():
            yield from _flatten_value(f"{key} {name}".strip(), part, depth + 1)
    elif isinstance(value, list):
        yield key, ", ".join(" ".join(str(part).split()) for part in value)
    else:
        yield key, " ".join(str(value).split())


def _simple_fields(block: str) -> list[tuple[str, str]] | None:
    """Read ``key: value`` lines one by one; None unless every line is one."""
    fields: list[tuple[str, str]] = []
    for line in block.split("\n"):
        if not line.strip():
            continue
        match = _SIMPLE.match(line.strip())
        if match is None:
            return None
        if match[2]:
            fields.append((match[1], match[2].strip().strip("\"'")))
    return fields
