"""Notes and answers as JSON objects; scripts rely on these keys."""

from __future__ import annotations

from typing import Any

from engine.api import Answer, Note


def note_as_json(note: Note) -> dict[str, Any]:
    """A note as an object."""
    return {
        "id": note.id,
        "note": note.path,
        "state": note.state.value,
        "recall": note.recall,
        "median_p": note.median_p,
        "cells": note.cells,
        "written_at": note.written_at,
        "reason": note.reason,
    }


def answer_as_json(answer: Answer) -> dict[str, Any]:
    """An answer as an object."""
    return {
        "answer": answer.text,
        "confidence": answer.confidence,
        "known": answer.known,
        "sources": [{"note": each.path, "weight": each.weight} for each in answer.sources],
        "alternatives": [
            {"answer": each.text, "note": each.source.path, "weight": each.source.weight}
            for each in answer.alternatives
        ],
        "seconds": answer.seconds,
        "prompt": list(answer.prompt),
    }
