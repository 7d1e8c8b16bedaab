"""Other answers that memory holds nearly as good as the one it gives.

The right place in the notes is often the second or third best (docs/training): a person who reads
two answers more, each with its note, sees at once which one was meant.
"""

from __future__ import annotations

import torch

from engine.memory.decode import (
    ANSWER_TOKENS,
    ECHO,
    Asked,
    choose,
    credit,
    echoes,
    look_up,
    read_question,
)
from engine.memory.encode import read_prompt
from engine.memory.report import Alternative
from engine.model.base import BaseModel
from engine.model.bdh import DecodingState
from engine.model.slot import NO_CELL, Slot
from engine.model.tokenizer import END
from engine.model.words import words_of

MOST = 2
"""How many are given beside an answer."""
NEAR = 2.0
"""Nats by which a first cell may score lower than the best one."""
_LOOKED_AT = 8
"""Cells that are tried as the beginning of another answer."""


def alternatives(base: BaseModel, slot: Slot, question: str, given: str) -> tuple[Alternative, ...]:
    """What else the best cells begin, best first, at most `MOST`.

    An answer that says what another one says, or a part of it, is left out.

    Args:
        base, slot: the memory.
        question: its words.
        given: the answer that was given.
    """
    said = [words for words in [words_of(given)] if words]
    out: list[Alternative] = []
    with torch.no_grad():
        asked = read_question(base, slot, question, read_prompt(base, question))
        found, values = look_up(base, slot, asked.h, asked.fixed, {}, asked.repeated)
        if not len(found.cell):
            return ()
        p, token = values.max(-1)
        echo = echoes(base, slot, found.cell, asked.repeated < 0.0)
        scores = found.scores - ECHO * echo + p.clamp_min(1e-30).log()
        within: set[int] = set()
        for i in scores.argsort(descending=True)[:_LOOKED_AT].tolist():
            cell, behind = int(found.cell[i]), float(scores.max() - scores[i])
            if behind > NEAR or len(out) == MOST:
                break
            if cell in within or int(token[i]) == END:
                continue
            text, through = _run(base, slot, asked, cell, int(token[i]))
            within |= through
            words = words_of(text)
            if words and not any(_holds(a, words) or _holds(words, a) for a in said):
                said.append(words)
                weight = float(torch.tensor(-behind).exp())
                out.append(Alternative(text, int(slot.owner[cell]), weight))
    return tuple(out)


def _run(
    base: BaseModel, slot: Slot, asked: Asked, cell: int, token: int
) -> tuple[str, set[int]]:
    """The answer that begins at a cell, with the cells that come after its own."""
    state = DecodingState(asked.state.rho.clone(), asked.state.position)
    after = int(slot.successor[cell])
    bonus = {} if after == NO_CELL else {after: float(base.space.chain)}
    through: set[int] = set()
    tokens = [token]
    while len(tokens) < ANSWER_TOKENS:
        through |= bonus.keys()
        h, state = base.backbone.step(tokens[-1], state)
        vocabulary = base.backbone.logits(h).log_softmax(-1)
        found, values = look_up(base, slot, h, asked.fixed, bonus, None)
        best, _ = choose(vocabulary, found, values, found.scores)
        if best == END:
            break
        tokens.append(best)
        bonus = credit(base, slot, vocabulary, found, values, best).bonus
    return base.tokenizer.decode(tokens).strip(), through


def _holds(words: list[str], part: list[str]) -> bool:
    """Whether some words have others in a row among them."""
    n = len(part)
    return any(words[i : i + n] == part for i in range(len(words) - n + 1))
