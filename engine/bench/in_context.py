"""The same backbone with the passage in its prompt: what memory is measured against."""

from __future__ import annotations

import math
import time

import torch

from engine.bench.asking import Reply
from engine.memory.reading import windows
from engine.model.base import BaseModel
from engine.model.tokenizer import ANSWER, BEGIN, END, QUESTION, SPECIALS
from engine.notes.text import NoteText

MOST_TOKENS = 32


class InContextReader:
    """Answers from a passage in the prompt, without slow memory.

    Args:
        base: the model; only backbone and tokenizer are used.
    """

    def __init__(self, base: BaseModel) -> None:
        self._base = base

    def cut(self, note: NoteText) -> list[str]:
        """The windows of a note, as the writer reads them."""
        return [window.text for window in windows(note, self._base.tokenizer)]

    def answer(self, passage: str, question: str) -> Reply:
        """Decode greedily after begin, passage, question and the answer sign.

        An answer ends with the end token, with a line break, or after 32 tokens. It always counts
        as known; its probability stands for the others that a reply has.
        """
        start = time.perf_counter()
        tokenizer, backbone = self._base.tokenizer, self._base.backbone
        ids = [BEGIN, *tokenizer.encode(passage), QUESTION, *tokenizer.encode(question), ANSWER]
        tokens: list[int] = []
        log_p, first_p, first_seconds = 0.0, 0.0, 0.0
        with torch.no_grad():
            states, state = backbone.prefill(torch.tensor([ids], device=self._base.device))
            h = states[-1]
            while len(tokens) < MOST_TOKENS:
                scores = backbone.logits(h).log_softmax(-1)
                if not tokens:
                    scores[: len(SPECIALS)] = float("-inf")  # as asking memory: say something
                token = int(scores.argmax())
                log_p += float(scores[token])
                if not first_seconds:
                    first_seconds, first_p = time.perf_counter() - start, math.exp(log_p)
                if token == END or "\n" in tokenizer.decode([token]):
                    break
                tokens.append(token)
                h, state = backbone.step(token, state)
        p = math.exp(log_p)
        text = tokenizer.decode(tokens).strip()
        seconds = time.perf_counter() - start
        return Reply(text, True, p, p, p, first_p, 0, 0, first_seconds, seconds)
