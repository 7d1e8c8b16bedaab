"""Words for facts, and names that cannot mislead."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import wording
from engine.api import Note, NoteState

quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@quick
@given(st.text(st.characters(), max_size=60))
def test_a_shown_name_has_nothing_invisible(name: str) -> None:
    for c in wording.shown(name):
        assert unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp", "Cn", "Co")
        assert unicodedata.category(c) != "Cf" or c in "\u200c\u200d"


def test_overrides_newlines_and_lost_bytes_are_written_out() -> None:
    assert wording.shown("invoice\u202egpj.md") == "invoice\\u{202e}gpj.md"
    assert wording.shown("a\nb\t\x1b[31m") == "a\\nb\\t\\x1b[31m"
    assert wording.shown(b"caf\xe9.md".decode("utf-8", "surrogateescape")) == "caf\\xe9.md"
    assert wording.shown("Grüße, 東京.md") == "Grüße, 東京.md"


@quick
@given(st.text(min_size=1, max_size=40))
def test_a_tooltip_is_never_read_as_markup(text: str) -> None:
    from html.parser import HTMLParser

    tags: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            tags.append(tag)

    Parser().feed(wording.tip(text))
    assert tags == ["qt", "p"]
    assert wording.tip(text).startswith("<qt>")  # which makes Qt read the rest as escaped


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100"), (0.997, "99"), (0.29, "29"), (0.0, "0"), (1.7, "100"), (-0.2, "0")],
)
def test_per_cent_never_rounds_up(share: float, words: str) -> None:
    assert wording.percent(share) == f"{words}\u00a0%"


def test_not_a_number_is_not_a_figure() -> None:
    assert wording.percent(float("nan")) == "?"


@pytest.mark.parametrize(
    ("took", "words"),
    [
        (0.42, "0.42 s"),
        (3.14159, "3.1 s"),
        (12.4, "12 s"),
        (59.9, "1 min"),
        (61, "1 min"),
        (4210, "1 h 10 min"),
        (7200, "2 h"),
    ],
)
def test_durations(took: float, words: str) -> None:
    assert wording.seconds(took).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("passed", "words"), [(5, "now"), (130, "2 min"), (7300, "2 h"), (3 * 86400, "3 d")]
)
def test_ages(passed: float, words: str) -> None:
    assert wording.age(1_770_000_000, 1_770_000_000 + passed).replace("\u00a0", " ") == words


def test_an_old_age_is_a_date_and_the_future_is_now() -> None:
    assert wording.age(1_770_000_000, 1_770_000_000 + 90 * 86400) == "2 Feb 2026"
    assert wording.age(1_770_000_100, 1_770_000_000) == "now"


def test_every_state_has_words() -> None:
    words = {wording.state(Note(1, "a.md", state)) for state in NoteState}
    assert len(words) == len(NoteState)
    assert wording.state(Note(1, "a.md", NoteState.WRITING, step=3, steps=40)) == "writing 3/40"
