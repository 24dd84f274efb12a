"""`BertConfig`: what it reads, keeps, writes and refuses."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from bertwright import BertConfig, BertForSequenceClassification, BertModel, BertwrightError
from tests.model.conftest import TINY


def write(folder: Path, **values: Any) -> Path:
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", **TINY, **values}), encoding="utf-8")
    return folder


def refusal(**values: Any) -> BertwrightError:
    with pytest.raises(BertwrightError) as caught:
        BertConfig.from_dict({**TINY, **values})
    return caught.value


def test_defaults_are_those_of_the_peer() -> None:
    ours, peer = BertConfig(), transformers.BertConfig()
    for name, value in vars(ours).items():
        if name not in ("extra", "position_embedding_type"):
            assert getattr(peer, name) == value, name


def test_keys_without_a_meaning_here_are_kept_and_written_back(tmp_path: Path) -> None:
    config = BertConfig.from_pretrained(write(tmp_path, my_key={"a": [1, "二"]}, directionality="bidi"))
    config.save_pretrained(tmp_path / "again")
    written = json.loads((tmp_path / "again" / "config.json").read_text(encoding="utf-8"))
    assert written["my_key"] == {"a": [1, "二"]}
    assert written["directionality"] == "bidi"
    assert config.unknown_keys() == ["my_key"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"num_labels": 5},
        {"id2label": {0: "好", 1: "bad"}},
        {"classifier_dropout": 0.3, "problem_type": "regression", "num_labels": 1},
        {"pad_token_id": None, "tie_word_embeddings": False, "hidden_act": "relu"},
    ],
    ids=str,
)
def test_what_is_written_is_read_again(tmp_path: Path, changes: dict[str, Any]) -> None:
    config = BertConfig(**TINY | changes)
    config.save_pretrained(tmp_path)
    again = BertConfig.from_pretrained(tmp_path)
    assert {**vars(again), "extra": {}} == vars(config)


def test_the_peer_opens_ours_and_we_open_its(tmp_path: Path) -> None:
    config = BertConfig(**TINY, id2label={0: "no", 1: "yes", 2: "perhaps"}, classifier_dropout=0.2)
    config.save_pretrained(tmp_path / "ours")
    peer = transformers.AutoConfig.from_pretrained(tmp_path / "ours")
    assert isinstance(peer, transformers.BertConfig)
    assert (peer.id2label, peer.label2id) == (config.id2label, config.label2id)
    peer.save_pretrained(tmp_path / "peer")
    back = BertConfig.from_pretrained(tmp_path / "peer")
    assert {**vars(back), "extra": {}} == vars(config)
    assert back.unknown_keys() == []


def test_the_real_checkpoint_has_no_unknown_key(minilm: Path) -> None:
    config = BertConfig.from_pretrained(minilm)
    assert (config.hidden_size, config.num_hidden_layers, config.head_size) == (384, 6, 32)
    assert config.unknown_keys() == []


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ({}, ["LABEL_0", "LABEL_1"]),
        ({"num_labels": 3}, ["LABEL_0", "LABEL_1", "LABEL_2"]),
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, ["a", "b", "c"]),
        ({"id2label": {str(i): str(i) for i in range(12)}}, [str(i) for i in range(12)]),
        ({"id2label": {"1": "b", "0": "a"}, "num_labels": 9}, ["a", "b"]),
    ],
    ids=str,
)
def test_labels_of_a_file(tmp_path: Path, values: dict[str, Any], labels: list[str]) -> None:
    config = BertConfig.from_pretrained(write(tmp_path, **values))
    assert config.labels == labels
    assert config.num_labels == len(labels)
    assert config.label2id == {label: index for index, label in enumerate(labels)}


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({"num_labels": 3}, ["LABEL_0", "LABEL_1", "LABEL_2"]),
        ({"num_labels": 2}, ["a", "b"]),  # as the peer does, whose users say the number as a matter of course
        ({"id2label": {0: "x", 1: "y", 2: "z"}}, ["x", "y", "z"]),
        ({"label2id": {"x": 0, "y": 1, "z": 2}}, ["x", "y", "z"]),
        (
            {"num_labels": 3, "id2label": {0: "x", 1: "y", 2: "z"}, "label2id": {"x": 0, "y": 1, "z": 2}},
            ["x", "y", "z"],
        ),
    ],
    ids=str,
)
def test_labels_laid_over_those_of_a_file(tmp_path: Path, changes: dict[str, Any], labels: list[str]) -> None:
    write(tmp_path, id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1})
    assert BertConfig.from_pretrained(tmp_path, **changes).labels == labels


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden_act", "swoosh"),
        ("hidden_size", 33),
        ("num_attention_heads", 0),
        ("vocab_size", "61"),
        ("num_hidden_layers", -1),
        ("hidden_dropout_prob", 1.5),
        ("hidden_dropout_prob", None),
        ("position_embedding_type", "relative_key"),
        ("is_decoder", True),
        ("add_cross_attention", True),
        ("pad_token_id", 61),
        ("problem_type", "ranking"),
        ("num_labels", 0),
        ("num_labels", "3"),
        ("pad_token_id", "0"),
        ("layer_norm_eps", "1e-12"),
        ("layer_norm_eps", None),
        ("layer_norm_eps", 0),
        ("initializer_range", None),
        ("hidden_act", ["gelu"]),
        ("id2label", {"0": "a", "2": "b"}),
        ("id2label", {"first": "a"}),
    ],
)
def test_a_value_that_is_not_possible_is_named(key: str, value: object) -> None:
    error = refusal(**{key: value})
    assert error.code == "BW310"
    assert error.fields["key"] == key
    assert str(value) in str(error)


def test_labels_that_contradict_their_number_are_refused() -> None:
    with pytest.raises(BertwrightError) as caught:
        BertConfig(num_labels=3, id2label={0: "a", 1: "b"})
    assert caught.value.code == "BW310"


@pytest.mark.parametrize("architecture", ["roberta", "electra", "ernie", "modernbert", "distilbert"])
def test_another_architecture_gets_one_sentence(architecture: str) -> None:
    error = refusal(model_type=architecture)
    assert (error.code, error.fields["architecture"]) == ("BW311", architecture)


@pytest.mark.parametrize("key", ["auto_map", "custom_pipelines", "trust_remote_code"])
def test_a_config_that_names_code_is_refused(key: str) -> None:
    assert refusal(**{key: {"AutoModel": "evil.Model"}}).code == "BW312"


def test_a_change_that_is_no_setting_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BertwrightError) as caught:
        BertConfig.from_pretrained(write(tmp_path), num_label=3)
    assert (caught.value.code, caught.value.fields["nearest"]) == ("BW313", "num_labels")


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "\x00\x01"])
def test_a_file_that_is_no_json_object_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(BertwrightError) as caught:
        BertConfig.from_pretrained(tmp_path)
    assert (caught.value.code, caught.value.fields["file"]) == ("BW314", tmp_path / "config.json")


def test_a_folder_without_a_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(BertwrightError) as caught:
        BertConfig.from_pretrained(tmp_path)
    assert (caught.value.code, caught.value.fields["file"]) == ("BW302", "config.json")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BertwrightError) as caught:
        BertConfig().save_pretrained(tmp_path / "file" / "folder")
    assert caught.value.code == "BW501"


def test_what_a_file_says_of_the_outputs_is_what_calls_do(tmp_path: Path) -> None:
    config = BertConfig.from_pretrained(write(tmp_path, output_hidden_states=True, return_dict=False))
    assert config.unknown_keys() == []
    ids = torch.tensor([[5, 6]])
    model = BertModel(config).eval()
    told = model(ids)
    assert isinstance(told, tuple)
    assert len(told[2]) == TINY["num_hidden_layers"] + 1
    assert list(model(ids, output_hidden_states=False, return_dict=True)) == ["last_hidden_state", "pooler_output"]


def test_a_copy_is_changed_by_itself() -> None:
    config = BertConfig(**TINY)
    other = copy.copy(config)
    other.mine = 1
    assert not hasattr(config, "mine")
    assert dataclasses.replace(other, hidden_dropout_prob=0.0).mine == 1  # type: ignore[attr-defined]


def test_names_and_number_of_classes_stay_together_in_a_config_that_is_changed() -> None:
    config = BertConfig(**TINY)
    config.num_labels = 3
    assert config.labels == ["LABEL_0", "LABEL_1", "LABEL_2"]
    config.id2label = {"0": "no", "1": "yes"}  # type: ignore[dict-item]
    assert (config.num_labels, config.label2id) == (2, {"no": 0, "yes": 1})
    config.num_labels = 2
    assert config.labels == ["no", "yes"]
    config.label2id = {"a": 0, "b": 1, "c": 2}
    assert (config.num_labels, config.id2label) == (3, {0: "a", 1: "b", 2: "c"})
    with pytest.raises(BertwrightError, match="BW310"):
        config.id2label = {1: "a", 2: "b"}
    assert config.num_labels == 3
    assert BertForSequenceClassification(config).classifier.weight.shape[0] == 3
