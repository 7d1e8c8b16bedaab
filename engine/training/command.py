"""`main.py train ...`: from raw corpora to an embedded base model, one step a command.

All steps share a run folder; each reads what the one before left there:
tokenizer -> words -> prose -> memory -> export (which calibrates). `all` is the five in a row.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import torch

from engine.api import InputError
from engine.model.address import AddressSpace
from engine.model.config import PRESETS, BackboneConfig
from engine.model.tokenizer import Tokenizer
from engine.model.words import WordTable
from engine.training import checkpoint, corpora, facts, ranks, wordlist
from engine.training.ablate import Ablation, AblationTable, Setup, chosen
from engine.training.ahead import AheadBatches, Batches
from engine.training.architecture import build, run_folder
from engine.training.cloze import filler_sentences
from engine.training.examples import BatchMaker, ExampleMaker, Mix, NoteExample
from engine.training.export import export
from engine.training.memory_loss import LossWeights
from engine.training.memory_training import MemoryPlan, MemoryTraining, start_from
from engine.training.precision import autocast_dtype
from engine.training.pretrain import Pretraining, PretrainPlan
from engine.training.values import Values

_PROSE_DOCUMENTS = 6000
_FILLER = 8000
_UNSEEN_NOTES = 40


def run(args: argparse.Namespace) -> int:
    """Carry out one step; returns the exit code."""
    args.run.mkdir(parents=True, exist_ok=True)
    if "precision" in args:
        args.dtype = autocast_dtype(args.precision, _device(args))  # once, for all processes
    steps = {
        "all": _all,
        "tokenizer": _tokenizer,
        "words": _words,
        "prose": _prose,
        "memory": _memory,
        "ablate": _ablate,
        "export": _export,
    }
    try:
        steps[args.step](args)
    except FileNotFoundError as error:
        raise InputError(f"There is no {error.filename}.") from error
    return 0


def _all(args: argparse.Namespace) -> None:
    """Every step that is not done yet, as far as the minutes go."""
    started = time.monotonic()
    if not (args.run / "prose.u16").exists():
        _tokenizer(args)
    if not (args.run / "words.safetensors").exists():
        _words(args)
    for step, of in ((_prose, "prose"), (_memory, "memory")):
        own = {o: getattr(args, f"{of}_{o}") for o in ("steps", "decay", "lr")}
        left = args.minutes and args.minutes - (time.monotonic() - started) / 60
        step(argparse.Namespace(**vars(args) | own | {"minutes": left}))
        state = checkpoint.load(args.run / f"{of}.pt")
        if state is None or state["step"] < own["steps"]:
            print("time is over; the same command goes on", file=sys.stderr)
            return
    _export(args)


def _device(args: argparse.Namespace) -> torch.device:
    if args.device != "auto":
        return torch.device(args.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _everyday(args: argparse.Namespace) -> list[str]:
    """Notes, their questions, and the schemas' wordings."""
    texts = []
    for note in corpora.read_notes(args.notes):
        texts += [note.text, *(q.question for q in note.questions)]
    for schema in facts.read_bank(args.banks):
        texts += [*schema.statements, *schema.jottings]
        texts += [q for questions in schema.questions.values() for q in questions]
    return texts


def _tokenizer(args: argparse.Namespace) -> None:
    everyday = _everyday(args)

    def texts() -> Iterator[str]:
        size = 0
        for shard in args.prose:
            for document in corpora.documents(shard):
                size += len(document)
                yield document
                if size > 40e6:
                    break
        for _ in range(16):  # so that the signs and words of notes get tokens of their own
            yield from everyday
        for _ in range(6000):
            yield "for €12 or £9 – about “six” – it’s °"

    tokenizer = Tokenizer.train(texts(), args.vocab)
    tokenizer.save(args.run / "tokenizer.json")
    n = corpora.tokenize_prose(args.prose, tokenizer, args.run / "prose.u16", args.tokens)
    print(f"{tokenizer.vocab_size} ids; {n} tokens of prose", file=sys.stderr)


def _words(args: argparse.Namespace) -> None:
    def paragraphs() -> Iterator[str]:
        size = 0
        for shard in args.prose:
            for document in corpora.documents(shard):
                size += len(document)
                yield from document.split("\n")
                if size > 60e6:
                    return

    prose = wordlist.count(paragraphs())
    words = wordlist.choose(prose, wordlist.count(_everyday(args)))
    if args.teacher is not None:
        vectors = wordlist.distil(wordlist.teacher_embeddings(words, args.teacher), args.width)
    else:
        vectors = wordlist.random_vectors(len(words), args.width, seed=1)
    start = wordlist.WordStart(WordTable(words), vectors, wordlist.rarity(words, prose))
    start.save(args.run)
    print(f"{len(words)} words", file=sys.stderr)


def _prose(args: argparse.Namespace) -> None:
    ranks.together(args.processes, _prose_of, args)


