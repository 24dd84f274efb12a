"""From a name to a folder, by what is on this machine: no connection is opened."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bertwright.checkpoint.hub import BUILT_IN, model_folder
from bertwright.checkpoint.hub_cache import cache_folder
from bertwright.errors import BertwrightError

AddSnapshot = Callable[..., Path]
CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def refused(name: str | Path) -> BertwrightError:
    with pytest.raises(BertwrightError) as caught:
        model_folder(name)
    assert caught.value.code == "BW301"
    return caught.value


@pytest.mark.parametrize("asked", ["bert-base-uncased", "google-bert/bert-base-uncased"])
@pytest.mark.parametrize("there", ["bert-base-uncased", "google-bert/bert-base-uncased"])
def test_both_spellings_of_the_first_models_find_each_other(add_snapshot: AddSnapshot, asked: str, there: str) -> None:
    snapshot = add_snapshot(there)
    assert model_folder(asked, download=True) == snapshot


def test_a_name_with_another_owner_is_only_that(add_snapshot: AddSnapshot) -> None:
    snapshot = add_snapshot("hfl/chinese-macbert-base")
    assert model_folder("hfl/chinese-macbert-base") == snapshot
    refused("chinese-macbert-base")
    refused("google-bert/chinese-macbert-base")


def test_the_revision_of_main_is_preferred(add_snapshot: AddSnapshot, cache: Path) -> None:
    main, newest = add_snapshot("a/b", "1"), add_snapshot("a/b", "2")
    os.utime(main, (1, 1))
    assert model_folder("a/b") == newest
    (cache / "models--a--b" / "refs").mkdir()
    (cache / "models--a--b" / "refs" / "main").write_text("1\n")
    assert model_folder("a/b") == main


@pytest.mark.parametrize(
    "files", [(), (CONFIG,), (WEIGHTS,), ("vocab.txt", "tokenizer.json"), (CONFIG, INDEX), (CONFIG, "tf_model.h5")]
)
def test_a_snapshot_that_is_not_whole_is_passed_over(add_snapshot: AddSnapshot, files: tuple[str, ...]) -> None:
    whole, part = add_snapshot("a/b", "whole"), add_snapshot("a/b", "part", files)
    os.utime(whole, (1, 1))
    os.utime(part, (2, 2))
    assert model_folder("a/b") == whole


@pytest.mark.parametrize("missing", [True, False])
def test_a_sharded_snapshot_is_whole_with_its_last_shard(add_snapshot: AddSnapshot, missing: bool) -> None:
    snapshot = add_snapshot("a/b", "1", (CONFIG, "model-1.safetensors"))
    (snapshot / INDEX).write_text('{"weight_map": {"x": "model-1.safetensors", "y": "model-2.safetensors"}}')
    if missing:
        refused("a/b")
    else:
        (snapshot / "model-2.safetensors").touch()
        assert model_folder("a/b") == snapshot


@pytest.mark.parametrize("file", ["vocab.txt", "tokenizer.json"])
def test_a_snapshot_with_a_vocabulary_goes_first(add_snapshot: AddSnapshot, file: str) -> None:
    bare = add_snapshot("a/b", "bare")
    assert model_folder("a/b", download=True) == model_folder("a/b", vocabulary=True) == bare
    whole = add_snapshot("a/b", "whole", (CONFIG, WEIGHTS, file))
    os.utime(whole, (1, 1))
    assert model_folder("a/b", download=True, vocabulary=True) == model_folder("a/b") == whole


def test_a_link_whose_blob_is_not_there_is_no_file(add_snapshot: AddSnapshot) -> None:
    snapshot = add_snapshot("a/b", "1", (CONFIG,))
    (snapshot / WEIGHTS).symlink_to("../../blobs/0123")
    refused("a/b")


def test_a_folder_wins_over_a_name(add_snapshot: AddSnapshot) -> None:
    add_snapshot("bert-base-uncased")
    Path("bert-base-uncased").mkdir()
    assert model_folder("bert-base-uncased") == Path("bert-base-uncased")


@pytest.mark.parametrize("file", [None, "store", CONFIG])
def test_the_built_in_model_is_the_same_wherever_one_stands(
    file: str | None, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if file is not None:
        Path("mini").mkdir()
        (Path("mini") / file).touch()
    assert model_folder("mini") == BUILT_IN["mini"]
    assert ("mini is the built-in model; for the folder of that name write ./mini" in caplog.text) == (file == CONFIG)
    caplog.clear()
    folder = Path("mini") if file is not None else BUILT_IN["mini"]
    assert model_folder(Path("mini")) == folder
    if file is not None:
        assert model_folder("./mini") == folder
    assert not caplog.text


def test_a_folder_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    assert model_folder("~/models") == tmp_path / "models"


@pytest.mark.parametrize(
    "name",
    [
        "", "../a", "a/../b", "a/b/c", "/nowhere", "./a", "a b", "a\nb", "a\x00b", "~nobody/a", "~", "-a", ".a", "a/.b",
        "https://huggingface.co/a", "C:\\models\\a", "模型?", "x" * 5000,
    ],
)  # fmt: skip
def test_an_odd_name_is_refused_before_anybody_is_asked(
    name: str, add_snapshot: AddSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    add_snapshot("b")
    with pytest.raises(BertwrightError) as caught:
        model_folder(name, download=True)
    assert caught.value.code == "BW307"


def test_a_name_that_nobody_has_is_told_with_what_was_tried(cache: Path) -> None:
    assert refused("bert-bsae-uncased").fields["tried"] == "bert-bsae-uncased / google-bert/bert-bsae-uncased"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HF_HUB_CACHE": "/1"}, "/1"),
        ({"HUGGINGFACE_HUB_CACHE": "/2"}, "/2"),
        ({"HF_HOME": "/3"}, "/3/hub"),
        ({"XDG_CACHE_HOME": "/4"}, "/4/huggingface/hub"),
        ({"HF_HOME": "~/5"}, "/home/me/5/hub"),
        ({"HF_HUB_CACHE": "$HOME/6"}, "/home/me/6"),
        ({}, "/home/me/.cache/huggingface/hub"),
        ({"HF_HUB_CACHE": "/1", "HUGGINGFACE_HUB_CACHE": "/2", "HF_HOME": "/3", "XDG_CACHE_HOME": "/4"}, "/1"),
        ({"HF_HOME": "/3", "XDG_CACHE_HOME": "/4"}, "/3/hub"),
    ],
    ids=str,
)
def test_the_cache_is_where_the_hubs_own_library_has_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)
