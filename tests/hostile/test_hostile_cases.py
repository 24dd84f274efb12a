"""Single cases of what nobody means well with, a sentence each."""

from __future__ import annotations

import gzip
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bertwright import BertConfig, BertModel, BertTokenizer, BertwrightError, Predictor
from bertwright.checkpoint.folders import MANIFEST, _write_manifest, verify
from bertwright.checkpoint.json_files import LARGEST, json_text, read_json, read_json_file
from bertwright.checkpoint.panics import panics_as_errors
from bertwright.data.examples import Example, Where
from bertwright.data.reading.example_sources import read_examples
from bertwright.data.reading.opened_source import OpenedSource
from bertwright.data.reading.stdin import lines_of_stdin
from bertwright.data.tagged.span_sources import read_spans
from bertwright.inference.answer_rows import AnswerRows
from bertwright.inference.seen import set_of
from bertwright.runs.run_folder import RunFolder
from bertwright.runs.training_state import read_state
from bertwright.tasks.regression import ValuePrediction
from bertwright.text.files import detect_encoding
from bertwright.text.lines import LONGEST_LINE
from bertwright.text.vocabulary.pipeline_checks import may_never_end

from .model_folders import VERSION

MODEL = VERSION / "model"
FINISHED = VERSION / "finished"
Changed = Callable[..., Path]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """`changed("classification", "task.json", temperature=0)`: a copy of a good folder with other values, unsealed."""

    def copy(task: str, file: str, **values: Any) -> Path:
        folder = tmp_path / f"copy-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(FINISHED / task / "best" if task != "model" else MODEL, folder)
        (folder / MANIFEST).unlink(missing_ok=True)
        content = json.loads((folder / file).read_text(encoding="utf-8")) if (folder / file).is_file() else {}
        content = {key: value for key, value in (content | values).items() if value is not ...}
        (folder / file).write_text(json.dumps(content), encoding="utf-8")
        return folder

    return copy


def refused(code: str, call: Callable[[], Any]) -> str:
    """The message of the error with which a call ends."""
    with pytest.raises(BertwrightError) as caught:
        call()
    assert caught.value.code == code, str(caught.value)
    return caught.value.message("en")


# One reader of JSON


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[" * 100_000, "deep"), ("[" * 150 + "]" * 150, "deep"), ('{"a": NaN}', "NaN"), ('{"a": 1e999}', "1e999"),
        ('{"a": 1, "a": 2}', "twice"), ('["\\ud800"]', "half a character"), ("[1" + "0" * 5000 + "]", "digits"),
        ("\xff", "decode"),
    ],
)  # fmt: skip
def test_what_is_no_json_for_others_is_none_for_us(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_json(text.encode("latin-1"))


def test_a_json_file_of_any_size_or_kind_takes_bounded_memory(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b" " * (LARGEST + 1))
    (tmp_path / "device").symlink_to("/dev/zero")
    for name, word in (("large", "more than"), ("device", "no ordinary file")):
        with pytest.raises(ValueError, match=word):
            read_json_file(tmp_path / name)


def test_what_is_no_number_becomes_null_in_json_that_we_write() -> None:
    assert json.loads(json_text({"a": [math.nan, 1.5], "b": {"c": math.inf}})) == {"a": [None, 1.5], "b": {"c": None}}


def test_a_manifest_of_any_form_is_one_message(changed: Changed) -> None:
    for content, code in (
        ("[" * 5000, "BW324"),
        ('{"files": 5, "schema_version": 1}', "BW324"),
        ('{"files": {"a": 1}, "schema_version": true}', "BW334"),
        ("NaN", "BW324"),
    ):
        folder = changed("classification", "task.json")
        (folder / MANIFEST).write_text(content, encoding="utf-8")
        refused(code, partial(verify, folder))


# Sizes before anything is built


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("num_labels", 10**9, "BW310"), ("num_hidden_layers", 10**4, "BW322"), ("num_hidden_layers", 10**30, "BW310"),
        ("vocab_size", 10**12, "BW310"), ("vocab_size", 10**8, "BW323"), ("hidden_size", True, "BW310"),
        ("id2label", 5, "BW310"), ("id2label", ["a"], "BW310"), ("layer_norm_eps", 1e300, "BW310"),
        ("tie_word_embeddings", "no", "BW310"), ("id2label", {"0": []}, "BW310"),
    ],
)  # fmt: skip
def test_a_config_that_asks_for_everything_is_refused_before_anything_is_built(
    changed: Changed, key: str, value: Any, code: str
) -> None:
    folder = changed("model", "config.json", **{"id2label": ..., "label2id": ..., key: value})
    refused(code, lambda: BertModel.from_pretrained(folder))


