"""The verb `inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bertwright.cli.inspecting import inspect
from bertwright.errors import BertwrightError

from .conftest import write_csv

ROWS = [("a great day", "positive"), ("a bad day", "negative"), ("a great day", "negative"), (" ", "positive")]


def run(*words: object) -> str:
    app = typer.Typer()
    app.command()(inspect)
    result = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == 0
    return result.stdout


def test_findings_are_printed_with_their_lines(tmp_path: Path, tiny_model: Path) -> None:
    train = write_csv(tmp_path / "train.csv", ROWS)
    dev = write_csv(tmp_path / "dev.csv", [("a bad day", "negative"), ("fine", "neutral")])
    out = run(train, "--dev", dev, "--model", tiny_model)
    assert f"{train} (utf-8): 3 examples, text from 'text', labels from 'label'; CSV with a header" in out
    assert f"warning: train: 1 row has the text of an earlier row and another label: {train}:4 (see line 2)" in out
    assert out.count(f"1 row without text left out: {train}:5") == 1, "said once"
    assert (
        f"warning: dev: 1 row has a text that train has, too (50.0 %; 0 with another label): {dev}:2 (see {train}:3)"
        in out
    )
    assert f"(neutral); training refuses them: {dev}:3" in out
    assert "negative" in out
    assert "as the model reads it: [CLS] a great day [SEP]" in out


def test_texts_and_labels_are_printed_as_they_are(tmp_path: Path, tiny_model: Path) -> None:
    rows = [("at 10:a:30 :smile: [red]stop[/red]", ":heart:"), ("[bold]go[/bold] :cat:", "[blue]")] * 3
    file = write_csv(tmp_path / "train.csv", rows)
    out = run(file, "--model", tiny_model)
    assert "the first text, labelled ':heart:': at 10:a:30 :smile: [red]stop[/red]" in out
    assert {":heart:", "[blue]"} <= {cell.strip() for line in out.splitlines() for cell in line.split("│")}
    assert ":cat:" in run(file, "--model", tiny_model, "--show-alignment", "2")


def test_json(tmp_path: Path) -> None:
    document = json.loads(run(write_csv(tmp_path / "train.csv", ROWS), "--json"))
    assert document["train"]["rows"] == 3
    assert {finding["kind"] for finding in document["findings"]} == {"contradictions", "rare classes", "empty"}


def test_json_has_what_the_data_says_of_its_example(tmp_path: Path, tiny_model: Path) -> None:
    tagged = tmp_path / "a.jsonl"
    tagged.write_text('{"text": "Anna sings", "label": [[0, 4, "PER"]]}\n', encoding="utf-8")
    example = json.loads(run(tagged, "--json", "--model", tiny_model))["example"]
    assert (example["spans"], example["target"], example["label"]) == ([[0, 4, "PER"]], None, None)
    pairs = write_csv(tmp_path / "b.csv", [("a b", "c d")] * 2, header=("source", "target"))
    example = json.loads(run(pairs, "--json", "--task", "seq2seq", "--model", tiny_model))["example"]
    assert (example["text"], example["target"], example["spans"]) == ("a b", "c d", None)


def test_data_without_labels_and_other_columns(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [("one", "two"), ("three", "four")], header=("premise", "hypothesis"))
    with pytest.raises(BertwrightError, match="BW221"):
        run(file)
    assert "pairs of texts from 'premise' and 'hypothesis'" in run(file, "--no-labels")
    out = run(file, "--text-column", "premise", "--label-column", "hypothesis")
    assert "text from 'premise', labels from 'hypothesis'" in out
