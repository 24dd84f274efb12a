"""Downloads, from a server on this machine that speaks the hub's protocol."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

COMMIT = "c0ffee" + "0" * 34
SMALL = {"config.json": b'{"a": 1}', "vocab.txt": b"[PAD]\n", "README.md": b"# hello", "tokenizer_config.json": b"{}"}
SAFE = {"model.safetensors": b"safe" * 1000}
PICKLE = {"pytorch_model.bin": b"pickle" * 1000}
OTHERS = {
    "tf_model.h5": b"tf",
    "flax_model.msgpack": b"flax",
    "model.fp16.safetensors": b"half",
    "onnx/model.onnx": b"o",
}
SHARDS = {
    "pytorch_model.bin.index.json": b'{"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}}',
    "pytorch_model-00001-of-00001.bin": b"shard" * 100,
}


@dataclass
class Hub:
    """A model hub with the repositories that a test puts into it.

    Attributes:
        closed: what is refused to those without an account: `/api/` for all of it, `/resolve/` for the files.
        failing: a file that the hub cannot give just now.
        garbled: a file that arrives with other bytes, as many as it has.
        lines: what was asked for, letter by letter.
    """

    url: str = ""
    closed: str = "nothing"
    failing: str = ""
    garbled: str = ""
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def fetched(self) -> list[str]:
        """The files whose content was asked for."""
        asked = [path.partition(f"/resolve/{COMMIT}/")[2] for verb, path in self.requests if verb == "GET"]
        return sorted(file for file in asked if file)


def stated(file: str, data: bytes) -> dict[str, object]:
    """What a hub states of a file: git's digest, or the SHA-256 of a large one."""
    entry: dict[str, object] = {"rfilename": file, "size": len(data)}
    if file.endswith((".safetensors", ".bin")):
        sha256 = hashlib.sha256(data).hexdigest()
        return {**entry, "blobId": "0" * 40, "lfs": {"sha256": sha256, "size": len(data), "pointerSize": 1}}
    return {**entry, "blobId": hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()}


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            hub.requests.append((self.command, path))
            hub.lines.append(self.requestline)
            if "Authorization" in self.headers:
                hub.authorizations.append(self.headers["Authorization"])
            name, found = next(((n, f) for n, f in hub.repositories.items() if f"/{n}" in path), ("", {}))
            rest = path.partition(f"/{name}")[2] if name else ""
            if hub.closed in path:
                self.answer(b"{}", status=401, **{"X-Error-Code": "GatedRepo", "X-Error-Message": "is restricted"})
            elif name and path.startswith("/api/models/") and rest in ("", "/revision/main", f"/revision/{COMMIT}"):
                siblings = [stated(file, data) for file, data in found.items()]
                self.answer(json.dumps({"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings}).encode())
            elif name and path.startswith("/api/models/") and rest.startswith("/tree/"):
                tree = [
                    {"type": "file", "path": file, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                    for file, data in found.items()
                ]
                self.answer(json.dumps(tree).encode())
            elif hub.failing and path.endswith(hub.failing):
                self.answer(b"{}", status=403)
            elif rest.startswith("/resolve/") and rest.split("/", 3)[3] in found:
                data = found[rest.split("/", 3)[3]]
                tag = f'"{hashlib.sha1(data).hexdigest()}"'
                data = data[::-1] if hub.garbled and path.endswith(hub.garbled) else data
                self.answer(data, 200, **{"ETag": tag, "X-Repo-Commit": COMMIT})
            else:
                code = "RepoNotFound" if not found else "EntryNotFound"
                self.answer(b"{}", status=404, **{"X-Error-Code": code, "X-Error-Message": "not found"})

        do_HEAD = do_GET

        def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A test reads `requests`; nothing goes to stderr."""

    return Handler


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield hub
    server.shutdown()
    thread.join()
    server.server_close()


SCRIPT = """
import sys
from bertwright.checkpoint.hub import model_folder
from bertwright.errors import BertwrightError
try:
    print("folder", model_folder(sys.argv[1], download=True, vocabulary=True))
except BertwrightError as error:
    print("error", error.code, error.texts()[0])
"""


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., str]:
    """`model_folder(name, download=True)` in a process of its own: the hub's library reads its variables at import."""

    def run(name: str, url: str, **variables: str) -> str:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
        kept = {key: value for key, value in kept.items() if not key.lower().endswith("_proxy")}
        given = {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_ETAG_TIMEOUT": "2", **variables}
        command = [sys.executable, "-c", SCRIPT, name]
        done = subprocess.run(
            command, env=kept | given, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def files_in(answer: str) -> dict[str, bytes]:
    kind, _, folder = answer.partition(" ")
    assert kind == "folder", answer
    return {str(file.relative_to(folder)): file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


TEXTS = {name: data for name, data in SMALL.items() if name != "README.md"}


@pytest.mark.parametrize(
    ("weights", "wanted"),
    [({**SAFE, **PICKLE}, SAFE), (PICKLE, PICKLE), (SHARDS, SHARDS), ({**SHARDS, **SAFE}, SAFE)],
    ids=["both", "pickle", "shards", "shards and one file"],
)
def test_one_form_of_the_weights_is_fetched(
    hub: Hub, ask: Callable[..., str], weights: dict[str, bytes], wanted: dict[str, bytes]
) -> None:
    hub.repositories["someone/small"] = {**SMALL, **OTHERS, **weights}
    assert files_in(ask("someone/small", hub.url)) == {**TEXTS, **wanted}
    assert hub.fetched() == sorted({**TEXTS, **wanted})


def test_what_was_fetched_is_not_asked_for_again_and_nobody_is_told_who_asks(
    hub: Hub, ask: Callable[..., str], tmp_path: Path
) -> None:
    hub.repositories["google-bert/bert-small"] = {**SMALL, **SAFE}
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "token").write_text("hf_fromafile")
    first = ask("bert-small", hub.url, HF_TOKEN="hf_fromthevariable")
    assert hub.authorizations == []
    assert hub.requests
    hub.requests.clear()
    assert ask("bert-small", hub.url) == ask("google-bert/bert-small", hub.url) == first
    assert hub.requests == []


def test_what_the_cache_has_in_part_is_completed(hub: Hub, ask: Callable[..., str], tmp_path: Path) -> None:
    hub.repositories["someone/small"] = {**SMALL, **SAFE}
    snapshot = tmp_path / "home" / "hub" / "models--someone--small" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_bytes(SMALL["config.json"])
    assert files_in(ask("someone/small", hub.url)) == {**TEXTS, **SAFE}


def test_what_was_fetched_without_a_vocabulary_is_completed(hub: Hub, ask: Callable[..., str], tmp_path: Path) -> None:
    hub.repositories["someone/small"] = {**SMALL, **SAFE}
    snapshot = tmp_path / "home" / "hub" / "models--someone--small" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name, data in {"config.json": SMALL["config.json"], **SAFE}.items():
        (snapshot / name).write_bytes(data)
    assert files_in(ask("someone/small", hub.url)) == {**TEXTS, **SAFE}


def test_a_name_that_the_hub_does_not_have(hub: Hub, ask: Callable[..., str]) -> None:
    assert ask("someone/none", hub.url).startswith("error BW564 the hub has no public model named 'someone/none'")


@pytest.mark.parametrize("closed", ["/api/", "/resolve/"])
def test_a_model_that_is_not_for_everybody(closed: str, hub: Hub, ask: Callable[..., str]) -> None:
    hub.repositories["someone/small"] = {**SMALL, **SAFE}
    hub.closed = closed
    assert ask("someone/small", hub.url).startswith("error BW563 the hub has the model 'someone/small', but")


def test_a_server_that_is_down(ask: Callable[..., str]) -> None:
    # Port 1 of this machine: nobody listens there, and the refusal comes at once.
    answer = ask("someone/small", "http://127.0.0.1:1")
    assert answer.startswith("error BW303 the model 'someone/small' could not be downloaded: ")
    assert "refused" in answer.lower()


def test_without_leave_to_connect(hub: Hub, ask: Callable[..., str]) -> None:
    hub.repositories["someone/small"] = {**SMALL, **SAFE}
    answer = ask("someone/small", hub.url, HF_HUB_OFFLINE="1")
    assert answer.startswith("error BW303 ")
    assert "offline" in answer.lower()
    assert hub.requests == []


def test_a_slash_behind_the_endpoint(hub: Hub, ask: Callable[..., str]) -> None:
    hub.repositories["someone/small"] = {**SMALL, **SAFE}
    assert files_in(ask("someone/small", hub.url + "/")) == {**TEXTS, **SAFE}
    assert [line for line in hub.lines if " //" in line] == []


def test_a_download_of_which_a_small_file_failed_goes_on(hub: Hub, ask: Callable[..., str]) -> None:
    hub.repositories["someone/small"] = {**SMALL, **SAFE}
    hub.failing = "tokenizer_config.json"
    assert ask("someone/small", hub.url).startswith("error BW303")
    hub.failing = ""
    found = ask("someone/small", hub.url)
    assert files_in(found) == {**TEXTS, **SAFE}
    hub.requests.clear()
    assert ask("someone/small", hub.url) == found
    assert hub.requests == []


@pytest.mark.parametrize("file", ["model.safetensors", "vocab.txt"])
def test_other_content_than_the_hub_states_is_not_kept(hub: Hub, ask: Callable[..., str], file: str) -> None:
    hub.repositories["someone/small"] = {**SMALL, **SAFE}
    hub.garbled = file
    assert ask("someone/small", hub.url) == (
        f"error BW308 'someone/small' was downloaded, but not as the hub states it: {file}"
    )
    hub.garbled = ""
    assert files_in(ask("someone/small", hub.url)) == {**TEXTS, **SAFE}


def test_another_architecture_is_refused_before_its_weights_come(hub: Hub, ask: Callable[..., str]) -> None:
    hub.repositories["someone/distilled"] = {**SMALL, **SAFE, "config.json": b'{"model_type": "distilbert"}'}
    assert ask("someone/distilled", hub.url).startswith("error BW311 the config says model_type 'distilbert'")
    assert hub.fetched() == ["config.json"]


COMMAND = "from bertwright.cli.main import main\nmain()\n"


def test_a_command_fetches_a_model_once_and_for_all(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["google-bert/bert-small"] = {**SMALL, **SAFE}
    variables = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_ETAG_TIMEOUT": "2", "BERTWRIGHT_LANG": "en"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    kept = {key: value for key, value in kept.items() if not key.lower().endswith("_proxy")}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", COMMAND, *words]
        return subprocess.run(
            command, env=kept | variables, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    done = call("download", "bert-small", "--source", hub.url, "--token", "hf_mine", "--out", "here", "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["files"]) >= {"config.json", "vocab.txt", "model.safetensors"}
    assert (tmp_path / "here" / "model.safetensors").read_bytes() == SAFE["model.safetensors"]
    assert set(hub.authorizations) == {"Bearer hf_mine"}
    again = call("download", "bert-small", "--source", hub.url, "--out", "here")
    assert "BW630" in again.stderr
    for words, code in (
        (("download", "no such/na me"), "BW305"),
        (("download", "bert-small", "--source", "elsewhere"), "BW306"),
        (("download", "someone/none", "--source", hub.url), "BW564"),
        (("finetune", "train.csv", "--model", "bert-tiny"), "BW301"),
    ):
        refused = call(*words)
        assert code in refused.stderr, refused.stderr
        assert "Traceback" not in refused.stderr