def test_tensors_of_a_pickle_that_repeat_one_number_or_share_one_part_are_refused(changed: Changed) -> None:
    for more in (
        {"bert.more": torch.zeros(1).expand(20_000, 20_000)},
        dict.fromkeys((f"bert.more.{number}" for number in range(300)), torch.zeros(100_000)),
    ):
        folder = changed("model", "config.json")
        torch.save(load_file(folder / "model.safetensors") | more, folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
        assert "claim" in refused("BW320", partial(BertModel.from_pretrained, folder))


def test_a_decoder_that_the_weights_do_not_hold_is_not_made_at_any_size(changed: Changed) -> None:
    config = json.loads((FINISHED / "seq2seq/best/config.json").read_text(encoding="utf-8"))
    folder = changed("seq2seq", "config.json", decoder=config["decoder"] | {"intermediate_size": 1 << 20})
    file = folder / "model.safetensors"
    save_file({name: one for name, one in load_file(file).items() if not name.startswith("decoder.")}, file)
    with pytest.raises(BertwrightError) as caught:
        Predictor.load(folder)
    assert caught.value.code in ("BW323", "BW347")


def test_a_config_may_still_be_filled_by_hand() -> None:
    config = BertConfig(layer_norm_eps=np.float64(1e-5), num_labels=7, hidden_dropout_prob=0)
    assert (config.num_labels, config.labels[6]) == (7, "LABEL_6")


# task.json


@pytest.mark.parametrize(
    ("task", "values", "code"),
    [
        ("classification", {"long": "windwo"}, "BW331"), ("classification", {"temperature": 0}, "BW331"),
        ("classification", {"temperature": -1.0}, "BW331"), ("classification", {"temperature": "1"}, "BW331"),
        ("classification", {"labels": ["a", "a"]}, "BW331"), ("classification", {"labels": ["good", "bad"]}, "BW327"),
        ("classification", {"labels": ["bad"]}, "BW331"), ("classification", {"temprature": 2.0}, "BW331"),
        ("classification", {"max_length": 2}, "BW331"), ("classification", {"max_length": 10**6}, "BW327"),
        ("classification", {"overlap": 15}, "BW331"), ("classification", {"max_length": True}, "BW331"),
        ("classification", {"schema_version": "1"}, "BW331"), ("pairs", {"reads_pairs": "no"}, "BW331"),
        ("tagging-crf", {"unit": "letter"}, "BW331"), ("tagging-crf", {"scheme": "bioes"}, "BW327"),
        ("tagging-crf", {"head": "softmax"}, "BW327"), ("tagging-softmax", {"types": ["PER", "LOC"]}, "BW327"),
        ("tagging-crf", {"scaling": [1.0]}, "BW331"), ("spans", {"types": []}, "BW331"),
        ("spans", {"scaling": [1.0, "x"]}, "BW331"), ("pretraining", {"pairs": "nsp"}, "BW331"),
        ("seq2seq", {"generation": {"num_beams": True}}, "BW331"), ("seq2seq", {"generation": 5}, "BW331"),
    ],
)  # fmt: skip
def test_task_json_says_what_the_task_knows_and_the_config_agrees(
    changed: Changed, task: str, values: dict[str, Any], code: str
) -> None:
    folder = changed(task, "task.json", **values)
    message = refused(code, lambda: Predictor.load(folder))
    assert "task.json" in message


def test_a_value_that_does_not_fit_is_named_with_its_reason(changed: Changed) -> None:
    folder = changed("classification", "task.json", long="windwo")
    message = refused("BW331", lambda: Predictor.load(folder))
    assert "long: Input should be 'window', 'head', 'head+tail' or 'error' ('windwo')" in message


# What is no number


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_crf_that_holds_no_numbers_is_refused(changed: Changed, value: float) -> None:
    folder = changed("tagging-crf", "task.json")
    tensors = load_file(folder / "model.safetensors")
    tensors["crf.transitions"][0, 0] = value
    save_file(tensors, folder / "model.safetensors")
    assert "crf.transitions" in refused("BW526", lambda: Predictor.load(folder))


def test_an_answer_that_is_no_number_is_not_written() -> None:
    answer = ValuePrediction(truncated=False, value=math.inf)
    refused("BW594", lambda: AnswerRows("jsonl").lines(Example("a", None, Where("x", 1)), answer))


def test_a_column_beside_that_is_no_number_is_null_in_the_answers() -> None:
    example = Example("a", None, Where("x", 1), beside={"age": math.nan})
    line = AnswerRows("jsonl").lines(example, ValuePrediction(truncated=False, value=1.0))
    assert json.loads(line, parse_constant=lambda word: pytest.fail(word))["age"] is None


# Tokenizers


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)*b", r"(x)\1", "(?:[ab]+,?)*", "((a*))*", "(a{1,9})+", "a*a*b$", "(a+|b)c+"]
)
def test_an_expression_that_may_never_end_is_seen(pattern: str) -> None:
    assert may_never_end(pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"\s+", "[(+*]+x", r"\p{Han}|\d", "(ab)+", r"\(a+\)", " {2,}", "(a+)?", "[^]]+", r" ?\p{L}+| ?\p{N}+|\s+"],
)
def test_an_expression_that_ends_is_taken(pattern: str) -> None:
    assert not may_never_end(pattern)


