"""Scores of written texts: ours call well-kept packages; here against values by hand."""

from __future__ import annotations

import importlib.util
import logging

import pytest
import sacrebleu

from bertwright.evaluation import text_scores as generation
from bertwright.evaluation.text_scores import bleu_and_chrf, exact_match, rouge, same_text, text_scores


def test_equal_but_for_spaces_and_capitals() -> None:
    assert same_text("The  Cat", "the cat")
    assert not same_text("cats", "cat")
    assert exact_match(["a", "b", "C d"], ["a", "x", "c d"]) == pytest.approx(2 / 3)


def test_rouge_by_hand() -> None:
    # 3 of 4 words right on both sides, 2 of 3 pairs of neighbours, and a longest common run of 3.
    scores = rouge(["the cat sat down"], ["the cat sat there"])
    assert scores == {"rouge1": 0.75, "rouge2": pytest.approx(2 / 3), "rougeL": 0.75}
    # Characters in Chinese: 2 of 3 against 2 of 4.
    assert rouge(["我爱猫"], ["我爱小狗"])["rouge1"] == pytest.approx(2 * (2 / 3 * 2 / 4) / (2 / 3 + 2 / 4))
    assert rouge(["我用python3"], ["我用Python3"])["rougeL"] == 1


def test_bleu_and_chrf() -> None:
    outputs, targets = ["The cat sat on a mat.", "it rains"], ["the cat sat on the mat.", "It rained"]
    expected = sacrebleu.corpus_bleu([o.lower() for o in outputs], [[t.lower() for t in targets]]).score
    assert bleu_and_chrf(outputs, targets)["bleu"] == pytest.approx(expected)
    # Without the characters of Chinese as units, a sentence would be one word: all or nothing.
    chinese = bleu_and_chrf(["今天天气很好我们去公园"], ["今天天气很好我们去学校"])
    assert 50 < chinese["bleu"] < 100
    assert bleu_and_chrf(["一样"], ["一样"])["chrf"] == 100


def test_what_is_missing_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sacrebleu" else real(name))
    monkeypatch.setattr(generation, "_told", set())
    with caplog.at_level(logging.INFO, logger="bertwright"):
        assert set(text_scores(["a b"], ["a c"])) == {"rouge1", "rouge2", "rougeL"}
        text_scores(["a b"], ["a c"])
    assert [record.getMessage() for record in caplog.records] == [
        "no BLEU and chrF: sacrebleu is not installed (to get it: pip install 'bertwright[generation]')"
    ]
