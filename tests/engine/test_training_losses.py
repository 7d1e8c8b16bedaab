"""The parts of the memory-training loss, and what the backbone is told about words."""

import json
from pathlib import Path

import pytest
import torch

from engine.api import InputError
from engine.memory.encode import read_prompt
from engine.model.base import BaseModel
from engine.model.joint import Cells, Queries, score
from engine.model.tokenizer import ANSWER, BEGIN, END, PAD, QUESTION
from engine.model.words import WordTable, rows_of_tokens
from engine.training.corpora import passage_id, read_asked
from engine.training.examples import ExampleMaker
from engine.training.memory_loss import MemoryModel, Prose
from engine.training.question_loss import sums
from tests.small_model import small_base

DATA = Path(__file__).parent.parent / "data" / "training"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return small_base(tmp_path_factory.mktemp("base"))


def test_every_token_knows_the_word_that_it_is_part_of() -> None:
    table = WordTable(["ferry", "sandray"])
    text = "The ferry, to Sandray"
    #         The      ferr     y       ,        to       Sand      ray
    offsets = [(0, 3), (3, 8), (8, 9), (9, 10), (10, 13), (13, 18), (18, 21)]
    assert rows_of_tokens(table.split(text), offsets) == (-1, 0, 0, -1, -1, 1, 1)


def test_words_outside_the_table_add_nothing_and_others_do(base: BaseModel) -> None:
    added = base.space.meanings(torch.tensor([-1, 0]))
    assert torch.equal(added[0], torch.zeros(base.cfg.d_model))
    assert added[1].abs().sum() > 0
    tokens = torch.tensor([[BEGIN, 40, 50]])
    rows = torch.tensor([[-1, -1, -1]])
    plain = base.backbone.read(tokens)
    assert torch.equal(base.backbone.read(tokens, added=base.space.meanings(rows)), plain)


def test_a_prompt_is_the_question_between_its_marks(base: BaseModel) -> None:
    prompt = read_prompt(base, "  Who keeps the key? ")
    assert prompt.ids[:2] == (BEGIN, QUESTION)
    assert prompt.ids[-1] == ANSWER
    assert base.tokenizer.decode(prompt.question) == "Who keeps the key?"
    assert len(prompt.words) == len(prompt.ids)
    named = {base.words.words[r] for r in prompt.words if r >= 0}
    assert named == {"who", "keeps", "the", "key"}


def _scored(n_question: int, notes: list[int]) -> tuple[Queries, Cells, torch.Tensor]:
    """Random queries on random cells of two notes; the last question has no answer."""
    g = torch.Generator().manual_seed(3)
    c, a, v, d = len(notes), 3, 20, 4

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=g)

    target = torch.randint(6, v, (n_question, a), generator=g)
    target[:, 2] = END
    target[0, 1:] = torch.tensor([END, PAD])
    cells = Cells(
        draw(c, d), draw(c, d), torch.zeros(c, dtype=torch.long),
        torch.randint(6, v, (c,), generator=g), draw(c), torch.ones(c), torch.tensor(notes),
        draw(1, d),
    )  # fmt: skip
    queries = Queries(
        draw(n_question, a, d), draw(n_question, a, d), draw(n_question, a, d),
        draw(n_question, a), draw(n_question, a, v).log_softmax(-1), target,
        torch.zeros(n_question, v),
    )  # fmt: skip
    gold = torch.zeros(n_question, c, dtype=torch.bool)
    gold[torch.arange(n_question - 1), torch.arange(n_question - 1) % c] = True
    return queries, cells, gold


def test_losses_of_groups_add_up() -> None:
    queries, cells, gold = _scored(7, [0, 0, 0, 1, 1])
    whole = sums(queries, score(queries, cells, torch.tensor(1.0)), cells, gold)
    parts = []
    for part in (slice(0, 3), slice(3, 7)):
        some = Queries(*(t[part] for t in queries))
        parts.append(sums(some, score(some, cells, torch.tensor(1.0)), cells, gold[part]))
    for one, both in zip(whole, parts[0].plus(parts[1]), strict=True):
        assert torch.allclose(one, both, atol=1e-4)
    assert whole.answerable == 6
    assert whole.unanswerable == 1


def test_without_its_note_a_question_should_go_unanswered() -> None:
    queries, cells, gold = _scored(4, [0, 0, 0, 0])
    found = sums(queries, score(queries, cells, torch.tensor(1.0)), cells, gold)
    silent = -queries.vocabulary[:3, 0, END].sum()  # nothing else in memory
    assert found.absent == pytest.approx(float(silent), rel=1e-5)
    queries, cells, gold = _scored(4, [0, 0, 0, 1])
    more = sums(queries, score(queries, cells, torch.tensor(1.0)), cells, gold)
    assert more.absent > -queries.vocabulary[:3, 0, END].sum() + 0.01


def test_prose_hears_cells_by_the_gate(base: BaseModel) -> None:
    maker = ExampleMaker(base.tokenizer, base.words)
    note = maker.prose("Sandray", ["The ferry to Sandray leaves at 7:40 pm on Fridays."], _Never())
    model = MemoryModel(base.backbone, base.space, base.classes, "both ways")
    ids = base.tokenizer.encode("The boiler code is 4417. Who keeps the key?")
    prose = Prose(torch.tensor([[BEGIN, *ids]]), [base.words.split("The boiler code is 4417.")])
    heard = []
    before = float(base.space.gate_bias)
    with torch.no_grad():
        cells, _ = model.cells([note], None)
        for bias in (-40.0, 0.0, 5.0):
            base.space.gate_bias.fill_(bias)
            heard.append(float(model._prose(prose, cells)[1]))
        base.space.gate_bias.fill_(before)
    assert heard[0] < 1e-6
    assert heard[1] < heard[2]


class _Never:
    """A source of chance that never asks."""

    def random(self) -> float:
        return 1.0

    def choice(self, some: list[object]) -> object:
        return some[0]

    def randint(self, a: int, _: int) -> int:
        return a


def test_asked_passages_are_found_in_the_prose(tmp_path: Path) -> None:
    notes = read_asked([DATA / "asked.jsonl"], [DATA / "prose.txt"])
    assert [n.name for n in notes] == ["Lindmere"]
    assert all(a in notes[0].text for q in notes[0].questions for a in q.answers)
    lost = {"title": "Lindmere", "passage": passage_id("gone"), "questions": []}
    (tmp_path / "lost.jsonl").write_text(json.dumps(lost) + "\n", "utf-8")
    with pytest.raises(InputError, match="1 passages .* Lindmere"):
        read_asked([tmp_path / "lost.jsonl"], [DATA / "prose.txt"])
