"""What an answer's evidence is made to mean, on evidence of known origin."""

import dataclasses
import random

import pytest

from engine.model.confidence import Calibration, Evidence
from engine.training.export import fit

NOTHING = Evidence(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def evidence(rng: random.Random, held: bool, right: bool) -> Evidence:
    """The best cell says whether memory holds an answer, the decoding whether it is right."""
    sure = rng.gauss(-0.5 if right else -2.0, 0.5)
    return dataclasses.replace(
        NOTHING, best=rng.gauss(2.0 if held else -2.0, 1.0), first=sure, mean=sure, least=sure
    )


def rows() -> list[tuple[Evidence, bool, bool]]:
    rng = random.Random(4)
    kinds = [(True, True)] * 60 + [(False, True)] * 60 + [(False, False)] * 12
    return [(evidence(rng, held, right), right, held) for right, held in kinds]


def test_the_best_cell_tells_what_is_in_memory_and_the_decoding_what_is_right() -> None:
    found, asked = fit(rows()), rows()
    held = [found.in_memory(e) >= found.threshold for e, _, _ in asked]
    assert sum(h == known for h, (_, _, known) in zip(held, asked, strict=True)) > 0.95 * len(asked)
    right = [found.confidence(e) for e, r, _ in asked if r]
    wrong = [found.confidence(e) for e, r, known in asked if known and not r]
    assert sum(c > 0.5 for c in right) > 0.85 * len(right)
    assert sum(c < 0.5 for c in wrong) > 0.85 * len(wrong)


def test_an_unsure_answer_is_not_taken_for_one_that_memory_does_not_hold() -> None:
    found = fit(rows())
    unsure = dataclasses.replace(NOTHING, best=3.0, first=-3.0, mean=-3.0, least=-3.0)
    nowhere = dataclasses.replace(NOTHING, best=-3.0, first=-0.1, mean=-0.1, least=-0.1)
    assert found.in_memory(unsure) > found.threshold > found.in_memory(nowhere)
    assert found.confidence(unsure) < 0.2 < 0.8 < found.confidence(nowhere)


def test_one_in_ten_of_the_right_answers_is_withheld_at_most() -> None:
    rng = random.Random(6)

    # So near are the two that the best balance would withhold a quarter of the right answers.
    def around(best: float) -> Evidence:
        return dataclasses.replace(NOTHING, best=rng.gauss(best, 1.0))

    near = [(around(0.7), True, True) for _ in range(200)]
    none = [(around(-0.7), False, False) for _ in range(200)]
    found = fit([*near, *none])
    given = [found.in_memory(e) >= found.threshold for e, _, _ in near]
    assert sum(given) == pytest.approx(180, abs=1)


def test_rare_unanswerable_questions_count_as_much_as_the_others() -> None:
    alone = [r for r in rows() if r[2]][:110] + [r for r in rows() if not r[2]][:2]
    found = fit(alone)
    assert found.in_memory(dataclasses.replace(NOTHING, best=-4.0)) < 0.2


def test_probabilities_stay_between_0_and_1_whatever_the_evidence() -> None:
    far = Evidence(1e9, -1e9, -1e9, -1e9, 1.0, 1e9)
    for calibration in (Calibration(), fit(rows())):
        assert 0.0 <= calibration.confidence(far) <= 1.0
        assert 0.0 <= calibration.in_memory(far) <= 1.0


def test_weights_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match="7 and 2 weights"):
        Calibration(weights=(1.0, 2.0))
    with pytest.raises(ValueError, match="7 and 2 weights"):
        Calibration(held=(1.0,))  # type: ignore[arg-type]
