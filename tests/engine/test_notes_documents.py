"""PDF and DOCX: the words and lines of pages and documents."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.errors import DependencyError

from engine.notes.readers import docx, pdf
from engine.notes.skip import NoteSkipped, SkipReason
from engine.notes.text import NoteText
from tests import note_files


def lines(note: NoteText, section: int = 0) -> list[str]:
    return note.sections[section].text.split("\n")


# --- PDF -----------------------------------------------------------------------------------------


def test_pdf() -> None:
    data = note_files.pdf(
        [
            [
                "Harbour notes, spring",
                "The key of the boat house hangs behind the second door on the left, which",
                "Oda painted green, and the spare one is with Bram.",
                "Berth: 12",
                "- rope",
                "- a second oar",
                "1",
            ],
            ["Harbour notes, spring", "High tide is at 6.", "2"],
            ["Harbour notes, spring", "Low tide is at 12.", "3"],
        ],
        title="Tides and keys",
    )
    note = pdf.read(data, "harbour.pdf")
    assert note.title == "Tides and keys"
    assert [line for line in lines(note) if line] == [
        "Harbour notes, spring",
        "The key of the boat house hangs behind the second door on the left, which Oda painted"
        " green, and the spare one is with Bram.",
        "Berth: 12",
        "- rope",
        "- a second oar",
        "High tide is at 6.",
        "Low tide is at 12.",
    ]


def test_pdf_title_that_is_only_a_file_name() -> None:
    data = note_files.pdf([["Some words."]], title="Microsoft Word - x.doc")
    assert pdf.read(data, "tide-table.pdf").title == "tide table"


def test_pdf_without_text() -> None:
    with pytest.raises(NoteSkipped) as caught:
        pdf.read(note_files.pdf([[]]), "scan.pdf")
    assert caught.value.reason is SkipReason.NO_TEXT


def encrypted(user_password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(note_files.pdf([["Secret tides."]]))))
    writer.encrypt(user_password, "owner", algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_pdf_with_a_password() -> None:
    with pytest.raises(NoteSkipped) as caught:
        pdf.read(encrypted("tide"), "n.pdf")
    assert caught.value.reason is SkipReason.ENCRYPTED
    assert str(caught.value) == "This PDF is protected with a password."


def test_pdf_that_only_forbids_printing_is_read() -> None:
    assert lines(pdf.read(encrypted(""), "n.pdf")) == ["Secret tides."]


def test_pdf_in_a_cipher_that_is_not_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def decrypt(*_: object) -> int:
        raise DependencyError("cryptography is required")

    monkeypatch.setattr(PdfReader, "decrypt", decrypt)
    with pytest.raises(NoteSkipped) as caught:
        pdf.read(encrypted(""), "n.pdf")
    assert caught.value.reason is SkipReason.ENCRYPTED


# --- DOCX ----------------------------------------------------------------------------------------


def test_docx() -> None:
    p = note_files.paragraph
    body = (
        p("Harbour", "T")
        + p("Key: 12")
        + p("Berths", "H1")
        + p("rope", number="7")
        + p("oar", number="7")
        + p("first", number="8")
        + p("second", number="8")
        + p("Inner", "H2")
        + note_files.table([["Boat", "Seats"], ["Heron & Teal", "4"]])
        + "<w:p><w:r><w:t>at </w:t></w:r><w:del><w:r><w:delText>nine</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>ten</w:t></w:r></w:ins><w:r><w:br/></w:r><w:r><w:rPr><w:strike/></w:rPr>"
        "<w:t>old</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>"
        + p("☐ milk")
    )
    core = '<c xmlns:d="http://purl.org/dc/elements/1.1/"><d:creator>Tess</d:creator></c>'
    note = docx.read(note_files.docx(body, core=core), "harbour.docx")
    assert (note.title, note.fields) == ("Harbour", (("author", "Tess"),))
    assert [(section.headings, section.text) for section in note.sections] == [
        (("Harbour",), "Key: 12"),
        (("Harbour", "Berths"), "- rope\n- oar\n1. first\n2. second"),
        (
            ("Harbour", "Berths", "Inner"),
            "Boat | Seats\nHeron & Teal | 4\n\nat ten\n(crossed out: old)\n\n- to do: milk",
        ),
    ]


def test_docx_with_a_password_and_an_old_doc() -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)
    with pytest.raises(NoteSkipped) as caught:
        docx.read(ole + "EncryptedPackage".encode("utf-16-le"), "n.docx")
    assert caught.value.reason is SkipReason.ENCRYPTED
    with pytest.raises(NoteSkipped) as caught:
        docx.read(ole, "n.docx")
    assert caught.value.reason is SkipReason.UNSUPPORTED


def test_docx_from_the_strict_dialect() -> None:
    strict = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
    usual = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    with zipfile.ZipFile(BytesIO(note_files.docx(note_files.paragraph("Key: 12")))) as archive:
        main = archive.read("word/document.xml").replace(usual, strict)
    assert lines(docx.read(note_files.docx("", document=main), "n.docx")) == ["Key: 12"]
