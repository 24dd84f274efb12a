"""The arguments of `from_pretrained` and `save_pretrained` that programs for `transformers` pass."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from bertwright import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel, BertwrightError
from bertwright.checkpoint import hub
from tests.model.conftest import TINY

IDS = torch.tensor([[5, 6, 7]])
KIND = BertForSequenceClassification


@pytest.fixture
def folder(tmp_path: Path, make_model: Callable[..., Any]) -> Path:
    make_model("BertForSequenceClassification", num_labels=3).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def cached(folder: Path, cache: Path, revision: str = "abc", branch: str = "main") -> None:
    entry = cache / "models--me--tiny"
    shutil.copytree(folder, entry / "snapshots" / revision)
    (entry / "refs").mkdir(exist_ok=True)
    (entry / "refs" / branch).write_text(revision)


def test_a_config_in_place_of_the_files(folder: Path, tmp_path: Path) -> None:
    config = BertConfig.from_pretrained(folder, hidden_dropout_prob=0.0, output_hidden_states=True)
    model = KIND.from_pretrained(folder, config=config, classifier_dropout=0.5)
    assert (model.config.hidden_dropout_prob, model.dropout.p) == (0.0, 0.5)
    assert config.classifier_dropout is None, "that of the caller stays as it is"
    assert len(model(IDS).hidden_states) == TINY["num_hidden_layers"] + 1
    config.save_pretrained(tmp_path / "elsewhere")
    assert KIND.from_pretrained(folder, config=tmp_path / "elsewhere").dropout.p == 0.0
    theirs: Any = transformers.BertConfig.from_pretrained(folder)
    torch.testing.assert_close(KIND.from_pretrained(folder, config=theirs)(IDS)[0], model(IDS)[0])


def test_classes_by_name_and_an_encoder_without_a_pooler(folder: Path) -> None:
    names = {0: "no", 1: "maybe", 2: "yes"}
    model = KIND.from_pretrained(folder, id2label=names, label2id={label: index for index, label in names.items()})
    assert model.config.labels == ["no", "maybe", "yes"]
    assert BertModel.from_pretrained(folder, add_pooling_layer=False).pooler is None
    assert BertModel.from_pretrained(folder, False).pooler is None
    assert BertModel.from_pretrained(folder, add_pooling_layer=False)(IDS).pooler_output is None


def test_what_calls_do_is_a_default_of_the_model_and_the_call_has_the_last_word(folder: Path, tmp_path: Path) -> None:
    model = KIND.from_pretrained(folder, output_hidden_states=True, output_attentions=True, return_dict=False)
    _, states, weights = model(IDS)
    assert (len(states), len(weights)) == (TINY["num_hidden_layers"] + 1, TINY["num_hidden_layers"])
    assert list(model(IDS, output_hidden_states=False, output_attentions=False, return_dict=True)) == ["logits"]
    assert model.config.output_hidden_states  # type: ignore[attr-defined]
    model.save_pretrained(tmp_path / "again")
    assert torch.equal(KIND.from_pretrained(tmp_path / "again")(IDS)[1][0], states[0])


def test_a_state_in_place_of_the_file(folder: Path) -> None:
    state = {name: tensor + 1 for name, tensor in KIND.from_pretrained(folder).state_dict().items()}
    model = KIND.from_pretrained(folder, state_dict=state)
    assert torch.equal(model.classifier.weight, state["classifier.weight"])
    theirs = transformers.BertForSequenceClassification.from_pretrained(folder)
    alone = KIND.from_pretrained(None, config=BertConfig.from_pretrained(folder), state_dict=theirs.state_dict())
    assert torch.equal(alone(IDS)[0], KIND.from_pretrained(folder)(IDS)[0])
    with pytest.raises(BertwrightError, match="BW318"):
        KIND.from_pretrained(None)


def test_what_changes_nothing_is_taken(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "bertwright"):
        model = KIND.from_pretrained(
            folder, low_cpu_mem_usage=True, use_safetensors=True, attn_implementation="eager", trust_remote_code=True,
            device_map="cpu", from_tf=False, load_in_8bit=False, quantization_config=None, resume_download=None,
            subfolder="", variant=None, proxies=None, output_loading_info=False, weights_only=True, adapter_kwargs={},
        )  # fmt: skip
    assert caplog.records == []
    assert model.name_or_path == str(folder)
    assert KIND.from_pretrained(folder.parent, subfolder="model").config == model.config
    assert KIND.from_pretrained(folder, device_map={"": torch.device("cpu")}).device.type == "cpu"


@pytest.mark.parametrize(
    ("argument", "value", "way_out"),
    [
        ("load_in_8bit", True, "bfloat16"),
        ("from_tf", True, "model.safetensors"),
        ("device_map", "auto", "cuda:0"),
        ("device_map", {"bert": 0, "classifier": 1}, "one device"),
        ("variant", "fp16", "dtype=torch.float16"),
        ("proxies", {"https": "x"}, "HTTPS_PROXY"),
    ],
)
def test_what_cannot_be_done_names_the_way_out(folder: Path, argument: str, value: object, way_out: str) -> None:
    with pytest.raises(TypeError) as caught:
        KIND.from_pretrained(folder, **{argument: value})  # type: ignore[arg-type]
    assert isinstance(caught.value, BertwrightError)
    assert caught.value.code == "BW316"
    assert f"{argument}={value!r}" in str(caught.value)
    assert way_out in str(caught.value)
    assert "在这里做不到" in caught.value.message("zh")


def test_what_became_of_the_tensors_is_given_beside_the_model(folder: Path) -> None:
    options: dict[str, Any] = {"output_loading_info": True}
    both: Any = KIND.from_pretrained(folder, num_labels=2, ignore_mismatched_sizes=True, **options)
    report = both[1]
    both = BertForMaskedLM.from_pretrained(folder, **options)
    model, theirs = both
    assert isinstance(model, BertForMaskedLM)
    assert report["mismatched_keys"] == [
        ("classifier.weight", [3, 32], [2, 32]),
        ("classifier.bias", [3], [2]),
    ]
    assert {*theirs["missing_keys"]} >= {"cls.predictions.bias"}
    assert {*theirs["unexpected_keys"]} >= {"classifier.weight"}


def test_a_misspelt_argument_names_the_nearest(folder: Path) -> None:
    with pytest.raises(TypeError, match=r"BW313(.|\n)*num_labels"):
        KIND.from_pretrained(folder, num_label=3)
    with pytest.raises(TypeError, match=r"BW317(.|\n)*state_dict"):
        KIND.from_pretrained(folder).save_pretrained(folder, statedict={})


def test_the_cache_and_the_revision_that_are_asked_for(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    KIND.from_pretrained(folder, num_labels=2, ignore_mismatched_sizes=True).save_pretrained(other)
    cached(folder, tmp_path / "cache")
    cached(other, tmp_path / "cache", revision="def", branch="two")
    options: dict[str, Any] = {"cache_dir": tmp_path / "cache", "local_files_only": True, "token": None}
    for revision, classes in ((None, 3), ("main", 3), ("two", 2), ("def", 2)):
        model = KIND.from_pretrained("me/tiny", revision=revision, **options)
        assert model.config.num_labels == classes
        assert BertConfig.from_pretrained("me/tiny", revision=revision, **options).num_labels == classes
    with pytest.raises(OSError, match="BW301"):
        KIND.from_pretrained("me/tiny", revision="three", **options)
    with pytest.raises(OSError, match="BW301"):
        KIND.from_pretrained("me/tiny", cache_dir=tmp_path / "nothing", local_files_only=True)


def test_a_model_in_a_folder_of_a_repository(folder: Path, tmp_path: Path) -> None:
    inside = tmp_path / "cache" / "models--me--tiny" / "snapshots" / "abc" / "small"
    shutil.copytree(folder, inside)
    options: dict[str, Any] = {"cache_dir": tmp_path / "cache", "local_files_only": True}
    assert KIND.from_pretrained("me/tiny", subfolder="small", **options).config.num_labels == 3
    with pytest.raises(OSError, match="BW301"):
        KIND.from_pretrained("me/tiny", **options)


def test_what_a_download_is_asked_for(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def fetch(name: str, **options: Any) -> Path:
        asked.append({"name": name, **options})
        return folder

    monkeypatch.setattr(hub, "fetch", fetch)
    cached(folder, tmp_path)
    KIND.from_pretrained("me/tiny", cache_dir=tmp_path)
    assert asked == []
    KIND.from_pretrained("me/tiny", cache_dir=str(tmp_path), force_download=True, token="t", revision="main")
    KIND.from_pretrained("me/tiny", cache_dir=tmp_path, revision="v2", use_auth_token="u")
    usual = {"name": "me/tiny", "cache": tmp_path, "subfolder": "", "any_kind": False}
    assert asked == [
        {**usual, "revision": "main", "token": "t", "again": True},
        {**usual, "revision": "v2", "token": "u", "again": False},
    ]


def test_saving_with_the_arguments_of_a_distributed_program(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = KIND.from_pretrained(folder)
    state = {name: tensor * 2 for name, tensor in model.state_dict().items()}
    model.save_pretrained(tmp_path / "a", is_main_process=False, save_function=torch.save, state_dict=state)
    assert not (tmp_path / "a").exists()
    model.save_pretrained(tmp_path / "a", is_main_process=True, state_dict=state, max_shard_size="1MB")
    assert torch.equal(KIND.from_pretrained(tmp_path / "a").classifier.weight, model.classifier.weight * 2)
    with caplog.at_level(logging.WARNING, "bertwright"):
        model.save_pretrained(tmp_path / "b", safe_serialization=False)
    assert "no pickle is made" in caplog.text
    assert torch.equal(KIND.from_pretrained(tmp_path / "b")(IDS)[0], model(IDS)[0])
    with pytest.raises(BertwrightError, match="BW316"):
        model.save_pretrained(tmp_path / "b", push_to_hub=True)
    with pytest.raises(BertwrightError, match="BW316"):
        model.push_to_hub("me/tiny")
