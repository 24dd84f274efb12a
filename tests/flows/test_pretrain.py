"""From raw text to a BERT: losses equal the peer's, runs resume, masks are filled, mistakes are told."""

from __future__ import annotations

import csv
import json
import math
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file

from bertwright import BertConfig, BertForPreTraining, BertModel, BertTokenizer, Predictor
from bertwright.corpus.drawing import plan
from bertwright.corpus.drawing.sampler import PretrainExample, PretrainSampler
from bertwright.corpus.drawing.sampling_settings import SamplingSettings
from bertwright.corpus.store import CorpusStore
from bertwright.errors import BertwrightError
from bertwright.inference.evaluate import evaluate
from bertwright.tasks.pretraining import PreTraining, collate
from bertwright.training.lesson import Lesson
from bertwright.training.pretraining import budget
from bertwright.training.pretraining.pretrain import pretrain, unigram_entropy
from bertwright.training.pretraining.pretrain_settings import PretrainSettings
from bertwright.training.pretraining.pretrain_steps import PretrainSteps, make_parts, make_phases
from bertwright.training.steps import MicroBatch, Steps
from bertwright.training.world import World
from tests.corpus import corpus_samples

from .conftest import Command, broken_copy
from .killed_jobs import ending

SMALL: dict[str, Any] = {
    "num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "max_length": 32, "batch_tokens": 256,
    "held_out": 0.1, "precision": "fp32", "max_position_embeddings": 48, "learning_rate": 3e-3,
}  # fmt: skip


@pytest.fixture(scope="module")
def vocab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_samples.vocabulary(tmp_path_factory.mktemp("vocab") / "words")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, vocab: Path) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    file = corpus_samples.write_blocks(folder / "corpus.txt", corpus_samples.documents(120))
    corpus_samples.prepare([file], vocab, folder / "store")
    return folder / "store"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Path:
    out = tmp_path_factory.mktemp("runs") / "first"
    pretrain(store, out=out, max_steps=500, eval_steps=250, **(SMALL | {"learning_rate": 1e-2, "dropout": 0.0}))
    return out


def test_the_end_is_told_as_one_json_object_and_in_chinese(
    command: Command, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"{name}={value}" for name, value in SMALL.items()]
    told = json.loads(command("pretrain", store, "--out", tmp_path / "run", "max_steps=2", *words, "--json").out)
    assert (told["run"], told["best_step"], told["stopped"]) == (str(tmp_path / "run"), 2, "")
    assert all(isinstance(value, float) for value in told["scores"].values())
    assert told["tokens"] > 0
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh")
    done = command("pretrain", store, "--out", tmp_path / "run", "max_steps=2", *words, "--resume")
    for name in ("MLM 损失：", "MLM 困惑度：", "MLM 准确率：", "NSP 准确率：", "finetune 训练数据.csv"):
        assert name in done.out
    assert not any(name in done.out for name in ("mlm", "nsp", "loss", "TRAIN"))


def examples_of(store: Path, vocab: Path, objective: Any = "mlm+nsp") -> list[PretrainExample]:
    tokenizer = BertTokenizer.from_pretrained(vocab)
    settings = SamplingSettings(objective=objective, max_length=40, held_out=0.1)
    return PretrainSampler(CorpusStore.open(store, tokenizer), tokenizer, settings, seed=3).samples(0, 24)


