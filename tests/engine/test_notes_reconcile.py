"""The ledger after the changes equals the folder, whatever happened in between."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.notes.reconcile import Change, ChangeKind, reconcile
from engine.notes.scan import KnownFile, Scan, SeenFile

N, E, R, X, T, U, B = (
    ChangeKind.NEW,
    ChangeKind.EDITED,
    ChangeKind.RENAMED,
    ChangeKind.REMOVED,
    ChangeKind.TOUCHED,
    ChangeKind.UNCHANGED,
    ChangeKind.RETURNED,
)


def known(id: int, path: str, content: str, time: int = 1, *, here: bool = True) -> KnownFile:
    return KnownFile(id, path, _hash(content), len(content), time, in_folder=here)


def seen(path: str, content: str, time: int = 1) -> SeenFile:
    return SeenFile(path, len(content), time, 0, _hash(content))


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def scan_of(*files: SeenFile, unseen: tuple[str, ...] = ()) -> Scan:
    return Scan(files, unseen, device=1)


def told(notes: list[KnownFile], scan: Scan) -> list[tuple[ChangeKind, str, int | None, str]]:
    return [(c.kind, c.path, c.id, c.old_path) for c in reconcile(notes, scan)]


def test_nothing_known_and_nothing_there() -> None:
    assert told([], scan_of()) == []


def test_the_plain_changes() -> None:
    notes = [known(1, "a", "A"), known(2, "b", "B"), known(3, "c", "C"), known(4, "d", "D")]
    scan = scan_of(seen("a", "A"), seen("b", "B!"), seen("d", "D", time=2), seen("e", "E"))
    assert told(notes, scan) == [
        (U, "a", 1, ""), (E, "b", 2, ""), (T, "d", 4, ""), (N, "e", None, ""), (X, "c", 3, "")
    ]  # fmt: skip


def test_a_renamed_note_keeps_its_number() -> None:
    scan = scan_of(seen("new/b", "A", time=7))
    assert told([known(1, "a", "A")], scan) == [(R, "new/b", 1, "a")]


def test_a_copy_is_new_and_the_original_stays() -> None:
    scan = scan_of(seen("a", "A"), seen("b", "A"))
    assert told([known(1, "a", "A")], scan) == [(U, "a", 1, ""), (N, "b", None, "")]


def test_a_copy_whose_original_was_edited() -> None:
    scan = scan_of(seen("a", "A!"), seen("b", "A"))
    assert told([known(1, "a", "A")], scan) == [(E, "a", 1, ""), (N, "b", None, "")]


def test_a_rename_onto_another_note() -> None:
    notes = [known(1, "a", "A"), known(2, "b", "B")]
    assert told(notes, scan_of(seen("b", "A"))) == [(R, "b", 1, "a"), (X, "b", 2, "")]


def test_numbered_files_that_all_move_up_by_one() -> None:
    notes = [known(1, "n1", "A"), known(2, "n2", "B"), known(3, "n3", "C")]
    scan = scan_of(seen("n1", "new"), seen("n2", "A"), seen("n3", "B"), seen("n4", "C"))
    # n1 is there, edited: its content at n2 is then a copy, and so on up to the last.
    assert told(notes, scan)[0][:3] == (E, "n1", 1)
    scan = scan_of(seen("n2", "A"), seen("n3", "B"), seen("n4", "C"))
    assert told(notes, scan) == [(R, "n2", 1, "n1"), (R, "n3", 2, "n2"), (R, "n4", 3, "n3")]


def test_a_rename_that_changes_only_case_or_accents() -> None:
    scan = scan_of(seen("Note.md", "A"))
    assert told([known(1, "note.md", "A")], scan) == [(R, "Note.md", 1, "note.md")]
    scan = scan_of(seen("Note.md", "A!"))
    assert told([known(1, "note.md", "A")], scan) == [(E, "Note.md", 1, "note.md")]
    scan = scan_of(seen("Zoe\u0308.md", "A!"))
    assert told([known(1, "Zo\u00eb.md", "A")], scan) == [(E, "Zoe\u0308.md", 1, "Zo\u00eb.md")]


def test_of_several_with_one_content_the_likeliest_is_the_one() -> None:
    notes = [known(1, "x/a", "A"), known(2, "y/b", "A"), known(3, "z/c", "A")]
    scan = scan_of(seen("new/b", "A"), seen("new/c", "A"))
    assert told(notes, scan) == [(R, "new/b", 2, "y/b"), (R, "new/c", 3, "z/c"), (X, "x/a", 1, "")]


def test_the_inode_decides_between_equals() -> None:
    notes = [replace(known(1, "a", "A"), inode=11), replace(known(2, "b", "A"), inode=22)]
    scan = scan_of(replace(seen("c", "A"), inode=22))
    assert told(notes, scan) == [(R, "c", 2, "b"), (X, "a", 1, "")]


def test_a_folder_that_cannot_be_listed_says_nothing() -> None:
    notes = [known(1, "in/a", "A"), known(2, "in/deep/b", "B"), known(3, "c", "C")]
    scan = scan_of(unseen=("in/",))
    assert told(notes, scan) == [(U, "in/a", 1, ""), (U, "in/deep/b", 2, ""), (X, "c", 3, "")]


def test_a_kept_note_returns() -> None:
    notes = [known(1, "a", "A", here=False)]
    assert told(notes, scan_of()) == [(U, "a", 1, "")]
    assert told(notes, scan_of(seen("a", "A"))) == [(B, "a", 1, "")]
    assert told(notes, scan_of(seen("b", "A"))) == [(B, "b", 1, "a")]
    assert told(notes, scan_of(seen("a", "A!"))) == [(E, "a", 1, "")]


def test_a_kept_note_does_not_take_the_place_of_one_in_the_folder() -> None:
    notes = [known(1, "a", "A", here=False), known(2, "a", "B")]
    assert told(notes, scan_of(seen("a", "A"))) == [(E, "a", 2, ""), (U, "a", 1, "")]


def test_files_that_could_not_be_read() -> None:
    closed = SeenFile("a", 5, 1, 0)
    assert told([KnownFile(1, "a", "", 5, 1)], scan_of(closed)) == [(U, "a", 1, "")]
    assert told([KnownFile(1, "a", "", 5, 1)], scan_of(replace(closed, mtime_ns=2))) == [
        (E, "a", 1, "")
    ]
    readable = replace(closed, hash=_hash("hello"))
    assert told([KnownFile(1, "a", "", 5, 1)], scan_of(readable)) == [(E, "a", 1, "")]
    lost = [KnownFile(1, "a", "", 5, 1)]  # no hash, so no content to know it again by
    assert told(lost, scan_of(replace(closed, path="b"))) == [(N, "b", None, ""), (X, "a", 1, "")]


# --- random histories ----------------------------------------------------------------------------


def apply(notes: list[KnownFile], changes: list[Change]) -> list[KnownFile]:
    """Bring the ledger up to date, as the engine does (removed notes are forgotten)."""
    rows = {note.id: note for note in notes}
    for change in changes:
        file = change.seen
        if change.kind is ChangeKind.REMOVED:
            assert change.id is not None
            del rows[change.id]
        elif change.kind is not ChangeKind.UNCHANGED:
            assert file is not None
            number = max([0, *rows]) + 1 if change.id is None else change.id
            rows[number] = KnownFile(
                number, file.path, file.hash, file.size, file.mtime_ns, file.inode
            )
    return list(rows.values())


def check(notes: list[KnownFile], scan: Scan) -> list[KnownFile]:
    changes = reconcile(notes, scan)
    assert sorted(c.id for c in changes if c.id is not None) == sorted(n.id for n in notes)
    assert sorted(c.seen.path for c in changes if c.seen) == [f.path for f in scan.files]
    after = apply(notes, changes)
    assert sorted((n.path, n.hash, n.size, n.mtime_ns) for n in after) == [
        (f.path, f.hash, f.size, f.mtime_ns) for f in scan.files
    ]
    assert {c.kind for c in reconcile(after, scan)} <= {ChangeKind.UNCHANGED}
    return after


PATHS = st.sampled_from(["a", "b", "A", "d/a", "d/b", "e/f/a"])
CONTENTS = st.sampled_from(["", "one", "two", "three"])


@st.composite
def folders(draw: st.DrawFn) -> Scan:
    held = draw(st.dictionaries(PATHS, st.tuples(CONTENTS, st.integers(1, 3), st.integers(0, 3))))
    files = [replace(seen(p, c, t), inode=i) for p, (c, t, i) in sorted(held.items())]
    return scan_of(*files)


@given(st.lists(folders(), min_size=1, max_size=6))
def test_the_ledger_equals_the_folder_after_any_changes(history: list[Scan]) -> None:
    notes: list[KnownFile] = []
    for scan in history:
        notes = check(notes, scan)


class FolderHistory(RuleBasedStateMachine):
    """Files are created, edited, moved and removed; the ledger looks only now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, tuple[str, int]] = {}
        self.notes: list[KnownFile] = []
        self.ids: dict[str, int] = {}  # path -> id, while only moved since the last look
        self.tick = 0

    def _scan(self) -> Scan:
        return scan_of(*(seen(p, c, t) for p, (c, t) in sorted(self.files.items())))

    @rule(path=PATHS, content=st.text("xyz", max_size=3))
    def write(self, path: str, content: str) -> None:
        self.tick += 1
        self.files[path] = (f"{content}{self.tick}", self.tick)  # no content twice
        self.ids.pop(path, None)

    @rule(path=PATHS, to=PATHS)
    def move(self, path: str, to: str) -> None:
        if path in self.files and path != to:
            self.files[to] = self.files.pop(path)
            self.ids.pop(to, None)
            if path in self.ids:
                self.ids[to] = self.ids.pop(path)

    @rule(path=PATHS)
    def remove(self, path: str) -> None:
        self.files.pop(path, None)
        self.ids.pop(path, None)

    @rule()
    def look(self) -> None:
        self.notes = check(self.notes, self._scan())
        self.ids = {note.path: note.id for note in self.notes}

    @invariant()
    def moved_notes_keep_their_numbers(self) -> None:
        """A note whose content is in the folder still has its number, wherever it went."""
        now = {c.path: c for c in reconcile(self.notes, self._scan()) if c.seen}
        old_paths = {note.path for note in self.notes}
        for path, number in self.ids.items():
            was = next(note.path for note in self.notes if note.id == number)
            if was == path or was not in self.files or (path not in old_paths and was not in now):
                assert now[path].id == number


TestFolderHistory = FolderHistory.TestCase
TestFolderHistory.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