def _prose_of(args: argparse.Namespace, us: ranks.Ranks) -> None:
    plan = PretrainPlan(
        run=run_folder(args.run, args.architecture),
        tokens=args.run / "prose.u16",
        steps=args.steps,
        rows=args.rows,
        length=args.length,
        lr=args.lr,
        decay=args.decay,
        seed=args.seed,
        optimizer=args.optimizer,
        architecture=args.architecture,
        dtype=args.dtype,
        compile=args.compile,
        minutes=args.minutes,
    )
    tokenizer = Tokenizer.read(args.run / "tokenizer.json")
    Pretraining(plan, _shape(args, tokenizer), tokenizer, _device(args), us).run()


def _shape(args: argparse.Namespace, tokenizer: Tokenizer) -> BackboneConfig:
    return dataclasses.replace(PRESETS[args.preset], vocab_size=tokenizer.vocab_size)


def _memory_shape(
    args: argparse.Namespace, tokenizer: Tokenizer, start: wordlist.WordStart
) -> BackboneConfig:
    shape = _shape(args, tokenizer)
    return dataclasses.replace(shape, gist_words=len(start.table), reading=args.reading)


def _memory_plan(args: argparse.Namespace, run: Path) -> MemoryPlan:
    return MemoryPlan(
        run=run,
        steps=args.steps,
        lr=args.lr,
        lr_words=args.lr_words,
        decay=args.decay,
        seed=args.seed,
        dropout=args.dropout,
        dtype=args.dtype,
        reading=args.reading,
        weights=LossWeights(quiet=args.quiet),
        prose_rows=args.prose_rows,
        minutes=args.minutes,
    )


def _memory(args: argparse.Namespace) -> None:
    ranks.together(args.processes, _memory_of, args)


def _memory_of(args: argparse.Namespace, us: ranks.Ranks) -> None:
    tokenizer = Tokenizer.read(args.run / "tokenizer.json")
    start = wordlist.WordStart.read(args.run)
    shape = _memory_shape(args, tokenizer, start)
    run = run_folder(args.run, args.architecture)
    model = build(args.architecture, shape)
    space = AddressSpace(dataclasses.replace(shape, d_model=model.cfg.d_model))
    start_from(model, space, start, checkpoint.load(run / "prose.pt"), args.seed)
    model.to(_device(args))
    space.to(_device(args))
    batches, held_out = memory_data(args, ExampleMaker(tokenizer, start.table))
    stream = corpora.TokenStream(args.run / "prose.u16")
    plan = _memory_plan(args, run)
    with contextlib.ExitStack() as stack:
        source: Batches = batches
        if args.ahead:
            ahead = AheadBatches(batches, args.ahead, us.world)
            source = stack.enter_context(contextlib.closing(ahead))
        MemoryTraining(plan, model, space, source, held_out, stream, us).run()


def _ablate(args: argparse.Namespace) -> None:
    names = chosen(args.only)
    table = AblationTable(args.out, args.steps)
    tokenizer = Tokenizer.read(args.run / "tokenizer.json")
    start = wordlist.WordStart.read(args.run)
    pretrained = checkpoint.load(args.run / "prose.pt")
    if pretrained is None:
        raise InputError(f"There is no pre-training in {args.run} that variants could start from.")
    batches, held_out = memory_data(args, ExampleMaker(tokenizer, start.table))
    setup = Setup(
        _memory_shape(args, tokenizer, start),
        _memory_plan(args, args.run),
        batches.mix,
        len(batches.composer.schemas),
    )
    stream = corpora.TokenStream(args.run / "prose.u16")
    device = _device(args)
    ablation = Ablation(setup, start, pretrained, batches, held_out, device, stream)
    if not ablation.run(names, table):
        print("time is over; the same command goes on", file=sys.stderr)


def memory_data(
    args: argparse.Namespace, maker: ExampleMaker
) -> tuple[BatchMaker, dict[str, Sequence[NoteExample]]]:
    """Training batches, and the held-out sets: real notes, and composed ones of unseen schemas."""
    trained, unseen = facts.split_bank(facts.read_bank(args.banks))
    values = Values.read(args.values)
    documents: list[tuple[str, list[str]]] = []
    for shard in args.prose:
        for document in corpora.documents(shard):
            title, *rest = document.split("\n")
            paragraphs = [p for p in rest if len(p) > 80]
            if paragraphs:
                documents.append((title, paragraphs))
            if len(documents) >= _PROSE_DOCUMENTS:
                break
    filler = filler_sentences((p for _, ps in documents for p in ps[1:3]), _FILLER)
    written, asked, composed, prose = (int(n) for n in args.mix.split(","))
    mix = Mix(written=written, asked=asked, composed=composed, prose=prose)
    composer = facts.Composer(trained, values, filler)
    passages = corpora.read_asked(args.asked, args.prose)
    batches = BatchMaker(maker, corpora.read_notes(args.notes), composer, documents, mix, passages)
    real = [maker.written(note) for note in corpora.read_notes(args.held_out)]
    held_out: dict[str, Sequence[NoteExample]] = {"real": real}
    if unseen:
        rng = Random(5)
        composer = facts.Composer(unseen, values, filler)
        draws = [rng.sample(unseen, min(2, len(unseen))) for _ in range(_UNSEEN_NOTES)]
        held_out["unseen"] = [maker.composed(composer.note(d, rng), rng) for d in draws]
    return batches, held_out


def _export(args: argparse.Namespace) -> None:
    export(args.run, args.out, args.name, args.calibration, best=args.best)