def test_a_tokenizer_json_with_such_an_expression_is_refused(changed: Changed) -> None:
    split = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
    folder = changed("model", "tokenizer.json", pre_tokenizer=split)
    assert "(a+)+$" in refused("BW404", lambda: BertTokenizer.from_pretrained(folder))


def test_a_library_that_panics_over_a_text_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = BertTokenizer.from_pretrained(MODEL)

    class Panicking:
        def encode_batch(self, *_: Any, **__: Any) -> Any:
            raise type("PanicException", (BaseException,), {})("retry-limit-in-match over")

    monkeypatch.setattr(tokenizer, "_pipeline", Panicking())
    assert "retry-limit" in refused("BW447", lambda: tokenizer("a"))


def test_a_panic_is_an_error_and_an_interruption_stays_one() -> None:
    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(ValueError, match="gave up"), panics_as_errors():
        raise panic("called unwrap")
    with pytest.raises(KeyboardInterrupt), panics_as_errors():
        raise KeyboardInterrupt


@pytest.mark.parametrize("value", [5, True, ["a"], {"content": 5}, {"text": "a"}, [["a"]]])
@pytest.mark.parametrize("file", ["tokenizer_config.json", "special_tokens_map.json"])
def test_a_special_token_that_is_no_string_is_refused(changed: Changed, file: str, value: Any) -> None:
    folder = changed("model", file, cls_token=value)
    assert file in refused("BW415", lambda: BertTokenizer.from_pretrained(folder))


def test_a_vocabulary_that_is_larger_than_its_model_is_refused(changed: Changed) -> None:
    folder = changed("classification", "added_tokens.json", **{"[NEW]": 69})
    refused("BW325", lambda: Predictor.load(folder))


def test_a_vocabulary_without_end_and_one_that_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "vocab.txt"
    file.write_bytes(b"\n" * 3_000_000)
    assert "3,000,000 lines" in refused("BW448", lambda: BertTokenizer(file))
    monkeypatch.setattr(Path, "open", _fails)
    assert "Input/output error" in refused("BW448", lambda: BertTokenizer(file))


def _fails(*_: Any, **__: Any) -> Any:
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize(
    ("name", "code"), [("config.json", "BW314"), ("tokenizer_config.json", "BW415"), ("task.json", "BW331")]
)
def test_a_disk_that_cannot_be_read_is_one_message(
    changed: Changed, monkeypatch: pytest.MonkeyPatch, name: str, code: str
) -> None:
    folder = changed("classification", "task.json")
    usual = Path.open

    def fails(self: Path, *args: Any, **options: Any) -> Any:
        return _fails() if self.name == name else usual(self, *args, **options)

    monkeypatch.setattr(Path, "open", fails)
    refused(code, lambda: Predictor.load(folder))


# Runs


def test_a_run_json_of_any_form_is_one_message(tmp_path: Path) -> None:
    for content in ("[" * 5000, '{"schema_version": 1, "finished": 5}', "[]", '{"schema_version": []}'):
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
        refused("BW507", lambda: RunFolder(tmp_path, resume=True, is_writer=False))


def test_a_run_json_of_wrong_types_says_nothing_of_what_was_seen(tmp_path: Path) -> None:
    table = read_spans([{"text": "a", "label": []}])
    contents: list[dict[str, Any]] = [{"train_sha256": []}, {"best_seed": "/../.."}, {"dev_sha256": {"a": 1}}]
    for content in contents:
        (tmp_path / "run.json").write_text(json.dumps(content), encoding="utf-8")
        assert set_of(tmp_path, table) is None


