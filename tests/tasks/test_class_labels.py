"""Which labels are classes, and which class."""

from __future__ import annotations

import pytest

from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where, label_of
from bertwright.data.reading.tables import Table
from bertwright.errors import BertwrightError
from bertwright.tasks.classification import Classification


def read(*labels: object, known: tuple[str, ...] = (), labelled: bool = True) -> Table:
    rows = [(f"text {number}", label) for number, label in enumerate(labels)]
    return Classification.read(rows, labelled=labelled, known=known)


def classes(*labels: object, known: tuple[str, ...] = ()) -> list[str | None]:
    return [label_of(example) for example in read(*labels, known=known).examples]


def test_truth_values_and_whole_numbers_are_classes() -> None:
    assert classes(True, False) == ["True", "False"]
    assert classes("1", 1.0, 1, "2") == ["1", "1", "1", "2"]
    assert classes("1", None, "2.0") == ["1", None, "2"]
    assert classes("1.0", "x") == ["1.0", "x"]
    assert classes("01", "1") == ["01", "1"]


def test_a_known_class_means_itself() -> None:
    assert classes("1.0", "x", "2.0", known=("1", "x", "2.0")) == ["1", "x", "2.0"]
    assert classes("0.5", "1", known=("0.5", "1")) == ["0.5", "1"]
    assert classes("-", "a", known=("-", "a")) == ["-", "a"]


def test_what_nobody_agreed_on_is_left_out_and_counted() -> None:
    table = read("a", "-", "b", "-", None)
    assert [label_of(example) for example in table.examples] == ["a", "b", None]
    assert [place.line for place in table.undecided] == [2, 4]
    assert [place.line for place in table.unlabelled] == [5]
    assert "; 2 rows with the label '-' left out: train:2, line 4; 1 row without a label: train:5" in table.summary()
    assert classes("+", "-", "0") == ["+", "-", "0"], "beside a + it is a class like any other"
    assert classes("-", "-") == ["-", "-"], "a single class is refused by its own name"


def test_fractions_are_no_classes() -> None:
    for labels in (("1", 0.5, 0.5), ("1", "-", 0.5)):
        with pytest.raises(BertwrightError) as raised:
            read(*labels)
        at = labels.index(0.5) + 1
        assert raised.value.code == "BW223"
        assert str(raised.value.fields["where"]) == f"train:{at}"
        assert (raised.value.fields["label"], raised.value.fields["column"]) == ("0.5", "label")
    assert [label_of(example) for example in read("1", "0.5", labelled=False).examples] == ["1", "0.5"]
    assert classes("0.5", "x") == ["0.5", "x"], "beside words it is a name"


def test_examples_in_memory_say_what_they_mean() -> None:
    given = [Example(f"text {label}", Label(label), Where("mine", 1)) for label in ("1.0", "2", "-", "0.5")]
    assert Classification.read(given, labelled=True).examples == given
