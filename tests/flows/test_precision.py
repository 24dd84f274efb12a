"""`--precision`: chosen by what the processor can do, said, kept when an output is gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bertwright import finetune
from bertwright.errors import BertwrightError
from bertwright.inference import streaming
from bertwright.inference.evaluate import evaluate
from bertwright.inference.predictor import Predictor
from bertwright.machine import precision
from bertwright.machine.precision import gain_of_bf16, precision_of_answers

from .conftest import Command


@pytest.fixture
def quick_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor with instructions for bf16, which pay."""
    monkeypatch.setattr(precision, "cpu_features", lambda: {"avx512_bf16"})
    monkeypatch.setattr(precision, "gain_of_bf16", lambda device: 2.5)


@pytest.fixture
def no_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor without."""
    monkeypatch.setattr(precision, "cpu_features", lambda: {"avx2"})


def test_auto_takes_what_the_processor_computes_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    cpu = torch.device("cpu")
    for features, gain, chosen in (({"avx2"}, 9.0, "fp32"), ({"amx_bf16"}, 1.1, "fp32"), ({"amx_bf16"}, 3.0, "bf16")):
        monkeypatch.setattr(precision, "cpu_features", lambda features=features: features)
        monkeypatch.setattr(precision, "gain_of_bf16", lambda device, gain=gain: gain)
        assert precision_of_answers("auto", cpu) == chosen
        assert precision_of_answers("fp32", cpu) == "fp32"
    with pytest.raises(BertwrightError, match="BW155.*bf61"):
        precision_of_answers("bf61", cpu)


def test_compare_may_be_told_the_precision(command: Command, run: Path, dev_csv: Path, quick_bf16: None) -> None:
    exact, by_itself = (
        command("compare", run, run, dev_csv, "--json", *more) for more in (("--precision", "fp32"), ())
    )
    assert (exact.code, by_itself.code) == (0, 0), exact.err
    assert "answers are computed in bf16" in by_itself.err
    assert "answers are computed in" not in exact.err


def test_the_probe_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    seconds = {torch.float32: [9e-3, 4e-3, 5e-3, 4e-3, 8e-3], torch.bfloat16: [5e-3, 2e-3, 1e-3, 3e-3, 6e-3]}
    monkeypatch.setattr(precision, "product_times", lambda device, dtype, width: iter(seconds[dtype]))
    gain_of_bf16.cache_clear()
    assert gain_of_bf16(torch.device("cpu")) == pytest.approx(4.0)
    monkeypatch.undo()
    gain_of_bf16.cache_clear()
    assert gain_of_bf16(torch.device("cpu")) > 0


def test_what_was_taken_is_said_and_may_be_chosen(command: Command, run: Path, quick_bf16: None) -> None:
    text = "a great day"
    by_itself, exact, wished = (
        command("predict", run, text, *more) for more in ((), ("--precision", "fp32"), ("--precision", "bf16"))
    )
    assert "answers are computed in bf16; --precision fp32" in by_itself.err
    assert "computed in" not in exact.err + wished.err
    assert by_itself.out == wished.out != exact.out
    assert json.loads(wished.out)["score"] == pytest.approx(json.loads(exact.out)["score"], abs=0.02)
    wrong = command("predict", run, text, "--precision", "int4")
    assert (wrong.code, "BW155" in wrong.err) == (2, True)


def test_card_and_evaluate_agree_in_bf16(
    quick_bf16: None, tiny_model: Path, train_csv: Path, dev_csv: Path, tmp_path: Path
) -> None:
    trained = finetune(train_csv, dev_csv, model=tiny_model, out=tmp_path / "run", epochs=1, seed=5, precision="fp32")
    again = evaluate(trained, dev_csv)
    exact = evaluate(trained, dev_csv, precision="fp32")
    assert [one.to_json() for one in trained.predictions] == [one.to_json() for one in again.predictions]
    assert trained.scores["accuracy"] == again.scores["accuracy"]
    pairs = list(zip(again.predictions, exact.predictions))
    assert any(one.to_json() != other.to_json() for one, other in pairs)
    assert all(one.to_json()["score"] == pytest.approx(other.to_json()["score"], abs=0.02) for one, other in pairs)


def test_alone_and_in_a_batch_answers_are_alike(run: Path, train_csv: Path, sentences: list[tuple[str, str]]) -> None:
    texts = [text for text, _ in sentences[:60]]
    for name, most in (("fp32", 1e-5), ("bf16", 2e-2)):
        predictor = Predictor.load(run, precision=name)
        for text, answer in zip(texts, predictor(texts)):
            assert predictor(text).to_json()["score"] == pytest.approx(answer.to_json()["score"], abs=most)


@pytest.mark.parametrize("name", ["fp32", "bf16"])
def test_an_output_that_is_gone_on_with_has_the_same_bytes(
    command: Command, run: Path, train_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(streaming, "_TEXTS_AT_ONCE", 16)
    words = ("predict", run, "--input", train_csv, "--precision", name, "--output")
    assert command(*words, tmp_path / "whole.jsonl").code == 0
    whole = (tmp_path / "whole.jsonl").read_bytes()
    plain = Predictor.answer
    for done in (1, 15, 16, 21):
        output, calls = tmp_path / f"{done}.jsonl", 0

        def stopped(self: Predictor, examples: list[object], done: int = done) -> object:
            nonlocal calls
            calls += 1
            if calls > 2:
                raise KeyboardInterrupt
            return plain(self, examples)  # type: ignore[arg-type]

        monkeypatch.setattr(Predictor, "answer", stopped)
        assert command(*words, output).code == 130
        monkeypatch.setattr(Predictor, "answer", plain)
        part = output.with_name(f"{output.name}.part")
        part.write_bytes(b"".join(part.read_bytes().splitlines(keepends=True)[:done]) + b'{"cut')
        result = command(*words, output, "--resume")
        assert result.code == 0, result.err
        assert output.read_bytes() == whole


def test_an_output_goes_on_in_the_numbers_in_which_it_was_begun(
    command: Command, run: Path, dev_csv: Path, tmp_path: Path, quick_bf16: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "a.jsonl"
    words = ("predict", run, "--input", dev_csv, "--output", output)

    def begin() -> None:
        output.unlink(missing_ok=True)
        with monkeypatch.context() as patch:
            patch.setattr(streaming, "_TEXTS_AT_ONCE", 4)
            whole, calls = Predictor.answer, []

            def stopped(self: Predictor, examples: list[object]) -> object:
                calls.append(len(examples))
                if len(calls) > 1:
                    raise KeyboardInterrupt
                return whole(self, examples)  # type: ignore[arg-type]

            patch.setattr(Predictor, "answer", stopped)
            assert command(*words).code == 130
        label = json.loads((tmp_path / "a.jsonl.part.json").read_text(encoding="utf-8"))
        assert label["precision"] == "bf16"

    begin()
    monkeypatch.setattr(precision, "gain_of_bf16", lambda device: 0.5)  # the probe answers otherwise now
    result = command(*words, "--resume")
    assert result.code == 0, result.err
    assert not (tmp_path / "a.jsonl.part.json").exists()
    assert command("predict", run, "--input", dev_csv, "--output", output).code == 0, "a finished one is no part"

    monkeypatch.setattr(precision, "gain_of_bf16", lambda device: 2.5)
    begin()
    assert "BW431" in command(*words, "--resume", "--precision", "fp32").err
    monkeypatch.setattr(precision, "cpu_features", lambda: {"avx2"})
    refused = command(*words, "--resume")
    assert (refused.code, "BW157" in refused.err, "--accept-other-machine" in refused.err) == (2, True, True)
    accepted = command(*words, "--resume", "--accept-other-machine")
    assert accepted.code == 0, accepted.err
    assert "begun in bf16, and goes on in fp32" in accepted.err
    assert (
        len(output.read_text(encoding="utf-8").splitlines())
        == len(dev_csv.read_text(encoding="utf-8").splitlines()) - 1
    )
