"""Wrong files, and the answers that they get: what is wrong, where, and what to do."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bertwright.data.examples import target_of
from bertwright.data.inspection.ledger import examine
from bertwright.data.reading.example_sources import read_examples
from bertwright.data.reading.opened_source import opened
from bertwright.data.reading.tables import Columns
from bertwright.data.reading.text_pairs import read_pairs
from bertwright.data.tagged.span_sources import read_spans
from bertwright.errors import BertwrightError
from bertwright.tasks.entities.tagging import Tagging

pytestmark = pytest.mark.usefixtures("typed")

LINES = "".join(f"a {word} evening in town,{label}\n" for word, label in (("fine", "pos"), ("dull", "neg")) * 3)
TABLE = "text,label\n" + LINES
TRIPLES = "John B-PER\nSmith I-PER\nran O\n\n"


def refused(source: Any, code: str, columns: Columns | None = None) -> BertwrightError:
    with pytest.raises(BertwrightError) as caught:
        read_examples(source, columns, labelled=True)
    assert caught.value.code == code, caught.value
    return caught.value


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_an_archive_that_is_none_and_one_that_is_cut_get_two_answers(suffix: str, tmp_path: Path) -> None:
    plain = written(tmp_path / f"a.csv{suffix}", TABLE)
    error = refused(plain, "BW202")
    assert f"not compressed, though its name ends with {suffix}" in error.texts("en")[0]
    assert error.texts("en")[2].endswith(f"mv {plain} {tmp_path / 'a.csv'}")
    packs: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    cut = tmp_path / f"b.csv{suffix}"
    cut.write_bytes(packs[suffix](TABLE.encode())[:-12])
    error = refused(cut, "BW202")
    assert "is cut off" in error.texts("en")[0]
    assert "截断" in error.texts("zh")[0]
    assert f"{suffix[1:].replace('gz', 'gzip').replace('bz2', 'bzip2')} -t {cut}" in error.texts("en")[2]


@pytest.mark.parametrize(
    ("inside", "kind", "in_chinese"),
    [
        ("word/document.xml", "a Word document", "这是一个 Word 文档"),
        ("xl/workbook.xml", "an Excel workbook", "这是一个 Excel 工作簿"),
        ("ppt/presentation.xml", "a PowerPoint presentation", "这是一个 PowerPoint 演示文稿"),
        ("data.csv", "a ZIP archive", "这是一个 ZIP 压缩包"),
    ],
)
def test_a_document_is_called_what_it_is(inside: str, kind: str, in_chinese: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>" + " " * 5000)
        archive.writestr(inside, "x")
    error = refused(path, "BW215")
    assert str(error.fields["kind"]) == kind
    assert in_chinese in error.texts("zh")[0]


def test_documents_of_other_forms_and_endings(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
    assert str(refused(path, "BW215").fields["kind"]) == "an OpenDocument text"
    path.write_bytes(b"PK\x03\x04 and then nothing more \xff\x00")
    assert "damaged" in str(refused(path, "BW215").fields["kind"])
    assert str(refused(written(path, "{\\rtf1 hello}"), "BW215").fields["kind"]) == "an RTF document"
    own = path.rename(tmp_path / "a.docx")
    with zipfile.ZipFile(own, "w") as archive:
        archive.writestr("word/document.xml", "x")
    with pytest.raises(BertwrightError, match=r"BW204.*'\.docx'"):
        opened(own).encoding  # noqa: B018  (looking is what fails)


@pytest.mark.parametrize(
    ("text", "delimiter", "sign"),
    [(TABLE, ";", "','"), (TABLE, "，", "','"), (TABLE, "tab", "','"), (TABLE.replace(",", ";"), ",", "';'")],
)
def test_a_delimiter_that_is_not_there(text: str, delimiter: str, sign: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", text)
    error = refused(opened(path, delimiter=delimiter), "BW270")
    assert f"is {sign}" in error.texts("en")[1]
    assert ("--delimiter ;" if ";" in sign else "--delimiter ,") in error.texts("en")[2].replace("'", "")


def test_missing_values_are_not_called_empty_and_a_text_of_one_is_found(tmp_path: Path) -> None:
    table = read_examples(written(tmp_path / "a.csv", TABLE + "NaN,pos\na quiet day,neg\n"), labelled=True)
    found = [one for one in examine(table).findings if one.kind == "missing texts"]
    assert [place.line for place in found[0].places] == [8]
    assert "'NaN'" in found[0].message
    assert "nan" in BertwrightError("BW211", where="a.csv:3").texts("en")[1]


@pytest.mark.parametrize(
    ("row", "kind", "way_out"),
    [
        ({"text": "a", "label": {"name": "x", "sure": 1}}, "an object with the keys name, sure", "one of its keys"),
        ({"text": "a", "label": ["x", "y"]}, "a list of 2 (x, y)", "of several labels"),
        ({"text": "a", "label": ["x"]}, "a list of 1 (x)", "without brackets"),
        ({"id": 1, "row": {"text": "a", "label": "x"}}, "an object with the keys text, label", "one of its keys"),
    ],
)
def test_nested_values_are_named(row: dict[str, Any], kind: str, way_out: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", f"{json.dumps(row)}\n" * 4)
    error = refused(path, "BW224")
    assert kind in error.texts("en")[0]
    assert way_out in error.texts("en")[2]


def test_a_folder_of_files_says_how_to_give_them(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        written(tmp_path / "two words" / name, TABLE)
    error = refused(tmp_path / "two words", "BW271")
    assert "2 files of data (a.csv, b.csv)" in error.texts("en")[0]
    command = error.texts("en")[2].partition(": ")[2]
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)  # what is proposed works
    assert len(read_examples(tmp_path / "all.csv", labelled=True).examples) == 12
    for name in ("train.csv", "dev.csv"):
        written(tmp_path / "parts" / name, TABLE)
    assert "train.csv --dev" in refused(tmp_path / "parts", "BW271").texts("en")[2]
    written(tmp_path / "tagged" / "all.conll", TRIPLES)
    assert "all.conll" in refused(tmp_path / "tagged", "BW271").texts("en")[2]


def test_a_run_is_no_folder_of_classes(tmp_path: Path) -> None:
    written(tmp_path / "run.json", "{}")
    for name in ("best", "last"):
        written(tmp_path / name / "vocab.txt", "[PAD]\n")
    refused(tmp_path, "BW137")


@pytest.mark.parametrize(
    "columns", [Columns(text="label"), Columns(text="label", label="label"), Columns("text", text_b="text")]
)
def test_a_column_with_two_roles(columns: Columns, tmp_path: Path) -> None:
    error = refused(written(tmp_path / "a.csv", TABLE), "BW272", columns)
    assert "the columns are: text, label" in error.texts("en")[0]


def test_quotes_of_a_text_around_fields(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\nfine,pos\n“dull, and long”,neg\n")
    error = refused(path, "BW207")
    assert "“ ”" in error.texts("en")[1]
    command = error.texts("en")[2].partition(": ")[2]
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert read_examples(tmp_path / "plain.csv", labelled=True).examples[1].text == "dull, and long"
    refused(written(path, "“text”,“label”\n“fine”,“pos”\n“dull”,“neg”\n"), "BW208")
    assert "not quoted" in refused(written(path, "text,label\nfine,pos\ndull, long,neg\n"), "BW207").texts("en")[1]


@pytest.mark.parametrize("tag", ["M-PER", "E-PER", "L-PER", "U-PER"])
def test_one_strange_tag_is_a_slip_and_no_second_scheme(tag: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", TRIPLES * 6 + f"May {tag}\nran O\n")
    with pytest.raises(BertwrightError, match=f"BW240.*a.conll:25.*{tag}.*BIO") as caught:
        read_spans(path)
    assert "B-PER, I-PER, O" in caught.value.texts("en")[2]


def test_a_slip_in_bmes_is_told_in_the_tags_of_bmes(tmp_path: Path) -> None:
    sentence = "张 B-PER\n大 M-PER\n三 E-PER\n来 O\n\n"
    for tag in ("X", "I-PER"):
        with pytest.raises(BertwrightError, match="BW240") as caught:
            read_spans(written(tmp_path / "a.conll", sentence * 6 + f"李 {tag}\n来 O\n"))
        assert "BMES" in caught.value.texts("zh")[0]
        assert "B-PER、M-PER、E-PER、S-PER、O" in caught.value.texts("zh")[2].replace(", ", "、")


def test_one_endless_sentence(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "张 B-PER\n三 I-PER\n来 O\n了 O\n。 O\n" * 9)
    table = read_spans(path)
    with pytest.raises(BertwrightError, match="BW274.*45 tokens") as caught:
        Tagging.from_examples(table.examples, table.source)
    command = caught.value.texts("en")[2].partition(": ")[2]
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert len(read_spans(tmp_path / "sentences.conll").examples) == 9


def test_tokens_and_tags_with_a_comma_between(tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match=r"BW242.*a\.conll:1.*John,B-PER"):
        read_spans(written(tmp_path / "a.conll", "John,B-PER\nran,O\n"))


def test_texts_without_marks_are_counted(tmp_path: Path) -> None:
    rows = '{"text": "John ran", "label": [[0, 4, "PER"]]}\n{"text": "Mary"}\n'
    path = written(tmp_path / "a.jsonl", rows * 2)
    table = Tagging.read(path, labelled=True)
    assert [place.line for place in table.unlabelled] == [2, 4]
    with pytest.raises(BertwrightError, match=r"BW254.*a\.jsonl:2") as caught:
        Tagging.from_examples(table.examples, table.source)
    assert "--drop-unlabelled" in caught.value.texts("en")[2]
    assert len(table.labelled_only().examples) == 2
    with pytest.raises(BertwrightError, match="BW254"):
        read_spans(path)
    with pytest.raises(BertwrightError, match="BW248.*entities or annotations is missing"):
        read_spans(written(path, '{"text": "Mary", "entitis": []}\n'))


def questions(*answers: Any) -> list[dict[str, Any]]:
    """In the dialect of CMRC."""
    asked = [{"query_id": f"Q{at}", "query_text": "他住在哪里？", "answers": one} for at, one in enumerate(answers)]
    return [{"context_id": "T1", "context_text": "约翰住在巴黎。他喜欢那里。", "title": "约翰", "qas": asked}]


def test_questions_in_the_dialect_of_cmrc(tmp_path: Path) -> None:
    path = written(tmp_path / "trial.json", json.dumps(questions(["巴黎"], [{"text": "约翰"}], ["伦敦"], [])))
    table = read_pairs(path, labelled=True)
    assert [(one.text, target_of(one)) for one in table.examples] == [
        ("巴黎", "他住在哪里？"),
        ("约翰", "他住在哪里？"),
    ]
    assert str(table.examples[0].where) == f"{path}#Q0:1"
    assert "1 question without an answer left out" in table.summary()
    assert f"not in the passage left out: {path}#Q2:1" in table.summary()


def test_questions_of_which_none_can_be_learnt(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", json.dumps(questions(["伦敦"], ["北京"])))
    with pytest.raises(BertwrightError, match="BW273.*2 questions.*'伦敦'.*1 others"):
        read_pairs(path, labelled=True)
    with pytest.raises(BertwrightError, match="BW273.*no answers"):
        read_pairs(written(path, json.dumps(questions([]))), labelled=True)


def test_rows_without_a_target_are_counted_and_can_be_dropped(tmp_path: Path) -> None:
    table = read_pairs(written(tmp_path / "a.csv", "source,target\nlong one,short\nlong two,\n"), labelled=True)
    assert [place.line for place in table.unlabelled] == [3]
    assert "1 row without a target" in table.summary()
    assert [one.text for one in table.labelled_only().examples] == ["long one"]
    assert "--drop-unlabelled" in BertwrightError("BW610", where="a.csv:3").texts("en")[2]
