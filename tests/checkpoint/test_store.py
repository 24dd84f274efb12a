"""Folders that are whole or not there, whatever fails and whenever the process dies."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bertwright.checkpoint import folders as store
from bertwright.checkpoint.folders import MANIFEST, publishing, verify, whole_folder, write_text
from bertwright.checkpoint.weights import write_tensors
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A published folder with the content `old`, alone in its parent."""
    folder = tmp_path / "best"
    publish(folder, "old")
    return folder


def publish(folder: Path, text: str) -> None:
    with publishing(folder) as staging:
        (staging / "deep").mkdir()
        (staging / "deep" / "text").write_text(text)
        (staging / "name").write_text(text)


def content(folder: Path) -> str:
    """The text of a folder that is whole."""
    whole = whole_folder(folder)
    assert (whole / "deep" / "text").read_text() == (whole / "name").read_text()
    return (whole / "name").read_text()


def names_beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir())


def out_of_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_folder_appears_whole_with_its_manifest(folder: Path) -> None:
    assert content(folder) == "old"
    assert names_beside(folder) == ["best"]
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["schema_version"] == 1
    assert list(manifest["files"]) == ["deep/text", "name"]
    assert manifest["files"]["name"]["size"] == 3


def test_nothing_is_there_before_the_block_ends(tmp_path: Path) -> None:
    with publishing(tmp_path / "new" / "best") as staging:
        (staging / "name").write_text("x")
        assert not (tmp_path / "new" / "best").exists()
    assert names_beside(tmp_path / "new" / "best") == ["best"]


def test_a_folder_is_replaced_whole(folder: Path) -> None:
    (folder / "left over").touch()
    publish(folder, "new")
    assert content(folder) == "new"
    assert not (folder / "left over").exists()
    assert names_beside(folder) == ["best"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, BertwrightError])
def test_a_block_that_fails_leaves_the_old_folder(folder: Path, failure: type[BaseException]) -> None:
    error = BertwrightError("BW502", folder="x") if failure is BertwrightError else failure()

    def fail() -> None:
        with publishing(folder) as staging:
            (staging / "name").write_text("new")
            raise error

    with pytest.raises(failure) as caught:
        fail()
    assert caught.value is error
    assert content(folder) == "old"
    assert names_beside(folder) == ["best"]


@pytest.mark.parametrize("where", ["_write_manifest", "_digest", "_flush", "_flush_one"])
def test_a_full_disk_is_a_sentence_and_leaves_the_old_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(store, where, out_of_space)
    with pytest.raises(BertwrightError) as caught:
        publish(folder, "new")
    monkeypatch.undo()
    assert (caught.value.code, caught.value.fields["folder"]) == ("BW501", folder)
    assert "No space left" in str(caught.value)
    assert content(folder) == "old"
    assert names_beside(folder) == ["best"]


