"""The base model on disk: weights, tokenizer, words, shape, calibration; one identity."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.api import BaseModelMissing, MemoryCorrupt
from engine.model.address import AddressSpace
from engine.model.bdh import Backbone
from engine.model.confidence import Calibration
from engine.model.config import BackboneConfig
from engine.model.repeat import content_classes
from engine.model.tokenizer import Tokenizer
from engine.model.words import WordTable

_WEIGHTS = "model.safetensors"
_IDENTITY = (_WEIGHTS, "tokenizer.json", "words.txt", "config.json")
_LEXICAL = "space.lexical"
_QUIET = "quiet.safetensors"


@dataclass(frozen=True)
class BaseModel:
    """A frozen base model.

    Attributes:
        backbone, space: the networks, in evaluation use; nothing writes to them.
        tokenizer, words: of text.
        calibration: what turns an answer's evidence into a confidence.
        quiet: queries of questions that no note answers (Q, d_context + 2 G + 1): writing a note
            must not make its cells answer them.
        classes: (V,) tokens that spell alike, see `engine.model.repeat`.
        name: the preset's name. id: SHA-256 over weights, tokenizer, words and shape.
        parameters: trained numbers in backbone and address space.
    """

    backbone: Backbone
    space: AddressSpace
    tokenizer: Tokenizer
    words: WordTable
    calibration: Calibration
    quiet: Tensor
    classes: Tensor
    name: str
    id: str
    parameters: int

    @property
    def cfg(self) -> BackboneConfig:
        """The shape."""
        return self.backbone.cfg

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.backbone.head.device

    @staticmethod
    def embedded_directory() -> Path:
        """The base model that ships with the application."""
        return Path(str(importlib.resources.files("resources"))) / "base"

    @classmethod
    def read(cls, directory: Path, device: torch.device | str = "cpu") -> BaseModel:
        """Load a base model.

        Raises:
            BaseModelMissing: a file is not there.
            MemoryCorrupt: a file is broken.
        """
        missing = [n for n in (*_IDENTITY, "calibration.json") if not (directory / n).is_file()]
        if missing:
            raise BaseModelMissing(
                f"The base model is not complete: {', '.join(missing)} is missing in {directory}."
            )
        try:
            tensors = load_file(directory / _WEIGHTS)
            cfg = BackboneConfig.read(directory / "config.json")
            calibration = Calibration(**json.loads((directory / "calibration.json").read_text()))
            tokenizer = Tokenizer.read(directory / "tokenizer.json")
        except (SafetensorError, ValueError, TypeError) as error:
            raise MemoryCorrupt(f"The base model in {directory} is broken: {error}") from error
        backbone, space = Backbone(cfg), AddressSpace(cfg)
        try:
            _fill(backbone, "backbone.", tensors)
            _fill(space, "space.", tensors)
        except RuntimeError as error:
            raise MemoryCorrupt(
                f"The base model in {directory} does not fit its own shape."
            ) from error
        quiet_file = directory / _QUIET
        width = cfg.d_context + 2 * space.d_gist + 1
        quiet = load_file(quiet_file)["quiet"] if quiet_file.is_file() else torch.zeros(0, width)
        words = WordTable.read(directory / "words.txt")
        classes = content_classes(tokenizer, words, space.rarity)
        return cls(
            backbone.to(device).eval(),
            space.to(device).eval(),
            tokenizer,
            words,
            calibration,
            quiet.float().to(device),
            classes.to(device),
            _name(directory),
            identity(directory),
            sum(p.numel() for m in (backbone, space) for p in m.parameters()),
        )


def _fill(module: torch.nn.Module, prefix: str, tensors: Mapping[str, Tensor]) -> None:
    own = {k[len(prefix) :]: v.float() for k, v in tensors.items() if k.startswith(prefix)}
    state = module.state_dict()
    if "lexical" in state:
        own["lexical"] = state["lexical"]  # fixed by its seed, not stored
    module.load_state_dict(own)
    for p in module.parameters():
        p.requires_grad_(False)


def _name(directory: Path) -> str:
    card = directory / "card.json"
    return str(json.loads(card.read_text("utf-8"))["name"]) if card.is_file() else directory.name


def identity(directory: Path) -> str:
    """SHA-256 (hex) over the files that decide what a stored address means."""
    digest = hashlib.sha256()
    for name in _IDENTITY:
        digest.update(hashlib.sha256((directory / name).read_bytes()).digest())
    return digest.hexdigest()


def weights_hash(backbone: Backbone) -> str:
    """SHA-256 (hex) over a backbone's tensors in memory, to show that nothing changed them."""
    digest = hashlib.sha256()
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()


def save(
    directory: Path,
    backbone: Backbone,
    space: AddressSpace,
    tokenizer: Tokenizer,
    words: WordTable,
    name: str,
    calibration: Calibration,
    quiet: Tensor | None = None,
) -> None:
    """Write a base model as bf16 safetensors and its companions."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {f"backbone.{k}": v for k, v in backbone.state_dict().items()}
    tensors |= {f"space.{k}": v for k, v in space.state_dict().items()}
    tensors.pop(_LEXICAL)
    bf16 = {k: v.detach().to(torch.bfloat16).contiguous().cpu() for k, v in tensors.items()}
    save_file(bf16, directory / _WEIGHTS)
    (directory / "config.json").write_text(backbone.cfg.to_json() + "\n", "utf-8")
    tokenizer.save(directory / "tokenizer.json")
    words.save(directory / "words.txt")
    (directory / "card.json").write_text(json.dumps({"name": name}) + "\n", "utf-8")
    write_calibration(directory, calibration)
    if quiet is not None:
        save_file({"quiet": quiet.half().contiguous().cpu()}, directory / _QUIET)
    for file in directory.glob("*.safetensors"):
        file.chmod(0o644)  # save_file makes private files; a base model is for everybody


def write_calibration(directory: Path, calibration: Calibration) -> None:
    """Write calibration.json."""
    text = json.dumps(asdict(calibration), indent=1)
    (directory / "calibration.json").write_text(text + "\n", "utf-8")
