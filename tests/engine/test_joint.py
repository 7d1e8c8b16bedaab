"""The joint distribution: what is most probable is the same by either way of finding it."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.joint import (
    Cells,
    Queries,
    Scored,
    joint_log_probabilities,
    most_probable,
)
from engine.model.tokenizer import END

ROWS, STEPS, VOCABULARY, SIZE = 5, 3, 30, 4


def _drawn(seed: int, count: int) -> tuple[Queries, Scored, Cells]:
    g = torch.Generator().manual_seed(seed)

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=g)

    first = END + 1
    target = torch.randint(first, VOCABULARY, (ROWS, STEPS), generator=g)
    queries = Queries(
        some(ROWS, STEPS, SIZE), some(ROWS, STEPS, SIZE), some(ROWS, STEPS, SIZE),
        some(ROWS, STEPS), (3 * some(ROWS, STEPS, VOCABULARY)).log_softmax(-1), target,
        torch.zeros(ROWS, VOCABULARY),
    )  # fmt: skip
    cells = Cells(
        some(count, SIZE), some(count, SIZE), torch.zeros(count, dtype=torch.long),
        torch.randint(first, first + 7, (count,), generator=g), 2 * some(count),
        torch.ones(count), torch.zeros(count, dtype=torch.long), some(1, SIZE),
    )  # fmt: skip
    nothing = torch.zeros(ROWS, STEPS)
    return queries, Scored(2 * some(ROWS, STEPS, count) - 2, nothing, nothing), cells


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_the_most_probable_token_is_that_of_the_whole_distribution(seed: int, count: int) -> None:
    queries, scored, cells = _drawn(seed, count)
    for step in range(STEPS):
        whole = joint_log_probabilities(queries, scored, cells, step)
        if step == 0:
            whole[:, END] = float("-inf")
        assert most_probable(queries, scored, cells, step).tolist() == whole.argmax(-1).tolist()


def test_an_answer_may_end_after_its_first_token_only() -> None:
    queries, scored, cells = _drawn(1, 6)
    sure = cells._replace(stop=torch.full((6,), 30.0))
    scored = scored._replace(cells=torch.full((ROWS, STEPS, 6), 5.0))
    assert (most_probable(queries, scored, sure, 0) != END).all()
    assert (most_probable(queries, scored, sure, 1) == END).all()
