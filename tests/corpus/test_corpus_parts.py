"""A corpus in parts: nothing is lost between them, whatever the form of the files."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from bertwright.corpus import parts as parts_module
from bertwright.corpus.documents import documents_of
from bertwright.corpus.parts import Documents, Part, Source, corpus_files, read_parts
from bertwright.errors import BertwrightError
from tests.corpus.corpus_samples import documents, write_blocks

MADE = documents(60)


def read(path: Path, part_bytes: int = 1000, **options: object) -> tuple[list[list[str]], list[Part]]:
    source = Source(corpus_files([path]), **options)  # type: ignore[arg-type]
    parts = list(read_parts(source, part_bytes))
    assert [part.index for part in parts] == list(range(len(parts)))
    return [lines for part in parts for lines in documents_of(part, skip_bad=source.skip_bad).lines], parts


@pytest.mark.parametrize("part_bytes", [1, 100, 1000, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "", "\n\n\n"])
def test_documents_between_blank_lines(tmp_path: Path, part_bytes: int, end: str) -> None:
    file = write_blocks(tmp_path / "c.txt", MADE, end)
    found, parts = read(file, part_bytes)
    assert found == MADE, "the last document too"
    assert len(parts) > 1 or part_bytes > 1000


def test_windows_line_ends_and_blank_lines_with_spaces(tmp_path: Path) -> None:
    file = tmp_path / "c.txt"
    text = " \r\n\t\r\n".join("\r\n".join(f"  {line} " for line in lines) + "\r\n" for lines in MADE)
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    for part_bytes in (50, 700):
        assert read(file, part_bytes)[0] == MADE


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_compressed(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    plain = write_blocks(tmp_path / "c.txt", MADE)
    file = tmp_path / f"d.txt{suffix}"
    file.write_bytes(pack(plain.read_bytes()))
    found, parts = read(file)
    assert found == MADE
    assert parts[-1].read == file.stat().st_size
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(BertwrightError) as caught:
        read(file)
    assert caught.value.code == "BW202"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "c.txt"
    file.write_text("\n\n".join("\n".join(lines) for lines in MADE), encoding=encoding)
    assert read(file)[0] == MADE, "found by looking, or by the byte-order mark"
    if encoding == "gb18030":
        assert read(file, encoding="gb18030")[0] == MADE


def test_a_document_a_line_and_a_document_a_file(tmp_path: Path) -> None:
    file = write_blocks(tmp_path / "c.txt", MADE)
    lines = [[line] for made in MADE for line in made]
    assert read(file, documents="line")[0] == lines
    assert read(file, documents="file")[0] == [[line for made in MADE for line in made]]


def test_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    rows = [json.dumps({"id": 1, "text": "\n".join(made)}, ensure_ascii=bool(i % 2)) for i, made in enumerate(MADE)]
    file.write_text("\n".join(rows) + "\n\n" + '{"text": " \\n "}', encoding="utf-8")
    found, parts = read(file)
    assert found == MADE
    assert sum(documents_of(part).empty for part in parts) == 1


@pytest.mark.parametrize("line", ["{", '{"body": "a"}', '["a"]', '{"text": 3}', '{"text": "\\ud800"}', "[" * 100_000])
def test_a_line_that_is_no_object_with_text(tmp_path: Path, line: str) -> None:
    file = tmp_path / "c.jsonl"
    file.write_text('{"text": "good"}\n' + line + '\n{"text": "fine"}\n', encoding="utf-8")
    with pytest.raises(BertwrightError) as caught:
        read(file)
    assert caught.value.code == "BW286"
    assert caught.value.fields["where"] == f"{file}:2"
    assert read(file, skip_bad=True)[0] == [["good"], ["fine"]]
    part = next(read_parts(Source((file,))))
    skipped = documents_of(part, skip_bad=True)
    assert (skipped.skipped_lines, skipped.skipped_bytes) == (1, len(line))


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "c.parquet"
    texts = [*("\n".join(made) for made in MADE), None]
    parquet.write_table(pyarrow.table({"text": texts, "n": list(range(len(texts)))}), file)
    found, parts = read(file)
    assert found == MADE
    assert len(parts) > 5
    assert parts[1].line == 1 + len(parts[0].content)
    with pytest.raises(BertwrightError) as caught:
        read(file, field="body")
    assert caught.value.code == "BW284"
    assert caught.value.fields["names"] == "text, n"
    file.write_bytes(b"PAR1 no more")
    with pytest.raises(BertwrightError) as caught:
        read(file)
    assert caught.value.code == "BW232"


def test_parquet_columns_of_other_types(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "c.parquet"
    texts = ["\n".join(made) for made in MADE]
    for kind in (pyarrow.binary(), pyarrow.large_string(), pyarrow.dictionary(pyarrow.int32(), pyarrow.string())):
        column = [text.encode() for text in texts] if kind == pyarrow.binary() else texts
        parquet.write_table(pyarrow.table({"text": pyarrow.array(column).cast(kind)}), file)
        assert read(file)[0] == MADE, kind
    parquet.write_table(pyarrow.table({"text": [b"good", b"caf\xe9", b"fine"]}), file)
    with pytest.raises(BertwrightError) as caught:
        read(file)
    assert (caught.value.code, caught.value.fields["where"]) == ("BW281", f"{file}:2")
    found, parts = read(file, skip_bad=True)
    assert found == [["good"], ["fine"]]
    skipped = documents_of(parts[0], skip_bad=True)
    assert (skipped.skipped_lines, skipped.skipped_bytes) == (1, 4)
    for values in ([1, 2], [["a", "b"], ["c"]], [{"a": "b"}]):
        parquet.write_table(pyarrow.table({"text": values}), file)
        with pytest.raises(BertwrightError) as caught:
            read(file)
        assert caught.value.code == "BW295"


@pytest.mark.parametrize("bad", [b"\xff\xfe bad", b"caf\xe9", b"zero\0byte"])
def test_bytes_that_are_no_text_after_a_good_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: bytes
) -> None:
    monkeypatch.setattr(parts_module, "_LOOKED_AT", 100)
    file = tmp_path / "c.txt"
    good = b"a good line\n" * 200
    file.write_bytes(good + bad + b"\n\nthe end\n")
    with pytest.raises(BertwrightError) as caught:
        read(file)
    assert caught.value.code == "BW281"
    assert caught.value.fields["where"] == f"{file}:201"
    found, parts = read(file, skip_bad=True)
    assert [line for lines in found for line in lines] == ["a good line"] * 200 + ["the end"]
    skipped = [documents_of(part, skip_bad=True) for part in parts]
    assert sum(one.skipped_lines for one in skipped) == 1
    assert sum(one.skipped_bytes for one in skipped) == len(bad) + 1


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "c.txt"
    file.write_bytes(bytes(range(256)) * 100)
    with pytest.raises(BertwrightError) as caught:
        read(file)
    assert caught.value.code == "BW260"


@pytest.mark.parametrize("documents", ["blank", "line", "file"])
def test_an_endless_document_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, documents: Documents) -> None:
    monkeypatch.setattr(parts_module, "LONGEST_DOCUMENT", 3000)
    file = tmp_path / "c.txt"
    words = [f"字{number}" for number in range(3000)]
    file.write_text(" ".join(words), encoding="utf-8")
    found, parts = read(file, documents=documents)
    assert " ".join(line for lines in found for line in lines).split() == words
    assert sum(part.goes_on for part in parts) == len(parts) - 1 > 3
    file.write_text("字" * 5000, encoding="utf-8")
    found, _ = read(file, documents=documents)
    assert "".join(line for lines in found for line in lines) == "字" * 5000, "no character is cut in two"


def test_a_json_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "LONGEST_DOCUMENT", 3000)
    file = tmp_path / "c.json"
    file.write_text('{"text": "' + "x" * 9000 + '"}', encoding="utf-8")
    with pytest.raises(BertwrightError) as caught:
        read(file)
    assert caught.value.code == "BW285"


def test_files_and_folders(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/1.jsonl.gz", "a.txt", "b/.hidden.txt", "b/picture.png", "b/wiki_00"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = corpus_files([tmp_path / "b", tmp_path / "a.txt"])
    assert [path.name for path in found] == ["1.jsonl.gz", "2.txt", "wiki_00", "a.txt"]
    for path, code in ((tmp_path / "none", "BW201"), (tmp_path / "b" / "picture.png", "BW282")):
        with pytest.raises(BertwrightError) as caught:
            corpus_files([path])
        assert caught.value.code == code
    (tmp_path / "empty").mkdir()
    with pytest.raises(BertwrightError) as caught:
        corpus_files([tmp_path / "empty"])
    assert caught.value.code == "BW283"
