"""How many epochs few rows take, and what is said of a score that still rises."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bertwright.training.finetuning.epochs import LEAST_STEPS, MOST_EPOCHS, say_if_rising, with_enough_epochs
from bertwright.training.loop_settings import FinetuneSettings


def epochs_of(rows: int, **given: Any) -> int:
    settings = FinetuneSettings.resolve(**given)
    return with_enough_epochs(settings, settings, rows).epochs


@pytest.mark.parametrize("rows", [200, 270, 480, 900])
def test_few_rows_get_as_many_epochs_as_it_takes_and_no_more(rows: int) -> None:
    a_pass = -(-rows // 32)
    epochs = epochs_of(rows)
    assert (epochs - 1) * a_pass < LEAST_STEPS <= epochs * a_pass


def test_very_few_rows_are_not_read_for_ever() -> None:
    assert epochs_of(1) == epochs_of(40) == MOST_EPOCHS


def test_many_rows_and_small_batches_keep_the_usual_epochs() -> None:
    assert epochs_of(1100) == epochs_of(100_000) == epochs_of(270, batch_size=8) == 3


def test_whoever_says_how_long_is_obeyed() -> None:
    assert epochs_of(270, epochs=2) == 2
    assert epochs_of(270, epochs=3) == 3
    assert epochs_of(270, max_steps=20) == 3


def test_more_epochs_are_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "bertwright"):
        epochs_of(270)
    assert "270 rows are 9 steps a pass: 12 epochs" in caplog.text


def rows_of_metrics(*scores: float) -> list[dict[str, float]]:
    return [{"step": 10.0 * number, "dev_accuracy": score} for number, score in enumerate(scores, start=1)]


@pytest.mark.parametrize(
    ("max_steps", "advice"), [(None, "try epochs=6"), (30, "try epochs=6 max_steps=60")], ids=["epochs", "max_steps"]
)
def test_a_score_that_still_rises_is_said_with_settings_that_train_longer(
    max_steps: int | None, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bertwright"):
        say_if_rising(rows_of_metrics(0.5, 0.6, 0.7), "accuracy", 30, {"epochs": 3, "max_steps": max_steps})
    assert "accuracy 0.6000, then 0.7000" in caplog.text
    assert caplog.text.strip().endswith(advice)


@pytest.mark.parametrize(
    ("scores", "best"), [((0.5, 0.7, 0.6), 20), ((0.5, 0.7, 0.701), 30), ((0.5,), 10)], ids=["fell", "flat", "one"]
)
def test_nothing_is_said_where_the_score_had_come_to_rest(
    scores: tuple[float, ...], best: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bertwright"):
        say_if_rising(rows_of_metrics(*scores), "accuracy", best, {"epochs": 3, "max_steps": None})
    assert caplog.text == ""
