"""Markdown: the words and the lines survive, the markup does not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.notes.readers import markdown
from engine.notes.text import NoteText, Section


def read(text: str, name: str = "some-note.md") -> NoteText:
    return markdown.read_text(text, name)


def body(text: str) -> str:
    """The text of a note that has one section without headings."""
    (section,) = read(text).sections
    assert section.headings == ()
    return section.text


def test_headings_make_paths_and_leave_the_text() -> None:
    note = read("# Trip\nintro\n## Day 1 ##\nwalk\n### Hut {#hut}\nsoup\n## Day *2*\nrest\n")
    assert note.title == "Trip"
    assert note.sections == (
        Section(("Trip",), "intro"),
        Section(("Trip", "Day 1"), "walk"),
        Section(("Trip", "Day 1", "Hut"), "soup"),
        Section(("Trip", "Day 2"), "rest"),
    )


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Soup\n\nLeeks.", "Soup"),
        ("Soup\n====\n\nLeeks.", "Soup"),
        ("## Soup\n\nLeeks.", "Soup"),
        ("12 May\n# Soup\n\nLeeks.", "Soup"),
        ("---\ntitle: Broth\n---\n# Soup\n\nLeeks.", "Broth"),
        ("Soup of the day\n\nLeeks and cream.", "Soup of the day"),
        ("Soup of the day.\n\nLeeks and cream.", "some note"),  # a sentence
        ("Soup of the day\nLeeks and cream.", "some note"),  # no blank line
        ("- soup\n\n- bread", "some note"),
        ("# Monday\n\nSoup.\n\n# Tuesday\n\nBread.", "some note"),  # neither is the whole note's
        ("Buy soup", "some note"),
    ],
)
def test_title(text: str, title: str) -> None:
    assert read(text).title == title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("plum_cake.md", "plum cake"),
        ("01-plum-cake.md", "plum cake"),
        ("2024-05-12 plum-cake.md", "2024-05-12 plum cake"),
        ("sub/plum.md", "plum"),
        ("bad\nname\udcff.md", "bad name?"),
        ("a\u202eb.md", "a b"),
    ],
)
def test_title_from_the_name(name: str, title: str) -> None:
    assert read("some words", name).title == title


def test_a_heading_with_nothing_under_it_keeps_its_words() -> None:
    note = read("# To do\n\n## Call Bram at five\n\n## Call Oda\n\nabout the boat\n\n## Sweep\n")
    said = [(section.headings, section.text) for section in note.sections]
    assert said == [
        (("To do",), "Call Bram at five"),
        (("To do", "Call Oda"), "about the boat"),
        (("To do",), "Sweep"),
    ]
    assert read("# Call Bram at five").sections == (Section((), "Call Bram at five"),)


def test_front_matter_is_kept_as_written() -> None:
    note = read(
        "---\ntitle: Rowing\ndate: 2024-05-12\ncode: 0417\ntags: [boat, club]\n"
        "people:\n  cox: Oda\n  bow:\n    - Bram\n    - Tess\nquiet: yes\nempty:\n---\nWe rowed."
    )
    assert note.title == "Rowing"
    assert note.fields == (
        ("date", "2024-05-12"),
        ("code", "0417"),
        ("tags", "boat, club"),
        ("people cox", "Oda"),
        ("people bow", "Bram, Tess"),
        ("quiet", "yes"),
    )
    assert note.sections == (Section((), "We rowed."),)


def test_toml_front_matter() -> None:
    note = read('+++\ntitle = "Rowing"\nboats = 3\ntags = ["a", "b"]\n+++\nWe rowed.')
    assert note == NoteText("Rowing", (("boats", "3"), ("tags", "a, b")), note.sections)


def test_front_matter_that_is_not_quite_yaml() -> None:
    note = read("---\nnote: see: the shed\nwho: @bram\n---\nbody")
    assert note.fields == (("note", "see: the shed"), ("who", "@bram"))


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nWe rowed home, all of us.\n\n---\n\nThe end of it.",
        "---\n- a list\n---\nrest",
        "---\nnever closed: yes\nmore words",
    ],
)
def test_what_only_looks_like_front_matter_is_text(text: str) -> None:
    note = read(text)
    assert note.fields == ()
    said = " ".join([note.title, *(section.text for section in note.sections)])
    for word in text.replace("-", " ").split():
        assert word in said


def test_front_matter_does_not_expand_aliases() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for letter, before in zip("bcdefghij", "abcdefghi", strict=True):
        bomb += f"{letter}: &{letter} [" + ",".join([f"*{before}"] * 9) + "]\n"
    note = read(f"---\n{bomb}---\nbody")
    assert sum(len(value) for _, value in note.fields) < 1000
    assert note.sections[-1].text.endswith("body")


@pytest.mark.parametrize(
    ("marked", "bare"),
    [
        ("**bold** and *thin* and __wide__ and _low_", "bold and thin and wide and low"),
        ("***both***, **a *b* c**", "both, a b c"),
        ("**over\ntwo lines**", "over\ntwo lines"),
        ("2*3*4 and 5 * 6 * 7", "2*3*4 and 5 * 6 * 7"),
        ("snake_case_name and __init__.py?", "snake_case_name and init.py?"),
        ("`code_with_*stars*` and ``a ` tick``", "code_with_*stars* and a ` tick"),
        ("[the map](http://x.org/a_b_(c) 'Map')", "the map"),
        ("[](http://x.org)", "http://x.org"),
        ("![a grey cat](cat.png)", "a grey cat"),
        ("[![cat](c.png)](http://x.org)", "cat"),
        ("[map][1] here\n\n[1]: http://x.org", "map here"),
        ("see [[Boat house|the shed]] and [[Oda]]", "see the shed and Oda"),
        ("<https://x.org/a_b_c> <oda@x.org>", "https://x.org/a_b_c oda@x.org"),
        ("https://x.org/_a_/b", "https://x.org/_a_/b"),
        ("ham &amp; eggs &copy;", "ham & eggs ©"),
        (r"\*not thin\* \# \[x\]", "*not thin* # [x]"),
        ("H<sub>2</sub>O <3 <name>", "H2O <3 <name>"),
        ("at ~~nine~~ ten", "at (crossed out: nine) ten"),
        ("==seen== x == y", "seen x == y"),
        ("salt.[^1]\n\n[^1]: from Bay Isle", "salt.\n\nfrom Bay Isle"),
        ("lonely ** star and ` tick and [ bracket", "lonely ** star and ` tick and [ bracket"),
        ("a line  \nanother\\\nthird", "a line\nanother\nthird"),
        ("words ^abc123", "words"),
        ("before <!-- a\nsecret --> after", "before  after"),
        ("`&#xE000;0&#xE001;` &#xE000;9&#xE001;", "&#xE000;0&#xE001; "),
        ("5 > 3 & a | b", "5 > 3 & a | b"),
    ],
)
def test_inline_markup(marked: str, bare: str) -> None:
    assert body(marked).split() == bare.split()
    assert body(marked).count("\n") == bare.count("\n")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("* a\n+ b\n- c\n  - d", ["- a", "- b", "- c", "- d"]),
        ("1. a\n2) b\n10. c", ["1. a", "2. b", "10. c"]),
        ("- [ ] milk\n- [x] eggs\n* [X] ham\n- [-] tea", [
            "- to do: milk", "- done: eggs", "- done: ham", "- cancelled: tea"]),
        ("- ~~milk~~\n- ~~milk~~ eggs", ["- done: milk", "- (crossed out: milk) eggs"]),
        ("- a long item\n  goes on\n- b", ["- a long item goes on", "- b"]),
        ("- Oda\n  phone: 12\n  mail: x", ["- Oda", "phone: 12", "mail: x"]),
        ("Phone: 12\nMail: x\n**Room:** 7", ["Phone: 12", "Mail: x", "Room: 7"]),
        ("Room:: 7", ["Room: 7"]),
        ("Oar\n: a thing for rowing", ["Oar: a thing for rowing"]),
        ("> said Oda.\n>\n> > and Bram", ["said Oda.", "", "and Bram"]),
        ("> [!note] Tides\n> high at six", ["Tides", "high at six"]),
        ("> - a\n> - b", ["- a", "- b"]),
        ("one.\n\n***\n\ntwo\n- - -\nthree", ["one.", "", "two", "", "three"]),
        ("#tag and #other", ["#tag and #other"]),
        ("```python\nx = *y*  # no heading\n# really\n```", ["x = *y*  # no heading", "# really"]),
        ("~~~\nnever closed", ["never closed"]),
        ("first line\n- item\n---\nnext", ["first line", "- item", "", "next"]),
    ],
)  # fmt: skip
def test_lines(text: str, lines: list[str]) -> None:
    assert body(text).split("\n") == lines


def test_tables_become_rows() -> None:
    text = (
        "Boats\n\n| Boat | **Seats** | Who |\n|:-----|--:|---|\n| Heron | 4 | [Oda](x) |\n"
        "| Teal |  | `a|b` \\| c |\n\nName | Age\n--- | ---\nBram | 41\nno pipe ends it"
    )
    assert read(text).sections[0].text.split("\n") == [
        "Boat | Seats | Who",
        "Heron | 4 | Oda",
        "Teal |  | a|b | c",
        "",
        "Name | Age",
        "Bram | 41",
        "no pipe ends it",
    ]


def test_wrapped_paragraphs_are_joined_and_verses_are_not() -> None:
    wrapped = (
        "The boat house key hangs behind the second door on the left side of the\n"
        "corridor, which Oda painted green in the spring of the year before last, and\n"
        "nobody has moved it since."
    )
    assert body(wrapped) == wrapped.replace("\n", " ")
    verse = "The boat is low\nthe tide is slow\nand home we go"
    assert body(verse) == verse
    facts = (
        "Flour: eleven sacks of the fine white kind are left, so order before Thursday noon.\n"
        "The label printer eats every fourth label. Peel slowly. A new one comes in week 40."
    )
    assert body(facts) == facts


def test_odd_characters() -> None:
    assert body("\ufeffa\u00a0b\u200bc\u00ad d\r\ne\rf") == "a bc d\ne\nf"
    assert body("Zoe\u0308 found the o\ufb03ce") == "Zoë found the office"


WORDS = st.text(alphabet="abcdefghij ", min_size=1, max_size=12).filter(str.strip)
MARKED = st.builds(
    lambda start, words, mark, end: start + mark + words.strip() + mark + end,
    st.sampled_from(["", "# ", "- ", "> ", "1. ", "| ", "  ", "- [x] ", "\n"]),
    WORDS,
    st.sampled_from(["", "*", "**", "`", "_", "~~", "=="]),
    st.sampled_from(["\n", "\n\n", " |\n", "  \n", "\n---\n", "\n===\n"]),
)


@given(st.lists(MARKED, max_size=12))
def test_no_word_is_lost(pieces: list[str]) -> None:
    text = "".join(pieces)
    note = read(text)
    said = [note.title, *(" ".join([*s.headings, s.text]) for s in note.sections)]
    kept = set(re.split(r"[^a-j]+", " ".join(said)))
    for piece in pieces:
        for word in piece.replace("[x]", " ").split():
            bare = word.strip("*`_~=#->|.1")  # these may be markup
            assert not bare or bare in kept


HARD = "*_`~=[]()!<>&\\|#-+:;\n ax1\ue000\ue001\"'{}^@./"


@given(st.text(alphabet=st.sampled_from(HARD), max_size=300))
def test_any_text_is_read(text: str) -> None:
    note = read(text)
    assert note.title
    assert all(section.text.strip() == section.text != "" for section in note.sections)
    assert read(text) == note


@pytest.mark.parametrize(
    "piece",
    ["*", "**a ", "[", "[a](", "![", "`", "`` ` ", "<a ", "<!--", "~~a", "\\", "[[", "(", "# ",
     "- ", "| ", "|-", "&amp", "]:", "> ", " ", "\t", "\n\n", "  a\n", "- a\n  b\n", ": a\n", "_a_",
     "a\n---\n", "[^a]", "```\n", "\ue000", "::", " ^a", "{#", "==", "[a][", "<b", "](a(b)"],
)  # fmt: skip
def test_half_a_megabyte_of_anything_is_read(piece: str) -> None:
    # Quadratic reading of these would take hours, not the test's usual fraction of a second.
    read("x\n" + piece * (500_000 // len(piece)))
