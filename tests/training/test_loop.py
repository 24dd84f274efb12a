"""The loop: parts of a step add up to the step, watchers speak, the best is kept."""

from __future__ import annotations

import json
import math
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bertwright import BertConfig, BertForSequenceClassification, Predictor, finetune
from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where, label_of
from bertwright.data.ragged import Ragged
from bertwright.data.samples import sentiment_samples
from bertwright.data.windows import encode_examples
from bertwright.errors import BertwrightError
from bertwright.machine.precision import autocast, resolve_precision
from bertwright.runs.results import DevScores
from bertwright.runs.saving import Saver
from bertwright.runs.training_state import TrainingState
from bertwright.tasks.entities.tagging import Tagging
from bertwright.training.finetuning.dev_set import DevSet
from bertwright.training.finetuning.finished_run import Run
from bertwright.training.finetuning.task_settings import every_setting
from bertwright.training.lesson import Lesson
from bertwright.training.micro_tokens import choose_micro_tokens
from bertwright.training.world import World

ROWS = [(example.text, label_of(example)) for example in sentiment_samples("en")]
QUICK: dict[str, Any] = {"epochs": 1, "precision": "fp32"}
STILL = QUICK | {"dropout": 0.0}  # so that the parts of a step can be compared with the whole


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "last" / "model.safetensors")


@pytest.mark.parametrize("change", [{"micro_tokens": 40}, {"gradient_checkpointing": True}])
def test_parts_and_recomputation_change_nothing(change: dict[str, Any], tiny_model: Path, tmp_path: Path) -> None:
    finetune(ROWS[:100], model=tiny_model, out=tmp_path / "whole", **STILL)
    finetune(ROWS[:100], model=tiny_model, out=tmp_path / "other", **STILL, **change)
    whole, other = weights(tmp_path / "whole"), weights(tmp_path / "other")
    for name in whole:
        assert torch.allclose(whole[name], other[name], atol=2e-5), name


