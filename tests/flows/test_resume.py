"""A run that was stopped goes on as if it had not been."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from bertwright import Predictor, finetune
from bertwright.checkpoint import folders as store
from bertwright.data.examples import label_of
from bertwright.data.samples import sentiment_samples
from bertwright.errors import BertwrightError
from bertwright.runs.saving import Saver
from bertwright.runs.training_state import TrainingState
from bertwright.training.finetuning.dev_set import DevSet
from bertwright.training.steps import ExampleSteps, MicroBatch

from .conftest import Command
from .killed_jobs import ending

ROWS = [(example.text, label_of(example)) for example in sentiment_samples("en")]
SETTINGS: dict[str, Any] = {"epochs": 3, "batch_size": 16, "precision": "fp32", "micro_tokens": 128, "save_steps": 2}

GONE = object()


class Stopped(Exception):
    """The run ends here."""


def train(model: Path, out: Path, **changes: Any) -> Any:
    return finetune(ROWS[:100], ROWS[100:150], model=model, out=out, **(SETTINGS | changes))


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`stop_at(5)`: the next run dies in its sixth step."""

    def choose(last: int) -> None:
        parts = ExampleSteps.parts

        def until(self: ExampleSteps, step: int, micro_tokens: int) -> Iterator[MicroBatch]:
            if step == last:
                monkeypatch.setattr(ExampleSteps, "parts", parts)
                raise Stopped
            return parts(self, step, micro_tokens)

        monkeypatch.setattr(ExampleSteps, "parts", until)

    return choose


@pytest.fixture(scope="module")
def truth(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The ending of an uninterrupted run."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    train(tiny_model, out)
    return ending(out)


@pytest.mark.parametrize("last", [0, 1, 5, 7, 13, 20])
def test_a_run_that_died_in_a_step(
    last: int, tiny_model: Path, tmp_path: Path, truth: dict[str, Any], stop_at: Callable[[int], None]
) -> None:
    stop_at(last)
    with pytest.raises(Stopped):
        train(tiny_model, tmp_path / "run")
    run = train(tiny_model, tmp_path / "run", resume=True)
    assert ending(tmp_path / "run") == truth
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]
    assert len(run.outcome.history) == 21
    assert [answer.to_json() for answer in run.predictions], "answers of an evaluation before the stop are there, too"


def test_the_time_of_a_run_is_that_of_all_its_sessions(
    tiny_model: Path, tmp_path: Path, stop_at: Callable[[int], None]
) -> None:
    out = tmp_path / "run"
    stop_at(5)
    with pytest.raises(Stopped):
        train(tiny_model, out)
    state = out / "last" / "training" / "state.json"
    values = json.loads(state.read_text(encoding="utf-8"))
    assert 0 < values["seconds"] < values["total_seconds"]
    state.write_text(json.dumps(values | {"total_seconds": values["total_seconds"] + 3600}), encoding="utf-8")
    (out / "last" / "manifest.json").unlink()
    store._write_manifest(out / "last")
    train(tiny_model, out, resume=True)
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert 3600 < record["total_seconds"] < 3660


