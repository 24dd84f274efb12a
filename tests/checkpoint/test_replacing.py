"""How a file is written: whole or not at all, through links, and into what keeps nothing."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bertwright.checkpoint import replacing
from bertwright.checkpoint.folders import publishing
from bertwright.checkpoint.replacing import is_stream, new_file, opened_to_append, place_for, write_bytes, write_text
from bertwright.checkpoint.weights import write_named
from bertwright.errors import BertwrightError


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(BertwrightError) as caught:
        action()
    caught.value.message("en")
    caught.value.message("zh")
    return caught.value.code


def read_from(pipe: Path, write: Callable[[], object]) -> bytes:
    """What arrives at the other end of a pipe."""
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write()
    reader.join(10)
    return b"".join(got)


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe.jsonl", tmp_path / "link.jsonl"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for place in (pipe, link):
        assert read_from(pipe, lambda place=place: write_text(place, "一\n")) == "一\n".encode()  # type: ignore[misc]
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.jsonl", "pipe.jsonl"]


def test_a_link_to_a_device_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "answers.jsonl"
    link.symlink_to("/dev/null")
    before = Path("/dev/null").stat()
    write_text(link, "x")
    write_text(Path("/dev/null"), "x")
    assert link.readlink() == Path("/dev/null")
    assert os.path.samestat(before, Path("/dev/null").stat())


def test_a_socket_gets_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        server.listen(1)
        write_bytes(Path("socket"), b"answer")
        connection, _ = server.accept()
        with connection:
            assert connection.recv(100) == b"answer"


def test_a_stream_of_this_process_is_written_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "redirected.txt"
    with file.open("w") as stream:
        stream.write("before\n")
        stream.flush()
        link = tmp_path / "link"
        link.symlink_to(f"/dev/fd/{stream.fileno()}")
        assert is_stream(link)
        write_text(link, "between\n")
        stream.write("after\n")
    assert file.read_text() == "before\nbetween\nafter\n"


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "file.txt", tmp_path / "link.txt"
    for text in ("new", "newer"):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        write_text(link, text)
        assert link.is_symlink()
        assert target.read_text() == text
    weights = tmp_path / "model.safetensors"
    weights.symlink_to(tmp_path / "there" / "weights.safetensors")
    write_named({"a": torch.zeros(2)}, weights)
    assert weights.is_symlink()
    assert (tmp_path / "there" / "weights.safetensors").is_file()


def test_a_linked_folder_is_replaced_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "disk" / "model").mkdir(parents=True)
    link = tmp_path / "best"
    link.symlink_to(tmp_path / "disk" / "model")
    for text in ("old", "new"):
        with publishing(link) as staging:
            (staging / "a.txt").write_text(text)
        assert link.is_symlink()
        assert (tmp_path / "disk" / "model" / "a.txt").read_text() == text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "disk"]
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["model"]


def test_a_device_is_never_replaced_by_a_folder(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def publish() -> None:
        with publishing(pipe):
            pass

    assert code_of(publish) == "BW503"
    assert pipe.is_fifo()


def test_a_link_in_the_place_of_a_staging_file_leads_nowhere(tmp_path: Path) -> None:
    secret, file = tmp_path / "secret.txt", tmp_path / "out.txt"
    secret.write_text("secret")
    replacing.staging_of(file).symlink_to(secret)
    write_text(file, "out")
    assert secret.read_text() == "secret"
    assert (file.read_text(), file.is_symlink()) == ("out", False)
    link = tmp_path / "link"
    link.symlink_to(secret)
    with pytest.raises(FileExistsError):
        new_file(link)
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        opened_to_append(link)


def test_a_nul_in_a_path_is_a_sentence(tmp_path: Path) -> None:
    bad = tmp_path / "a\0b.jsonl"
    assert code_of(lambda: write_text(bad, "x")) == "BW644"
    assert code_of(lambda: place_for(bad, tmp_path / "in.txt")) == "BW644"
    assert not is_stream(bad)


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("writer", ["text", "tensors"])
def test_what_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, writer: str
) -> None:
    file = tmp_path / "file.bin"
    file.write_text("old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if call == "write":
        monkeypatch.setattr(os, "fdopen", fail)
    else:
        monkeypatch.setattr(os, call, fail)
    write = {"text": lambda: write_text(file, "new"), "tensors": lambda: write_named({"a": torch.zeros(1)}, file)}
    assert code_of(write[writer]) == "BW501"
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]
