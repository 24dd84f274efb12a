"""Data frames, `datasets` objects and lists, known by what they can do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where, label_of, spans_of
from bertwright.data.reading.example_sources import read_examples, stream_examples
from bertwright.data.tagged.span_sources import looks_tagged, read_spans
from bertwright.errors import BertwrightError
from bertwright.tasks.classification import Classification

TEXTS, LABELS = ["a good day", "a bad day", "好"], [1, 0, 1]


def pandas_frame(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("pandas").DataFrame(columns)


def polars_frame(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("polars").DataFrame(columns)


def dataset(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("datasets").Dataset.from_dict(columns)


def mappings(columns: dict[str, Any]) -> Any:
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def tuples(columns: dict[str, Any]) -> Any:
    return list(zip(*columns.values()))


KINDS = [pandas_frame, polars_frame, dataset, mappings, tuples]


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_are_the_same(kind: Any) -> None:
    table = read_examples(kind({"text": TEXTS, "label": LABELS}), labelled=True, name="mine")
    assert table.examples == [
        Example(text, Label(str(label)), Where("mine", row))
        for row, (text, label) in enumerate(zip(TEXTS, LABELS), start=1)
    ]
    pairs = read_examples(kind({"text_a": TEXTS, "text_b": TEXTS[::-1], "label": LABELS}), labelled=True)
    assert [example.text_b for example in pairs.examples] == TEXTS[::-1]
    assert pairs.is_pair


@pytest.mark.parametrize("kind", [pandas_frame, polars_frame, dataset, mappings])
def test_missing_values(kind: Any) -> None:
    table = Classification.read(kind({"text": ["a", None, "c", "d"], "label": [1, 0, None, 0]}), labelled=True)
    # The gap turns the column into fractions in pandas.
    assert [(example.text, label_of(example)) for example in table.examples] == [("a", "1"), ("c", None), ("d", "0")]
    assert ([str(place) for place in table.empty], [str(place) for place in table.unlabelled]) == (
        ["train:2"],
        ["train:3"],
    )
    assert "1 row without a label: train:3" in table.summary()


def test_names_of_classes_in_datasets() -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    data = datasets.Dataset.from_dict({"text": TEXTS, "label": [1, 0, -1]}, features=features)
    assert [label_of(example) for example in read_examples(data, labelled=True).examples] == ["pos", "neg", None]
    with pytest.raises(BertwrightError, match=r"BW233: train: a thing of the kind 'DatasetDict'"):
        read_examples(datasets.DatasetDict({"train": data}), labelled=True)


def test_tuples_and_texts() -> None:
    swapped = read_examples([(1, "a good day"), (0, "a bad day")], labelled=True)
    assert [label_of(example) for example in swapped.examples] == ["1", "0"]
    assert "the label comes first in every tuple" in swapped.summary()
    _, examples = stream_examples([("a", "b"), ("c", "d")], pair=True)
    assert [(example.text, example.text_b) for example in examples] == [("a", "b"), ("c", "d")]
    assert [example.text for example in stream_examples(text for text in TEXTS)[1]] == TEXTS
    again = read_examples(swapped.examples, labelled=True)
    assert again.examples == swapped.examples


def test_labels_are_what_is_written() -> None:
    rows = [(f"text {number}", value) for number, value in enumerate((True, 1.0, 1, "-", 0.5, "01"))]
    table = read_examples(rows, labelled=True)
    assert [label_of(example) for example in table.examples] == ["True", "1.0", "1", "-", "0.5", "01"]
    assert not table.undecided


def test_no_library_is_imported() -> None:
    code = "import sys, bertwright.data.reading.example_sources as s; s.read_examples([('a', 1)], labelled=True);"
    code += "print([m for m in ('pandas', 'polars', 'pyarrow', 'datasets', 'torch') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_kinds_of_columns_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    texts, labels = ["one day", None, "three days", "four days"], ["b", "a", None, "b"]
    frame = pandas.DataFrame(
        {
            "text": pandas.array(texts, dtype="string[pyarrow]"),
            "label": pandas.Categorical(labels),
            "day": pandas.date_range("2026-01-01", periods=4),
        }
    )
    # An index of its own must not leak into the rows, which count from 1 in their order.
    for one in (frame, frame.convert_dtypes(dtype_backend="pyarrow"), frame.set_index(pandas.Index([7, 7, 8, 9]))):
        table = read_examples(one, labelled=True)
        assert [(example.text, label_of(example), example.where.line) for example in table.examples] == [
            ("one day", "b", 1), ("three days", None, 3), ("four days", "b", 4),
        ]  # fmt: skip
    for values in (pandas.array([1, None, 0, 1], dtype="Int64"), pandas.Categorical([1, None, 0, 1])):
        table = Classification.read(
            pandas.DataFrame({"text": ["a b", "c d", "e f", "g h"], "label": values}), labelled=True
        )
        assert [label_of(example) for example in table.examples] == ["1", None, "0", "1"]


def test_kinds_of_columns_of_polars() -> None:
    polars = pytest.importorskip("polars")
    texts, labels = ["one day", None, "three days", "four days"], ["b", "a", None, "b"]
    for kind in (polars.String, polars.Categorical, polars.Enum(["a", "b"])):
        frame = polars.DataFrame({"text": texts, "label": polars.Series(labels, dtype=kind)})
        assert [label_of(example) for example in read_examples(frame, labelled=True).examples] == ["b", None, "b"]


def tagged_dataset() -> Any:
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["O", "B-PER", "B-LOC"])
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": datasets.List(names)})
    rows = {"tokens": [["Anna", "sings"], ["in", "Oslo"]], "ner_tags": [[1, 0], [0, 2]]}
    return datasets.Dataset.from_dict(rows, features=features)


def test_an_iterable_dataset_has_names_of_classes() -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    data = datasets.Dataset.from_dict({"text": TEXTS, "label": LABELS}, features=features).to_iterable_dataset()
    assert [label_of(example) for example in read_examples(data, labelled=True).examples] == ["pos", "neg", "pos"]


@pytest.mark.parametrize("kind", ["datasets", "iterable", "pandas", "parquet", "polars"])
def test_tokens_with_tags(kind: str, tmp_path: Path) -> None:
    data = tagged_dataset()
    if kind == "iterable":
        data = data.to_iterable_dataset()
    elif kind != "datasets":
        rows = {"tokens": [["Anna", "sings"], ["in", "Oslo"]], "tags": [["B-PER", "O"], ["O", "B-LOC"]]}
        data = pytest.importorskip("polars" if kind == "polars" else "pandas").DataFrame(rows)
        if kind == "parquet":
            data.to_parquet(tmp_path / "a.parquet")
            data = pytest.importorskip("pandas").read_parquet(tmp_path / "a.parquet")
    assert looks_tagged(data)
    found = [
        example.text[span.start : span.end] for example in read_spans(data).examples for span in spans_of(example) or ()
    ]
    assert found == ["Anna", "Oslo"]
