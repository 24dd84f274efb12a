"""Which parameters decay, and the course of the rate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from bertwright import BertConfig, BertForSequenceClassification, BertTokenizer
from bertwright.model.models import BertWithHead
from bertwright.model.seq2seq.encoder_decoder import BertForSeq2SeqLM
from bertwright.model.seq2seq.seq2seq_config import Seq2SeqConfig
from bertwright.tasks.classification import Classification
from bertwright.tasks.seq2seq import Seq2Seq
from bertwright.training.loop_settings import FinetuneSettings, default_learning_rate
from bertwright.training.optimizer import (
    describe_rates,
    freeze_layers,
    make_adamw,
    make_optimizers,
    rate_factor,
    set_rates,
)

SMALL: dict[str, Any] = {"vocab_size": 20, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}


def small_model(layers: int = 1) -> BertForSequenceClassification:
    return BertForSequenceClassification(BertConfig(**SMALL, num_hidden_layers=layers))


def rates_by_name(model: BertWithHead, optimizer: torch.optim.Optimizer) -> dict[str, float]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {names[id(p)]: group["lr"] for group in optimizer.param_groups for p in group["params"]}


def test_biases_and_norms_do_not_decay_and_nothing_is_left_out() -> None:
    model = small_model()
    groups = make_adamw(model, FinetuneSettings(learning_rate=1e-3, weight_decay=0.01)).param_groups
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    decaying = {names[id(p)] for group in groups if group["weight_decay"] == 0.01 for p in group["params"]}
    others = {names[id(p)] for group in groups if group["weight_decay"] == 0.0 for p in group["params"]}
    assert others == {name for name in names.values() if name.endswith("bias") or "LayerNorm" in name}
    assert decaying | others == set(names.values())
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_rates_fall_with_depth_and_the_head_has_its_own() -> None:
    model = small_model(layers=3)
    settings = FinetuneSettings(learning_rate=1e-3, layer_decay=0.5, head_factor=10)
    rates = rates_by_name(model, make_adamw(model, settings))
    assert rates["classifier.weight"] == rates["bert.pooler.dense.bias"] == pytest.approx(1e-2)
    for layer, factor in ((2, 0.5), (1, 0.25), (0, 0.125)):
        assert rates[f"bert.encoder.layer.{layer}.attention.self.qkv.weight"] == pytest.approx(1e-3 * factor)
    assert rates["bert.embeddings.word_embeddings.weight"] == pytest.approx(1e-3 * 0.0625)


def test_the_decoder_of_a_model_that_writes_is_its_head() -> None:
    shape: dict[str, Any] = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertForSeq2SeqLM(Seq2SeqConfig(vocab_size=20, num_hidden_layers=2, **shape))
    settings = FinetuneSettings(learning_rate=1e-3, layer_decay=0.5, head_factor=3)
    rates = rates_by_name(model, make_adamw(model, settings))
    of_decoder = {rate for name, rate in rates.items() if not name.startswith("encoder.")}
    assert list(of_decoder) == [pytest.approx(3e-3)]
    assert rates["encoder.encoder.layer.0.attention.self.qkv.weight"] == pytest.approx(2.5e-4)
    assert describe_rates(model, settings) == "encoder 0.0005 in its highest layer times 0.5 a layer, decoder 0.003"
    assert describe_rates(small_model(), settings).endswith("head 0.003")


def test_frozen_layers_are_not_given_to_the_optimizer() -> None:
    model = small_model(layers=3)
    assert freeze_layers(model, 0) == 0
    frozen = freeze_layers(model, 2)
    rates = rates_by_name(model, make_adamw(model, FinetuneSettings(learning_rate=1e-3)))
    assert not [name for name in rates if "embeddings" in name or "layer.0" in name or "layer.1" in name]
    assert [name for name in rates if "layer.2" in name]
    assert frozen == sum(p.numel() for p in model.parameters() if not p.requires_grad)


@pytest.mark.parametrize(("frozen", "expected"), [(0, ["Muon", "AdamW"]), (2, ["Muon", "AdamW"]), (3, ["AdamW"])])
def test_muon_has_the_matrices_of_the_layers_that_are_not_frozen(frozen: int, expected: list[str]) -> None:
    model = small_model(layers=3)
    freeze_layers(model, frozen)
    optimizers = make_optimizers(model, FinetuneSettings(learning_rate=1e-3, optimizer="muon"))
    assert [type(one).__name__ for one in optimizers] == expected
    given = [id(p) for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]]
    assert sorted(given) == sorted(id(p) for p in model.parameters() if p.requires_grad)


def test_one_step_is_adamw_with_bias_correction() -> None:
    model = small_model()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = make_adamw(model, FinetuneSettings(learning_rate=0.1, weight_decay=0.5))
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    # After one step both corrected moments are those of a single gradient, so the step is the rate itself.
    for name, parameter in model.named_parameters():
        decay = 0.5 if parameter.dim() > 1 else 0.0
        expected = before[name] * (1 - 0.1 * decay) - 0.1 * parameter.grad.sign()  # type: ignore[union-attr]
        assert torch.allclose(parameter, expected, atol=1e-4), name


@pytest.mark.parametrize(
    ("schedule", "middle", "end"), [("linear", 0.5, 0.0), ("cosine", 0.5, 0.0), ("constant", 1.0, 1.0)]
)
def test_schedules(schedule: str, middle: float, end: float) -> None:
    factor = rate_factor(FinetuneSettings(schedule=schedule, warmup=0.1), steps=100)
    assert [factor(0), factor(5), factor(10)] == [0.0, 0.5, 1.0]
    assert factor(55) == pytest.approx(middle)
    assert factor(100) == pytest.approx(end)
    assert rate_factor(FinetuneSettings(schedule=schedule, warmup=0), 10)(0) == 1.0


@pytest.mark.parametrize(("warmup", "decay"), [(0.1, 0.2), (0.5, 0.5), (0.5, 1.0), (0.9, 0.2), (1.0, 1.0), (0.0, 1.0)])
def test_a_rate_that_stays_and_falls_never_jumps(warmup: float, decay: float) -> None:
    steps = 100
    factor = rate_factor(FinetuneSettings(schedule="wsd", warmup=warmup, decay=decay), steps)
    course = [factor(step) for step in range(steps + 1)]
    rise, fall = max(math.ceil(warmup * steps), 1), max(min(decay * steps, steps - warmup * steps), 1)
    assert max(after - before for before, after in zip(course, course[1:])) < 1 / rise + 0.02
    assert max(before - after for before, after in zip(course, course[1:])) < 1 / fall + 0.02
    assert course[min(rise, steps - 1)] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant", "wsd"])
def test_a_warm_up_leaves_a_step_to_learn_in(schedule: str) -> None:
    one = rate_factor(FinetuneSettings(schedule=schedule), steps=1)
    assert one(0) == 1.0
    all_of_it = rate_factor(FinetuneSettings(schedule=schedule, warmup=1.0), steps=5)
    assert [all_of_it(step) for step in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_every_group_follows_the_schedule_from_its_own_peak() -> None:
    settings = FinetuneSettings(learning_rate=1e-3, head_factor=10)
    optimizer = make_adamw(small_model(), settings)
    set_rates([optimizer], 0.25)
    assert {group["lr"] for group in optimizer.param_groups} == {0.25 * 1e-3, 0.25 * 1e-2}


def test_wider_models_get_smaller_rates() -> None:
    assert default_learning_rate(128) > default_learning_rate(768) > default_learning_rate(1024)


def test_the_rate_that_is_told_of_the_highest_layer_is_that_of_its_group() -> None:
    model = small_model(layers=3)
    settings = FinetuneSettings(learning_rate=1e-3, layer_decay=0.5)
    rates = rates_by_name(model, make_adamw(model, settings))
    highest = rates["bert.encoder.layer.2.attention.self.qkv.weight"]
    assert f"encoder {highest:.2g} in its highest layer" in describe_rates(model, settings)


def test_dropout_is_that_of_the_classifier_too(tmp_path: Path) -> None:
    BertConfig(**SMALL, classifier_dropout=0.3).save_pretrained(tmp_path)
    for task in (
        Classification(("a", "b")),
        Seq2Seq(tokenizer=BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])),
    ):
        config = task.starting_config(tmp_path, **FinetuneSettings(dropout=0.0).dropout_values())
        assert config.classifier_dropout is None
        assert config.hidden_dropout_prob == 0.0
        assert task.starting_config(tmp_path).classifier_dropout == 0.3