@pytest.mark.parametrize(
    "values",
    [
        {"step": "10"}, {"tokens": -1}, {"micro_tokens": 0}, {"best": []}, {"best": {"epoch": 1}},
        {"recent": {"loss": 5}}, {"rows": [[]]}, {"seconds": None}, {"told_collapse": 1}, {"optimizer": []},
        {"unknown": 1},
    ],
)  # fmt: skip
def test_a_training_state_of_wrong_types_is_refused_though_its_manifest_agrees(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    last = shutil.copytree(VERSION / "interrupted/classification/last", tmp_path / "last")
    file = last / "training" / "state.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | values), encoding="utf-8")
    (last / MANIFEST).unlink()
    _write_manifest(last)
    verify(last)
    model = Predictor.load(FINISHED / "classification" / "best").model
    assert model is not None
    optimizer = torch.optim.AdamW(model.parameters())
    refused("BW507", lambda: read_state(last / "training", model, [optimizer]))


# Without end


def endless(path: Path, content: bytes) -> Path:
    """A file that repeats `content` until it is longer than any line may be."""
    times = LONGEST_LINE // len(content) + 1000
    with gzip.open(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb") as file:
        file.write(content * times)
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "a.csv", "a.jsonl", "a.txt.gz"])
def test_a_line_without_end_is_named_with_its_place(tmp_path: Path, name: str) -> None:
    path = endless(tmp_path / name, b"a")
    assert f"{name}:1: the line has more than 16,777,216" in refused(
        "BW297", lambda: read_examples(path, labelled=False)
    )


def test_rows_values_and_sentences_without_end_are_named_with_their_place(tmp_path: Path) -> None:
    csv = tmp_path / "a.csv"
    csv.write_bytes(b'text,label\n"' + (b"a" * 1000 + b'\n","') * 17_000)
    assert "a.csv:2: the row" in refused("BW297", lambda: read_examples(csv, labelled=True))
    value = tmp_path / "a.json"
    value.write_bytes(b'[{"text": "' + b"a" * (LONGEST_LINE + (1 << 20)))
    assert "a.json:1: the value" in refused("BW297", lambda: read_examples(value, labelled=False))
    sentence = tmp_path / "a.conll"
    sentence.write_bytes((b"word" * 100 + b" O\n") * 11_000)
    assert "a.conll:1: the sentence" in refused("BW297", lambda: read_spans(sentence))


def test_a_mistake_at_the_beginning_of_a_long_json_file_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'[\n{"text": tru},\n' + b" " * (LONGEST_LINE + (1 << 20)))
    assert "a.json:2" in refused("BW225", lambda: read_examples(path, labelled=False))


def test_looking_at_the_beginning_of_a_file_takes_no_line_without_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"short\n" + b"a" * (LONGEST_LINE + 10))
    assert OpenedSource(path).first_lines(5) == ["short\n"]


def test_a_line_of_stdin_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with endless(tmp_path / "a", b"a").open(encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert "stdin:1" in refused("BW297", lambda: list(lines_of_stdin("utf-8")))


def test_an_archive_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    member = gzip.compress(b"a line that comes again\n" * 500_000, 9)
    path.write_bytes(member * 30)  # 360 MB
    refused("BW299", lambda: detect_encoding(path))


def test_columns_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,label\na,b\n" + b"," * 20_000 + b"\n")
    assert "a.csv:3: 20,001 columns" in refused("BW298", lambda: read_examples(path, labelled=True))


def test_a_device_that_never_ends_is_no_data(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("/dev/zero")
    assert "a device" in refused("BW202", lambda: read_examples(tmp_path / "a.csv", labelled=True))


MEASURED = """
import resource, sys
from pathlib import Path
from bertwright.errors import BertwrightError
from bertwright.data.reading.example_sources import read_examples
from bertwright.data.tagged.span_sources import read_spans
try:
    (read_spans if ".conll" in sys.argv[1] else read_examples)(Path(sys.argv[1]), labelled=False)
except BertwrightError as error:
    print(error.code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt.gz", "a.csv.gz", "a.tsv.gz", "a.jsonl.gz", "a.json.gz", "a.conll.gz"])
def test_a_gigabyte_of_one_letter_takes_less_than_one_of_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    begin = {"a.json.gz": b'[{"text": "', "a.jsonl.gz": b'{"text": "', "a.csv.gz": b'text\n"'}.get(name, b"")
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(begin)
        for _ in range(1024):
            file.write(b"a" * (1 << 20))
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    code, size = ended.stdout.split()
    assert code in ("BW297", "BW299", "BW242"), ended.stdout
    assert int(size) < 1024, f"{size} MiB"
