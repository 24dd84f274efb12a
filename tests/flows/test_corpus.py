"""The verbs vocab and prepare, as a person types them."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from bertwright import BertTokenizer
from bertwright.corpus.drawing.sampler import PretrainSampler
from bertwright.corpus.drawing.sampling_settings import SamplingSettings
from bertwright.corpus.store import CorpusStore
from bertwright.data.samples import sentiment_samples
from tests.corpus import corpus_samples

from .conftest import Command
from .test_mistakes import refused


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in sentences, five to a document, one of them repeated."""
    texts = [example.text for language in ("en", "zh") for example in sentiment_samples(language)]
    blocks = ["\n".join(texts[at : at + 5]) for at in range(0, len(texts), 5)]
    file = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    file.write_text("\n\n".join([*blocks, blocks[3]]), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def vocab(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    from typer.testing import CliRunner

    from bertwright.cli.main import app

    out = tmp_path_factory.mktemp("vocab") / "v"
    result = CliRunner().invoke(app, ["vocab", str(corpus), "--out", str(out), "--size", "1500", "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "% of the words are one token" in result.output
    return out


def test_from_text_to_store(command: Command, corpus: Path, vocab: Path, tmp_path: Path) -> None:
    tokenizer = BertTokenizer.from_pretrained(vocab)
    assert len(tokenizer) <= 1500
    assert tokenizer.mask_token_id == 103
    out = tmp_path / "store"
    result = command("prepare", corpus, "--vocab", vocab, "--out", out, "--workers", 1)
    assert result.code == 0, result.err
    assert "1 file, " in result.err
    assert "about " in result.err
    assert "1 process" in result.err
    assert "  documents that stand earlier in the corpus, dropped: 1\n" in result.out
    assert f"next: bertwright pretrain {out}" in result.out
    store = CorpusStore.open(out, tokenizer)
    assert store.documents == 120
    result = command("prepare", corpus, "--vocab", vocab, "--out", out, "--resume", "--json", "--workers", 1)
    assert json.loads(result.out)["tokens"] == store.tokens
    refused(command("prepare", corpus, "--vocab", vocab, "--out", out), "BW551", "--resume", "--overwrite")


def test_commands_that_come_next_can_be_copied_where_a_folder_has_a_space(
    command: Command, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def next_of(out: str) -> list[str]:
        return shlex.split(out.splitlines()[-1].removeprefix("next: "))[1:]

    monkeypatch.chdir(tmp_path)
    made = command("vocab", corpus, "--out", "my words", "--size", 300, "--workers", 1)
    verb, _, *words = next_of(made.out)
    prepared = command(verb, corpus, *words[:-1], "my store", "--workers", 1)
    assert prepared.code == 0, prepared.err
    small = ("num_hidden_layers=1", "hidden_size=8", "num_attention_heads=1", "max_length=16", "held_out=0.2")
    trained = command(*next_of(prepared.out)[:-1], "my run", *small, "max_steps=1", "eval_examples=8")
    assert trained.code == 0, trained.err
    assert next_of(trained.out)[-1] == "my run/best"
    card = Path("my run/README.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in card.splitlines() if line.startswith("bertwright ")]
    assert [words[2] for words in commands] == ["my run", "train.csv"]
    assert commands[1][4] == "my run/best"


def test_no_pre_training_is_advised_that_must_fail_and_a_model_is_gone_on_with(
    command: Command, corpus: Path, vocab: Path, tiny_model: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.txt"
    few.write_text("A text.\n\nAnother one.\n\nThe third.\n", encoding="utf-8")
    result = command("prepare", few, "--vocab", vocab, "--out", tmp_path / "few", "--workers", 1)
    assert "next:" not in result.out
    assert "too few documents to pre-train on: pairs of texts and a held-out part need at least 4" in result.out
    few.write_text("A text.\n\nAnother one.\n\nThe third.\n\nThe fourth.\n", encoding="utf-8")
    enough = tmp_path / "enough"
    result = command("prepare", few, "--vocab", vocab, "--out", enough, "--workers", 1)
    assert result.out.endswith(f"next: bertwright pretrain {enough} --out runs/pretrained\n"), "vocabulary alone"
    for split in ("train", "held_out"):
        tokenizer = BertTokenizer.from_pretrained(vocab)
        PretrainSampler(CorpusStore.open(enough, tokenizer), tokenizer, SamplingSettings(), split=split)
    result = command("prepare", corpus, "--vocab", tiny_model, "--out", tmp_path / "store", "--workers", 1)
    assert f"pretrain {tmp_path / 'store'} --init {tiny_model} --out" in result.out


def test_chinese_words(command: Command, corpus: Path, vocab: Path, tmp_path: Path) -> None:
    pytest.importorskip("rjieba")
    words = ("prepare", corpus, "--vocab", vocab, "--out", tmp_path / "store", "--wwm", "--workers", 1)
    result = command(*words)
    assert result.code == 0, result.err
    assert "Chinese characters that go on within a word" in result.out
    assert CorpusStore.open(tmp_path / "store").has_words


def test_cased_and_json(command: Command, corpus: Path, tmp_path: Path) -> None:
    words = ("vocab", corpus, "--out", tmp_path / "v", "--size", 2000, "--cased", "--json", "--workers", 1)
    result = command(*words)
    assert result.code == 0, result.err
    said = json.loads(result.out)
    assert said["tokens"] == len(BertTokenizer.from_pretrained(tmp_path / "v")) > 500
    assert 0.5 < said["whole"] <= 1
    assert said["unknown"] < 0.3, "a small corpus: characters that stand nowhere else"
    assert BertTokenizer.from_pretrained(tmp_path / "v").do_lower_case is False
    refused(command(*words), "BW630", "--overwrite")
    assert command(*words, "--overwrite").code == 0


def test_nothing_but_a_vocabulary_is_replaced(
    command: Command, corpus: Path, vocab: Path, tiny_model: Path, tmp_path: Path
) -> None:
    model, mine, words = shutil.copytree(tiny_model, tmp_path / "model"), tmp_path / "mine", tmp_path / "words.txt"
    shutil.copytree(vocab, mine)
    (mine / "notes.txt").write_text("mine", encoding="utf-8")
    words.write_text("aspirin\n", encoding="utf-8")
    made = (corpus, "--size", 2000, "--workers", 1, "--overwrite")
    refused(command("vocab", *made, "--out", mine), "BW631", "(notes.txt)")
    refused(command("vocab", *made, "--out", model), "BW631", "config.json", "model.safetensors")
    refused(command("vocab", "--words", words, "--extend", model, "--out", model, "--overwrite"), "BW631")
    assert (mine / "notes.txt").exists()
    assert (model / "model.safetensors").exists()


def test_extending_a_checkpoint(command: Command, tiny_model: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "medicine.txt"
    corpus.write_text("Take thegreat and thegood.\n\n" * 30, encoding="utf-8")
    out = tmp_path / "more"
    result = command("vocab", corpus, "--extend", tiny_model, "--out", out, "--size", 2, "--workers", 1)
    assert result.code == 0, result.err
    assert "2 words added: " in result.out
    assert len(BertTokenizer.from_pretrained(out)) == len(BertTokenizer.from_pretrained(tiny_model)) + 2
    listed = tmp_path / "words.txt"
    listed.write_text("aspirin\nthe\n阿司匹林\nheart attack\n", encoding="utf-8")
    result = command("vocab", "--words", listed, "--extend", tiny_model, "--out", tmp_path / "list")
    assert result.code == 0, result.err
    assert "1 word added: aspirin" in result.out
    assert "several words to a BERT: 阿司匹林, heart attack" in result.out
    corpus.write_text("Take thegreat.\n", encoding="utf-8")
    words = ("vocab", corpus, "--extend", tiny_model, "--out", tmp_path / "none", "--workers", 1)
    refused(command(*words), "BW637", "5 times", "--words")


def test_mistakes(command: Command, corpus: Path, vocab: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare = ("prepare", corpus, "--vocab", vocab, "--out", out, "--workers", 1)
    refused(command(*prepare, "--documents", "sentence"), "BW125", "blank, line, file")
    refused(command("prepare", tmp_path / "no.txt", "--vocab", vocab, "--out", out), "BW201")
    refused(command("prepare", corpus, "--vocab", tmp_path / "no", "--out", out), "BW307")
    refused(command("vocab", "--out", out), "BW126")
    refused(command("vocab", corpus, "--words", corpus, "--out", out), "BW126")
    refused(command("vocab", corpus, "--out", out, "--size", 10, "--workers", 1), "BW127", "--size")
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(f"Line {number}." for number in range(3000)), encoding="utf-8")
    refused(command("prepare", lines, "--vocab", vocab, "--out", out, "--workers", 1), "BW280", "--documents line")
    binary = tmp_path / "binary.txt"
    binary.write_bytes(bytes(range(256)) * 20)
    refused(command("prepare", binary, "--vocab", vocab, "--out", out, "--workers", 1), "BW260", "--encoding")
    bare = shutil.copytree(vocab, tmp_path / "bare")
    (bare / "tokenizer.json").unlink()
    tokens = (bare / "vocab.txt").read_text(encoding="utf-8")
    (bare / "vocab.txt").write_text(tokens.replace("[MASK]", "[unused99]"), encoding="utf-8")
    refused(command("prepare", corpus, "--vocab", bare, "--out", out, "--workers", 1), "BW401", "[MASK]")
    assert not out.exists(), "nothing half-written"


def test_what_is_made_does_not_lie_in_what_it_is_made_of(command: Command, vocab: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    corpus_samples.write_blocks(corpus / "a.txt", corpus_samples.documents(30))
    refused(command("prepare", corpus, "--vocab", vocab, "--out", corpus / "store", "--workers", 1), "BW576", "store")
    refused(command("vocab", corpus, "--out", corpus / "words", "--size", 100), "BW576", "words")
    assert [path.name for path in corpus.iterdir()] == ["a.txt"]
