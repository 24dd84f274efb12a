"""Filling masks: every answer is a token of the vocabulary, and each is considered once."""

from __future__ import annotations

from pathlib import Path

import torch

from bertwright import BertConfig, BertForPreTraining, BertTokenizer, Predictor
from bertwright.data.windows import Reading
from bertwright.tasks.fill_mask import FillMask

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def predictor(folder: Path, tokens: list[str], rows: int, likeliest: dict[int, float]) -> Predictor:
    """One whose word table has `rows` rows, and that prefers the ids of `likeliest` for every mask."""
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *tokens]) + "\n", encoding="utf-8")
    config = BertConfig(
        vocab_size=rows, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=16,
    )  # fmt: skip
    torch.manual_seed(0)
    model = BertForPreTraining(config)
    bias = next(value for name, value in model.named_parameters() if value.shape == (rows,) and "bias" in name)
    with torch.no_grad():
        for place, value in likeliest.items():
            bias[place] = value
    return Predictor.of(model, BertTokenizer.from_pretrained(folder), FillMask(), Reading(16, "head", 0))


def tokens_of(one: Predictor) -> list[str]:
    masks = one("a [MASK]").to_json()["masks"]
    return [found["token"] for found in masks[0]]


def test_rows_that_pad_the_word_table_are_no_answer(tmp_path: Path) -> None:
    one = predictor(tmp_path, ["a", "b", "c"], 16, {12: 50.0, 7: 40.0})
    assert tokens_of(one)[0] == "c"
    one = one.answering(["top_k=100"])
    assert sorted(tokens_of(one)) == sorted([*SPECIAL, "a", "b", "c"])


def test_a_token_that_stands_twice_in_the_vocabulary_does_not_shift_the_names(tmp_path: Path) -> None:
    one = predictor(tmp_path, ["a", "b", "a", "c"], 9, {5: 60.0, 6: 50.0, 8: 40.0})
    assert tokens_of(one)[:2] == ["b", "c"], "the first of the two is never used"
    one = one.answering(["top_k=100"])
    assert sorted(tokens_of(one)) == sorted([*SPECIAL, "a", "b", "c"])


def test_words_that_are_the_same_token_are_considered_once(tmp_path: Path) -> None:
    one = predictor(tmp_path, ["a", "b"], 7, {})
    one = one.answering(["among=a,b"])
    once = one("b [MASK]")
    one = one.answering(["among=a,b,A,b"])
    assert one("b [MASK]") == once