@pytest.mark.parametrize("micro_tokens", [10_000, 100])
def test_loss_and_gradients_are_the_peers(store: Path, vocab: Path, tmp_path: Path, micro_tokens: int) -> None:
    examples = examples_of(store, vocab)
    config = transformers.BertConfig(
        vocab_size=len(BertTokenizer.from_pretrained(vocab)), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, max_position_embeddings=64, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    torch.manual_seed(0)
    peer = transformers.BertForPreTraining(config).train()
    peer.save_pretrained(tmp_path)
    ours = BertForPreTraining.from_pretrained(tmp_path).train()
    width = max(len(one) for one in examples)
    ids, mask, types = (torch.zeros(len(examples), width, dtype=torch.long) for _ in range(3))
    labels = torch.full_like(ids, -100)
    for row, one in enumerate(examples):
        ids[row, : len(one)] = torch.from_numpy(one.input_ids.astype(np.int64))
        types[row, : len(one)] = torch.from_numpy(one.token_type_ids.astype(np.int64))
        mask[row, : len(one)] = 1
        labels[row, one.masked_positions] = torch.from_numpy(one.labels.astype(np.int64))
    order = torch.tensor([one.next_sentence_label for one in examples])
    theirs = peer(ids, mask, types, labels=labels, next_sentence_label=order).loss
    theirs.backward()
    objective, total = PreTraining("mlm+nsp", config.vocab_size), 0.0
    for part in make_parts(examples, micro_tokens):
        loss = objective.loss(ours, part.batch, part.targets, part.weights)["loss"]
        loss.backward()
        total += loss.item()
    assert total == pytest.approx(theirs.item(), abs=1e-5)
    peer_gradients = {name: parameter.grad for name, parameter in peer.named_parameters()}
    word = peer_gradients["bert.embeddings.word_embeddings.weight"]
    assert word is not None
    ours_word = ours.bert.embeddings.word_embeddings.weight.grad
    assert ours_word is not None
    torch.testing.assert_close(ours_word, word, atol=1e-5, rtol=1e-4)
    first = peer.bert.encoder.layer[0].intermediate.dense.weight.grad
    torch.testing.assert_close(
        ours.get_parameter("bert.encoder.layer.0.intermediate.dense.weight").grad, first, atol=1e-5, rtol=1e-4
    )
    pooler = peer.bert.pooler.dense.weight.grad
    torch.testing.assert_close(ours.get_parameter("bert.pooler.dense.weight").grad, pooler, atol=1e-5, rtol=1e-4)


def test_the_head_runs_over_masked_places_only(store: Path, vocab: Path) -> None:
    examples = examples_of(store, vocab)
    batch, targets = collate(examples, 0.01)
    assert batch.num_tokens == sum(len(one) for one in examples)
    assert len(targets.places) == sum(len(one.labels) for one in examples) < 0.2 * batch.num_tokens
    for row, one in enumerate(examples):
        start = int(batch.cu_seqlens[row])
        assert (batch.input_ids[start : start + len(one)].numpy() == one.input_ids).all()
    mask_id = BertTokenizer.from_pretrained(vocab).mask_token_id
    assert (batch.input_ids[targets.places] == mask_id).float().mean() > 0.6


def test_a_run_learns_and_tells(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == {
        "best", "last", "run.json", "metrics.csv", "README.md", "loss.png",
    }  # fmt: skip
    with (trained / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["250", "500"]
    assert float(rows[1]["dev_mlm_loss"]) < float(rows[0]["dev_mlm_loss"])
    assert 0 < float(rows[1]["train_nsp_loss"]) < 1
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    tokenizer = BertTokenizer.from_pretrained(trained / "best")
    store = CorpusStore.open(record["store"], tokenizer)
    assert float(rows[1]["dev_mlm_loss"]) < unigram_entropy(store, len(tokenizer)), "it reads context"
    card = (trained / "README.md").read_text(encoding="utf-8")
    assert "mlm_loss" in card
    assert "None" not in card


def test_masks_are_filled_as_the_peer_fills_them(trained: Path) -> None:
    predictor = Predictor.load(trained)
    text = "The old [MASK] keeper climbed the [MASK] every evening."
    answer = predictor(text).to_json()
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained / "best")
    peer = transformers.BertForPreTraining.from_pretrained(trained / "best").eval()
    inputs = tokenizer(text, return_tensors="pt")
    with torch.inference_mode():
        probabilities = peer(**inputs).prediction_logits[0].softmax(-1)
    places = (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero().flatten()
    assert len(answer["masks"]) == len(places) == 2
    for mask, place in zip(answer["masks"], places):
        best = probabilities[place].topk(5)
        assert [one["token"] for one in mask] == tokenizer.convert_ids_to_tokens(best.indices.tolist())
        assert [one["score"] for one in mask] == pytest.approx(best.values.tolist(), abs=1e-5)
    assert answer["follows"] is None, "there is no second text"


def test_a_second_text_and_words_to_choose_from(command: Command, trained: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"text": "Rain fell on the [MASK].", "text_b": "The boats stayed in."}\n', encoding="utf-8")
    result = command("predict", trained, "--input", pairs, "--among", "harbour,market,cat", "--top-k", 2)
    assert result.code == 2, "harbour is two tokens of this vocabulary"
    assert "error BW524: 'harbour' is not one token" in result.err
    result = command("predict", trained, "--input", pairs, "--among", "market,cat", "--top-k", 2)
    assert result.code == 0, result.err
    answer = json.loads(result.out)
    assert {one["token"] for one in answer["masks"][0]} == {"market", "cat"}
    assert sum(one["score"] for one in answer["masks"][0]) == pytest.approx(1, abs=1e-5)
    assert 0 <= answer["follows"] <= 1


class Stopped(Exception):
    """The run ends here."""


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_that_died_goes_on_bit_for_bit(
    trained: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, optimizer: str
) -> None:
    if workers and optimizer == "muon":
        pytest.skip("one optimizer is enough for the processes that draw")
    grown = {"init": trained / "best", "num_hidden_layers": 2} if optimizer == "muon" else {}
    settings = SMALL | grown | {
        "optimizer": optimizer, "max_steps": 14, "eval_steps": 7, "save_steps": 3, "micro_tokens": 128,
        "phases": [[0.5, 16], [0.5, 32]],
    }  # fmt: skip
    pretrain(store, out=tmp_path / "whole", **settings)
    parts = PretrainSteps.parts

    def until(self: PretrainSteps, step: int, micro_tokens: int) -> Iterator[MicroBatch]:
        if step == 11:
            raise Stopped
        return parts(self, step, micro_tokens)

    monkeypatch.setattr(PretrainSteps, "parts", until)
    with pytest.raises(Stopped):
        pretrain(store, out=tmp_path / "run", workers=workers, **settings)
    taken: list[int] = []

    def noted(self: PretrainSteps, step: int, micro_tokens: int) -> Iterator[MicroBatch]:
        taken.append(step)
        return parts(self, step, micro_tokens)

    monkeypatch.setattr(PretrainSteps, "parts", noted)
    pretrain(store, out=tmp_path / "run", workers=workers, resume=True, **settings)
    assert taken == list(range(9, 14)), "it went on behind what was saved; who begins again ends the same"
    assert ending(tmp_path / "run") == ending(tmp_path / "whole")


def test_a_vocabulary_that_changed_is_not_gone_on_with(store: Path, vocab: Path, tmp_path: Path) -> None:
    """A file beside the vocabulary that the store does not know of is enough to read texts in another way."""
    mine = tmp_path / "vocab"
    shutil.copytree(vocab, mine)
    settings = SMALL | {"max_steps": 2, "eval_steps": 2}
    pretrain(store, vocab=mine, out=tmp_path / "run", **settings)
    (mine / "special_tokens_map.json").write_text("{}\n", encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW587.*special_tokens_map.json"):
        pretrain(store, vocab=mine, out=tmp_path / "run", resume=True, **settings)


def test_evaluations_after_skipped_steps_have_the_columns_of_the_others(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Lesson.forward
    factors = iter([math.nan, 1.0])

    def first_bad(self: Lesson, *part: Any) -> dict[str, torch.Tensor]:
        factor = next(factors) if self.model.training else 1.0
        return {name: factor * value for name, value in forward(self, *part).items()}

    monkeypatch.setattr(Lesson, "forward", first_bad)
    pretrain(store, out=tmp_path / "run", max_steps=2, eval_steps=1, **SMALL)
    with (tmp_path / "run" / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["train_mlm_loss"] == "nan" for row in rows] == [True, False]
    assert rows[0].keys() == rows[1].keys()


def test_ctrl_c_in_the_last_step_finishes_the_run_and_ends(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = PretrainSteps.parts

    def interrupted(self: PretrainSteps, step: int, micro_tokens: int) -> Iterator[MicroBatch]:
        signal.raise_signal(signal.SIGINT)
        return parts(self, step, micro_tokens)

    monkeypatch.setattr(PretrainSteps, "parts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(store, out=tmp_path / "run", max_steps=1, **SMALL)
    assert json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["finished"]


def test_phases_read_longer_texts_in_steps_of_the_same_size(store: Path, vocab: Path) -> None:
    tokenizer = BertTokenizer.from_pretrained(vocab)
    opened = CorpusStore.open(store, tokenizer)
    samplers = [
        PretrainSampler(opened, tokenizer, SamplingSettings(max_length=length, held_out=0.1)) for length in (16, 64)
    ]
    phases = make_phases(samplers, [0.75, 0.25], batch_tokens=512, steps=20)
    assert [(one.first_step, one.batch_size) for one in phases] == [(0, 32), (15, 8)]
    assert max(len(one) for one in phases[0].examples(14)) == 16
    assert 32 < max(len(one) for one in phases[1].examples(15)) <= 64


@pytest.mark.parametrize("objective", ["mlm", "mlm+sop"])
def test_other_objectives(objective: str, store: Path, tmp_path: Path) -> None:
    run = pretrain(store, out=tmp_path / "run", objective=objective, max_steps=4, masking="word", **SMALL)
    config = json.loads((tmp_path / "run" / "best" / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["BertForMaskedLM" if objective == "mlm" else "BertForPreTraining"]
    assert ("sop_accuracy" in run.outcome.best.scores) == (objective == "mlm+sop")
    assert Predictor.load(run.folder)("A [MASK].").to_json()["masks"]


def test_a_checkpoint_is_gone_on_with(trained: Path, store: Path, tmp_path: Path) -> None:
    settings = {name: value for name, value in SMALL.items() if name not in ("hidden_size", "num_hidden_layers")}
    run = pretrain(store, init=trained / "best", out=tmp_path / "run", max_steps=3, **settings)
    chance = PreTraining("mlm+nsp", BertConfig.from_pretrained(trained / "best").vocab_size).loss_at_start()
    assert run.outcome.history[0].loss < chance - 0.4, "it knows what it learnt"
    encoder = BertModel.from_pretrained(run.folder / "best")
    assert encoder.config.hidden_size == 32


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"hidden_size": 64, "intermediate_size": 64}, ["hidden_size=64, where it has 32",
                                                        "intermediate_size=64, where it has 128"]),
        ({"max_position_embeddings": 64}, ["max_position_embeddings=64, where it has 48"]),
        ({"shape": "tiny"}, []),
        ({"shape": "tiny", "hidden_size": None}, ["shape=tiny, where it has another one"]),
    ],
)  # fmt: skip
def test_a_shape_that_is_not_that_of_the_checkpoint_is_told(
    changes: dict[str, Any], said: list[str], trained: Path, store: Path, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("INFO", "bertwright")
    settings = {name: value for name, value in (SMALL | changes).items() if value is not None}
    pretrain(store, init=trained / "best", out=tmp_path / "run", max_steps=1, word_start="counts", **settings)
    told = [line.partition("no effect of ")[2] for line in caplog.messages if "no effect of" in line]
    assert told == [*said, "word_start=counts"]


def test_a_checkpoint_gets_more_layers_on_top(
    trained: Path, store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bertwright")
    start, settings = trained / "best", SMALL | {"dropout": 0.0, "learning_rate": 1e-3}
    plain = pretrain(store, init=start, out=tmp_path / "plain", max_steps=1, **settings)
    settings["num_hidden_layers"] = 3
    grown = pretrain(store, init=start, out=tmp_path / "grown", max_steps=8, eval_steps=4, **settings)
    assert "new layers: 2 on top of the model of --init, which change nothing at first" in caplog.messages
    assert grown.outcome.history[0].loss == pytest.approx(plain.outcome.history[0].loss, abs=1e-3)
    encoder = BertModel.from_pretrained(grown.folder / "best").encoder
    assert len(encoder.layer) == 3
    outputs = [encoder.get_parameter(f"layer.{number}.attention.output.dense.weight") for number in range(3)]
    assert all(weight.abs().max() > 0 for weight in outputs), "the new ones learn"
    caplog.clear()
    settings["num_hidden_layers"] = 2
    pretrain(store, init=grown.folder / "best", out=tmp_path / "fewer", max_steps=1, **settings)
    assert "the model of --init keeps its shape: no effect of num_hidden_layers=2, where it has 3" in caplog.messages


def test_overwrite_never_deletes_the_checkpoint_that_is_gone_on_with(store: Path, tmp_path: Path) -> None:
    pretrain(store, out=tmp_path / "run", max_steps=1, **SMALL)
    with pytest.raises(BertwrightError, match="BW509.*best"):
        pretrain(store, init=tmp_path / "run" / "best", out=tmp_path / "run", overwrite=True, max_steps=1, **SMALL)
    assert (tmp_path / "run" / "best" / "model.safetensors").exists()


def test_a_checkpoint_that_lacks_rows(trained: Path, store: Path, tmp_path: Path) -> None:
    for name, changes, said in (
        ("words", {"vocab_size": 20}, "BW325"),
        ("types", {"type_vocab_size": 1}, "BW102.*objective.*no second text"),
    ):
        config = BertConfig.from_pretrained(trained / "best", **changes)
        BertForPreTraining(config).save_pretrained(tmp_path / name)
        shutil.copy(trained / "best" / "vocab.txt", tmp_path / name)
        with pytest.raises(BertwrightError, match=said):
            pretrain(store, init=tmp_path / name, out=tmp_path / "run", max_steps=1, **SMALL)
        assert not (tmp_path / "run").exists()
    pretrain(store, init=tmp_path / "types", out=tmp_path / "run", max_steps=1, objective="mlm", **SMALL)


def test_passes_that_are_asked_for_are_a_budget_too(store: Path, tmp_path: Path) -> None:
    small = SMALL | {"batch_tokens": 1024}
    one = pretrain(store, out=tmp_path / "one", epochs=1, max_steps=1000, **small)
    steps = len(one.outcome.history)
    assert 5 < steps < 50, "120 short documents"
    two = pretrain(store, out=tmp_path / "two", settings=PretrainSettings(epochs=1), **(small | {"epochs": 2}))
    assert abs(len(two.outcome.history) - 2 * steps) <= 1


def test_a_length_beside_phases_is_told(store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pretrain(store, out=tmp_path / "run", max_steps=1, **(SMALL | {"phases": [[1.0, 16]]}))
    assert "max_length=32 has no effect: the phases say their lengths" in caplog.messages


def test_partners_from_near_were_a_setting_once(store: Path, tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW102.*partners = near.*taken out; second texts come from any document"):
        pretrain(store, out=tmp_path / "run", partners="near", **SMALL)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('partners = "near"', encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW148.*taken out"):
        PretrainSettings.resolve(recipe)
    pretrain(store, out=tmp_path / "run", max_steps=1, partners="any", **SMALL)
    file = tmp_path / "run" / "run.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"any"', '"near"'), encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW506.*partners was near and is now any"):
        pretrain(store, out=tmp_path / "run", max_steps=1, resume=True, **SMALL)


def test_documents_without_a_pair_are_told(vocab: Path, store: Path) -> None:
    tokenizer = BertTokenizer.from_pretrained(vocab)
    settings = SamplingSettings(max_length=32)
    kept = np.zeros(120, dtype=np.bool_)
    assert len(plan.make_plan(CorpusStore.open(store, tokenizer), kept, settings, 1, 0)) == 0


def test_budgets_become_steps(store: Path, tmp_path: Path) -> None:
    run = pretrain(store, out=tmp_path / "tokens", max_tokens=2000, **SMALL)
    assert 6 <= len(run.outcome.history) <= 14
    assert abs(run.outcome.tokens - 2000) < 400
    run = pretrain(store, out=tmp_path / "time", max_minutes=0.001, **SMALL)
    record = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["max_steps"] == len(run.outcome.history) >= 1


def test_a_budget_of_time_is_measured_on_steps_like_those_of_the_run(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed = []

    def a_minute(_settings: PretrainSettings, _steps: Steps, lesson: Lesson, _world: World) -> float:
        timed.append(lesson.model.bert.encoder.checkpointing)
        return 60.0

    monkeypatch.setattr(budget, "seconds_a_step", a_minute)
    run = pretrain(store, out=tmp_path / "run", max_minutes=2, gradient_checkpointing=True, **SMALL)
    assert timed == [True]
    assert len(run.outcome.history) == 2


@pytest.mark.parametrize(("eval_examples", "eval_steps"), [(512, 12), (16, 3)])
def test_evaluations_take_a_bounded_share_of_a_short_run(
    store: Path, tmp_path: Path, eval_examples: int, eval_steps: int
) -> None:
    """12 steps of 8 texts, with their backward passes, cost what the reading of 288 texts does: a quarter is 72."""
    run = pretrain(store, out=tmp_path / "run", max_steps=12, eval_examples=eval_examples, **SMALL)
    record = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["eval_steps"] == eval_steps


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"max_length": 64, "init": "trained"}, "BW112"),
        ({"vocab": "trained", "init": "trained"}, "BW111"),
        ({"phases": [[0.5, 32]]}, "BW102.*sum to 1"),
        ({"objektive": "mlm"}, "(?s)BW101.*objective"),
        ({"transition_factor": 7}, "BW124.*transition_factor"),
        ({"settings": PretrainSettings(), "objektive": "mlm"}, "BW101"),
    ],
)
def test_settings_that_do_not_fit(
    changes: dict[str, Any], code: str, trained: Path, store: Path, tmp_path: Path
) -> None:
    changes = {name: trained / "best" if value == "trained" else value for name, value in changes.items()}
    with pytest.raises(BertwrightError, match=code):
        pretrain(store, out=tmp_path / "run", **(SMALL | changes))
    assert not (tmp_path / "run").exists()


def test_stores_that_do_not_fit(command: Command, trained: Path, store: Path, tiny_model: Path, tmp_path: Path) -> None:
    for words, code in (
        ((tmp_path / "nothing",), "BW287"),
        ((), "BW114"),
        ((store, "--init", tiny_model), "BW289"),
    ):
        result = command("pretrain", *words, "--out", tmp_path / "run")
        assert f"error {code}:" in result.err, result.err
        assert "Traceback" not in result.err
    with pytest.raises(BertwrightError, match="BW145"):
        evaluate(trained, [("a", "b"), ("c", "d")])


def test_tokens_are_chosen_for_pretrained_models_only(run: Path) -> None:
    with pytest.raises(BertwrightError, match="BW605"):
        Predictor.load(run).answering(["top_k=3"])


def test_every_setting_is_explained(command: Command) -> None:
    result = command("pretrain", "--show-settings")
    assert result.code == 0
    for name in PretrainSettings.model_fields:
        assert name[:12] in result.out


def test_a_word_table_that_begins_as_counted(
    store: Path, vocab: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bertwright")
    tokens = len(BertTokenizer.from_pretrained(vocab))
    entropy = unigram_entropy(CorpusStore.open(store), tokens)
    first: dict[str, float] = {}
    for start in ("random", "counts"):
        pretrain(store, out=tmp_path / start, max_steps=2, word_start=start, dropout=0.0, objective="mlm", **SMALL)
        with (tmp_path / start / "metrics.csv").open(encoding="utf-8") as file:
            first[start] = float(next(csv.DictReader(file))["train_loss"])
    assert abs(first["counts"] - entropy) < 0.15 < first["random"] - entropy
    assert "rows of the word table begin as counted" in caplog.text
    assert "the loss at the start" not in caplog.text
    again = pretrain(
        store, out=tmp_path / "again", max_steps=2, word_start="counts", dropout=0.0, objective="mlm", **SMALL
    )
    one, two = (load_file(folder / "last" / "model.safetensors") for folder in (tmp_path / "counts", again.folder))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_weights_that_are_no_numbers_fill_nothing(trained: Path, tmp_path: Path) -> None:
    folder = broken_copy(trained / "best", tmp_path / "broken", BertForPreTraining)
    for text in ("a [MASK]", ("a", "b")):
        with pytest.raises(BertwrightError, match="BW526.*LayerNorm"):
            Predictor.load(folder)([text])


def test_every_row_of_a_csv_has_the_columns_of_its_header(command: Command, trained: Path, tmp_path: Path) -> None:
    data = tmp_path / "pairs.csv"
    data.write_text("text,text_b\na [MASK],\na [MASK],b\n", encoding="utf-8")
    assert command("predict", trained, "--input", data, "--output", tmp_path / "a.csv").code == 0
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert [len(row) for row in rows] == [len(header)] * 2
    follows = header.index("follows")
    assert rows[0][follows] == ""
    assert 0 <= float(rows[1][follows]) <= 1
