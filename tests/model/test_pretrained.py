"""`from_pretrained` and `save_pretrained`: ours, the peer's, and what is said of what is new."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from torch import nn

import bertwright
from bertwright import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    BertwrightError,
)
from bertwright.model.activations import ACTIVATIONS
from bertwright.model.pretrained import Pretrained
from tests.model.conftest import KINDS, TINY
from tests.parity.peers import KINDS as KIND_CASES
from tests.parity.peers import TINY as PEER_TINY
from tests.parity.peers import Case, Pair, make_inputs, make_pair, make_peer, ours_like
from tests.parity.test_forward import assert_like_peer

SETTINGS = [{}, {"tie_word_embeddings": False}]


def parameters(model: Pretrained) -> dict[str, torch.Tensor]:
    return dict(model.named_parameters())


def assert_same_parameters(one: Pretrained, other: Pretrained, only: str = "") -> None:
    ours, theirs = parameters(one), parameters(other)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if name.startswith(only) and not torch.equal(ours[name], theirs[name])] == []


@pytest.mark.parametrize("case", KIND_CASES, ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=["tied", "untied"])
def test_the_peer_opens_ours(tmp_path: Path, case: Case, settings: dict[str, bool]) -> None:
    ours = ours_like(make_peer(case, PEER_TINY | settings), case)
    ours.save_pretrained(tmp_path)
    opened: Any = case.peer.from_pretrained(tmp_path, output_loading_info=True, attn_implementation="eager")
    peer, info = opened
    assert {key: value for key, value in info.items() if value} == {}
    assert_like_peer(Pair(case, ours, peer.eval()), make_inputs(case, ours.config, "right"))
    assert type(transformers.AutoModel.from_pretrained(tmp_path)).__name__ == "BertModel"
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == [case.kind]


@pytest.mark.parametrize("case", KIND_CASES, ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=["tied", "untied"])
def test_we_open_the_peers(
    tmp_path: Path, case: Case, settings: dict[str, bool], warnings_of: Callable[[], list[str]]
) -> None:
    peer = make_peer(case, PEER_TINY | settings)
    peer.save_pretrained(tmp_path)
    ours = case.ours.from_pretrained(tmp_path)
    assert warnings_of() == []
    assert ours.load_report is not None
    assert ours.load_report.fresh == []
    assert len(ours.load_report.loaded) == len(parameters(ours))
    assert_like_peer(Pair(case, ours, peer), make_inputs(case, ours.config, "right"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", SETTINGS, ids=["tied", "untied"])
def test_we_open_ours_bit_for_bit(
    tmp_path: Path, kind: str, settings: dict[str, bool], make_model: Callable[..., Any]
) -> None:
    model = make_model(kind, **settings)
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path)
    assert_same_parameters(again, model)
    assert not again.training
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in again.parameters())
    assert again.num_parameters() == model.num_parameters()


def test_a_model_without_a_pooler_is_saved_without_one(tmp_path: Path) -> None:
    model = BertModel(BertConfig(**TINY), add_pooling_layer=False)
    model.save_pretrained(tmp_path)
    again = BertModel.from_pretrained(tmp_path)
    assert again.load_report is not None
    assert again.load_report.missing == ["pooler.dense.weight", "pooler.dense.bias"]
    assert torch.equal(again.embeddings.word_embeddings.weight, model.embeddings.word_embeddings.weight)


def test_saving_over_the_folder_that_a_model_came_from_keeps_both(
    tmp_path: Path, make_model: Callable[..., Any]
) -> None:
    make_model("BertForMaskedLM").save_pretrained(tmp_path)
    first = BertForMaskedLM.from_pretrained(tmp_path)  # its tensors may be mapped from the file
    before = {name: parameter.clone() for name, parameter in parameters(first).items()}
    second = BertForMaskedLM.from_pretrained(tmp_path)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(1.0)
    second.save_pretrained(tmp_path)
    assert all(torch.equal(parameter, before[name]) for name, parameter in parameters(first).items())
    assert_same_parameters(BertForMaskedLM.from_pretrained(tmp_path), second)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_weights_are_loaded_in_the_type_that_is_asked_for(
    tmp_path: Path, dtype: torch.dtype, make_model: Callable[..., Any]
) -> None:
    model = make_model("BertForSequenceClassification")
    model.bert.save_pretrained(tmp_path / "base")
    other = BertForSequenceClassification.from_pretrained(tmp_path / "base", dtype=dtype)  # with a fresh head
    assert {parameter.dtype for parameter in other.parameters()} == {dtype} == {other.dtype}
    word = other.bert.embeddings.word_embeddings.weight
    assert torch.equal(word, model.bert.embeddings.word_embeddings.weight.to(dtype))
    other.save_pretrained(tmp_path / "again")
    assert json.loads((tmp_path / "again" / "config.json").read_text())["dtype"] == str(dtype).removeprefix("torch.")
    assert_same_parameters(BertForSequenceClassification.from_pretrained(tmp_path / "again", dtype=dtype), other)


def test_the_type_in_a_config_of_old_does_not_outlive_the_weights(tmp_path: Path) -> None:
    model = BertModel(BertConfig.from_dict({**TINY, "torch_dtype": "float16"}))
    model.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert (written["dtype"], "torch_dtype" in written) == ("float32", False)


def test_a_fresh_head_gives_one_warning_and_the_rest_is_loaded(
    minilm: Path, warnings_of: Callable[[], list[str]]
) -> None:
    base = BertModel.from_pretrained(minilm)
    assert warnings_of() == []
    model = BertForSequenceClassification.from_pretrained(minilm, num_labels=3)
    (warning,) = warnings_of()
    assert warning.startswith("BertForSequenceClassification: encoder 77/77 tensors loaded from ")
    assert "new and untrained: classifier" in warning
    assert "Train it" in warning
    assert model.load_report is not None
    assert model.load_report.fresh == ["classifier.weight", "classifier.bias"]
    assert_same_parameters(model.bert, base)
    assert model.classifier.weight.shape == (3, 384)


def test_a_head_of_the_same_name_and_shape_is_loaded_silently(
    tmp_path: Path, make_model: Callable[..., Any], warnings_of: Callable[[], list[str]]
) -> None:
    make_model("BertForTokenClassification", num_labels=4).save_pretrained(tmp_path)
    assert BertForTokenClassification.from_pretrained(tmp_path).config.num_labels == 4
    assert warnings_of() == []


def test_pretraining_weights_fill_the_classes_that_have_a_part_of_them(
    tmp_path: Path, make_model: Callable[..., Any]
) -> None:
    whole = make_model("BertForPreTraining")
    whole.save_pretrained(tmp_path)
    for kind in ("BertModel", "BertForMaskedLM", "BertForNextSentencePrediction"):
        model = getattr(bertwright, kind).from_pretrained(tmp_path)
        assert model.load_report.fresh == []
        for name, parameter in parameters(model).items():
            ours = f"bert.{name}" if kind == "BertModel" else name
            assert torch.equal(parameter, parameters(whole)[ours]), name


def test_the_peer_opens_an_answering_model_whose_config_had_other_classes(
    tmp_path: Path, make_model: Callable[..., Any]
) -> None:
    transformers = pytest.importorskip("transformers")
    make_model("BertForSequenceClassification", id2label={0: "a", 1: "b", 2: "c"}).save_pretrained(tmp_path / "classes")
    ours = bertwright.BertForQuestionAnswering.from_pretrained(tmp_path / "classes")
    ours.save_pretrained(tmp_path / "answers")
    theirs = transformers.BertForQuestionAnswering.from_pretrained(tmp_path / "answers")
    assert theirs.config.num_labels == 2
    assert torch.equal(theirs.qa_outputs.weight, ours.qa_outputs.weight)
    assert json.loads((tmp_path / "classes" / "config.json").read_text())["id2label"] == {"0": "a", "1": "b", "2": "c"}


def test_a_head_for_other_classes_needs_a_word(tmp_path: Path, make_model: Callable[..., Any]) -> None:
    model = make_model("BertForSequenceClassification", num_labels=3)
    model.save_pretrained(tmp_path)
    with pytest.raises(BertwrightError) as caught:
        BertForSequenceClassification.from_pretrained(tmp_path, num_labels=2)
    error = caught.value
    assert (error.code, error.fields["name"]) == ("BW323", "classifier.weight")
    assert (error.fields["have"], error.fields["want"]) == ([3, 32], [2, 32])
    fresh = BertForSequenceClassification.from_pretrained(tmp_path, num_labels=2, ignore_mismatched_sizes=True)
    assert fresh.classifier.weight.shape == (2, 32)
    assert_same_parameters(fresh.bert, model.bert)


def test_a_missing_encoder_tensor_is_named(tmp_path: Path, make_model: Callable[..., Any]) -> None:
    from safetensors.torch import load_file, save_file

    make_model("BertModel").save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    tensors = load_file(file)
    tensors["encoder.layer.1.attention.self.values.bias"] = tensors.pop("encoder.layer.1.attention.self.value.bias")
    save_file(tensors, file)
    with pytest.raises(BertwrightError) as caught:
        BertForSequenceClassification.from_pretrained(tmp_path)
    assert caught.value.code == "BW322"
    assert caught.value.fields["count"] == 1
    assert caught.value.fields["missing"] == "bert.encoder.layer.1.attention.self.value.bias"
    assert "self.values.bias" in str(caught.value.fields["unused"])


@pytest.mark.parametrize("ignore", [False, True])
def test_a_misshapen_encoder_tensor_is_named_with_its_own_shape(
    tmp_path: Path, make_model: Callable[..., Any], ignore: bool
) -> None:
    from safetensors.torch import load_file, save_file

    make_model("BertModel").save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["encoder.layer.0.attention.self.key.weight"] = torch.zeros(16, 32)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(BertwrightError) as caught:
        BertModel.from_pretrained(tmp_path, ignore_mismatched_sizes=ignore)
    assert caught.value.code == "BW323"
    assert caught.value.fields["name"] == "encoder.layer.0.attention.self.key.weight"
    assert (caught.value.fields["have"], caught.value.fields["want"]) == ([16, 32], [32, 32])


def test_columns_in_a_file_become_rows(tmp_path: Path, make_model: Callable[..., Any]) -> None:
    """A product rounds by the layout, and what a run saves in between are rows: it would not resume bit for bit."""
    model = make_model("BertModel")
    model.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    turned = {name: one.t().contiguous().t() if one.dim() == 2 else one for name, one in load_file(file).items()}
    assert not all(one.is_contiguous() for one in turned.values())
    torch.save(turned, tmp_path / "pytorch_model.bin")
    file.unlink()
    loaded = dict(BertModel.from_pretrained(tmp_path).named_parameters())
    assert all(
        one.is_contiguous() and torch.equal(one, dict(model.named_parameters())[name]) for name, one in loaded.items()
    )


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    BertConfig(**TINY).save_pretrained(tmp_path)
    with pytest.raises(BertwrightError) as caught:
        BertModel.from_pretrained(tmp_path)
    assert caught.value.code == "BW302"


def test_unknown_keys_of_a_config_are_said(
    tmp_path: Path, make_model: Callable[..., Any], warnings_of: Callable[[], list[str]]
) -> None:
    make_model("BertModel").save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "rotary_base": 10_000}))
    BertModel.from_pretrained(tmp_path)
    (warning,) = warnings_of()
    assert "rotary_base" in warning


def test_two_loads_with_one_seed_give_equal_heads(tmp_path: Path, make_model: Callable[..., Any]) -> None:
    make_model("BertModel").save_pretrained(tmp_path)
    models = []
    for seed in (7, 7, 8):
        torch.manual_seed(seed)
        models.append(BertForSequenceClassification.from_pretrained(tmp_path))
    assert_same_parameters(models[0], models[1])
    assert not torch.equal(models[0].classifier.weight, models[2].classifier.weight)


def test_two_fresh_models_with_one_seed_are_equal() -> None:
    models = []
    for seed in (7, 7, 8):
        torch.manual_seed(seed)
        models.append(BertForPreTraining(BertConfig(**TINY)))
    assert_same_parameters(models[0], models[1])
    assert not torch.equal(
        parameters(models[0])["cls.seq_relationship.weight"], parameters(models[2])["cls.seq_relationship.weight"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_fresh_values_are_as_documented(kind: str) -> None:
    torch.manual_seed(0)
    config = BertConfig(**TINY | {"hidden_size": 128, "vocab_size": 500, "pad_token_id": 3, "initializer_range": 0.05})
    model = getattr(bertwright, kind)(config)
    for path, module in model.named_modules():
        for name, values in module.named_parameters(prefix=path, recurse=False):
            if isinstance(module, nn.LayerNorm) and name.endswith("weight"):
                assert (values == 1).all(), name
            elif name.endswith("bias"):
                assert (values == 0).all(), name
            else:
                drawn = values[torch.arange(len(values)) != 3] if values.shape[0] == 500 else values
                deviation = 0.05 / drawn.numel() ** 0.5  # of the mean; that of the spread is 1/√2 of it
                assert abs(drawn.mean()) < 5 * deviation, name
                assert abs(drawn.std() - 0.05) < 5 * deviation, name
    assert (
        parameters(model)[f"{'' if kind == 'BertModel' else 'bert.'}embeddings.word_embeddings.weight"][3] == 0
    ).all()


def test_a_fresh_head_is_drawn_with_the_range_of_the_config(tmp_path: Path, make_model: Callable[..., Any]) -> None:
    make_model("BertModel", initializer_range=0.5).save_pretrained(tmp_path)
    torch.manual_seed(0)
    model = BertForTokenClassification.from_pretrained(tmp_path, num_labels=60)
    assert abs(float(model.classifier.weight.detach().std()) - 0.5) < 5 * 0.5 / (60 * 32) ** 0.5
    assert (model.classifier.bias == 0).all()


def test_a_name_that_is_no_model_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BertwrightError) as caught:
        BertModel.from_pretrained(str(tmp_path / "nowhere"))
    assert caught.value.code == "BW307"


def test_a_relative_folder_and_a_path_are_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_model: Callable[..., Any]
) -> None:
    make_model("BertModel").save_pretrained(tmp_path / "my model")
    shutil.copytree(tmp_path / "my model", tmp_path / "copy")
    monkeypatch.chdir(tmp_path)
    one, other = BertModel.from_pretrained("my model"), BertModel.from_pretrained(Path("copy"))
    assert_same_parameters(one, other)


def test_a_pair_keeps_its_scores_over_both_formats(tmp_path: Path) -> None:
    pair = make_pair(KIND_CASES[0])
    pair.peer.save_pretrained(tmp_path / "1")
    pair.case.ours.from_pretrained(tmp_path / "1").save_pretrained(tmp_path / "2")
    again = pair.case.peer.from_pretrained(tmp_path / "2", attn_implementation="eager").eval()
    for name, tensor in pair.peer.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("float16", torch.float16),
        ("torch.bfloat16", torch.bfloat16),
        ("auto", torch.float64),
        (torch.float16, torch.float16),
    ],
)
def test_the_type_of_weights_by_its_name(
    tmp_path: Path, asked: torch.dtype | str, given: torch.dtype, make_model: Callable[..., Any]
) -> None:
    make_model("BertModel").double().save_pretrained(tmp_path)
    assert BertModel.from_pretrained(tmp_path, dtype=asked).dtype == given


@pytest.mark.parametrize("asked", ["float61", "nn", "int8", torch.int64])
def test_types_that_no_weights_have(tmp_path: Path, asked: torch.dtype | str, make_model: Callable[..., Any]) -> None:
    make_model("BertModel").save_pretrained(tmp_path)
    with pytest.raises(BertwrightError, match="BW315"):
        BertModel.from_pretrained(tmp_path, dtype=asked)


def test_saving_where_a_file_is(tmp_path: Path, make_model: Callable[..., Any]) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BertwrightError, match="BW501"):
        make_model("BertModel").save_pretrained(tmp_path / "file")


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_model_can_be_pickled(activation: str, make_model: Callable[..., Any]) -> None:
    model = make_model("BertModel", hidden_act=activation)
    assert_same_parameters(pickle.loads(pickle.dumps(model)), model)


def test_what_scripts_say_as_a_matter_of_course(tmp_path: Path, make_model: Callable[..., Any]) -> None:
    make_model("BertForSequenceClassification").save_pretrained(tmp_path)
    model = BertForSequenceClassification.from_pretrained(
        tmp_path, num_labels=3, output_attentions=False, output_hidden_states=False, return_dict=True,
        torch_dtype=torch.float16, ignore_mismatched_sizes=True,
    )  # fmt: skip
    assert model.dtype == torch.float16
    assert BertForSequenceClassification.from_pretrained(tmp_path, dtype=None).dtype == torch.float32
