"""Weight files of every form that people have, and what is said of those that are not whole."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

from bertwright import BertConfig, BertForMaskedLM, BertForPreTraining, BertModel, BertwrightError
from bertwright.checkpoint.load_report import LoadReport
from bertwright.checkpoint.weights import read_tensors, to_theirs, weight_file, write_named, write_tensors
from bertwright.model.pretrained import Pretrained
from tests.checkpoint.conftest import Tensors
from tests.parity.peers import BY_NAME, TINY, make_peer, ours_like

ModelAt = Callable[..., Path]


def report_of(model: Pretrained) -> LoadReport:
    assert model.load_report is not None
    return model.load_report


def assert_holds(model: Pretrained, tensors: Tensors) -> None:
    """Every parameter of the model is the tensor of that name, bit for bit, and none is left over."""
    ours = to_theirs(dict(model.named_parameters()))
    assert ours.keys() == tensors.keys()
    assert [name for name in ours if not torch.equal(ours[name], tensors[name])] == []


def failure(folder: Path) -> BertwrightError:
    with pytest.raises(BertwrightError) as caught:
        BertForPreTraining.from_pretrained(folder)
    return caught.value


# ---- forms


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_one_file(model_at: ModelAt, tensors: Tensors, file: str) -> None:
    model = BertForPreTraining.from_pretrained(model_at(tensors, file))
    assert_holds(model, tensors)
    assert report_of(model).file.name == file


def test_a_pickle_in_the_form_of_old(model_at: ModelAt, tensors: Tensors) -> None:
    folder = model_at(tensors, "pytorch_model.bin")
    torch.save(tensors, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    assert_holds(BertForPreTraining.from_pretrained(folder), tensors)


def test_safetensors_are_read_before_pickles(model_at: ModelAt, tensors: Tensors) -> None:
    model_at({name: tensor + 1 for name, tensor in tensors.items()}, "pytorch_model.bin")
    assert_holds(BertForPreTraining.from_pretrained(model_at(tensors)), tensors)


def test_parameters_in_a_pickle_are_read_as_plain_tensors(model_at: ModelAt, tensors: Tensors) -> None:
    wrapped = {name: torch.nn.Parameter(tensor.half()) for name, tensor in tensors.items()}
    model = BertForPreTraining.from_pretrained(model_at(wrapped, "pytorch_model.bin"))
    assert_holds(model, {name: tensor.half().float() for name, tensor in tensors.items()})
    assert all(parameter.is_leaf for parameter in model.parameters())


def test_shards_that_the_peer_writes(tmp_path: Path, peer: transformers.PreTrainedModel, tensors: Tensors) -> None:
    peer.save_pretrained(tmp_path, max_shard_size="40KB")
    assert weight_file(tmp_path).name == "model.safetensors.index.json"
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 3
    assert_holds(BertForPreTraining.from_pretrained(tmp_path), tensors)


def shards_at(folder: Path, tensors: Tensors, ending: str) -> Path:
    """Two shards and their index, by hand; the peer writes no pickles any more."""
    stem = "model" if ending == "safetensors" else "pytorch_model"
    halves: list[Tensors] = [{}, {}]
    for number, (name, tensor) in enumerate(tensors.items()):
        halves[number % 2][name] = tensor
    weight_map: dict[str, str] = {}
    for number, half in enumerate(halves, start=1):
        file = f"{stem}-0000{number}-of-00002.{ending}"
        (save_file if ending == "safetensors" else torch.save)(half, folder / file)
        weight_map |= dict.fromkeys(half, file)
    index = folder / f"{stem}.{ending}.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weight_map}))
    return index


@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_shards_by_hand(model_at: ModelAt, tensors: Tensors, ending: str) -> None:
    folder = model_at(tensors)
    (folder / "model.safetensors").unlink()
    shards_at(folder, tensors, ending)
    assert_holds(BertForPreTraining.from_pretrained(folder), tensors)


def test_old_names_of_norms(model_at: ModelAt, tensors: Tensors) -> None:
    old = {name.replace("LayerNorm.weight", "LayerNorm.gamma"): tensor for name, tensor in tensors.items()}
    old = {name.replace("LayerNorm.bias", "LayerNorm.beta"): tensor for name, tensor in old.items()}
    model = BertForPreTraining.from_pretrained(model_at(old))
    assert_holds(model, tensors)
    assert len(report_of(model).renamed) == 2 * (1 + 2 * TINY["num_hidden_layers"] + 1)
    assert "16 old names understood" in report_of(model).summary()


@pytest.mark.parametrize("prefix", ["module.", "module._orig_mod."])
def test_names_in_a_wrapper(model_at: ModelAt, tensors: Tensors, prefix: str) -> None:
    wrapped = {prefix + name: tensor for name, tensor in tensors.items()}
    assert_holds(BertForPreTraining.from_pretrained(model_at(wrapped)), tensors)


def test_with_and_without_the_prefix_of_the_encoder(model_at: ModelAt, tensors: Tensors) -> None:
    bare = {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}
    with_prefix = BertForPreTraining.from_pretrained(model_at(tensors))
    assert_holds(BertForPreTraining.from_pretrained(model_at(bare)), tensors)
    assert_holds(with_prefix, tensors)
    encoder = {name: tensor for name, tensor in bare.items() if not name.startswith("cls.")}
    assert_holds(BertModel.from_pretrained(model_at(tensors)), encoder)
    assert report_of(with_prefix).renamed == []


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_other_precisions_are_read_into_single(
    model_at: ModelAt, tensors: Tensors, dtype: torch.dtype, file: str
) -> None:
    half = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    model = BertForPreTraining.from_pretrained(model_at(half, file))
    assert_holds(model, {name: tensor.float() for name, tensor in half.items()})


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.float8_e4m3fn], ids=str)
def test_quantised_numbers_are_not_taken_for_weights(model_at: ModelAt, tensors: Tensors, dtype: torch.dtype) -> None:
    name = "bert.encoder.layer.1.attention.self.key.weight"
    error = failure(model_at({**tensors, name: tensors[name].to(dtype)}))
    assert (error.code, error.fields["name"]) == ("BW341", name)


# ---- the ledger


def test_what_has_no_place_is_listed_and_said(model_at: ModelAt, tensors: Tensors) -> None:
    extra = {**tensors, "adapter.down.weight": torch.ones(2), "bert.rotary.bias": torch.ones(2)}
    report = report_of(BertForPreTraining.from_pretrained(model_at(extra)))
    assert sorted(report.unused) == ["adapter.down.weight", "bert.rotary.bias"]
    assert report.summary().endswith("; not used: adapter.down, rotary")


def test_copies_and_counters_are_no_loss(model_at: ModelAt, tensors: Tensors) -> None:
    copies = {
        "cls.predictions.decoder.weight": tensors["bert.embeddings.word_embeddings.weight"].clone(),
        "cls.predictions.decoder.bias": tensors["cls.predictions.bias"].clone(),
        "bert.embeddings.position_ids": torch.arange(40)[None],
    }
    for model_class in (BertForPreTraining, BertForMaskedLM):
        report = report_of(model_class.from_pretrained(model_at({**tensors, **copies})))
        assert sorted(report.empty) == sorted(copies)
        assert set(report.unused) <= {name for name in tensors if "pooler" in name or "seq_relationship" in name}


def test_a_decoder_that_is_no_copy_is_not_dropped_in_silence(model_at: ModelAt, tensors: Tensors) -> None:
    other = tensors["bert.embeddings.word_embeddings.weight"] + 1
    report = report_of(BertForMaskedLM.from_pretrained(model_at({**tensors, "cls.predictions.decoder.weight": other})))
    assert "cls.predictions.decoder.weight" in report.unused


@pytest.mark.parametrize("both", [True, False])
def test_the_bias_of_an_untied_head_is_the_one_that_the_peer_adds(model_at: ModelAt, both: bool) -> None:
    peer = make_peer(BY_NAME["masked-lm"], TINY | {"tie_word_embeddings": False})
    state = {name: tensor.clone() for name, tensor in peer.state_dict().items()}
    if not both:  # as releases before 5 wrote it: one bias under its first name
        state["cls.predictions.bias"] = state.pop("cls.predictions.decoder.bias")
    bias = state["cls.predictions.decoder.bias" if both else "cls.predictions.bias"]
    model = BertForMaskedLM.from_pretrained(model_at(state), tie_word_embeddings=False)
    assert torch.equal(dict(model.named_parameters())["cls.predictions.bias"], bias)
    assert report_of(model).fresh == []


def test_a_tensor_under_two_spellings_is_taken_once_and_the_other_is_listed(
    model_at: ModelAt, tensors: Tensors
) -> None:
    twice = {**tensors, "pooler.dense.bias": tensors["bert.pooler.dense.bias"] + 1}
    report = report_of(BertForPreTraining.from_pretrained(model_at(twice, "pytorch_model.bin")))
    assert report.unused == ["pooler.dense.bias"]


def test_the_summary_of_a_base_checkpoint(model_at: ModelAt, tensors: Tensors) -> None:
    encoder = {name: tensor for name, tensor in tensors.items() if not name.startswith("cls.")}
    folder = model_at(encoder)
    report = report_of(BertForPreTraining.from_pretrained(folder))
    file = folder / "model.safetensors"
    assert report.summary() == (
        f"encoder 41/41 tensors loaded from {file}; heads loaded: pooler.dense; "
        "new and untrained: cls.predictions, cls.seq_relationship"
    )


# ---- damage


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("kept", [0, 5, 600, 0.5, 0.99], ids=str)
def test_a_file_that_was_cut_off(model_at: ModelAt, tensors: Tensors, file: str, kept: float) -> None:
    path = model_at(tensors, file) / file
    size = kept if isinstance(kept, int) else int(path.stat().st_size * kept)
    os.truncate(path, size)
    error = failure(path.parent)
    assert (error.code, error.fields["file"]) == ("BW320", path)
    assert str(error.fields["reason"]).strip()


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.95])
def test_a_pickle_of_old_that_was_cut_off_is_damaged_not_dangerous(
    model_at: ModelAt, tensors: Tensors, kept: float
) -> None:
    path = model_at(tensors, "pytorch_model.bin") / "pytorch_model.bin"
    torch.save(tensors, path, _use_new_zipfile_serialization=False)
    os.truncate(path, int(path.stat().st_size * kept))
    assert failure(path.parent).code == "BW320"


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("content", [b"<html>404</html>", b"version https://git-lfs.github.com/spec/v1\noid 1\n"])
def test_something_else_in_place_of_the_weights(model_at: ModelAt, tensors: Tensors, file: str, content: bytes) -> None:
    path = model_at(tensors, file) / file
    path.write_bytes(content)
    error = failure(path.parent)
    assert error.code == "BW320"
    assert ("LFS" in str(error)) is content.startswith(b"version")


def test_a_file_of_something_other_than_named_tensors(model_at: ModelAt, tensors: Tensors) -> None:
    folder = model_at(tensors, "pytorch_model.bin")
    torch.save([torch.ones(2)], folder / "pytorch_model.bin")
    error = failure(folder)
    assert error.code == "BW320"
    assert "list" in str(error)


class Evil:
    """A pickle of this runs `os.mkdir` when it is read without care."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("form", ["zip", "legacy", "plain"])
