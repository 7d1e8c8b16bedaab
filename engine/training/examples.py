"""Training examples: windows of notes, and questions whose answers are spans of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from engine.memory.reading import Window, windows
from engine.model.tokenizer import Tokenizer
from engine.model.words import Word, WordTable, rows_of_tokens
from engine.notes.readers import markdown
from engine.notes.text import NoteText, Section
from engine.training.cloze import cloze, sentences
from engine.training.corpora import WrittenNote
from engine.training.facts import ComposedNote, Composer, Schema

_MOST_QUESTION = 80
_Question = tuple[tuple[int, ...], tuple[Word, ...], tuple[int, ...]]

_SHORTENED = 0.3
"""Share of the questions that are asked with one word missing."""

CUE_SHARE = 0.2
"""Share of the answers that are asked for by the note's own words as well."""


@dataclass(frozen=True)
class Place:
    """Where an answer starts: window of the note, token of the window."""

    window: int
    token: int


@dataclass(frozen=True)
class Asked:
    """A tokenized question.

    Attributes:
        question: ids of the question.
        words: its words, for the gist.
        rows: for each id of the question the word-table row of its word, -1 for none.
        answer: ids of the answer as the note has it, without END; () where no note says.
        gold: every place where that answer starts and is meant.
        kind: plain, reworded, ..., for the evaluation.
    """

    question: tuple[int, ...]
    words: tuple[Word, ...]
    rows: tuple[int, ...]
    answer: tuple[int, ...]
    gold: tuple[Place, ...]
    kind: str


@dataclass(frozen=True)
class NoteExample:
    """A note as the backbone reads it, with its questions.

    Attributes:
        windows: as cut. words: of each window.
        rows: for each token of each window the word-table row of its word, -1 for none.
        questions: about the note.
    """

    windows: tuple[Window, ...]
    words: tuple[tuple[Word, ...], ...]
    rows: tuple[tuple[int, ...], ...]
    questions: tuple[Asked, ...]


def tokens_of(notes: Sequence[NoteExample], readings: int = 1) -> int:
    """Tokens of notes, read so many times, and of their questions and answers."""
    windows = sum(len(w.tokens) for note in notes for w in note.windows)
    asked = sum(len(q.question) + len(q.answer) for note in notes for q in note.questions)
    return readings * windows + asked


def find_answer(
    window: Window, answer: str, within: tuple[int, int] | None = None
) -> list[tuple[int, tuple[int, ...]]]:
    """Where a window has an answer as whole tokens: (first token, ids), body only."""
    found = []
    begin, stop = within or (0, len(window.text))
    pattern = r"\s+".join(re.escape(p) for p in answer.split())
    for match in re.compile(pattern, re.IGNORECASE).finditer(window.text, begin, stop):
        s, e = match.span()
        if (s > 0 and window.text[s - 1].isalnum()) or window.text[e : e + 1].isalnum():
            continue
        covering = [i for i, (a, b) in enumerate(window.offsets) if b > s and a < e]
        if not covering or covering[0] < window.body:
            continue
        first, last = window.offsets[covering[0]], window.offsets[covering[-1]]
        if window.text[first[0] : s].strip() or last[1] > e:
            continue
        found.append((covering[0], tuple(window.tokens[i] for i in covering)))
    return found


def _without_a_word(text: str, rng: Random) -> str:
    words = text.split()
    if len(words) > 4:
        words.pop(rng.randrange(len(words)))
    return " ".join(words)


