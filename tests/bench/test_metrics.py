"""The metrics, against values worked out by hand."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bench.asking import Outcome, Question, Reply, by_kind, kept, scores
from engine.bench.bm25 import Bm25
from engine.bench.metrics import auroc, contains, exact, f1, mean, normalise, ratio
from engine.bench.table import Table, percent, render, seconds


def test_normalise_drops_case_punctuation_articles_and_spaces() -> None:
    assert normalise("  The Night-Mayor,  an OLD puppet! ") == "nightmayor old puppet"
    assert normalise("€2,940") == "€2940"
    assert normalise("theatre") == "theatre"  # "the" goes only as a word


def test_an_article_alone_is_an_answer() -> None:
    assert normalise("A") == "a"
    assert exact("A", ["a"]) == 1.0
    assert exact("", ["A"]) == 0.0
    assert exact("B", ["A"]) == 0.0


def test_exact_takes_the_best_accepted_answer() -> None:
    assert exact("the Night Mayor.", ["Mayor", "night mayor"]) == 1.0
    assert exact("Night", ["Mayor", "night mayor"]) == 0.0
    assert exact("anything", []) == 0.0


def test_f1_by_hand() -> None:
    # given {green, cabinet, stage}, wanted {green, cabinet}: P 2/3, R 1, F1 0.8
    assert f1("the green cabinet stage", ["in blue", "a green cabinet"]) == pytest.approx(0.8)
    # words count as often as they stand: P 1/2, R 1
    assert f1("ten ten", ["ten"]) == pytest.approx(2 / 3)
    assert f1("", ["x"]) == 0.0
    assert f1("x", []) == 0.0


def test_contains_wants_whole_words_in_a_row() -> None:
    assert contains("it is Hugo Sprake, I think", ["Hugo Sprake"])
    assert not contains("Hugo and Sprake", ["Hugo Sprake"])
    assert not contains("1926", ["26"])
    assert not contains("anything", ["!"])


def test_auroc_by_hand() -> None:
    # pairs: .9>.5, .9>.1, .5=.5 (half), .5>.1 -> 3.5 of 4
    assert auroc([0.9, 0.5], [0.5, 0.1]) == pytest.approx(3.5 / 4)
    assert auroc([1.0], [0.0]) == 1.0
    assert auroc([0.0], [1.0]) == 0.0
    assert auroc([0.3, 0.3], [0.3]) == 0.5
    assert auroc([], [0.1]) is None
    assert auroc([0.1], []) is None


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]), min_size=1, max_size=20),
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]), min_size=1, max_size=20),
)
def test_auroc_is_the_share_of_ordered_pairs(
    positive: list[float], negative: list[float]
) -> None:
    won = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    assert auroc(positive, negative) == pytest.approx(won / len(positive) / len(negative))


def test_mean_and_ratio_of_nothing() -> None:
    assert mean([]) is None
    assert mean([1.0, 2.0]) == 1.5
    assert ratio(1, 0) is None
    assert ratio(1, 4) == 0.25


def _outcome(
    text: str, accepted: tuple[str, ...], kind: str = "plain", known: bool = True, near: int = 1
) -> Outcome:
    reply = Reply(text, known, 0.5, 0.5, 0.5, 0.7, 1, near, 0.0, 0.0)
    return Outcome(Question("q", accepted, kind, 1), reply)


def test_scores_by_hand() -> None:
    outcomes = [
        _outcome("green cabinet", ("green cabinet",)),  # 1, 1
        _outcome("green cabinet stage", ("green cabinet",), near=2),  # F1 0.8, holds it
        _outcome("green cabinet", ("green cabinet",), known=False),  # right, but not trusted
        _outcome("no", ("green cabinet",)),
        _outcome("whatever", ()),  # not answerable: left out
    ]
    s = scores(outcomes)
    assert s.questions == 4
    assert s.f1 == pytest.approx(1.8 / 4)
    assert s.em == pytest.approx(1 / 4)
    assert s.contains == pytest.approx(2 / 4)
    assert s.f1_untrusted == pytest.approx(2.8 / 4)
    assert s.em_untrusted == pytest.approx(2 / 4)
    assert s.contains_untrusted == pytest.approx(3 / 4)
    assert s.right_note == pytest.approx(3 / 4)
    assert s.answered == pytest.approx(3 / 4)


def test_scores_of_no_questions_are_none() -> None:
    s = scores([_outcome("x", ())])
    assert s.questions == 0
    assert (s.f1, s.em, s.right_note, s.answered) == (None, None, None, None)


def test_by_kind_leaves_out_what_no_note_says() -> None:
    outcomes = [
        _outcome("x", ("x",), "reworded"),
        _outcome("x", (), "unanswerable"),
        _outcome("y", ("x",), "plain"),
        _outcome("x", ("x",), "plain"),
    ]
    kinds = by_kind(outcomes)
    assert list(kinds) == ["reworded", "plain"]
    assert kinds["plain"].em == 0.5
    assert kinds["reworded"].questions == 1


def test_kept_counts_only_what_was_right_before() -> None:
    right, wrong = _outcome("x", ("x",)), _outcome("y", ("x",))
    assert kept([right, right, wrong, wrong], [right, wrong, right, wrong]) == (2, 1)


def test_bm25_by_hand() -> None:
    index = Bm25(["red boat", "red red barn door"])
    # lengths 2 and 4, mean 3. "boat" is in one of two: idf = ln(1 + 1.5/1.5) = ln 2
    # tf 1, norm 1.5 * (0.25 + 0.75 * 2/3) = 1.125 -> 2.5 / 2.125
    assert index.scores("BOAT?") == [pytest.approx(math.log(2) * 2.5 / 2.125), 0.0]
    # "red" is in both: idf = ln(1 + 0.5/2.5) = ln 1.2; second: tf 2, norm 1.5 * 1.25 = 1.875
    red = math.log(1.2)
    assert index.scores("red") == [
        pytest.approx(red * 2.5 / 2.125),
        pytest.approx(red * 2 * 2.5 / 3.875),
    ]
    assert index.best("the barn") == 1
    assert index.best("nothing known") == 0  # the first among equals


def test_bm25_prefers_the_rare_word() -> None:
    rng = Random(3)
    common = ["club meeting notes " + " ".join(rng.sample("abcdefgh", 4)) for _ in range(20)]
    index = Bm25([*common, "club meeting treasurer"])
    assert index.best("treasurer of the club") == 20


def test_table_aligns_and_shows_gaps() -> None:
    table = Table("T", ("kind", "n"), (("plain", 3), ("odd", None), ("half", 0.5)), ("end",))
    assert render(table).splitlines() == [
        "T",
        "kind       n",
        "-----  -----",
        "plain      3",
        "odd        -",
        "half   0.500",
        "end",
    ]


def test_shown_numbers() -> None:
    assert percent(0.5) == "50.0 %"
    assert percent(None) is None
    assert seconds(1.234) == "1.23 s"
    assert seconds(0.0123) == "12.3 ms"
    assert seconds(None) is None
