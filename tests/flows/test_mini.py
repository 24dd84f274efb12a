"""The built-in model: both languages, small, open to every reader, and the default."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file

from bertwright import BertForMaskedLM, BertModel, BertTokenizer, Predictor
from bertwright.checkpoint.hub import model_folder
from bertwright.tasks.fill_mask import _say_once

from .conftest import Command

MINI = model_folder("mini")
MOST_BYTES = 25_000_000
MOST_PARAMETERS = 12_000_000


def test_it_is_small_and_says_what_it_is() -> None:
    assert sum(file.stat().st_size for file in MINI.rglob("*") if file.is_file()) <= MOST_BYTES
    assert BertModel.from_pretrained("mini").num_parameters() <= MOST_PARAMETERS
    assert json.loads((MINI / "config.json").read_text(encoding="utf-8"))["dtype"] == "float32"
    assert {tensor.dtype for tensor in load_file(MINI / "model.safetensors").values()} == {torch.float16}
    card = (MINI / "README.md").read_text(encoding="utf-8")
    assert all(word in card for word in ("CC BY-SA", "Wikipedia", "recipes/mini.toml"))


def test_every_reader_opens_it_in_fp32_and_gets_the_same() -> None:
    text = "The old man looked at the river. 老人看着湖面。舊書"
    inputs = BertTokenizer.from_pretrained("mini")(text, return_tensors="pt")
    theirs = transformers.AutoTokenizer.from_pretrained(MINI)(text, return_tensors="pt")
    assert inputs["input_ids"].tolist() == theirs["input_ids"].tolist()
    ours, peer = BertForMaskedLM.from_pretrained("mini"), transformers.BertForMaskedLM.from_pretrained(MINI)
    assert {parameter.dtype for parameter in peer.parameters()} == {torch.float32}
    tokenizer = transformers.AutoTokenizer.from_pretrained(MINI)
    assert len(tokenizer("river " * 1000, truncation=True)["input_ids"]) == peer.config.max_position_embeddings
    with torch.no_grad():
        difference = ours(**inputs).logits - peer(**theirs).logits
    assert difference.abs().max() < 1e-5 * max(1.0, float(ours(**inputs).logits.detach().abs().max()))


def test_it_knows_the_characters_of_both_scripts() -> None:
    tokenizer = BertTokenizer.from_pretrained("mini")
    for text in ("我们在学校学习历史和数学。", "我們在學校學習歷史和數學。", "She was born in London in 1837."):
        assert tokenizer.unk_token_id not in tokenizer(text)["input_ids"]


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("He was born in the city of [MASK] York.", "new", "and"),
        ("She is one [MASK] the best players in the world.", "of", "the"),
        ("他出生于中[MASK]上海市。", "国", "的"),
        ("該站位於香[MASK]島。", "港", "的"),
    ],
)
def test_it_learnt_something(text: str, right: str, wrong: str) -> None:
    predictor = Predictor.load("mini")
    predictor = predictor.answering(["top_k=2", f"among={right},{wrong}"])
    assert predictor([text])[0].to_json()["masks"][0][0]["token"] == right


def test_it_is_the_default(command: Command, train_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = command("finetune", train_csv, "--out", out, "max_steps=2", "max_length=32")
    assert result.code == 0, result.err
    assert Path(json.loads((out / "run.json").read_text(encoding="utf-8"))["model"]) == MINI
    assert command("inspect", train_csv).code == 0


def test_masks_typed_on_a_chinese_keyboard_are_masks_and_others_are_named(command: Command) -> None:
    _say_once.cache_clear()
    usual = Predictor.load("mini")("今天天气真[MASK]。")
    for typed in ("【MASK】", "［MASK］", "[ＭＡＳＫ]", "［ＭＡＳＫ］"):
        result = command("predict", "mini", f"今天天气真{typed}。")
        assert json.loads(result.out)["masks"] == usual.to_json()["masks"]
        assert json.loads(result.out)["text"] == f"今天天气真{typed}。", "as it was typed"
        assert result.err.count(f"{typed} is read as [MASK]") == 1
    for typed in ("[mask]", "<mask>", "____"):
        result = command("predict", "mini", f"今天天气真{typed}。")
        assert f"{typed} is no mask: write [MASK], in capitals" in result.err
        assert json.loads(result.out)["doubt"] == "unmasked"
    assert "1 text without [MASK], in which nothing is filled: arguments:1" in command("predict", "mini", "雨").err


def test_a_pair_is_asked_whether_it_belongs_together_without_a_mask(command: Command) -> None:
    result = command("predict", "mini", "It rained.", "--text-b", "She stayed at home.")
    assert json.loads(result.out)["follows"] is not None
    assert "MASK" not in result.err


def test_a_plain_masked_language_model_fills_masks_without_a_task_file(command: Command, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(MINI, plain, ignore=shutil.ignore_patterns("task.json", "manifest.json"))
    text = "今天天气真[MASK]。"
    result = command("predict", plain, text)
    assert result.code == 0, result.err
    assert json.loads(result.out)["masks"] == Predictor.load("mini")(text).to_json()["masks"]
    assert "has no task.json, but the head of a masked language model: it fills [MASK]" in result.err


def test_a_plain_encoder_without_that_head_is_still_refused(command: Command, tiny_model: Path) -> None:
    assert "BW330" in command("predict", tiny_model, "a [MASK]").err
