"""What a reader makes of a file: the note's words and where they stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A run of text under one heading path.

    Attributes:
        headings: the headings above, outermost first; () before the first heading.
        text: the text, line structure kept (list items, ``key: value`` lines and table rows stay
            lines of their own), inline markup (emphasis, links, code ticks) removed.
    """

    headings: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class NoteText:
    """A note as read from its file.

    Attributes:
        title: the note's first heading or front-matter title, else the file's name in words.
        fields: front matter and other key-value metadata, in order.
        sections: the body, in order; none of them empty.
    """

    title: str
    fields: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
