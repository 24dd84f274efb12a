"""Models of people's own, built on `BertPreTrainedModel` as they are on that of `transformers`."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertwright import BertConfig, BertForSequenceClassification, BertModel, BertPreTrainedModel, BertwrightError
from tests.model.conftest import TINY

IDS = torch.tensor([[5, 6, 7, 0], [8, 9, 10, 11]])
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])


class Tagger(BertPreTrainedModel):
    """As people write it: an encoder, a layer of their own, a loss that weighs classes."""

    def __init__(self, config: BertConfig, widths: int = 6) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.bert = BertModel(config, add_pooling_layer=False)
        self.lstm = nn.LSTM(config.hidden_size, widths, batch_first=True, bidirectional=True)
        self.norm = nn.BatchNorm1d(2 * widths)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(2 * widths, len(config.labels))
        self.weights = torch.linspace(1, 2, len(config.labels))  # no buffer, as in many programs
        self.post_init()

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None) -> Any:
        outputs = self.bert(input_ids, attention_mask=attention_mask)
        states, _ = self.lstm(outputs[0])
        scores = self.classifier(self.dropout(self.norm(states.transpose(1, 2)).transpose(1, 2)))
        if labels is None:
            return (scores, *outputs[1:])
        return nn.functional.cross_entropy(scores.flatten(0, 1), labels.flatten(), self.weights), scores


class Backbone(BertPreTrainedModel):
    base_model_prefix = "backbone"

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.backbone = BertModel(config)
        self.out = nn.Linear(config.hidden_size, 1)
        self.post_init()


class Hidden(BertPreTrainedModel):
    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.tower = BertModel(config)
        self.post_init()


@pytest.fixture
def folder(tmp_path: Path, make_model: Callable[..., Any]) -> Path:
    make_model("BertForMaskedLM").save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def test_the_encoder_is_loaded_and_what_is_new_is_said_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "bertwright"):
        model = Tagger.from_pretrained(folder, num_labels=5, widths=4)
    assert [one.getMessage().partition("new and untrained: ")[2] for one in caplog.records] == [
        "classifier, lstm, norm; not used: cls.predictions. Train it before you use its answers."
    ]
    encoder = BertModel.from_pretrained(folder, add_pooling_layer=False)
    assert torch.equal(model(IDS, MASK)[0], model(IDS, MASK)[0])
    assert torch.equal(model.bert(IDS, MASK)[0], encoder(IDS, MASK)[0])
    assert (model.num_labels, model.classifier.out_features, model.training) == (5, 5, False)
    assert model.weights.tolist() == pytest.approx([1, 1.25, 1.5, 1.75, 2])
    assert model.base_model is model.bert
    assert model.bert.base_model is model.bert


def test_fresh_values_are_those_of_the_field(folder: Path) -> None:
    model: Any = Tagger.from_pretrained(folder, num_labels=400, widths=64)
    deviation = float(model.classifier.weight.detach().std())
    assert abs(deviation - 0.02) < 0.001
    assert (model.classifier.bias == 0).all()
    assert torch.equal(model.lstm.bias_ih_l0, torch.zeros(256))
    assert torch.equal(model.norm.weight, torch.ones(128))


def test_it_learns_is_saved_and_comes_back_with_its_buffers(folder: Path, tmp_path: Path) -> None:
    model = Tagger.from_pretrained(folder, num_labels=3).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(2):
        loss, _ = model(IDS, MASK, labels=IDS % 3)
        loss.backward()
        optimizer.step()
    model.eval().save_pretrained(tmp_path / "own")
    again = Tagger.from_pretrained(tmp_path / "own")
    assert again.config.num_labels == 3
    assert again.state_dict()["norm.num_batches_tracked"] == 2
    assert again.load_report is not None
    assert (again.load_report.fresh, again.load_report.unused) == ([], [])
    assert torch.equal(again(IDS, MASK)[0], model(IDS, MASK)[0])
    assert torch.equal(pickle.loads(pickle.dumps(again))(IDS, MASK)[0], model(IDS, MASK)[0])


def test_an_encoder_under_a_name_of_ones_own(folder: Path, tmp_path: Path) -> None:
    model = Backbone.from_pretrained(folder)
    expected = BertModel.from_pretrained(folder)(IDS)[0]
    assert torch.equal(model.base_model(IDS)[0], expected)
    model.save_pretrained(tmp_path / "own")
    assert torch.equal(Backbone.from_pretrained(tmp_path / "own").base_model(IDS)[0], expected)


def test_an_encoder_that_would_start_from_nothing_is_refused(folder: Path) -> None:
    with pytest.raises(BertwrightError, match=r"BW342(.|\n)*self\.bert in the constructor"):
        Hidden.from_pretrained(folder)


def test_without_post_init_and_with_a_frozen_encoder_and_tied_weights(folder: Path) -> None:
    class Tied(BertForSequenceClassification):
        def __init__(self, config: BertConfig) -> None:
            super().__init__(config)
            self.extra = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
            self.extra.weight = self.bert.embeddings.word_embeddings.weight
            self.bert.requires_grad_(False)
            self.more = nn.Linear(config.hidden_size, 300)

    model = Tied.from_pretrained(folder, num_labels=3)
    assert model.extra.weight is model.bert.embeddings.word_embeddings.weight
    assert torch.equal(model.extra.weight, BertModel.from_pretrained(folder).embeddings.word_embeddings.weight)
    assert {name.partition(".")[0] for name, one in model.named_parameters() if one.requires_grad} == {
        "classifier",
        "more",
    }
    assert (model.more.bias == 0).all()


def test_an_encoder_that_was_loaded_keeps_its_weights_in_a_model_around_it(folder: Path) -> None:
    class Around(BertPreTrainedModel):
        def __init__(self, config: BertConfig) -> None:
            super().__init__(config)
            self.bert = BertModel.from_pretrained(folder, add_pooling_layer=False)
            self.head = nn.Linear(config.hidden_size, 2)
            self.init_weights()

    model = Around(BertConfig.from_pretrained(folder))
    expected = BertModel.from_pretrained(folder)(IDS)[0]
    assert torch.equal(model.bert(IDS)[0], expected)
    assert torch.equal(model.head.bias, torch.zeros(2))
    model.init_weights()
    assert torch.equal(model.bert(IDS)[0], expected)


def test_layers_are_started_anew_by_the_hook(folder: Path) -> None:
    model = BertModel.from_pretrained(folder)
    layer: Any = model.encoder.layer[-1]
    before = layer.output.dense.weight.clone()
    for module in layer.modules():
        model._init_weights(module)
    assert not torch.equal(layer.output.dense.weight, before)
    assert (layer.output.dense.bias == 0).all()
    assert (layer.output.LayerNorm.weight == 1).all()


def test_a_hook_of_ones_own_gives_the_values() -> None:
    class Sevens(BertPreTrainedModel):
        def __init__(self, config: BertConfig) -> None:
            super().__init__(config)
            self.bert = BertModel(config)
            self.head = nn.Linear(config.hidden_size, 2)
            self.init_weights()

        def _init_weights(self, module: nn.Module) -> None:
            if isinstance(module, nn.Linear):
                nn.init.constant_(module.weight, 7.0)

    state = Sevens(BertConfig(**TINY)).state_dict()
    assert (state["head.weight"] == 7).all()
    assert not (state["bert.pooler.dense.weight"] == 7).any()  # which had its own already


def test_a_config_of_ones_own_and_its_arguments(tmp_path: Path) -> None:
    class WiderConfig(BertConfig):
        model_type = "wider"

        def __init__(self, width: int = 3, **more: Any) -> None:
            super().__init__(**more)
            self.width = width

    class Wider(BertPreTrainedModel):
        config_class = WiderConfig

        def __init__(self, config: WiderConfig) -> None:
            super().__init__(config)
            self.bert = BertModel(config)
            self.out = nn.Linear(config.hidden_size, config.width)
            self.post_init()

    Wider(WiderConfig(width=7, **TINY)).save_pretrained(tmp_path)
    again = Wider.from_pretrained(tmp_path)
    values = again.config.to_dict()
    assert (again.out.out_features, values["width"], values["model_type"]) == (7, 7, "wider")
