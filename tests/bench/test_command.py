"""The command line of the benches, without a model."""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import bench
from engine.bench import (
    baseline,
    capacity,
    designs,
    facts20,
    frames,
    held_out,
    notes,
    sequence,
    silence,
    speed,
    squad,
    two_documents,
)
from engine.bench.asking import Given, Scores
from engine.bench.command import BENCHES, Setting, show, to_json
from engine.bench.subject import Written
from engine.bench.table import Table

SETTING = Setting("tiny", "abc", 5, "CPU", 100, 60, 0, 1.5)


@dataclass(frozen=True)
class Inner:
    share: float | None


@dataclass(frozen=True)
class Result:
    value: float
    inner: Inner
    names: tuple[str, ...]

    def tables(self) -> tuple[Table, ...]:
        return (Table("Title", ("a", "b"), (("x", self.value),)),)


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(arguments)


def test_every_bench_has_the_common_options() -> None:
    args = parsed("facts20", "--file", "f.jsonl", "--json", "--base", "b", "--cells", "12")
    assert (args.bench, args.json, args.base, args.cells) == ("facts20", True, Path("b"), 12)
    assert parsed("speed").seed == 0
    names = {b.name for b in BENCHES}
    assert names == {
        "facts20", "two-documents", "capacity", "notes", "held-out", "baseline", "squad",
        "sequence", "silence", "speed", "frames", "designs",
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [(), ("facts20",), ("nothing",), ("notes", "--file", "x")])
def test_wrong_usage_ends_with_code_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(*arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_json_is_one_object_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(float("nan"), Inner(0.25), ("é", "b"))
    show("facts20", result, SETTING, as_json=True)
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    whole = json.loads(out)
    assert whole["bench"] == "facts20"
    assert whole["value"] is None
    assert whole["inner"] == {"share": 0.25}
    assert whole["names"] == ["é", "b"]
    assert whole["setting"]["base_id"] == "abc"
    assert "Title" in err


def test_without_json_the_table_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    show("facts20", Result(0.5, Inner(None), ()), SETTING, as_json=False)
    out, err = capsys.readouterr()
    assert "Title" in out and "0.500" in out
    assert err == ""


def test_infinite_numbers_become_null() -> None:
    assert json.loads(to_json("x", Result(float("inf"), Inner(None), ()), SETTING))["value"] is None


def test_the_command_line_needs_no_torch() -> None:
    code = (
        "import argparse, sys\n"
        "from engine import bench\n"
        "bench.add_arguments(argparse.ArgumentParser())\n"
        "sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


RESULTS = {
    "facts20": facts20.Facts20,
    "two-documents": two_documents.TwoDocuments,
    "capacity": capacity.Capacity,
    "notes": notes.Notes,
    "held-out": held_out.HeldOut,
    "baseline": baseline.Baseline,
    "squad": squad.Squad,
    "sequence": sequence.DocumentSequence,
    "silence": silence.Silence,
    "designs": designs.Designs,
    "speed": speed.Speed,
    "frames": frames.Frames,
}


@pytest.mark.parametrize("bench_name", RESULTS)
def test_every_key_is_told_in_the_results_page(bench_name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text("utf-8")
    chapter = page.split(f"\n### {bench_name}\n")[1].split("\n### ")[0]
    fields = [field.name for field in dataclasses.fields(RESULTS[bench_name])]
    assert [name for name in fields if f"`{name}`" not in chapter] == []


def test_every_key_of_a_row_of_frames_is_told_in_the_results_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text("utf-8")
    chapter = page.split("\n### frames\n")[1].split("\n### ")[0]
    fields = [field.name for field in dataclasses.fields(frames.Gaps)]
    assert [name for name in fields if f"`{name}`" not in chapter] == []


@pytest.mark.parametrize("record", [Scores, Written, Given, Setting])
def test_shared_keys_are_told_in_the_results_page(record: type) -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text("utf-8")
    chapter = page.split("## Keys of the JSON objects")[1].split("\n### ")[0]
    fields = [field.name for field in dataclasses.fields(record)]
    assert [name for name in fields if f"`{name}`" not in chapter] == []
