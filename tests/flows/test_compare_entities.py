"""`bertwright compare` for taggers and spans."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertwright import finetune
from bertwright.data.answers import Marked, Span
from bertwright.data.examples import Example, Where
from bertwright.data.reading.tables import Columns, Table
from bertwright.evaluation.paired_tests import paired_bootstrap_of_sums, resampling_units_needed
from bertwright.tasks.entities.entities import Entity, EntityPrediction
from bertwright.tasks.entities.entity_comparison import EntityComparison, compare_entities

from ..tagged_texts import tagged_sentences
from .conftest import Command
from .test_mistakes import refused
from .test_tagging import write


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tagger_model: Path) -> tuple[Path, Path, Path]:
    """A tagger that learnt little, one of spans, and data."""
    folder = tmp_path_factory.mktemp("compared")
    train, test = tagged_sentences(160, 1), tagged_sentences(60, 3)
    settings: dict[str, Any] = {"model": tagger_model, "learning_rate": 5e-3, "batch_size": 16}
    finetune(train, test[:20], out=folder / "a", task="tagging", epochs=1, **settings)
    finetune(train, test[:20], out=folder / "b", task="spans", epochs=4, **settings)
    return folder / "a", folder / "b", write(folder / "test.jsonl", test, "doccano")


def test_two_runs(command: Command, runs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    a, b, data = runs
    result = command("compare", a, b, data, "--json", "--output", tmp_path / "rows.csv")
    assert result.code == 0, result.err
    values = json.loads(result.out)
    for name, run in (("a", a), ("b", b)):
        alone = json.loads(command("evaluate", run, data, "--json").out)
        for metric in ("f1", "precision", "recall"):
            assert values["metrics"][metric][name] == pytest.approx(alone["scores"][metric])
        rows = {row[0]: row for row in alone["tables"][0]["rows"]}
        for kind in ("LOC", "PER"):
            assert values["metrics"][f"f1 {kind}"][name] == pytest.approx(float(rows[kind][5]), abs=1e-4)
        found = values["found"]["both"] + values["found"][f"only_{name}"]
        wrong = values["wrong"]["both"] + values["wrong"][f"only_{name}"]
        assert found + wrong == int(rows["all"][2])
        assert values["calibration"][name]["ece"] == pytest.approx(alone["scores"]["ece"])
    assert sum(values["found"].values()) == int(rows["all"][1])
    assert values["rows"], "a run of one epoch makes other mistakes"
    places = [[{(e["start"], e["end"], e["type"]) for e in row[name]} for name in "ab"] for row in values["rows"]]
    assert all(one != other for one, other in places)
    with (tmp_path / "rows.csv").open(encoding="utf-8-sig", newline="") as file:
        rows_of_file = list(csv.DictReader(file))
    assert [row["where"] for row in rows_of_file] == [row["where"] for row in values["rows"]]
    named = [", ".join(f"{one['text']} ({one['type']})" for one in row["a"]) for row in values["rows"]]
    assert [row["a"] for row in rows_of_file] == named
    shown = command("compare", a, b, data, "--show-rows", 1).out
    assert values["verdict"] in shown
    assert "f1 PER" in shown
    assert shown.count("true: ") == 1


def test_a_run_against_itself_and_against_another_task(
    command: Command, runs: tuple[Path, Path, Path], run: Path, dev_csv: Path
) -> None:
    a, _, data = runs
    assert "no difference: both give the same answer to each of the 60 texts" in command("compare", a, a, data).out
    refused(command("compare", a, run, data), "BW580")


def compared(right_a: np.ndarray, right_b: np.ndarray) -> EntityComparison:
    """As many texts with one entity each, found where an entry is true; else the place has another type."""
    examples = [Example("Oslo", Marked((Span(0, 4, "LOC"),)), Where("t", i)) for i in range(len(right_a))]

    def answers(right: np.ndarray) -> list[EntityPrediction]:
        return [EntityPrediction(False, (Entity(0, 4, "LOC" if yes else "PER", 0.9, "Oslo"),)) for yes in right]

    table = Table(examples, "t", Columns())
    return compare_entities(answers(right_a), answers(right_b), table, ["LOC", "PER"])


def test_the_verdict_and_who_finds_what() -> None:
    rows = np.arange(1000)
    better = compared(rows >= 150, rows >= 100)
    assert better.verdict().startswith("B is better: +5.0 points [3.")
    assert better.verdict().endswith("f1, p < 0.001")
    assert (better.both, better.only_a, better.only_b, better.neither) == (850, 0, 50, 100)
    assert (better.wrong_both, better.wrong_a, better.wrong_b) == (100, 50, 0)
    assert {row.better for row in better.rows} == {"B"}  # type: ignore[attr-defined]
    assert compared(rows >= 100, rows >= 150).verdict().startswith("A is better")
    same = compared(rows % 100 >= 10, rows % 100 < 90)
    assert same.verdict().startswith("no difference can be shown with 1,000 texts (B - A: +0.0 points [")
    assert "texts would be needed to show 1 point of F1" in same.verdict()
    # 20 % of the texts differ: the standard error is sqrt(0.2 / n).
    assert same.needed == pytest.approx(0.2 * (2.8 / 0.01) ** 2, rel=0.1)


def test_a_single_text_proves_nothing_and_no_power_is_claimed() -> None:
    one = compared(np.array([False]), np.array([True]))
    assert one.verdict() == (
        "no difference can be shown with 1 text (B - A: +100.0 points f1, p = 1.000); "
        "about 790 texts would be needed to show 1 point of F1"
    )
    assert one.to_json()["metrics"]["f1"]["low"] is None


def test_without_a_difference_few_are_shown_and_intervals_hold_zero() -> None:
    """Texts with several entities each, which are found together or not: equally good runs are told apart rarely."""
    shown = inside = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        true = generator.integers(1, 5, size=150)

        def sums(right: np.ndarray, true: np.ndarray = true) -> np.ndarray:
            return np.stack([true, true, right * true], axis=1).astype(float)

        a, b = (sums(generator.random(150) < 0.8) for _ in range(2))
        metrics = {"f1": lambda rows: 2 * rows[..., 2] / (rows[..., 0] + rows[..., 1])}
        found = paired_bootstrap_of_sums(a, b, metrics, resamples=400, seed=seed)["f1"]
        shown += found.is_shown
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 0 <= found.high
    assert shown / 200 < 0.10
    assert 0.90 < inside / 200 < 0.99


def test_so_many_texts_show_the_difference_they_promise() -> None:
    """Runs that differ by 5 points: with the number of texts asked for, the bootstrap finds it in about 80 of 100."""

    def sample(count: int, seed: int) -> Any:
        draws = np.random.default_rng(seed).multinomial(1, [0.075, 0.125, 0.8], size=count).astype(float)
        ones = np.ones(count)
        a, b = (np.stack([ones, ones, right], axis=1) for right in (1 - draws[:, 1], 1 - draws[:, 0]))
        metrics = {"f1": lambda sums: 2 * sums[..., 2] / (sums[..., 0] + sums[..., 1])}
        return paired_bootstrap_of_sums(a, b, metrics, resamples=1000, seed=seed)["f1"]

    needed = resampling_units_needed(sample(20_000, 0), 20_000, 0.05)
    found = np.mean([sample(needed, seed).is_shown for seed in range(1, 301)])
    assert 0.70 < found < 0.90
