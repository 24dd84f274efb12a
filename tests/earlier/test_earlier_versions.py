"""What earlier versions wrote is answered with, scored, gone on with as they did, or refused with a sentence.

`make_fixtures.py` tells what lies in the folders. Labels, entities and texts must be those of the earlier version,
numbers may differ by 1e-4, and on the same kind of machine resumed weights must be equal. An answer may say more than
it did.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from bertwright import BertTokenizer, BertwrightError, Predictor, finetune
from bertwright.cli.main import main
from bertwright.corpus.store import CorpusStore
from bertwright.inference.evaluate import evaluate
from bertwright.training.pretraining.pretrain import pretrain

from .fingerprints import machine_kind, weights_digest

VERSIONS = sorted(Path(__file__).parent.glob("v*/"))
EXPECTED: dict[str, dict[str, Any]] = {
    folder.name: json.loads((folder / "expected.json").read_text(encoding="utf-8")) for folder in VERSIONS
}
RUNS = [(version, name) for version, expected in EXPECTED.items() for name in expected["runs"]]
SCORED = [(version, name) for version, name in RUNS if EXPECTED[version]["runs"][name]["evaluated"]]
PREDICT = ("predict", "finished/classification", "--input", "answers/texts.csv", "--output")

# What no version after it tells: what weights that were trained with a CRF would say without it.
GIVEN_UP = {"softmax_f1", "softmax_strict_f1"}

Copied = Callable[[str], dict[str, Any]]
Command = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As the fixtures were made."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copied:
    """`copied("v0.1.0")`: stand in a copy of the folder of that version; what is expected of it."""

    def copy(version: str) -> dict[str, Any]:
        shutil.copytree(Path(__file__).parent / version, tmp_path / version)
        monkeypatch.chdir(tmp_path / version)
        monkeypatch.setitem(sys.modules, "matplotlib", None)  # plots are of no interest here
        return EXPECTED[version]

    return copy


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`command("predict", run, "text")`: the exit code, and what was said on stderr."""

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["bertwright", *words])
        logger, code = logging.getLogger("bertwright"), 0
        handlers, level = list(logger.handlers), logger.level
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            logger.handlers, logger.propagate, logger.level = handlers, True, level
        return code, capsys.readouterr().err

    return call


def check(found: Any, expected: Any, where: str) -> None:
    """Compare what came from JSON: numbers within 1e-4, everything else exactly; `found` may have more keys."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            if key in GIVEN_UP:
                continue
            assert key in found, f"{where}: {key}"
            check(found[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), f"{where}: {found}, not {expected}"
        for index, (one, value) in enumerate(zip(found, expected)):
            check(one, value, f"{where}[{index}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-4), where
    else:
        assert found == expected, where


def answers(model: str | Path, asked: list[Any]) -> list[dict[str, Any]]:
    """The answers to texts and, as JSON has them, lists of two texts, in the form in which they are written."""
    texts = [one if isinstance(one, str) else tuple(one) for one in asked]
    return [json.loads(json.dumps(one.to_json())) for one in Predictor.load(model)(texts)]


def lines_of(file: Path) -> list[dict[str, Any]]:
    """A file of JSON lines."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def resume(name: str, command: dict[str, Any], **changes: Any) -> Any:
    """Go on with the interrupted run of that name by the command that began it."""
    work = pretrain if "store" in command else finetune
    return work(**command, **changes, out=Path("interrupted", name), resume=True)


def test_there_is_something_to_test() -> None:
    assert "v0.1.0" in EXPECTED
    assert len(RUNS) >= 7


@pytest.mark.parametrize(("version", "name"), RUNS)
def test_a_finished_model_answers_as_it_did(version: str, name: str, copied: Copied) -> None:
    expected = copied(version)["runs"][name]
    check(answers(Path("finished", name, "best"), expected["asked"]), expected["answers"], name)


@pytest.mark.parametrize(("version", "name"), SCORED)
def test_a_finished_model_is_scored_as_it_was(version: str, name: str, copied: Copied) -> None:
    expected = copied(version)["runs"][name]
    report = evaluate(Path("finished", name), expected["command"]["dev"])
    check(report.scores, expected["evaluated"], name)