@pytest.mark.parametrize("file", ["model.safetensors", "training/optimizer.safetensors", "manifest.json", "task.json"])
def test_a_damaged_checkpoint_is_passed_over_and_the_one_before_is_used(
    file: str, tiny_model: Path, tmp_path: Path, truth: dict[str, Any], stop_at: Callable[[int], None],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    out = tmp_path / "run"
    stop_at(9)
    with pytest.raises(Stopped):
        train(tiny_model, out)
    damaged = out / "last" / file
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    train(tiny_model, out, resume=True)
    assert f"{out / 'last'} is damaged" in caplog.text
    assert ending(out) == truth


def test_where_every_checkpoint_is_damaged_the_run_begins_again(
    tiny_model: Path, tmp_path: Path, truth: dict[str, Any], stop_at: Callable[[int], None],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    out = tmp_path / "run"
    stop_at(9)
    with pytest.raises(Stopped):
        train(tiny_model, out)
    for name in ("last", ".last.previous"):
        (out / name / "model.safetensors").write_bytes(b"")
    train(tiny_model, out, resume=True)
    assert "no whole checkpoint is left; the run begins again" in caplog.text
    assert ending(out) == truth


def test_a_full_disk_stops_the_run_and_the_checkpoint_before_stays(
    tiny_model: Path, tmp_path: Path, truth: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    write, calls = store._write_manifest, iter(range(1000))

    def full(folder: Path) -> None:
        if next(calls) == 4:
            raise OSError(28, "No space left on device")
        write(folder)

    monkeypatch.setattr(store, "_write_manifest", full)
    with pytest.raises(BertwrightError, match="BW501.*No space left"):
        train(tiny_model, out)
    store.verify(out / "last")
    assert not [path for path in out.iterdir() if path.name.endswith(".tmp")]
    train(tiny_model, out, resume=True)
    assert ending(out) == truth


def test_resuming_where_nothing_is_begins(tiny_model: Path, tmp_path: Path, truth: dict[str, Any]) -> None:
    train(tiny_model, tmp_path / "run", resume=True)
    assert ending(tmp_path / "run") == truth


def test_a_finished_run_is_left_alone(tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = tmp_path / "run"
    first = train(tiny_model, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and "best" not in path.parts}
    with caplog.at_level("INFO", "bertwright"):
        again = train(tiny_model, out, resume=True)
    assert "is finished already: nothing to do" in caplog.text
    after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and "best" not in path.parts}
    assert after == before
    assert [one.to_json() for one in again.predictions] == [one.to_json() for one in first.predictions]
    assert again.outcome.best.scores == first.outcome.best.scores


@pytest.mark.parametrize("gone", [True, False])
def test_a_finished_run_without_its_last_checkpoint_is_not_trained_again(
    gone: bool, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    train(tiny_model, out, max_steps=2)
    if gone:
        shutil.rmtree(out / "last")
    else:
        (out / "last" / "model.safetensors").write_bytes(b"")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(BertwrightError, match="BW562.*is finished"):
        train(tiny_model, out, max_steps=2, resume=True)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    train(tiny_model, out, max_steps=2, overwrite=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"learning_rate": 1e-3}, "learning_rate was None and is now 0.001"),
        ({"epochs": 4}, "epochs was 3 and is now 4"),
        ({"seed": 7}, "seed was 42 and is now 7"),
    ],
)
def test_another_command_is_refused(
    change: dict[str, Any], said: str, tiny_model: Path, tmp_path: Path, stop_at: Callable[[int], None]
) -> None:
    stop_at(3)
    with pytest.raises(Stopped):
        train(tiny_model, tmp_path / "run")
    with pytest.raises(BertwrightError, match=f"BW506.*{said}"):
        train(tiny_model, tmp_path / "run", resume=True, **change)
    train(tiny_model, tmp_path / "run", resume=True, save_steps=5)


def test_other_data_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    train(tiny_model, tmp_path / "run", max_steps=2)
    with pytest.raises(BertwrightError, match="BW506.*the training data was"):
        finetune(
            ROWS[1:101], ROWS[100:150], model=tiny_model, out=tmp_path / "run", resume=True, max_steps=2, **SETTINGS
        )


def test_a_record_of_a_newer_program_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    train(tiny_model, tmp_path / "run", max_steps=2)
    file = tmp_path / "run" / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {"schema_version": 99}), encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW332"):
        train(tiny_model, tmp_path / "run", resume=True, max_steps=2)
    file.write_text("{", encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW507"):
        train(tiny_model, tmp_path / "run", resume=True, max_steps=2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"settings": {"beta2": None}}, "settings.beta2"),
        ({"settings": {"epochs": "three"}}, "settings.epochs"),
        ({"settings": {"batch_sizes": 3}}, "settings.batch_sizes"),
        ({"settings": {"learning_rate": GONE}}, "settings.learning_rate"),
        ({"settings": {"warmup": GONE}}, "settings.warmup: None"),
        ({"settings": {"precision": "auto"}}, "settings.precision: 'auto'"),
        ({"settings": GONE}, "settings: None"),
        ({"requested": []}, r"requested: \[\]"),
        ({"finished": "no"}, "finished: 'no'"),
        ({"seeds": 3}, "seeds: 3"),
    ],
)
def test_a_record_with_a_setting_that_is_not_possible_is_refused(
    change: dict[str, Any], said: str, tiny_model: Path, tmp_path: Path
) -> None:
    train(tiny_model, tmp_path / "run", max_steps=1)
    file = tmp_path / "run" / "run.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    for name, value in change.items():
        merged = record[name] | value if isinstance(value, dict) else value
        record[name] = {k: v for k, v in merged.items() if v is not GONE} if isinstance(merged, dict) else merged
    file.write_text(json.dumps({k: v for k, v in record.items() if v is not GONE}), encoding="utf-8")
    with pytest.raises(BertwrightError, match=rf"BW507.*run\.json.*\({said}"):
        train(tiny_model, tmp_path / "run", max_steps=1, resume=True)


def test_a_folder_of_other_things_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW504"):
        train(tiny_model, tmp_path, resume=True)


def test_several_seeds_go_on_with_the_seed_that_was_stopped(
    tiny_model: Path, tmp_path: Path, stop_at: Callable[[int], None]
) -> None:
    train(tiny_model, tmp_path / "whole", seeds=[1, 2])
    train(tiny_model, tmp_path / "run" / "seed-1", seed=1)
    (tmp_path / "run" / "run.json").write_text('{"schema_version": 1, "finished": false, "seeds": [1, 2]}')
    stop_at(5)
    with pytest.raises(Stopped):
        train(tiny_model, tmp_path / "run", seeds=[1, 2], resume=True)
    train(tiny_model, tmp_path / "run", seeds=[1, 2], resume=True)
    for name in ("seed-1", "seed-2"):
        assert ending(tmp_path / "run" / name) == ending(tmp_path / "whole" / name)
    records = [json.loads((tmp_path / name / "run.json").read_text(encoding="utf-8")) for name in ("run", "whole")]
    assert records[0] == records[1]


