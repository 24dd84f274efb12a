"""Classification: the order of the classes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where
from bertwright.tasks import classification
from bertwright.tasks.classification import Classification, ClassPrediction


@pytest.mark.parametrize(
    "labels",
    [
        ("bread", "nan", "roti"),
        ("-1", "2", "10", "NaN", "bread", "nan"),
        ("-inf", "1", "1.0", "inf", "nan"),
        ("negative", "positive"),
    ],
)
def test_the_order_of_the_classes_is_a_function_of_their_names(labels: tuple[str, ...]) -> None:
    """A set has another order in every process: whatever it is, the classes come out in the same one."""
    examples = [Example("a text", Label(label), Where("x", 1)) for label in labels]
    assert Classification.from_examples(examples, "x").labels == labels
    for order in itertools.permutations(labels):
        assert tuple(sorted(order, key=classification._in_order)) == labels


@pytest.mark.parametrize(("sharpness", "expected"), [(1.0, 1.0), (2.5, 2.5)])
def test_the_temperature_that_a_run_stores_is_that_of_its_answers(sharpness: float, expected: float) -> None:
    rng = np.random.default_rng(0)
    true = rng.dirichlet([0.6, 0.6, 0.6], 4000)  # as probable as the classes really are
    gold = [int(rng.choice(3, p=row)) for row in true]
    sharp = true**sharpness
    sharp /= sharp.sum(1, keepdims=True)
    labels = ("a", "b", "c")
    answers = [
        ClassPrediction(False, labels[int(row.argmax())], float(row.max()), dict(zip(labels, row.tolist())))
        for row in sharp
    ]
    examples = [Example("", Label(labels[index]), Where("d", 1)) for index in gold]
    fitted = Classification(labels).calibrated(answers, examples)
    assert fitted.temperature == pytest.approx(expected, rel=0.1)
    assert Classification.from_json(fitted.to_json()) == fitted