def test_gradient_checkpointing_computes_every_layer_twice(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bertwright.model.encoder import Intermediate

    forward, calls = Intermediate.forward, []

    def counted(self: Intermediate, hidden: torch.Tensor) -> torch.Tensor:
        calls.append(self.training)
        return forward(self, hidden)

    monkeypatch.setattr(Intermediate, "forward", counted)
    finetune(ROWS[:40], ROWS[40:60], model=tiny_model, out=tmp_path / "run", gradient_checkpointing=True, **QUICK)
    assert sum(calls) == 2 * 2 * 2, "two layers, two steps, twice each"


def losses_at_start(model: Path, run: Run, rows: list[tuple[str, str | None]]) -> torch.Tensor:
    """The loss of each text under the fresh model of a run, the mean over its windows, computed one by one."""
    predictor = Predictor.load(run.folder)
    torch.manual_seed(42)
    fresh = BertForSequenceClassification.from_pretrained(model, id2label={0: "negative", 1: "positive"})
    losses = []
    for text, label in rows:
        example = Example(text, None if label is None else Label(label), Where("x", 1))
        with torch.inference_mode():
            windows = encode_examples(predictor.tokenizer, [example], predictor.reading).inputs
            scores = torch.cat([fresh.scores(Ragged.from_encoded([one])) for one in windows])
        target = torch.full((len(windows),), int(label == "positive"))
        losses.append(torch.nn.functional.cross_entropy(scores, target))
    return torch.stack(losses)


def test_texts_weigh_the_same_however_many_windows_they_have(tiny_model: Path, tmp_path: Path) -> None:
    rows = [(" ".join(text for text, _ in ROWS[:20]), "positive"), *ROWS[20:27]]
    run = finetune(rows, ROWS[30:40], model=tiny_model, out=tmp_path / "run", batch_size=8, **STILL)
    expected = losses_at_start(tiny_model, run, rows).mean()
    assert run.outcome.history[0].loss == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize(("how", "weights_of"), [("balanced", (1 / 30, 1 / 2)), ("sqrt", (30**-0.5, 2**-0.5))])
def test_class_weights_make_the_rare_class_count(
    how: str, weights_of: tuple[float, float], tiny_model: Path, tmp_path: Path
) -> None:
    rows = [row for row in ROWS if row[1] == "positive"][:30] + [row for row in ROWS if row[1] == "negative"][:2]
    run = finetune(rows, ROWS[200:220], model=tiny_model, out=tmp_path / "run", class_weight=how, **STILL)
    weight = torch.tensor([weights_of[0]] * 30 + [weights_of[1]] * 2)
    expected = (losses_at_start(tiny_model, run, rows) * weight).sum() / weight.sum()
    assert run.outcome.history[0].loss == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize(("given", "taken"), [({}, 8), ({"overlap": 0}, 0), ({"overlap": 13}, 13)])
def test_an_overlap_that_was_given_is_taken(
    given: dict[str, Any], taken: int, tiny_model: Path, tmp_path: Path
) -> None:
    run = finetune(
        ROWS[:20], ROWS[20:40], model=tiny_model, out=tmp_path / "run", max_length=32, max_steps=1, **QUICK, **given
    )
    record = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["overlap"] == Predictor.load(run.folder).reading.overlap == taken


def test_an_overlap_in_which_windows_do_not_move_on(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW108: windows of 32 tokens cannot overlap by 16"):
        finetune(ROWS[:64], model=tiny_model, out=tmp_path / "run", max_length=32, overlap=16)
    finetune(ROWS[:64], model=tiny_model, out=tmp_path / "run", max_length=32, overlap=16, long="head", max_steps=1)


def test_memory_for_no_text_at_all_is_told(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_lesson: Lesson, *_part: Any) -> dict[str, torch.Tensor]:
        raise torch.OutOfMemoryError("20 GiB wanted\nby nobody")

    monkeypatch.setattr(Lesson, "forward", full)
    with pytest.raises(BertwrightError, match=r"BW515: step 1: .* a single text of \d+ tokens \(20 GiB wanted\)"):
        finetune(ROWS[:64], model=tiny_model, out=tmp_path / "run", **STILL)


def test_settings_without_effect_are_told(tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given: dict[str, Any] = {"decay": 0.9, "long": "head", "overlap": 4, "dev_share": 0.3, "max_steps": 1}
    finetune(ROWS[:64], ROWS[64:72], model=tiny_model, out=tmp_path / "run", **given)
    assert [line.partition(" has no effect")[0] for line in caplog.messages if " has no effect" in line] == [
        "dev_share=0.3", "decay=0.9", "overlap=4",
    ]  # fmt: skip
    given = {"head": "softmax", "transition_factor": 50.0, "schedule": "wsd", "decay": 0.5}
    assert every_setting().resolve(**given).without_effect() == []
    assert Tagging(("A",), head="softmax").without_effect(given) == [
        "transition_factor=50.0 has no effect: head=softmax has no transitions"
    ]
    assert Tagging(("A",)).without_effect(given) == []


def test_a_signal_between_saving_and_asking_is_obeyed_after_the_next_step(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    save, questions = Saver.save, iter(["memory", "signal", "clock", "memory", "signal"])

    def comes_late(_world: World, flag: bool) -> bool:
        if next(questions) == "clock":
            signal.raise_signal(signal.SIGINT)
        return flag

    def noted(self: Saver, state: TrainingState, *others: Any) -> None:
        saved.append(state.step)
        save(self, state, *others)

    monkeypatch.setattr(World, "agree_any", comes_late)
    monkeypatch.setattr(Saver, "save", noted)
    with pytest.raises(KeyboardInterrupt):
        finetune(ROWS[:64], model=tiny_model, out=tmp_path / "run", **(STILL | {"epochs": 3, "eval_steps": 9}))
    assert saved == [2], "what it says is saved is saved"


def test_out_of_memory_halves_the_parts_and_is_recorded(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finetune(ROWS[:64], model=tiny_model, out=tmp_path / "whole", micro_tokens=400, **STILL)
    forward = Lesson.forward

    def small_machine(self: Lesson, batch: Ragged, *others: Any) -> dict[str, torch.Tensor]:
        if batch.num_tokens > 150:
            raise torch.OutOfMemoryError("no memory")
        return forward(self, batch, *others)

    monkeypatch.setattr(Lesson, "forward", small_machine)
    run = finetune(ROWS[:64], model=tiny_model, out=tmp_path / "small", micro_tokens=400, **STILL)
    assert run.outcome.micro_tokens == 100
    record = json.loads((tmp_path / "small" / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["micro_tokens"] == 100
    whole, small = weights(tmp_path / "whole"), weights(tmp_path / "small")
    assert all(torch.allclose(whole[name], small[name], atol=2e-5) for name in whole)


def test_a_bad_step_is_skipped_and_its_texts_are_written(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    forward = Lesson.forward
    calls = iter(range(1000))

    def one_nan(self: Lesson, *part: Any) -> dict[str, torch.Tensor]:
        factor = math.nan if next(calls) == 1 else 1.0
        return {name: factor * value for name, value in forward(self, *part).items()}

    monkeypatch.setattr(Lesson, "forward", one_nan)
    run = finetune(ROWS[:160], model=tiny_model, out=tmp_path / "run", **STILL)
    assert run.outcome.skipped == 1
    assert "step 1: loss nan" in caplog.text
    batch = json.loads((tmp_path / "run" / "bad_batch.json").read_text(encoding="utf-8"))
    assert batch["step"] == 1
    assert len(batch["examples"]) == 32
    assert all(tensor.isfinite().all() for tensor in weights(tmp_path / "run").values())


def test_three_bad_steps_stop_the_run_and_name_the_tensor(tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import save_file

    broken = shutil.copytree(tiny_model, tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["encoder.layer.1.output.dense.weight"][3, 3] = math.inf
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BertwrightError, match=r"BW510.*3 times in a row.*layer\.1\.output\.dense\.weight") as caught:
        finetune(ROWS, model=broken, out=tmp_path / "run", **STILL)
    assert caught.value.fields["culprit"] == "parameter bert.encoder.layer.1.output.dense.weight"


def test_a_run_that_learns_nothing_says_so(tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    finetune(ROWS[:100], ROWS[100:150], model=tiny_model, out=tmp_path / "run", learning_rate=3.0, **QUICK)
    assert "the model answers '" in caplog.text
    assert "learning rate that is too high (now 3" in caplog.text


def test_early_stopping_and_evaluation_by_step(tiny_model: Path, tmp_path: Path) -> None:
    run = finetune(
        ROWS[:128], ROWS[128:160], model=tiny_model, out=tmp_path / "run", epochs=50, learning_rate=1e-9,
        eval_steps=2, patience=3, precision="fp32",
    )  # fmt: skip
    assert "no better evaluation in 3" in run.outcome.stopped
    assert len(run.outcome.history) == 8, "the first evaluation is the best, three more follow"
    rows = (tmp_path / "run" / "metrics.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[1] for row in rows] == ["step", "2", "4", "6", "8"]


def test_a_score_that_is_no_number_is_never_better(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = DevSet.__call__
    scores = iter([math.nan, 0.5, math.nan, 0.7, 0.6, math.nan, 0.4])

    def judged(self: DevSet) -> DevScores:
        return replace(judge(self), scores={"accuracy": next(scores)})

    monkeypatch.setattr(DevSet, "__call__", judged)
    train = {"eval_steps": 1, "batch_size": 4, "model": tiny_model, **QUICK}
    run = finetune(ROWS[:32], ROWS[32:40], out=tmp_path / "one", max_steps=5, **train)
    assert run.outcome.best.step == 4
    assert json.loads((tmp_path / "one" / "run.json").read_text(encoding="utf-8"))["best_step"] == 4
    several = finetune(ROWS[:32], ROWS[32:40], out=tmp_path / "several", max_steps=1, seeds=[1, 2], **train)
    assert several.outcome.best.scores == {"accuracy": 0.4}


def test_several_seeds_give_mean_and_spread(tiny_model: Path, tmp_path: Path) -> None:
    run = finetune(ROWS[:128], ROWS[128:200], model=tiny_model, out=tmp_path / "run", seeds=[1, 2, 3], **QUICK)
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    values = record["scores"]["accuracy"]["values"]
    assert len(values) == 3
    assert record["scores"]["accuracy"]["mean"] == pytest.approx(sum(values) / 3)
    assert record["best_seed"] == [1, 2, 3][values.index(max(values))]
    best = tmp_path / "run" / f"seed-{record['best_seed']}" / "best" / "model.safetensors"
    assert (tmp_path / "run" / "best" / "model.safetensors").read_bytes() == best.read_bytes()
    assert Predictor.load(run.folder)("good").to_json()["label"] in ("negative", "positive")


def test_a_run_of_one_step_learns(tiny_model: Path, tmp_path: Path) -> None:
    run = finetune(ROWS[:20], ROWS[20:40], model=tiny_model, out=tmp_path / "run", **QUICK)
    assert [step.learning_rate > 0 for step in run.outcome.history] == [True]
    before, after = load_file(tiny_model / "model.safetensors"), weights(tmp_path / "run")
    assert [name for name in before if not torch.equal(before[name], after[f"bert.{name}"])]


def test_frozen_layers_stay_as_they_are(tiny_model: Path, tmp_path: Path) -> None:
    finetune(ROWS[:64], model=tiny_model, out=tmp_path / "run", freeze=1, learning_rate=1e-2, **QUICK)
    before, after = load_file(tiny_model / "model.safetensors"), weights(tmp_path / "run")
    changed = {name for name in before if not torch.equal(before[name], after[f"bert.{name}"])}
    assert changed
    assert not [name for name in changed if "embeddings" in name or "layer.0." in name]


@pytest.mark.parametrize(("given", "kept"), [(None, 0.1), (0.3, 0.3)])
def test_dropout_is_that_of_the_config_or_of_the_setting(
    tiny_model: Path, tmp_path: Path, given: float | None, kept: float
) -> None:
    finetune(ROWS[:64], model=tiny_model, out=tmp_path / "run", dropout=given, max_steps=1, **QUICK)
    config = BertConfig.from_pretrained(tmp_path / "run" / "last")
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob) == (kept, kept)


def test_freezing_more_layers_than_there_are(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW109: freeze=3: the model has only 2 layers"):
        finetune(ROWS[:64], model=tiny_model, out=tmp_path / "run", freeze=3)


def test_bf16_learns_as_fp32_does(tiny_model: Path, tmp_path: Path) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        run = finetune(
            ROWS[:200],
            ROWS[:40],
            model=tiny_model,
            out=tmp_path / precision,
            epochs=2,
            learning_rate=3e-3,
            precision=precision,
        )
        losses[precision] = [step.loss for step in run.outcome.history]
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], abs=0.15)


def test_precision_is_resolved_for_the_device() -> None:
    cpu = torch.device("cpu")
    assert resolve_precision("fp32", cpu) == "fp32"
    assert resolve_precision("auto", torch.device("mps")) == "fp32"
    with autocast("bf16", cpu):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with autocast("fp32", cpu):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_the_parts_follow_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from bertwright import BertConfig
    from bertwright.training import micro_tokens as memory

    def tokens(free: int | None, **change: Any) -> int:
        monkeypatch.setattr(memory, "free_memory", lambda device: free)
        return choose_micro_tokens(
            BertConfig(), torch.device("cpu"), **({"max_length": 512, "checkpointing": False} | change)
        )

    assert tokens(None) == 4096
    assert tokens(1) == 512
    assert tokens(2**50) == 16384
    assert 512 < tokens(4 * 2**30) < tokens(8 * 2**30) < 16384
    assert tokens(4 * 2**30, checkpointing=True) > tokens(4 * 2**30)