class ExampleMaker:
    """Turns notes of all kinds into examples.

    Args:
        tokenizer: of the backbone.
        table: words of the gist.
    """

    def __init__(self, tokenizer: Tokenizer, table: WordTable) -> None:
        self.tokenizer = tokenizer
        self.table = table

    def _question(self, text: str, rng: Random | None) -> _Question:
        if rng is not None and rng.random() < 0.25:
            text = text.lower()
        if rng is not None and rng.random() < 0.15:
            text = text.rstrip("?.")
        if rng is not None and rng.random() < _SHORTENED:
            text = _without_a_word(text, rng)
        ids, offsets = self.tokenizer.encode_with_offsets(text)
        words = tuple(self.table.split(text))
        rows = rows_of_tokens(words, offsets[:_MOST_QUESTION])
        return tuple(ids[:_MOST_QUESTION]), words, rows

    def _cue(self, cut: Sequence[Window], chosen: Asked, rng: Random) -> list[Asked]:
        """The note's own words before an answer, now and then: "The mayor of Ollerbeck is"."""
        place = rng.choice(chosen.gold)
        window = cut[place.window]
        before = window.text[: window.offsets[place.token][0]].rsplit("\n", 1)[-1]
        words = before.split()
        if rng.random() > CUE_SHARE or len(words) < 3:
            return []
        ids, found, rows = self._question(" ".join(words[-rng.randint(4, 14) :]), None)
        return [
            replace(chosen, question=ids, words=found, rows=rows, gold=(place,), kind="cue")
        ]

    def _example(self, note: NoteText, asked: list[Asked], cut: list[Window]) -> NoteExample:
        words = tuple(tuple(self.table.split(w.text)) for w in cut)
        rows = tuple(rows_of_tokens(s, w.offsets) for s, w in zip(words, cut, strict=True))
        return NoteExample(tuple(cut), words, rows, tuple(asked))

    def written(self, note: WrittenNote, rng: Random | None = None) -> NoteExample:
        """A hand-written note; `rng` None keeps the questions as they are (for measuring)."""
        text = markdown.read_text(note.text, note.name)
        cut = windows(text, self.tokenizer)
        asked = []
        for q in note.questions:
            asks = self._question(q.question, rng)
            if not q.answers:
                asked.append(Asked(*asks, (), (), q.kind))
                continue
            answers = list(q.answers)
            if rng is not None and rng.random() < 0.3:
                rng.shuffle(answers)
            for answer in answers:
                places = [
                    (Place(i, at), tokens)
                    for i, w in enumerate(cut)
                    for at, tokens in find_answer(w, answer)
                ]
                if places:
                    chosen = (rng.choice(places) if rng else places[0])[1]
                    gold = tuple(p for p, tokens in places if tokens == chosen)
                    asked.append(Asked(*asks, chosen, gold, q.kind))
                    asked += self._cue(cut, asked[-1], rng) if rng else []
                    break
        return self._example(text, asked, cut)

    def composed(self, composed: ComposedNote, rng: Random) -> NoteExample:
        """A composed note; the answer counts only in the lines of its own fact."""
        cut = windows(composed.note, self.tokenizer)
        asked = []
        for q in composed.questions:
            asks = self._question(q.question, rng)
            if not q.answer:
                asked.append(Asked(*asks, (), (), "unanswerable"))
                continue
            places: list[tuple[Place, tuple[int, ...]]] = []
            for line, (start, _) in q.lines:
                for i, window in enumerate(cut):
                    at = window.text.find(line)
                    if at >= 0:
                        within = (at + start, at + start + len(q.answer))
                        places += [
                            (Place(i, token), tokens)
                            for token, tokens in find_answer(window, q.answer, within)
                        ]
            if places:
                chosen = rng.choice(places)[1]
                gold = tuple(p for p, tokens in places if tokens == chosen)
                asked.append(Asked(*asks, chosen, gold, "composed"))
                asked += self._cue(cut, asked[-1], rng)
        return self._example(composed.note, asked, cut)

    def prose(self, title: str, paragraphs: Sequence[str], rng: Random) -> NoteExample:
        """A stretch of prose as a note, with cloze questions."""
        note = NoteText(title, (), (Section((title,), "\n".join(paragraphs)),))
        cut = windows(note, self.tokenizer)[:1]
        asked = []
        for paragraph in paragraphs:
            for sentence in sentences(paragraph):
                made = cloze(sentence, rng)
                if made is None or rng.random() > 0.7:
                    continue
                at = cut[0].text.find(sentence)
                if at < 0:
                    continue
                answer = sentence[made.span[0] : made.span[1]]
                within = (at + made.span[0], at + made.span[1])
                for token, tokens in find_answer(cut[0], answer, within)[:1]:
                    asks = self._question(made.question, rng)
                    asked.append(Asked(*asks, tokens, (Place(0, token),), "cloze"))
        return self._example(note, asked[:4], cut)


