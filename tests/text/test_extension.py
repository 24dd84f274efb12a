"""New words in a checkpoint: tokenizer and rows together, and the same behaviour in transformers."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bertwright import BertConfig, BertForPreTraining, BertForSequenceClassification, BertTokenizer
from bertwright.checkpoint.weights import read_tensors
from bertwright.errors import BertwrightError
from bertwright.model.seq2seq.encoder_decoder import BertForSeq2SeqLM
from bertwright.model.seq2seq.seq2seq_config import Seq2SeqConfig
from bertwright.text.vocabulary.extension import extend_checkpoint, read_new_words
from tests.text.conftest import tiny_tokenizer


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    tiny_tokenizer().save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tiny_tokenizer()),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    made = BertForPreTraining(config)
    with torch.no_grad():
        made.cls.predictions.bias.normal_()
    made.save_pretrained(folder)
    (folder / "notes.md").write_text("mine", encoding="utf-8")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text("{}", encoding="utf-8")
    return folder


def test_rows_are_the_means_of_the_pieces(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["Unaffable", "cat", "caba", "北京", "two words", "unaffable", "京", "q"]
    extension = extend_checkpoint(model, out, words)
    assert extension.added == ("unaffable", "caba", "q")
    assert extension.known == ("cat", "unaffable", "京")
    assert extension.several == ("北京", "two words")
    old, new = BertForPreTraining.from_pretrained(model), BertForPreTraining.from_pretrained(out)
    before, after = BertTokenizer.from_pretrained(model), BertTokenizer.from_pretrained(out)
    size = len(before)
    assert len(after) == new.config.vocab_size == size + 3
    for word, row in zip(extension.added, range(size, size + 3)):
        pieces = before.encode(word)[1:-1]
        assert after.encode(word)[1:-1] == [row]
        for name in ("bert.embeddings.word_embeddings.weight", "cls.predictions.bias"):
            table = dict(old.named_parameters())[name]
            torch.testing.assert_close(dict(new.named_parameters())[name][row], table[pieces].mean(0))
    for name, tensor in read_tensors(model / "model.safetensors").items():
        assert torch.equal(read_tensors(out / "model.safetensors")[name][: len(tensor)], tensor)
    assert (out / "notes.md").read_text(encoding="utf-8") == "mine"
    assert (out / "1_Pooling" / "config.json").exists()
    for folder in (out, model):
        text = BertTokenizer.from_pretrained(folder).tokenize("unaffables [MASK] the 中cat")
        assert text == (["unaffable"] if folder == out else ["un", "##aff", "##able"]) + [
            "##s",
            "[MASK]",
            "the",
            "中",
            "cat",
        ]


def test_transformers_opens_it_with_equal_behaviour(model: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    out = tmp_path / "out"
    extend_checkpoint(model, out, ["unaffable", "caba"])
    text = "the unaffable cat sat on caba, hello [MASK]"
    tokenizer, theirs = BertTokenizer.from_pretrained(out), transformers.AutoTokenizer.from_pretrained(out)
    (out / "tokenizer.json").rename(tmp_path / "tokenizer.json")
    from_list = BertTokenizer.from_pretrained(out)
    (tmp_path / "tokenizer.json").rename(out / "tokenizer.json")
    assert tokenizer(text)["input_ids"] == theirs(text)["input_ids"] == from_list(text)["input_ids"]
    peer = transformers.BertForPreTraining.from_pretrained(out, attn_implementation="eager")
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        ours = BertForPreTraining.from_pretrained(out)(**inputs)
        other = peer(**inputs)
    torch.testing.assert_close(ours.prediction_logits, other.prediction_logits)
    assert ours.prediction_logits.shape[-1] == len(tokenizer)
    peer.save_pretrained(tmp_path / "again")
    tokenizer.save_pretrained(tmp_path / "again")
    assert extend_checkpoint(tmp_path / "again", tmp_path / "twice", ["hellos"]).added == ("hellos",)


def test_a_classifier_and_a_table_larger_than_the_vocabulary(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    size = len(tiny_tokenizer()) + 2
    config = BertConfig(vocab_size=size, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    made = BertForSequenceClassification(config).half()
    made.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    extension = extend_checkpoint(folder, tmp_path / "out", ["caba", "abba", "baba"])
    assert extension.enlarged == ("bert.embeddings.word_embeddings.weight",)
    table = read_tensors(tmp_path / "out" / "model.safetensors")["bert.embeddings.word_embeddings.weight"]
    assert table.shape == (size + 1, 8)
    assert table.dtype == torch.float16
    assert json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))["vocab_size"] == size + 1


def test_an_encoder_decoder(tmp_path: Path) -> None:
    folder, tokenizer = tmp_path / "model", tiny_tokenizer()
    config = Seq2SeqConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        decoder_start_token_id=tokenizer.cls_token_id, eos_token_id=tokenizer.sep_token_id,
    )  # fmt: skip
    BertForSeq2SeqLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    extend_checkpoint(folder, tmp_path / "out", ["caba", "abba"])
    old, new = (BertForSeq2SeqLM.from_pretrained(one) for one in (folder, tmp_path / "out"))
    assert new.config.vocab_size == new.seq2seq.written.vocab_size == len(tokenizer) + 2
    pieces = tokenizer.encode("caba")[1:-1]
    words = "embeddings.word_embeddings.weight"
    for name in (f"encoder.{words}", f"decoder.bert.{words}", "decoder.cls.predictions.bias"):
        table = dict(old.named_parameters())[name]
        torch.testing.assert_close(dict(new.named_parameters())[name][len(tokenizer)], table[pieces].mean(0))
    if importlib.util.find_spec("transformers"):
        import transformers

        peer: Any = transformers.EncoderDecoderModel.from_pretrained(tmp_path / "out")
        assert peer.config.encoder.vocab_size == peer.config.decoder.vocab_size == len(tokenizer) + 2


def test_nothing_new_and_no_checkpoint(model: Path, tmp_path: Path) -> None:
    with pytest.raises(BertwrightError) as caught:
        extend_checkpoint(model, tmp_path / "out", ["cat", "北京"])
    assert caught.value.code == "BW129"
    (model / "model.safetensors").unlink()
    with pytest.raises(BertwrightError) as caught:
        extend_checkpoint(model, tmp_path / "out", ["caba"])
    assert caught.value.code == "BW302"
    assert not (tmp_path / "out").exists(), "nothing half-written"


def test_words_that_would_stay_unknown_are_not_added(model: Path, tmp_path: Path) -> None:
    """WordPiece looks nothing up that is longer than 100 characters; accents that are taken off do not count."""
    whole, long, accented = "ab" * 50, "ab" * 50 + "c", "\u00e9" * 99
    extension = extend_checkpoint(model, tmp_path / "out", [whole, long, accented])
    assert (extension.added, extension.too_long) == ((whole, "e" * 99), (long,))
    tokenizer = BertTokenizer.from_pretrained(tmp_path / "out")
    assert tokenizer.tokenize(f"{whole} {accented} {long}") == [whole, "e" * 99, "[UNK]"]
    with pytest.raises(BertwrightError, match="BW129.* 1 too long"):
        extend_checkpoint(model, tmp_path / "none", [long])


def test_a_file_of_words(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# drugs\r\ncaba\r\n\r\n  heart attack \r\ncaba\r\n", encoding="utf-8")
    words = read_new_words(file)
    assert words == ["caba", "heart attack"]
    extension = extend_checkpoint(model, tmp_path / "out", words)
    assert extension.added == ("caba",)
    assert extension.several == ("heart attack",), "never a part of it"
    file.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(BertwrightError) as caught:
        read_new_words(file)
    assert caught.value.code == "BW290"
