"""Mutilated model folders of every task: one message or an answer in numbers, soon and in little memory."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bertwright import BertModel, BertTokenizer, Predictor

from .model_folders import GOOD, is_plain, mutilated
from .watched import Figures, watched

TEXTS = ["a good day in Paris", "Ann met Bob. " * 30, ""]


def ask(folder: Path) -> list[dict[str, Any]]:
    """The answers of a folder to texts, to pairs where it reads those."""
    if folder.name == "plain":
        model, tokenizer = BertModel.from_pretrained(folder), BertTokenizer.from_pretrained(folder)
        batch = tokenizer(TEXTS, padding=True, truncation=True, return_tensors="pt")
        return model(**batch).last_hidden_state.nan_to_num().tolist()  # a user's own, who sees what is no number
    predictor = Predictor.load(folder)
    texts: list[Any] = [*TEXTS]
    if getattr(predictor.task, "reads_pairs", False):
        texts = [(text, "and more") for text in TEXTS]
    elif predictor.task.name == "fill-mask":
        texts = ["a [MASK] day"]
    return [answer.to_json() for answer in predictor(texts)]


def run_through(seeds: range, where: Path) -> Figures:
    """What comes of the folders of these seeds."""
    figures = Figures()
    for seed in seeds:
        case = mutilated(seed, where / ("plain" if is_plain(seed) else "case"))
        figures.add(case.name, watched(partial(ask, case.folder)), must_refuse=case.must_refuse)
    return figures


@pytest.mark.parametrize(
    "folder", [folder for folder in GOOD if folder.name == "best"], ids=lambda one: one.parent.name
)
def test_the_good_folder_of_every_task_answers(folder: Path) -> None:
    ending = watched(lambda: ask(folder))
    assert (ending.code, ending.trouble) == ("", "")


def test_no_mutilated_folder_breaks_the_program_or_is_believed(tmp_path: Path) -> None:
    figures = run_through(range(100), tmp_path)
    assert figures.troubles == []
    assert 10 < figures.endings["accepted"] < 60, figures.endings


@pytest.mark.slow
def test_none_of_two_thousand_mutilated_folders_does(tmp_path: Path) -> None:
    figures = run_through(range(1000, 3000), tmp_path)
    print(figures.endings)
    assert figures.troubles == []