@dataclass(frozen=True)
class Mix:
    """What a memory-training batch is made of, in notes."""

    written: int = 11
    """Hand-written notes."""
    asked: int = 4
    """Passages of prose with hand-written questions."""
    composed: int = 4
    prose: int = 2
    """Passages of prose with cloze questions."""
    questions: int = 8
    """Questions a note or passage at most."""
    composed_questions: int = 4
    """Questions a composed note at most."""
    schemas: int = 7
    """Composed facts of one batch come from this many relations: hard negatives."""
    most_facts: int = 5
    windows: int = 40
    """Windows a batch at most."""


class BatchMaker:
    """Draws batches of notes; what a batch holds depends on the seed and its number alone.

    Args:
        maker: turns notes into examples.
        written: hand-written notes to train on.
        composer: composed facts, trained schemas only.
        prose: (title, paragraphs) of real documents.
        mix: shares.
        asked: passages of prose with hand-written questions.
    """

    def __init__(
        self,
        maker: ExampleMaker,
        written: Sequence[WrittenNote],
        composer: Composer,
        prose: Sequence[tuple[str, list[str]]],
        mix: Mix,
        asked: Sequence[WrittenNote] = (),
    ) -> None:
        self.maker = maker
        self.written = list(written)
        self.composer = composer
        self.prose = list(prose)
        self.mix = mix
        self.asked = list(asked)

    def batch(self, seed: int, number: int) -> list[NoteExample]:
        """The notes of one batch."""
        rng = Random(f"{seed}/{number}")
        notes: list[NoteExample] = []
        for pool, most in ((self.written, self.mix.written), (self.asked, self.mix.asked)):
            for written in rng.sample(pool, min(most, len(pool))):
                notes.append(self.maker.written(written, rng))
        schemas = rng.sample(
            self.composer.schemas, min(self.mix.schemas, len(self.composer.schemas))
        )
        composed = len(notes)
        for _ in range(self.mix.composed):
            notes.append(self.maker.composed(self._compose(schemas, rng), rng))
        ended = len(notes)
        for title, paragraphs in rng.sample(self.prose, min(self.mix.prose, len(self.prose))):
            notes.append(self.maker.prose(title, self._stretch(paragraphs, rng), rng))
        kept, used = [], 0
        for i, note in enumerate(notes):
            used += len(note.windows)
            if used <= self.mix.windows:
                facts = composed <= i < ended
                most = self.mix.composed_questions if facts else self.mix.questions
                some = rng.sample(note.questions, min(len(note.questions), most))
                kept.append(replace(note, questions=tuple(some)))
        return kept

    def _compose(self, schemas: list[Schema], rng: Random) -> ComposedNote:
        if rng.random() < 0.12:
            return self.composer.table(rng.choice(schemas), rng.randint(2, 5), rng)
        count = min(rng.randint(1, self.mix.most_facts), len(schemas))
        return self.composer.note(rng.sample(schemas, count), rng)

    @staticmethod
    def _stretch(paragraphs: list[str], rng: Random) -> list[str]:
        first = rng.randrange(max(1, len(paragraphs) - 2))
        out, size = [], 0
        for paragraph in paragraphs[first:]:
            out.append(paragraph[:700])
            size += len(out[-1])
            if size > 500:
                break
        return out