def test_one_seed_does_not_go_on_with_several_nor_several_with_one(tiny_model: Path, tmp_path: Path) -> None:
    one, several = tmp_path / "one", tmp_path / "several"
    train(tiny_model, one, max_steps=1)
    before = {path: path.read_bytes() for path in one.rglob("*") if path.is_file()}
    with pytest.raises(BertwrightError, match="BW506.*--seeds was - and is now 1, 2"):
        train(tiny_model, one, max_steps=1, seeds=[1, 2], resume=True)
    assert {path: path.read_bytes() for path in one.rglob("*") if path.is_file()} == before
    train(tiny_model, several, max_steps=1, seeds=[1, 2])
    with pytest.raises(BertwrightError, match="BW506.*--seeds was 1, 2 and is now -"):
        train(tiny_model, several, max_steps=1, resume=True)
    train(tiny_model, several, max_steps=1, seeds=[1, 2, 3], resume=True)


def test_a_signal_saves_the_step_and_the_same_command_goes_on(
    command: Command, tiny_model: Path, train_csv: Path, tmp_path: Path
) -> None:
    words = ["finetune", train_csv, "--model", tiny_model, "precision=fp32", "save_minutes=600"]
    out, whole = tmp_path / "run", tmp_path / "whole"
    slow = [*words, "--out", out, "epochs=8", "--resume"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bertwright", *map(str, slow)], stderr=subprocess.PIPE, text=True,
        env=os.environ | {"BERTWRIGHT_LANG": "en", "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch 2/"):
            break
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "the same command with --resume goes on" in err
    assert "Traceback" not in err
    assert Predictor.load(out)("good").to_json()["label"] in ("negative", "positive")
    assert command(*slow).code == 0
    assert command(*words, "--out", whole, "epochs=8").code == 0
    assert ending(out) == ending(whole)


@pytest.mark.parametrize(("number", "end"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
@pytest.mark.parametrize(("where", "name"), [(ExampleSteps, "parts"), (DevSet, "__call__")])
def test_a_signal_in_the_last_step_of_a_seed_is_obeyed_before_the_next(
    where: type, name: str, number: int, end: type[BaseException], tiny_model: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    work = getattr(where, name)

    def interrupted(self: Any, *arguments: Any) -> Any:
        signal.raise_signal(number)
        return work(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(where, name, interrupted)
        with pytest.raises(end):
            train(tiny_model, tmp_path / "run", seeds=[1, 2], max_steps=1)
    record = json.loads((tmp_path / "run" / "seed-1" / "run.json").read_text(encoding="utf-8"))
    assert record["finished"], "all of it is there"
    assert not (tmp_path / "run" / "seed-2").exists()
    train(tiny_model, tmp_path / "run", seeds=[1, 2], max_steps=1, resume=True)


def test_what_was_decided_at_first_is_kept(
    tiny_model: Path, tmp_path: Path, stop_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def settings() -> dict[str, Any]:
        record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
        kept: dict[str, Any] = record["settings"]
        return kept

    monkeypatch.setattr("bertwright.training.finetuning.resolved_settings.resolve_precision", lambda *_: "fp32")
    stop_at(1)
    with pytest.raises(Stopped):
        train(tiny_model, tmp_path / "run", precision="auto")
    first = settings()
    monkeypatch.setattr(
        "bertwright.training.finetuning.resolved_settings.resolve_precision", lambda *_: "bf16"
    )  # on another machine
    train(tiny_model, tmp_path / "run", precision="auto", resume=True)
    assert settings() == first


def test_a_run_that_goes_on_saves_as_often_as_it_is_told_now(
    tiny_model: Path, tmp_path: Path, stop_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch,
    truth: dict[str, Any],
) -> None:  # fmt: skip
    out = tmp_path / "run"
    stop_at(5)
    with pytest.raises(Stopped):
        train(tiny_model, out)
    save, saved = Saver.save, []

    def noted(self: Saver, state: TrainingState, *others: Any) -> None:
        saved.append(state.step)
        save(self, state, *others)

    monkeypatch.setattr(Saver, "save", noted)
    train(tiny_model, out, resume=True, save_steps=3)
    assert saved == [6, 7, 9, 12, 14, 15, 18, 21], "every third step, and every evaluation"
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["save_steps"] == 3
    assert ending(out) == truth


def test_a_run_that_was_killed_before_it_had_begun_begins(
    tiny_model: Path, tmp_path: Path, truth: dict[str, Any]
) -> None:
    store.staging_of(tmp_path / "run.json").write_text('{"schema_', encoding="utf-8")
    train(tiny_model, tmp_path, resume=True)
    assert ending(tmp_path) == truth


def test_a_run_that_was_killed_while_it_tidied_up_leaves_nothing(
    tiny_model: Path, tmp_path: Path, truth: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_folder: Path) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr("bertwright.runs.run_folder.prune", killed)
        with pytest.raises(Stopped):
            train(tiny_model, tmp_path / "run")
    assert (tmp_path / "run" / ".last.previous").is_dir()
    train(tiny_model, tmp_path / "run", resume=True)
    assert not (tmp_path / "run" / ".last.previous").exists()
    assert ending(tmp_path / "run") == truth
