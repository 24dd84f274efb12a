"""The encoder-decoder against `EncoderDecoderModel` with BERT parts, and generation against its `generate`."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file

from bertwright import BertForSeq2SeqLM, BertModel
from bertwright.model.seq2seq.generation.generate import generate
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings

from .rule import assert_equal_gradient, assert_equal_scores
from .seq2seq_peers import END, Pair, make_pair, make_sources

pytestmark = pytest.mark.filterwarnings("ignore:Version v4.12.0:FutureWarning")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("pair"))


def padded_labels() -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(5, 61, (4, 7), generator=generator)
    for row, length in enumerate((7, 4, 6, 1)):
        labels[row, length:] = -100
    return labels


@pytest.mark.parametrize(
    ("tied", "decoder"),
    [(True, {}), (False, {}), (True, {"hidden_size": 32, "num_attention_heads": 2})],
    ids=["tied", "untied", "of another width"],
)
def test_logits_loss_and_gradients(tmp_path: Path, tied: bool, decoder: dict[str, Any]) -> None:
    pair = make_pair(tmp_path, tied=tied, decoder=decoder)
    ids, mask, _ = make_sources(4)
    labels = padded_labels()
    inputs = {"input_ids": ids, "attention_mask": mask, "labels": labels}
    peer, ours = pair.peer(**inputs), pair.ours(**inputs)
    exact = copy.deepcopy(pair.peer).double()
    real = labels != -100
    assert_equal_scores(ours.logits[real], peer.logits[real], lambda: exact(**inputs).logits[real])
    assert not ours.logits[~real].any(), "nothing is computed at pads"
    assert_equal_scores(ours.loss, peer.loss, lambda: exact(**inputs).loss, "loss")
    assert_equal_scores(
        ours.encoder_last_hidden_state[mask == 1],
        peer.encoder_last_hidden_state[mask == 1],
        lambda: exact(**inputs).encoder_last_hidden_state[mask == 1],
    )
    ours.loss.backward()
    peer.loss.backward()
    exact(**inputs).loss.backward()
    layer: Any = pair.ours.get_submodule("decoder.bert.encoder.layer.0.crossattention.self")
    theirs = pair.peer.decoder.bert.encoder.layer[0].crossattention
    of_exact = exact.decoder.bert.encoder.layer[0].crossattention
    source_words = pair.ours.encoder.embeddings.word_embeddings.weight.grad
    assert source_words is not None
    for name, gradient, expected, truth in (
        ("query", layer.query.weight.grad, theirs.self.query.weight.grad, of_exact.self.query.weight.grad),
        (
            "key and value",
            layer.key_value.weight.grad,
            torch.cat([theirs.self.key.weight.grad, theirs.self.value.weight.grad]),
            torch.cat([of_exact.self.key.weight.grad, of_exact.self.value.weight.grad]),
        ),
        (
            "source words",
            source_words,
            pair.peer.encoder.embeddings.word_embeddings.weight.grad,
            exact.encoder.embeddings.word_embeddings.weight.grad,
        ),
    ):
        assert_equal_gradient(gradient, expected, functools.partial(torch.clone, truth), name)


@pytest.mark.parametrize("tied", [True, False])
def test_folders_of_either_are_opened_by_the_other(tmp_path: Path, tied: bool) -> None:
    pair = make_pair(tmp_path, tied=tied)
    report = pair.ours.load_report
    assert report is not None
    assert not report.fresh
    assert not [name for name in report.unused if not name.endswith("predictions.bias")]
    assert not report.renamed
    pair.ours.save_pretrained(tmp_path / "ours")
    config = json.loads((tmp_path / "ours" / "config.json").read_text(encoding="utf-8"))
    assert (config["model_type"], config["architectures"]) == ("encoder-decoder", ["EncoderDecoderModel"])
    assert config["decoder"]["is_decoder"]
    assert config["decoder"]["add_cross_attention"]
    names = set(load_file(tmp_path / "ours" / "model.safetensors"))
    assert names <= set(pair.peer.state_dict())
    opened: Any = transformers.EncoderDecoderModel.from_pretrained(tmp_path / "ours", output_loading_info=True)
    back, loading = opened
    assert not loading["missing_keys"]
    assert not loading["unexpected_keys"]
    ids, mask, _ = make_sources(4)
    inputs = {"input_ids": ids, "attention_mask": mask, "labels": padded_labels()}
    assert torch.equal(back.eval()(**inputs).logits, pair.peer(**inputs).logits)
    again = BertForSeq2SeqLM.load(tmp_path / "ours")
    assert torch.equal(again(**inputs).logits, pair.ours(**inputs).logits)
    assert again.config == pair.ours.config


def test_a_bert_begins_both_sides_as_in_the_peer(tmp_path: Path) -> None:
    torch.manual_seed(0)
    base = transformers.BertForMaskedLM(transformers.BertConfig(vocab_size=61, hidden_size=16, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=20))  # fmt: skip
    base.save_pretrained(tmp_path / "bert")
    ours = BertForSeq2SeqLM.load(tmp_path / "bert")
    assert ours.load_report is not None
    assert {name.split(".")[5] for name in ours.load_report.fresh if "layer" in name} == {"crossattention"}
    assert "the decoder begins as a copy of the encoder" in ours.load_report.summary()
    peer = transformers.EncoderDecoderModel.from_encoder_decoder_pretrained(
        str(tmp_path / "bert"), str(tmp_path / "bert")
    )
    theirs = peer.state_dict()
    ours.save_pretrained(tmp_path / "ours")
    for name, tensor in load_file(tmp_path / "ours" / "model.safetensors").items():
        if "crossattention" not in name and "pooler" not in name:
            assert torch.equal(tensor, theirs[name]), name
    again = BertModel.load(tmp_path / "bert")
    assert torch.equal(ours.decoder.bert.embeddings.word_embeddings.weight, again.embeddings.word_embeddings.weight)
    assert ours.decoder.bert.embeddings.word_embeddings.weight is not ours.encoder.embeddings.word_embeddings.weight


WAYS: list[dict[str, Any]] = [
    {},
    {"no_repeat_ngram_size": 2, "min_length": 6},
    {"num_beams": 4},
    {"num_beams": 3, "length_penalty": 2.0, "no_repeat_ngram_size": 2, "min_length": 5},
    {"num_beams": 5, "early_stopping": True, "length_penalty": 0.5},
    {"num_beams": 4, "length_penalty": -1.0},
]


def compare_with_peer(pair: Pair, way: dict[str, Any], count: int) -> set[int]:
    """Assert that every output is the peer's, and give their lengths."""
    ids, mask, source = make_sources(count)
    ours = generate(pair.ours, source, GenerationSettings(max_output_length=20, **way))
    options = {"num_beams": 1, "do_sample": False, "max_length": 20, **way}
    for output, row in zip(
        ours, pair.peer.generate(input_ids=ids, attention_mask=mask, **options).tolist(), strict=True
    ):
        expected = row[: row.index(END) + 1] if END in row else row[:20]
        assert output.tokens.tolist() == expected
    return {len(output.tokens) for output in ours}


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_outputs_are_those_of_the_peer(pair: Pair, way: dict[str, Any]) -> None:
    assert compare_with_peer(pair, way, 16)