def test_code_in_a_pickle_is_refused_and_does_not_run(
    model_at: ModelAt, tensors: Tensors, tmp_path: Path, form: str
) -> None:
    path = model_at(tensors, "pytorch_model.bin") / "pytorch_model.bin"
    proof = tmp_path / "it ran"
    content = {**tensors, "x": Evil(str(proof))}
    if form == "plain":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    assert failure(path.parent).code == "BW321"
    assert not proof.exists()
    torch.load(path, weights_only=False) if form != "plain" else pickle.loads(path.read_bytes())
    assert proof.exists()  # the trap is a trap: a careless reader springs it


def test_a_shard_that_is_missing_is_named(model_at: ModelAt, tensors: Tensors) -> None:
    folder = model_at(tensors)
    (folder / "model.safetensors").unlink()
    shards_at(folder, tensors, "safetensors")
    (folder / "model-00002-of-00002.safetensors").unlink()
    error = failure(folder)
    assert (error.code, error.fields["file"]) == ("BW302", "model-00002-of-00002.safetensors")


def test_an_index_never_leads_out_of_its_folder(model_at: ModelAt, tensors: Tensors, tmp_path: Path) -> None:
    folder = model_at(tensors)
    (folder / "model.safetensors").rename(tmp_path / "secret.safetensors")
    for elsewhere in ("../secret.safetensors", str(tmp_path / "secret.safetensors")):
        index = {"weight_map": dict.fromkeys(tensors, elsewhere)}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        error = failure(folder)
        assert (error.code, error.fields["file"]) == ("BW302", "secret.safetensors")


