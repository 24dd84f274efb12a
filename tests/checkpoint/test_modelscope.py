"""Downloads from ModelScope, from a server on this machine that speaks its protocol."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bertwright.checkpoint.hub import model_folder
from bertwright.checkpoint.modelscope import fetch_from_modelscope
from bertwright.errors import BertwrightError

NAME = "someone/small-bert"
WANTED = {"config.json": b'{"model_type": "bert"}', "vocab.txt": b"[PAD]\n", "model.safetensors": b"safe" * 2000}
HELD = {**WANTED, "README.md": b"# hello", "pytorch_model.bin": b"pickle", "onnx/model.safetensors": b"other"}


@dataclass
class Scope:
    """What the server holds, and how it behaves.

    Attributes:
        breaks: the file after whose first 1000 bytes the connection ends.
        closed: whether it is for some accounts only.
        garbled: a file that comes with other bytes.
        asked: path of the file, and from which byte on it was asked for.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: dict(HELD))
    breaks: str = ""
    closed: bool = False
    garbled: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    revisions: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)


def handler(scope: Scope) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            scope.revisions.add(query.get("Revision", ""))
            scope.tokens |= {self.headers["Authorization"]} - {None}
            if scope.closed:
                self.answer(403, b"{}")
            elif address.path == f"/api/v1/models/{NAME}/repo/files" and query["Recursive"] == "true":
                self.answer(200, json.dumps({"Code": 200, "Data": {"Files": list(self.listed())}}).encode())
            elif address.path == f"/api/v1/models/{NAME}/repo" and query["FilePath"] in scope.files:
                self.give(query["FilePath"])
            else:
                self.answer(404, b'{"Code": 10010205001, "Success": false}')

        def listed(self) -> Iterator[dict[str, object]]:
            yield {"Path": "onnx", "Name": "onnx", "Type": "tree", "Size": 0}
            for path, data in scope.files.items():
                digest = hashlib.sha256(data).hexdigest()
                yield {"Path": path, "Name": Path(path).name, "Type": "blob", "Size": len(data), "Sha256": digest}

        def give(self, path: str) -> None:
            wanted = self.headers["Range"] or ""
            scope.asked.append((path, wanted))
            data = scope.files[path]
            data = data[::-1] if path == scope.garbled else data
            if not wanted:
                self.answer(200, data[:1000] if path == scope.breaks else data, len(data))
                return
            self.answer(206, data[int(wanted.removeprefix("bytes=").removesuffix("-")) :])

        def answer(self, status: int, body: bytes, length: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A test reads `asked`."""

    return Handler


@pytest.fixture
def scope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scope]:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "*")
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    scope = Scope()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(scope))
    scope.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", scope.url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scope
    server.shutdown()
    thread.join()
    server.server_close()


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_what_a_model_needs_is_fetched_once_and_found_under_its_name(scope: Scope) -> None:
    folder = fetch_from_modelscope(NAME, token="ms_mine")
    assert files_in(folder) == WANTED
    assert sorted(path for path, _ in scope.asked) == sorted(WANTED)
    assert model_folder(NAME) == folder
    assert (scope.revisions, scope.tokens) == ({"master"}, {"Bearer ms_mine"})
    scope.asked.clear()
    assert fetch_from_modelscope(NAME, revision="v1.0") == folder
    assert scope.asked == []
    assert scope.revisions == {"master", "v1.0"}


def test_a_download_goes_on_where_it_broke(scope: Scope) -> None:
    scope.breaks = "model.safetensors"
    with pytest.raises(BertwrightError, match="BW303") as caught:
        fetch_from_modelscope(NAME)
    assert "1000 of 8000 bytes" in str(caught.value)
    with pytest.raises(BertwrightError, match="BW301"):
        model_folder(NAME)
    scope.asked.clear()
    assert files_in(fetch_from_modelscope(NAME)) == WANTED
    assert scope.asked == [("model.safetensors", "bytes=1000-")]


def test_other_content_than_stated_is_not_kept(scope: Scope) -> None:
    scope.garbled = "vocab.txt"
    with pytest.raises(BertwrightError, match="BW308") as caught:
        fetch_from_modelscope(NAME)
    assert "vocab.txt" in str(caught.value)
    scope.garbled = ""
    assert files_in(fetch_from_modelscope(NAME)) == WANTED


def test_another_architecture_is_refused_before_its_weights_come(scope: Scope) -> None:
    scope.files["config.json"] = b'{"model_type": "roberta"}'
    with pytest.raises(BertwrightError, match="BW311") as caught:
        fetch_from_modelscope(NAME)
    assert "roberta" in str(caught.value)
    assert [path for path, _ in scope.asked] == ["config.json"]


def test_what_the_server_refuses_is_one_message(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, code in (("someone/none", "BW564"), (NAME, "BW563")):
        scope.closed = code == "BW563"
        with pytest.raises(BertwrightError, match=code):
            fetch_from_modelscope(name)
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", "http://127.0.0.1:1")  # nobody listens there
    with pytest.raises(BertwrightError, match="BW303") as caught:
        fetch_from_modelscope(NAME)
    assert "连接被拒绝" in caught.value.message("zh")


def test_the_verb_takes_modelscope_as_a_source(scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from bertwright.cli.main import app

    words = ["download", NAME, "--source", "modelscope", "--out", str(tmp_path / "here"), "--json"]
    done = CliRunner().invoke(app, words)
    assert set(json.loads(done.stdout)["files"]) >= set(WANTED)
    assert (tmp_path / "here" / "model.safetensors").read_bytes() == WANTED["model.safetensors"]
    assert scope.asked