@pytest.mark.parametrize(("version", "name"), RUNS)
def test_an_interrupted_run_goes_on_to_the_same_end(version: str, name: str, copied: Copied) -> None:
    whole = copied(version)
    expected, out = whole["runs"][name], Path("interrupted", name)
    before = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert not before["finished"]
    assert answers(out, expected["asked"]), "its best model so far answers"
    run = resume(name, expected["command"])
    end = expected["resumed"]
    check(run.outcome.best.scores, end["scores"], name)
    assert (run.outcome.best.step, len(run.outcome.history)) == (end["best_step"], end["steps"])
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["finished"]
    check(answers(out, expected["asked"]), expected["answers"], name)
    if machine_kind() == whole["machine"]:
        assert weights_digest(out / "last" / "model.safetensors") == end["weights"]


@pytest.mark.parametrize(("version", "name"), [one for one in RUNS if one[1] in ("classification", "pretraining")])
def test_an_interrupted_run_does_not_go_on_by_another_command(version: str, name: str, copied: Copied) -> None:
    expected, file = copied(version)["runs"][name], Path("interrupted", name, "last", "manifest.json")
    before = file.read_bytes()
    changed = {key: value for key, value in expected["command"].items() if key != "learning_rate"}
    with pytest.raises(BertwrightError, match="BW506.*learning_rate"):
        resume(name, changed, learning_rate=0.5)
    assert file.read_bytes() == before


@pytest.mark.parametrize(("version", "name"), [one for one in RUNS if one[1] in ("classification", "pretraining")])
def test_a_finished_run_without_its_last_checkpoint_is_not_trained_again(
    version: str, name: str, copied: Copied
) -> None:
    expected = copied(version)["runs"][name]
    shutil.rmtree(Path("interrupted", name))
    shutil.copytree(Path("finished", name), Path("interrupted", name))
    with pytest.raises(BertwrightError, match="BW562"):
        resume(name, expected["command"])


@pytest.mark.parametrize("version", EXPECTED)
def test_a_store_opens(version: str, copied: Copied) -> None:
    expected = copied(version)["store"]
    store = CorpusStore.open("store", BertTokenizer.from_pretrained("store/vocabulary"), verify=True)
    found = {"documents": store.documents, "sentences": store.sentences, "tokens": store.tokens}
    assert found == expected
    assert sum(len(shard.tokens) for shard in store.shards) == expected["tokens"]


@pytest.mark.parametrize("version", EXPECTED)
def test_answers_begun_elsewhere_are_refused(version: str, copied: Copied, command: Command) -> None:
    """The label names the folders of the machine where they were begun, and the times of its files."""
    copied(version)
    before = {file: file.read_bytes() for file in Path("answers").iterdir()}
    for more, error in (((), "BW430"), (("--resume",), "BW431")):
        code, said = command(*PREDICT, "answers/answers.jsonl", *more)
        assert code == 2
        assert f"error {error}: answers/answers.jsonl.part: " in said
        assert "Traceback" not in said
        assert {file: file.read_bytes() for file in Path("answers").iterdir()} == before


@pytest.mark.parametrize("version", EXPECTED)
def test_answers_begun_here_are_gone_on_with(
    version: str, copied: Copied, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The label gets the folders and times of this machine, as a job that ends at once leaves them in its own."""
    expected = copied(version)["answers"]
    part, label = Path("answers/answers.jsonl.part"), Path("answers/answers.jsonl.part.json")

    def stopped(self: Predictor, examples: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Predictor, "answer", stopped)
        assert command(*PREDICT, "answers/here.jsonl")[0] == 130
    here = json.loads(Path("answers/here.jsonl.part.json").read_text(encoding="utf-8"))
    kept = json.loads(label.read_text(encoding="utf-8"))
    kept |= {name: here[name] for name in ("run", "model", "source", "written")}
    label.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    begun = lines_of(part)
    assert 0 < len(begun) < len(expected)
    begun[0]["text"] = "from the part"
    part.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in begun), encoding="utf-8")

    code, said = command(*PREDICT, "answers/answers.jsonl", "--resume")
    assert code == 0, said
    found = lines_of(Path("answers/answers.jsonl"))
    assert found[: len(begun)] == begun
    check(found[1:], expected[1:], "answers")
    assert not part.exists()
    assert not label.exists()
