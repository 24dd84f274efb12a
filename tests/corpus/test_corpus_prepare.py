"""From corpus files to a store: the ids of the tokenizer, the ledger, the workers, the mistakes."""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertwright.corpus import parts
from bertwright.corpus.parts import reading_pool
from bertwright.corpus.prepare_settings import PrepareSettings
from bertwright.corpus.repeats import mark_repeats
from bertwright.corpus.store import CorpusStore
from bertwright.corpus.writer import ShardWriter
from bertwright.errors import BertwrightError
from bertwright.text.sentences import split_sentences
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from tests.corpus.corpus_samples import CHINESE, contents, documents, prepare, stored, vocabulary, write_blocks

MADE = documents(50)


@pytest.fixture(scope="module")
def vocab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vocabulary(tmp_path_factory.mktemp("vocab"))


def expected(vocab: Path, made: list[list[str]]) -> list[list[list[int]]]:
    tokenizer = BertTokenizer.from_pretrained(vocab)
    found = []
    for lines in made:
        sentences = [sentence for line in lines for sentence in split_sentences(line)]
        found.append([row.input_ids[1:-1].tolist() for row in tokenizer.encode_batch(sentences, truncation=False)])
    return found


def refused(code: str, *arguments: Any, **options: Any) -> BertwrightError:
    with pytest.raises(BertwrightError) as caught:
        prepare(*arguments, **options)
    assert caught.value.code == code
    assert caught.value.message("zh")
    return caught.value


def test_the_store_holds_the_ids_of_the_tokenizer(tmp_path: Path, vocab: Path) -> None:
    file = write_blocks(tmp_path / "c.txt", MADE)
    store = prepare([file], vocab, tmp_path / "store", shard_tokens=500)
    assert stored(store) == expected(vocab, MADE)
    ledger = store.manifest["ledger"]
    assert ledger["documents"] == store.documents == 50
    assert ledger["sentences"] == store.sentences == sum(map(len, stored(store)))
    assert ledger["tokens"] == store.tokens
    assert ledger["unknown"] == sum(ids.count(1) for made in stored(store) for ids in made) > 0
    assert ledger["bytes"] == file.stat().st_size
    assert len(store.shards) > 3
    assert {path.name for path in store.folder.iterdir()} == {"manifest.json", "vocabulary", *store.manifest["files"]}


def test_repeats_are_dropped_and_counted(tmp_path: Path, vocab: Path) -> None:
    made = [
        ["one cat.", "two cats."],
        ["the bus.", "one cat."],
        ["one cat.", "two cats."],
        ["one cat."],
        ["", "the sea."],
    ]
    file = write_blocks(tmp_path / "c.txt", made)
    kept = [["one cat.", "two cats."], ["the bus."], ["the sea."]]
    store = prepare([file], vocab, tmp_path / "drop", part_bytes=10)
    assert stored(store) == expected(vocab, kept)
    ledger = store.manifest["ledger"]
    counted = ("duplicate_documents", "duplicate_lines", "emptied_documents", "lines")
    assert [ledger[name] for name in counted] == [1, 2, 1, 8]
    store = prepare([file], vocab, tmp_path / "documents", PrepareSettings(repeats="drop-documents"))
    assert stored(store) == expected(vocab, [made[0], made[1], made[3], ["the sea."]])
    store = prepare([file], vocab, tmp_path / "keep", PrepareSettings(repeats="keep"))
    assert stored(store) == expected(vocab, [*made[:4], ["the sea."]])
    assert store.manifest["ledger"]["duplicate_lines"] == 0


def test_repeats_across_files_and_bounded_memory(tmp_path: Path, vocab: Path) -> None:
    files = [write_blocks(tmp_path / f"{i}.txt", documents(30, seed=i % 2)) for i in range(3)]
    store = prepare(files, vocab, tmp_path / "a")
    assert store.manifest["ledger"]["duplicate_documents"] == 30
    assert contents(prepare(files, vocab, tmp_path / "b", hashes_in_memory=16).folder) == contents(store.folder)