def test_a_full_disk_while_weights_are_written_names_the_folder_that_was_meant(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertwright.checkpoint.weights.save_file", out_of_space)

    def save() -> None:
        with publishing(folder) as staging:
            write_tensors({"classifier.weight": torch.ones(2, 2)}, staging / "model.safetensors")

    with pytest.raises(BertwrightError) as caught:
        save()
    assert (caught.value.code, caught.value.fields["folder"]) == ("BW501", folder)
    assert content(folder) == "old"


@pytest.mark.parametrize("failing", [1, 2])
def test_a_rename_that_fails_leaves_the_old_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    rename, calls = Path.rename, []

    def rename_or_fail(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == failing:
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_or_fail)
    with pytest.raises(BertwrightError) as caught:
        publish(folder, "new")
    assert caught.value.code == "BW501"
    assert (folder / "name").read_text() == "old"
    assert names_beside(folder) == ["best"]


# ---- a process that dies

DYING = """
import os, sys
from pathlib import Path
from bertwright.checkpoint import folders as store
folder, moment = Path(sys.argv[1]), sys.argv[2]
rename, calls = Path.rename, []
def rename_or_die(self, target):
    calls.append(target)
    if moment == f"before rename {len(calls)}":
        os._exit(9)
    return rename(self, target)
Path.rename = rename_or_die
if moment == "before the manifest":
    store._write_manifest = lambda _: os._exit(9)
with store.publishing(folder) as staging:
    (staging / "deep").mkdir()
    (staging / "deep" / "text").write_text("new")
    if moment == "in the block":
        os._exit(9)
    (staging / "name").write_text("new")
"""
MOMENTS = ["in the block", "before the manifest", "before rename 1", "before rename 2"]


def die(folder: Path, moment: str) -> None:
    assert subprocess.run([sys.executable, "-c", DYING, str(folder), moment], check=False).returncode == 9


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_that_dies_leaves_a_folder_that_can_be_read(folder: Path, moment: str) -> None:
    die(folder, moment)
    assert content(folder) == "old"
    assert names_beside(folder) != ["best"]  # it did leave something behind ...
    publish(folder, "newer")
    assert content(folder) == "newer"
    assert names_beside(folder) == ["best"]  # ... which the next save cleared away


@pytest.mark.parametrize("moment", ["in the block", "before the manifest", "before rename 1"])
def test_dying_again_before_the_next_save_is_done_loses_nothing(folder: Path, moment: str) -> None:
    die(folder, "before rename 2")  # now only the previous folder is there
    assert not folder.exists()
    die(folder, moment)
    assert content(folder) == "old"


def test_the_staging_folder_of_a_living_process_is_left_alone(folder: Path) -> None:
    other = folder.with_name(f".best.{os.getppid()}.tmp")
    other.mkdir()
    similar = folder.with_name(".best.tmp")
    similar.mkdir()
    publish(folder, "new")
    assert names_beside(folder) == sorted([other.name, similar.name, "best"])


def test_other_folders_keep_what_is_theirs(folder: Path) -> None:
    die(folder.with_name("last"), "in the block")
    leftovers = [name for name in names_beside(folder) if name.startswith(".last")]
    publish(folder, "new")
    assert names_beside(folder) == sorted([*leftovers, "best"])


def test_the_previous_folder_serves_where_the_folder_is_not_there(folder: Path) -> None:
    previous = folder.with_name(".best.previous")
    folder.rename(previous)
    assert whole_folder(folder) == previous
    publish(folder, "new")
    assert whole_folder(folder) == folder


# ---- verification


def flip_a_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[1] ^= 1
    file.write_bytes(data)


def test_a_flipped_bit_is_found(folder: Path) -> None:
    flip_a_bit(folder / "deep" / "text")
    with pytest.raises(BertwrightError) as caught:
        verify(folder)
    assert (caught.value.code, caught.value.fields["file"]) == ("BW324", folder / "deep" / "text")


def test_a_shorter_file_is_found(folder: Path) -> None:
    (folder / "name").write_text("ol")
    with pytest.raises(BertwrightError) as caught:
        whole_folder(folder)
    assert (caught.value.code, str(caught.value.fields["reason"])) == ("BW324", "2 of 3 bytes")
    assert "应为 3 字节，实际为 2 字节" in caught.value.message("zh")


def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / "name").unlink()
    with pytest.raises(BertwrightError) as caught:
        verify(folder)
    assert (caught.value.code, caught.value.fields["reason"]) == ("BW324", Phrase("missing"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": {}}', '{"schema_version": 1, "files": {"name": 3}}'])
def test_a_damaged_manifest_is_found(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(BertwrightError) as caught:
        verify(folder)
    assert (caught.value.code, caught.value.fields["file"]) == ("BW324", folder / MANIFEST)


def test_a_manifest_of_a_newer_program_is_refused(folder: Path) -> None:
    (folder / MANIFEST).write_text('{"schema_version": 2, "entries": []}')
    with pytest.raises(BertwrightError) as caught:
        verify(folder)
    assert (caught.value.code, caught.value.fields["version"]) == ("BW332", 2)


def test_a_folder_without_a_manifest_and_one_with_files_added_are_taken_as_they_are(folder: Path) -> None:
    (folder / "note").write_text("mine")
    verify(folder)
    (folder / MANIFEST).unlink()
    flip_a_bit(folder / "name")
    verify(folder)


# ---- single files


def test_a_text_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.json"
    write_text(file, "一")
    assert file.read_text(encoding="utf-8") == "一"
    monkeypatch.setattr(store, "_flush_one", out_of_space)
    with pytest.raises(BertwrightError) as caught:
        write_text(file, "二")
    assert caught.value.code == "BW501"
    assert file.read_text(encoding="utf-8") == "一"
    assert names_beside(file) == ["run.json"]


def test_a_text_in_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BertwrightError) as caught:
        write_text(tmp_path / "nowhere" / "run.json", "x")
    assert caught.value.code == "BW501"


def test_the_manifest_of_another_program_stays(tmp_path: Path) -> None:
    for content, stays in (('{"manifest_version": 3}', True), ('{"files": {}}', False), ("{half a", False)):
        (tmp_path / MANIFEST).write_text(content, encoding="utf-8")
        store.unseal(tmp_path)
        assert (tmp_path / MANIFEST).exists() is stays
