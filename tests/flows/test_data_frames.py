"""Data frames and `datasets` objects given to `finetune`, `evaluate` and `Predictor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bertwright import BertwrightError, Predictor, finetune
from bertwright.data.examples import label_of
from bertwright.data.samples import sentiment_samples
from bertwright.inference.evaluate import evaluate

ROWS: dict[str, list[Any]] = {
    "review": [example.text for example in sentiment_samples("en")[:40]],
    "mood": [label_of(example) for example in sentiment_samples("en")[:40]],
}


def pandas_frame() -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(ROWS).astype({"mood": "category"}).set_index(pandas.Index(range(100, 140)))


def polars_frame() -> Any:
    return pytest.importorskip("polars").DataFrame(ROWS)


def dataset() -> Any:
    return pytest.importorskip("datasets").Dataset.from_dict(ROWS).class_encode_column("mood")


KINDS = [pandas_frame, polars_frame, dataset]


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_from_it_answers_it(kind: Any, tiny_model: Path, tmp_path: Path) -> None:
    data = kind()
    run = finetune(data, data, model=tiny_model, out=tmp_path / "run", max_steps=2)
    assert run.task.to_json()["labels"] == ["negative", "positive"]
    predictor = Predictor.load(run.folder)
    expected = [answer.to_json() for answer in predictor(ROWS["review"])]
    assert [answer.to_json() for answer in predictor(data)] == expected, "the texts, not the names of the columns"
    assert [answer.to_json() for answer in predictor(data["review"])] == expected
    assert len(evaluate(run.folder, data).predictions) == 40


def test_what_is_no_text(run: Path) -> None:
    predictor = Predictor.load(run)
    assert predictor([]) == []
    assert len(predictor(text for text in ROWS["review"][:3])) == 3
    assert len(predictor([{"text": "good"}, {"text": "bad"}])) == 2
    for wrong in (3, {"text": "good"}, ["good", None], ["good", 3.0], [["good"], "bad"]):
        with pytest.raises(BertwrightError, match="BW2"):
            predictor(wrong)
