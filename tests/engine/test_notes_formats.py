"""The other formats: plain text, Org, reStructuredText, HTML, PDF, DOCX; and the registry."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api import InputError, Settings
from engine.notes.read import read_bytes
from engine.notes.readers import html, org, plain, rst
from engine.notes.readers.encoding import decode
from engine.notes.readers.registry import format_of, formats
from engine.notes.skip import NoteSkipped, SkipReason
from engine.notes.text import NoteText, Section
from tests import note_files


def lines(note: NoteText, section: int = 0) -> list[str]:
    return note.sections[section].text.split("\n")


# --- the registry --------------------------------------------------------------------------------


def test_every_format_of_the_settings_has_a_reader() -> None:
    assert set(Settings().formats) <= set(formats())
    assert format_of("A NOTE.MD") is format_of("a note.md") is not None
    assert format_of("note.exe") is None
    assert format_of(".md") is None


def test_parsers_that_can_be_led_astray_are_isolated() -> None:
    isolated = {ending for ending, found in formats().items() if found.isolated}
    assert {".pdf", ".docx", ".html", ".htm", ".rst"} <= isolated
    assert not isolated & {".md", ".txt", ".org"}


# --- encodings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"]
)
def test_encodings(encoding: str) -> None:
    assert decode("Größe: 5 €, naïve".encode(encoding)) == "Größe: 5 €, naïve"


def test_utf_16_in_both_orders() -> None:
    assert decode(b"\xff\xfea\x00\xe9\x00") == decode(b"\xfe\xff\x00a\x00\xe9") == "aé"


def test_utf_8_cut_in_the_middle_of_a_character() -> None:
    assert decode("naïve Größe".encode()[:3]) == "na"
    assert decode("Oda €".encode()[:-1]) == "Oda "


def test_bytes_without_a_meaning_do_not_stop_reading() -> None:
    assert decode(b"caf\x81\xe9") == "caf\ufffdé"


@pytest.mark.parametrize(
    "data", [b"MZ\x90\x00\x03\x00", b"text\x00", bytes(range(1, 32)) * 9, b"\x1b\x01\x02\x03" * 40]
)
def test_binary_is_skipped(data: bytes) -> None:
    with pytest.raises(NoteSkipped) as caught:
        decode(data)
    assert caught.value.reason is SkipReason.BINARY
    assert isinstance(caught.value, InputError)


def test_a_stray_control_character_is_forgiven() -> None:
    assert decode(b"one\x0ctwo\x08" + b" words" * 50).startswith("one\x0ctwo  words")


# --- plain text ----------------------------------------------------------------------------------


def test_plain_text_is_one_section_with_a_title() -> None:
    text = "Boat house\n\nKey: 12\n* oars\n\n# not a heading\n2) rope\n----\nx"
    note = plain.read_text(text, "n.txt")
    assert note == NoteText(
        "Boat house",
        (),
        (Section((), "Key: 12\n- oars\n\n# not a heading\n2. rope\n\nx"),),
    )


def test_plain_text_keeps_its_stars() -> None:
    assert lines(plain.read_text("2*3*4 *really* [x](y)", "n.txt")) == ["2*3*4 *really* [x](y)"]


def test_plain_text_tick_boxes() -> None:
    note = plain.read_text("[ ] milk\n- [x] eggs\n☐ tea\n☑ ham\n✓ jam", "n.txt")
    assert lines(note) == [
        "- to do: milk", "- done: eggs", "- to do: tea", "- done: ham", "- done: jam"
    ]  # fmt: skip


# --- Org -----------------------------------------------------------------------------------------

ORG = """#+TITLE: Harbour
#+FILETAGS: :boat:club:
#+OPTIONS: toc:nil
Some *bold*, /thin/, =code=, [[https://x.org][a map]] and +old+.[fn:1]
* TODO [#A] Call Bram :phone:home:
SCHEDULED: <2024-05-01 Wed 10:00>
:PROPERTIES:
:Effort: 2h
:ID: 1234
:END:
:LOGBOOK:
CLOCK: [2024-05-01 Wed 10:00]
:END:
- [X] tent
- [-] stove
  with gas
- oar :: a thing for rowing
# a comment
** Berths [1/2]
| Berth | Boat  |
|-------+-------|
| 3     | Heron |
#+BEGIN_SRC sh
echo *x*
#+END_SRC
* DONE Sweep
"""


def test_org() -> None:
    note = org.read_text(ORG, "harbour.org")
    assert note.title == "Harbour"
    assert note.fields == (("filetags", "boat:club"),)
    assert [(section.headings, section.text) for section in note.sections] == [
        ((), "Some bold, thin, code, a map and (crossed out: old)."),
        (
            ("to do: Call Bram",),
            "tags: phone, home\n\nscheduled: 2024-05-01 Wed 10:00\neffort: 2h\n- done: tent\n"
            "- to do: stove with gas\n- oar: a thing for rowing",
        ),
        (("to do: Call Bram", "Berths"), "Berth | Boat\n3 | Heron\necho *x*"),
        ((), "done: Sweep"),
    ]


def test_org_emphasis_needs_room() -> None:
    text = "*a /b/ c* 2*3*4 a/b/c http://x.org/a_b_c/ +a +b+ _f_. */both/*"
    expected = "a b c 2*3*4 a/b/c http://x.org/a_b_c/ (crossed out: a +b) f. both"
    assert lines(org.read_text(text, "n.org")) == [expected]


# --- reStructuredText ----------------------------------------------------------------------------

RST = """
Garden
======

:author: Tess
:date: 3 May

The bed by the *wall* is ``fenced``, see `the plan <http://x.org>`_ and :doc:`the shed </shed>`, |b|
and the tap is off.

Beds
----

- Carrots
- Leeks

  - late ones

3. dig
4. sow

.. note:: Water by eight.

.. todo::
   :class: x

   Ask Bram.

=====  =====
Bed    Crop
=====  =====
1      Beans
=====  =====

Tilth
  fine soil

:spade: in the shed

| one
| two

.. a comment

.. |b| replace:: The gate
.. include:: /etc/hostname
.. raw:: html

   <b>raw</b>
"""


def test_rst() -> None:
    note = rst.read_text(RST, "garden.rst")
    assert note.title == "Garden"
    assert note.fields == (("author", "Tess"), ("date", "3 May"))
    assert note.sections[0] == Section(
        ("Garden",),
        "The bed by the wall is fenced, see the plan and the shed, The gate and the tap is off.",
    )
    assert note.sections[1].headings == ("Garden", "Beds")
    assert [line for line in lines(note, 1) if line] == [
        "- Carrots",
        "- Leeks",
        "- late ones",
        "3. dig",
        "4. sow",
        "Water by eight.",
        "Ask Bram.",
        "Bed | Crop",
        "1 | Beans",
        "Tilth: fine soil",
        "spade: in the shed",
        "one",
        "two",
    ]


# --- HTML ----------------------------------------------------------------------------------------

HTML = b"""<!doctype html><html><head><title>Boats</title><meta charset="utf-8">
<meta name="author" content="Tess"><style>p {x: y}</style></head><body>
<nav>Home | About</nav><h1>Our <em>boats</em></h1>
<p>Ham &amp; eggs at
   <a href="x">nine</a><br>or ten</p>
<ul><li>one<ul><li>inner</li></ul></li><li><p>two</p></li></ul>
<ol start="3"><li>three<li>four</ol>
<table><thead><tr><th>Boat</th><th>Seats</th></tr></thead>
<tr><td>Heron</td><td><p>4</p><p>5</p></td></tr></table>
<dl><dt>Oar</dt><dd>for rowing</dd></dl>
<h2>Sub</h2><div>a<div>b</div></div><pre>x
 y</pre><script>alert("never")</script><div hidden>unseen</div>
<li><input type="checkbox" checked>milk</li><p>at <del>nine</del> ten <img alt="a cat" src="c"></p>
</body></html>"""


def test_html() -> None:
    note = html.read(HTML, "boats.html")
    assert (note.title, note.fields) == ("Boats", (("author", "Tess"),))
    assert [section.headings for section in note.sections] == [
        ("Our boats",),
        ("Our boats", "Sub"),
    ]
    assert [line for line in lines(note) if line] == [
        "Ham & eggs at nine", "or ten", "- one", "- inner", "- two", "3. three", "4. four",
        "Boat | Seats", "Heron | 4 5", "Oar: for rowing",
    ]  # fmt: skip
    assert [line for line in lines(note, 1) if line] == [
        "a", "b", "x", "y", "- done: milk", "at (crossed out: nine) ten a cat"
    ]  # fmt: skip


def test_html_in_the_encoding_it_names() -> None:
    page = '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2"><p>Łódź</p>'
    assert lines(html.read(page.encode("iso-8859-2"), "n.html")) == ["Łódź"]


def test_html_that_is_broken_keeps_its_words() -> None:
    note = html.read(b"<p>one<table><td>two</p><li>three</ul></h2><b>four", "n.html")
    assert note.title == "one"
    assert re.findall(r"\w+", note.sections[0].text) == ["two", "three", "four"]


# --- through the child process -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("harbour.pdf", note_files.pdf([["Berth: 12"]]), "Berth: 12"),
        ("harbour.docx", note_files.docx(note_files.paragraph("Berth: 12")), "Berth: 12"),
        ("harbour.rst", b"Berth: *12*\n", "Berth: 12"),
        ("harbour.html", b"<p>Berth: <b>12</b>", "Berth: 12"),
        ("harbour\udcff.html", "<p>Grüße \U0001f600".encode(), "Grüße \U0001f600"),
        ("harbour.md", b"Berth: **12**", "Berth: 12"),
    ],
)
def test_reading_bytes_of_any_format(name: str, data: bytes, word: str) -> None:
    note = read_bytes(data, name)
    assert lines(note) == [word]
    assert note.title.startswith("harbour")


# --- anything ------------------------------------------------------------------------------------

HARD = "*_`~=[]()!<>&\\|#-+:;. \n\tax1\"'{}^@/" + "☐ \ufe0f"
READERS: dict[str, Callable[[str, str], NoteText]] = {
    "a.txt": plain.read_text,
    "a.org": org.read_text,
    "a.rst": rst.read_text,
    "a.html": lambda text, name: html.read(text.encode(), name),
}


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from(HARD), max_size=200), st.sampled_from(sorted(READERS)))
def test_any_text_is_read(text: str, name: str) -> None:
    note = READERS[name](text, name)
    assert note.title
    assert all(section.text.strip() == section.text != "" for section in note.sections)


@pytest.mark.parametrize(
    "piece",
    ["*", "* a\n", "** ", "[[", "[[a][", "[fn:", "<2024-01-01", "|", "- a\n  b\n", ":a:\n", "+a ",
     " ", "#+begin_src\n", ":: ", "_a", "\t", "1) ", "[ ] ", "<p>", "<td>", "<li>", "<h1>", "&",
     "<ul>"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.txt", "a.org", "a.html"])
def test_half_a_megabyte_of_anything_is_read(name: str, piece: str) -> None:
    # Quadratic reading of these would take hours, not the test's usual fraction of a second.
    READERS[name]("x\n" + piece * (500_000 // len(piece)), name)