@pytest.mark.slow
@pytest.mark.parametrize("end", [1.2, 1.6, 2.5])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_200_outputs_are_those_of_the_peer(tmp_path: Path, way: dict[str, Any], end: float) -> None:
    assert compare_with_peer(make_pair(tmp_path, end=end), way, 200)


def test_with_the_memory_and_without_it(pair: Pair) -> None:
    """Greedy outputs, each token computed anew from all before it."""
    _, _, source = make_sources(12)
    outputs = generate(pair.ours, source, GenerationSettings(max_output_length=20))
    lengths = [len(one.tokens) for one in outputs]
    assert len(set(lengths)) > 1, "some outputs leave the batch before others"
    targets = [one.tokens for one in outputs]
    from bertwright.data.targets import TextTargets

    batch = TextTargets([ids.numpy() for ids in targets]).take(torch.arange(12).numpy())
    with torch.inference_mode():
        scores = pair.ours.pair_scores(source, batch.inputs)
    assert torch.equal(scores.argmax(-1), batch.labels)
    chosen = scores.log_softmax(-1).gather(1, batch.labels[:, None]).squeeze(1)
    for output, part in zip(outputs, torch.split(chosen, list(batch.inputs.lengths))):
        assert output.score == pytest.approx(float(part.mean()), abs=1e-4)
