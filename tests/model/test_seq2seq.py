"""The encoder-decoder itself: no pads inside, constants that stay, mistakes that are sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertwright import BertConfig, BertForSeq2SeqLM, BertModel
from bertwright.data.ragged import Ragged
from bertwright.errors import BertwrightError
from bertwright.model.seq2seq.decoder import sinusoids
from bertwright.model.seq2seq.generation.decoder_memory import Memory
from bertwright.model.seq2seq.generation.generate import generate
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings
from bertwright.model.seq2seq.seq2seq_config import Seq2SeqConfig

SHAPE: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 12,
}


def model(**changes: object) -> BertForSeq2SeqLM:
    torch.manual_seed(0)
    values = {**SHAPE, "decoder_start_token_id": 2, "eos_token_id": 3, "initializer_range": 0.5, **changes}
    return BertForSeq2SeqLM(Seq2SeqConfig(**values)).eval()


def batch_of(*lengths: int) -> Ragged:
    generator = torch.Generator().manual_seed(sum(lengths))
    ids = torch.randint(5, 40, (sum(lengths),), generator=generator)
    positions = torch.cat([torch.arange(length) for length in lengths])
    return Ragged.of(ids, torch.zeros_like(ids), positions, lengths)


def test_only_real_tokens_enter_a_linear_layer() -> None:
    net = model()
    rows: dict[str, int] = {}
    for name, module in net.named_modules():
        if type(module) is nn.Linear:
            module.register_forward_pre_hook(lambda _, args, name=name: rows.update({name: args[0].shape[0]}))
    net.pair_scores(batch_of(3, 9, 1), batch_of(2, 4, 7))
    assert {count for name, count in rows.items() if name.startswith("encoder.")} == {13}
    in_decoder = {name: count for name, count in rows.items() if not name.startswith("encoder.")}
    assert {count for name, count in in_decoder.items() if name.endswith("key_value")} == {13}
    assert {count for name, count in in_decoder.items() if not name.endswith("key_value")} == {13}
    net.pair_scores(batch_of(3, 9, 1), batch_of(2, 4, 2))
    cross = "decoder.bert.encoder.layer.1.crossattention.self"
    assert rows["decoder.cls.predictions.transform.dense"] == rows[f"{cross}.query"] == 8
    assert rows[f"{cross}.key_value"] == 13


def test_a_pair_scores_the_same_alone_and_in_a_batch() -> None:
    net = model().double()
    source, target = batch_of(3, 9, 1), batch_of(2, 4, 7)
    whole = net.pair_scores(source, target)
    second, second_target = (
        Ragged.of(one.input_ids[a:b], one.token_type_ids[a:b], one.position_ids[a:b], [b - a])
        for one, a, b in ((source, 3, 12), (target, 2, 6))
    )
    torch.testing.assert_close(net.pair_scores(second, second_target), whole[2:6])


def test_checkpointed_gradients_are_the_same() -> None:
    gradients = []
    for wanted in (False, True):
        net = model(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1).train()
        net.checkpoint_layers(wanted)
        torch.manual_seed(1)
        net.pair_scores(batch_of(3, 9), batch_of(2, 4)).logsumexp(-1).sum().backward()
        gradients.append([parameter.grad for parameter in net.parameters() if parameter.grad is not None])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_sines_are_those_of_the_paper_and_are_not_trained() -> None:
    table = sinusoids(12, 16)
    for position in (0, 1, 7):
        for pair in (0, 3, 7):
            angle = torch.tensor(position / 10000 ** (2 * pair / 16))
            assert float(table[position, 2 * pair]) == pytest.approx(float(angle.sin()), abs=1e-6)
            assert float(table[position, 2 * pair + 1]) == pytest.approx(float(angle.cos()), abs=1e-6)
    net = model(positions="sinusoidal")
    for embeddings in (net.encoder.embeddings, net.decoder.bert.embeddings):
        torch.testing.assert_close(embeddings.position_embeddings.weight.data, table * 0.5)
        assert not embeddings.position_embeddings.weight.requires_grad
        assert embeddings.word_embeddings.weight.requires_grad


def test_sines_come_back_from_a_folder(tmp_path: Path) -> None:
    net = model(positions="sinusoidal")
    net.save_pretrained(tmp_path)
    again = BertForSeq2SeqLM.load(tmp_path)
    assert again.seq2seq.positions == "sinusoidal"
    assert not again.decoder.bert.embeddings.position_embeddings.weight.requires_grad
    for (name, one), (_, other) in zip(net.named_parameters(), again.named_parameters(), strict=True):
        assert torch.equal(one, other), name


def refused(code: str, **fields: object) -> pytest.RaisesExc[BertwrightError]:
    def check(error: BertwrightError) -> bool:
        return error.code == code and all(error.fields[name] == value for name, value in fields.items())

    return pytest.raises(BertwrightError, check=check)


def test_mistakes_are_sentences(tmp_path: Path) -> None:
    net = model()
    with refused("BW601", number=2):
        net.pair_scores(batch_of(3, 0), batch_of(2, 2))
    with refused("BW601", number=1):
        generate(net, batch_of(0, 3), GenerationSettings(max_output_length=5))
    with refused("BW423", rows=12):
        net.pair_scores(batch_of(3), batch_of(13))
    with refused("BW603", value=13, rows=12):
        generate(net, batch_of(3), GenerationSettings(max_output_length=13))
    with refused("BW604", one="do_sample=true"):
        generate(net, batch_of(3), GenerationSettings(max_output_length=5, do_sample=True, num_beams=2))
    with refused("BW604", one="min_length=6"):
        generate(net, batch_of(3), GenerationSettings(max_output_length=5, min_length=6))
    with refused("BW102", key="num_beams", value=0):
        GenerationSettings.resolve(words=["num_beams=0"])
    with refused("BW602"):
        net(torch.ones(1, 3, dtype=torch.int64))
    with refused("BW600"):
        generate(model(eos_token_id=None), batch_of(3), GenerationSettings(max_output_length=5))


def test_as_many_sources_at_once_as_their_scores_have_room(monkeypatch: pytest.MonkeyPatch) -> None:
    net, settings = model(vocab_size=5000), GenerationSettings(max_output_length=5, num_beams=3)
    rows: list[int] = []
    whole = generate(net, batch_of(3, 4, 2), settings)
    step = Memory.step

    def counted(self: Memory, tokens: Tensor) -> Any:
        rows.append(len(tokens))
        return step(self, tokens)

    monkeypatch.setattr(Memory, "step", counted)
    monkeypatch.setattr("bertwright.model.seq2seq.generation.generate._BYTES_AT_ONCE", 3 * 5000 * 4 * 5)
    parts = generate(net, batch_of(3, 4, 2), settings)
    assert max(rows) == 3, "one source, whose keys and values need a hundredth of this room"
    assert [one.tokens.tolist() for one in parts] == [one.tokens.tolist() for one in whole]


def test_a_checkpoint_without_a_decoder_is_refused(tmp_path: Path) -> None:
    net = model()
    net.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    for broken in (
        {**config, "decoder": None},
        {**config, "decoder": {**config["decoder"], "add_cross_attention": False}},
        {key: value for key, value in config.items() if key != "encoder"},
    ):
        (tmp_path / "config.json").write_text(json.dumps(broken), encoding="utf-8")
        with refused("BW600"):
            BertForSeq2SeqLM.load(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    BertModel(BertConfig(**SHAPE)).save_pretrained(tmp_path / "bert")
    (tmp_path / "bert" / "model.safetensors").replace(tmp_path / "model.safetensors")
    with refused("BW600"):
        BertForSeq2SeqLM.load(tmp_path)


@pytest.mark.parametrize("penalty", [-5.0, -4.0, 5.0])
def test_an_output_ends_with_the_end_or_at_its_longest_whatever_the_penalty(penalty: float) -> None:
    net = model(max_position_embeddings=48)
    settings = GenerationSettings(max_output_length=48, num_beams=3, min_length=48, length_penalty=penalty)
    for output in generate(net, batch_of(3, 6), settings):
        assert len(output.tokens) == 48
        assert output.score < 0