def test_repeats_behind_a_full_shard(tmp_path: Path, vocab: Path) -> None:
    files = [write_blocks(tmp_path / f"{i}.txt", MADE) for i in range(2)]
    alone = prepare(files[:1], vocab, tmp_path / "alone")
    both = prepare(files, vocab, tmp_path / "both", shard_tokens=alone.tokens)
    assert both.manifest["ledger"]["duplicate_documents"] == len(MADE)
    assert len(both.shards) == 1
    assert stored(both) == stored(alone)


def test_workers_change_no_byte(tmp_path: Path, vocab: Path) -> None:
    file = write_blocks(tmp_path / "c.txt", documents(80))
    alone = prepare([file], vocab, tmp_path / "one", shard_tokens=1000)
    seen: list[tuple[str, float]] = []
    report = lambda stage, share: seen.append((stage, share))  # noqa: E731
    three = prepare([file], vocab, tmp_path / "three", workers=3, shard_tokens=1000, report=report)
    assert contents(alone.folder) == contents(three.folder)
    assert list(dict(seen)) == ["scanning", "encoding"]
    assert seen[-1] == ("encoding", 1.0)


def test_chinese_words(tmp_path: Path, vocab: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("老人\n湖边\n自行车\n孩子们\n", encoding="utf-8")
    file = write_blocks(tmp_path / "c.txt", documents(30, sentences=CHINESE))
    settings = PrepareSettings(words=words)
    store = prepare([file], vocab, tmp_path / "a", settings, shard_tokens=700)
    assert store.has_words
    tokenizer = BertTokenizer.from_pretrained(vocab)
    found: Counter[str] = Counter()
    for shard in store.shards:
        goes_on = shard.goes_on(0, len(shard.tokens))
        tokens = np.array(tokenizer.convert_ids_to_tokens(shard.tokens))
        for part in np.split(tokens, np.flatnonzero(~goes_on)[1:]):
            if len(part) > 1:
                found["".join(part)] += 1
        for begin, end in ((3, 17), (8, 16), (0, 1), (5, 5)):
            assert (shard.goes_on(begin, end) == goes_on[begin:end]).all()
    text = file.read_text(encoding="utf-8")
    assert found == {word: text.count(word) for word in ("老人", "湖边", "自行车", "孩子们")}
    assert store.manifest["ledger"]["within_words"] == sum(n * (len(w) - 1) for w, n in found.items())
    english = write_blocks(tmp_path / "e.txt", documents(30, sentences=["The cat slept.", "It rained.", "We went."]))
    refused("BW292", [english], vocab, tmp_path / "b", settings)
    assert not (tmp_path / "b").exists()


def test_the_segmenter_of_the_extra(tmp_path: Path, vocab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rjieba")
    file = write_blocks(tmp_path / "c.txt", documents(10, sentences=CHINESE))
    store = prepare([file], vocab, tmp_path / "a", PrepareSettings(wwm=True))
    assert store.manifest["ledger"]["within_words"] > 50
    assert store.manifest["made_from"]["segmenter"].startswith("rjieba ")
    monkeypatch.setitem(__import__("sys").modules, "rjieba", None)
    refused("BW128", [file], vocab, tmp_path / "b", PrepareSettings(wwm=True))


def test_mistakes_in_the_corpus_leave_nothing_behind(
    tmp_path: Path, vocab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertwright.corpus.prepare._MANY_LINES", 100)
    out = tmp_path / "store"
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(f"Line {number}." for number in range(300)), encoding="utf-8")
    assert refused("BW280", [lines], vocab, out).fields["lines"] == 300
    assert prepare([lines], vocab, tmp_path / "a", PrepareSettings(documents="line")).documents == 300
    assert prepare([lines], vocab, tmp_path / "b", PrepareSettings(documents="file")).documents == 1
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"good\n\n" * 10 + b"caf\xe9\n\nend")
    refused("BW203", [bad], vocab, out)
    monkeypatch.setattr(parts, "_LOOKED_AT", 30)
    assert refused("BW281", [bad], vocab, out).fields["where"] == f"{bad}:21"
    store = prepare([bad], vocab, tmp_path / "c", PrepareSettings(skip_bad=True))
    assert [store.manifest["ledger"][name] for name in ("skipped_lines", "skipped_bytes", "documents")] == [1, 5, 2]
    empty = tmp_path / "empty.txt"
    for content in ("", "\n \n", "\u200b\n"):
        empty.write_text(content, encoding="utf-8")
        refused("BW291", [empty], vocab, out)
    assert not out.exists()
    out.mkdir()
    refused("BW291", [empty], vocab, out)
    assert out.is_dir(), "who made it keeps it"
    assert not list(out.iterdir())


def test_a_vocabulary_without_mask(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n", encoding="utf-8")
    file = write_blocks(tmp_path / "c.txt", MADE)
    assert refused("BW401", [file], tmp_path, tmp_path / "store").fields["token"] == "[MASK]"


def test_settings_that_nobody_knows() -> None:
    with pytest.raises(BertwrightError) as caught:
        PrepareSettings(documents="lines")  # type: ignore[arg-type]
    assert caught.value.code == "BW125"


def test_a_folder_that_holds_something(tmp_path: Path, vocab: Path) -> None:
    file = write_blocks(tmp_path / "c.txt", MADE)
    out = tmp_path / "store"
    first = prepare([file], vocab, out)
    before = contents(out)
    assert str(refused("BW551", [file], vocab, out).fields["what"]) == "finished"
    assert prepare([file], vocab, out, resume=True).digest == first.digest, "there already"
    refused("BW554", [file], vocab, out, PrepareSettings(repeats="keep"), resume=True)
    assert contents(out) == before
    assert prepare([file], vocab, out, PrepareSettings(repeats="keep"), overwrite=True).manifest != first.manifest
    (out / "thesis.txt").write_text("three years of work", encoding="utf-8")
    assert refused("BW586", [file], vocab, out, overwrite=True).fields["files"] == "thesis.txt"
    assert (out / "thesis.txt").exists()
    refused("BW503", [file], vocab, file)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").touch()
    refused("BW504", [file], vocab, tmp_path / "other", overwrite=True)


def test_a_full_disk_is_told_and_gone_on_from(tmp_path: Path, vocab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bertwright.corpus.writer import ShardWriter

    file = write_blocks(tmp_path / "c.txt", MADE)
    whole = prepare([file], vocab, tmp_path / "whole")
    append, calls = ShardWriter.append, 0

    def fails(self: ShardWriter, part: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise OSError(28, "No space left on device")
        append(self, part)

    out = tmp_path / "store"
    with monkeypatch.context() as patch:
        patch.setattr(ShardWriter, "append", fails)
        assert str(refused("BW552", [file], vocab, out).fields["reason"]) == "No space left on device"
    assert not (out / "manifest.json").exists()
    with pytest.raises(BertwrightError) as caught:
        CorpusStore.open(out)
    assert caught.value.code == "BW287"
    assert str(caught.value.fields["reason"]) == "not finished"
    refused("BW551", [file], vocab, out)
    assert contents(prepare([file], vocab, out, resume=True).folder) == contents(whole.folder)


def test_a_corpus_that_changes_meanwhile(tmp_path: Path, vocab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bertwright.corpus import prepare as module

    file = write_blocks(tmp_path / "c.txt", MADE)
    marked = mark_repeats

    def and_then(*arguments: Any) -> int:
        write_blocks(file, MADE[:-3])
        return marked(*arguments)

    monkeypatch.setattr(module, "mark_repeats", and_then)
    refused("BW553", [file], vocab, tmp_path / "store")


def die_at_three(pid: int, number: int) -> int:
    """What the process that began the work survives: `pid` is its own."""
    if number == 3 and os.getpid() != pid:
        os._exit(9)
    return number


def test_a_worker_that_dies_is_an_error() -> None:
    with reading_pool(os.getpid, 1) as pool:
        assert list(pool.map(die_at_three, ((number,) for number in range(8)))) == list(range(8)), "no other process"
    with reading_pool(partial(int, os.getpid()), 2) as pool, pytest.raises(BertwrightError) as caught:
        list(pool.map(die_at_three, ((number,) for number in range(8))))
    assert (caught.value.code, caught.value.fields) == ("BW550", {"workers": 2})


def test_a_mistake_in_a_worker_reaches_the_person(tmp_path: Path, vocab: Path) -> None:
    file = tmp_path / "c.jsonl"
    rows = [json.dumps({"text": f"row {number}"}) for number in range(300)]
    file.write_text("\n".join([*rows, '{"text": 3}']), encoding="utf-8")
    assert refused("BW286", [file], vocab, tmp_path / "store", workers=2).fields["where"] == f"{file}:301"


# Reading


@pytest.fixture
def store(tmp_path: Path, vocab: Path) -> CorpusStore:
    return prepare([write_blocks(tmp_path / "c.txt", MADE)], vocab, tmp_path / "store")


def unreadable(code: str, folder: Path, *arguments: Any, **options: Any) -> BertwrightError:
    with pytest.raises(BertwrightError) as caught:
        CorpusStore.open(folder, *arguments, **options)
    assert caught.value.code == code
    return caught.value


def test_another_vocabulary(store: CorpusStore, vocab: Path) -> None:
    tokenizer = BertTokenizer.from_pretrained(vocab)
    assert CorpusStore.open(store.folder, tokenizer).digest == store.digest
    unreadable("BW289", store.folder, BertTokenizer(tokenizer.get_vocab(), do_lower_case=False))
    unreadable("BW289", store.folder, BertTokenizer([*tokenizer.get_vocab(), "more"], do_lower_case=True))


def test_damage(store: CorpusStore) -> None:
    folder = store.folder
    file = folder / "tokens-00000.bin"
    content = file.read_bytes()
    file.write_bytes(content[:-2])
    assert "bytes" in str(unreadable("BW288", folder).fields["reason"])
    file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert str(unreadable("BW288", folder).fields["reason"]) == "SHA-256"
    assert CorpusStore.open(folder, verify=False).tokens == store.tokens
    file.unlink()
    assert str(unreadable("BW288", folder).fields["reason"]) == "missing"


def test_a_newer_format_or_none(store: CorpusStore, tmp_path: Path) -> None:
    manifest = store.folder / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(content | {"schema_version": 99}), encoding="utf-8")
    unreadable("BW332", store.folder)
    for broken in ("{", "[]", "{}", json.dumps({key: content[key] for key in content if key != "shards"})):
        manifest.write_text(broken, encoding="utf-8")
        unreadable("BW288", store.folder)
    manifest.write_text(json.dumps({"schema_version": 1, "files": {}}), encoding="utf-8")
    unreadable("BW287", store.folder)
    unreadable("BW287", tmp_path / "nowhere")


def test_pickling_opens_the_files_anew(store: CorpusStore) -> None:
    import pickle

    assert len(store.shards) == 1
    packed = pickle.dumps(store)
    assert len(packed) < 10_000
    assert stored(pickle.loads(packed)) == stored(store)


def test_a_preparation_that_goes_on_does_not_begin_again(
    tmp_path: Path, vocab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bertwright.corpus import journal

    file = write_blocks(tmp_path / "c.txt", documents(60))
    monkeypatch.setattr(journal, "_SECONDS_BETWEEN", -1)  # the state is saved after every part
    append, appended = ShardWriter.append, 0

    def counted(self: ShardWriter, *arguments: Any) -> Any:
        nonlocal appended
        appended += 1
        if appended == stop:
            raise OSError(28, "No space left on device")
        return append(self, *arguments)

    monkeypatch.setattr(ShardWriter, "append", counted)
    stop = 0
    prepare([file], vocab, tmp_path / "whole", part_bytes=512)
    whole, appended, stop = appended, 0, appended // 2
    refused("BW552", [file], vocab, tmp_path / "store", part_bytes=512)
    appended, stop = 0, 0
    prepare([file], vocab, tmp_path / "store", resume=True, part_bytes=512)
    assert whole > 4
    assert appended == whole - (whole // 2 - 1)
