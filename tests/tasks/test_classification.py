"""Classification: the order of the classes."""

from __future__ import annotations

import itertools

import pytest

from bertwright.data.examples import Example, Where
from bertwright.tasks import classification
from bertwright.tasks.classification import Classification


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
    examples = [Example("a text", label, Where("x", 1)) for label in labels]
    assert Classification.from_examples(examples, "x").labels == labels
    for order in itertools.permutations(labels):
        assert tuple(sorted(order, key=classification._in_order)) == labels