@pytest.mark.parametrize("index", ["", "{", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 1, "b": "x"}}'])
def test_an_index_that_is_no_index(model_at: ModelAt, tensors: Tensors, index: str) -> None:
    folder = model_at(tensors)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    error = failure(folder)
    assert (error.code, error.fields["file"]) == ("BW320", folder / "model.safetensors.index.json")


# ---- writing


def test_what_is_written_is_what_the_peer_writes(tmp_path: Path, tensors: Tensors) -> None:
    model = ours_like(make_peer(BY_NAME["pretraining"], TINY), BY_NAME["pretraining"])
    write_tensors(dict(model.named_parameters()), tmp_path / "model.safetensors")
    written = load_file(tmp_path / "model.safetensors")
    assert written.keys() == tensors.keys()
    assert all(torch.equal(written[name], tensors[name]) for name in tensors)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_weights_are_for_whoever_may_read_a_new_file(tmp_path: Path) -> None:
    """Who trains is often not who serves."""
    for mask in (0o022, 0o077):
        before = os.umask(mask)
        try:
            write_named({"a": torch.ones(2)}, tmp_path / "model.safetensors")
            (tmp_path / "plain").write_bytes(b"")
        finally:
            os.umask(before)
        assert (tmp_path / "model.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode
        (tmp_path / "plain").unlink()


def test_renaming_copies_no_weights(tensors: Tensors) -> None:
    model = ours_like(make_peer(BY_NAME["masked-lm"], TINY), BY_NAME["masked-lm"])
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    theirs = to_theirs(dict(model.named_parameters()))
    assert {tensor.untyped_storage().data_ptr() for tensor in theirs.values()} == own


@pytest.mark.skipif(os.name != "posix", reason="limits on the size of a file are POSIX")
def test_a_disk_that_is_full_is_a_sentence_and_the_old_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    write_tensors({"classifier.weight": torch.ones(2, 2)}, file)
    before = file.read_bytes()
    # A limit on the size of files makes the real writer fail as a full disk does; in a process of its own.
    script = """
import resource, signal, sys
from pathlib import Path
import torch
from bertwright.checkpoint.weights import write_tensors
from bertwright.errors import BertwrightError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
try:
    write_tensors({"classifier.weight": torch.ones(1000, 1000)}, Path(sys.argv[1]))
except BertwrightError as error:
    print(error.code)
"""
    run = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "BW501"
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_read_tensors_gives_all_of_them(model_at: ModelAt, tensors: Tensors) -> None:
    read: dict[str, Tensor] = read_tensors(model_at(tensors) / "model.safetensors")
    assert read.keys() == tensors.keys()


@pytest.mark.parametrize("kept", ["cls.predictions.decoder.bias", "cls.predictions.decoder.weight"])
def test_a_tied_model_of_which_the_second_of_two_equal_tensors_is_there(tmp_path: Path, kept: str) -> None:
    model = BertForMaskedLM(BertConfig(**TINY))
    torch.nn.init.normal_(model.cls.predictions.bias)
    model.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    gone = {"cls.predictions.decoder.bias": "cls.predictions.bias"}.get(kept, "bert.embeddings.word_embeddings.weight")
    tensors[kept] = tensors.pop(gone)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    again = BertForMaskedLM.from_pretrained(tmp_path)
    assert report_of(again).fresh == []
    assert torch.equal(again.cls.predictions.bias, model.cls.predictions.bias)
    assert torch.equal(again.bert.embeddings.word_embeddings.weight, model.bert.embeddings.word_embeddings.weight)
    peer = transformers.BertForMaskedLM.from_pretrained(tmp_path)
    assert torch.equal(peer.bert.embeddings.word_embeddings.weight, model.bert.embeddings.word_embeddings.weight)


def test_keys_of_a_pickle_that_are_no_names(model_at: ModelAt, tensors: Tensors) -> None:
    folder = model_at(tensors, "pytorch_model.bin")
    content: dict[object, Tensor] = {0: torch.zeros(2)}
    content.update(tensors)
    torch.save(content, folder / "pytorch_model.bin")
    assert_holds(BertForPreTraining.from_pretrained(folder), tensors)
