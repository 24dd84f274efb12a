"""Files as strangers bring them: read as they are meant, or refused with what is wrong in them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from bertwright.data.examples import label_of
from bertwright.data.inspection.ledger import Ledger, examine
from bertwright.data.reading.example_sources import read_examples
from bertwright.data.reading.opened_source import opened
from bertwright.data.reading.tables import Table
from bertwright.data.tagged.span_sources import read_spans
from bertwright.errors import BertwrightError
from bertwright.inference.inquiry import Inquiry

CHINESE = ["这家店的菜很好吃", "服务员的态度太差了", "下次还会再来的", "等了一个小时没有人管"]


def refused(path: Path, code: str, delimiter: str | None = None) -> BertwrightError:
    with pytest.raises(BertwrightError) as caught:
        read_examples(opened(path, delimiter=delimiter), labelled=True)
    assert caught.value.code == code, caught.value
    return caught.value


def read(path: Path, text: str, delimiter: str | None = None) -> Table:
    path.write_text(text, encoding="utf-8")
    return read_examples(opened(path, delimiter=delimiter), labelled=True)


def found(table: Table) -> Ledger:
    return examine(table)


def test_a_file_of_two_encodings_is_refused_with_the_line(tmp_path: Path) -> None:
    rows = "".join(f"{text},{'好' if at % 2 else '差'}\n" for at, text in enumerate(CHINESE * 3)).encode("gb18030")
    path = tmp_path / "mixed.csv"
    path.write_bytes("文本,标签\n".encode() + rows)
    assert str(refused(path, "BW217").fields["where"]) == f"{path}:1"
    utf8 = "".join(f"{text},好\n" for text in CHINESE).encode()
    path.write_bytes("文本,标签\n".encode() + utf8 + rows)
    assert "line 6 is gb18030" in refused(path, "BW217").texts("en")[0]
    path.write_bytes("文本,标签\n".encode("gb18030") + rows)
    table = read_examples(path, labelled=True)
    assert (table.encoding, table.columns.text) == ("gb18030", "文本")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "café très bon,pos\nmañana será otro día,neg\n"),
        ("big5", "這家店的菜很好吃,好評\n服務員的態度太差了,差評\n"),
        ("shift_jis", "この店はとてもおいしい,pos\nサービスがひどい,neg\n"),
        ("euc_kr", "이 가게는 정말 맛있어요,pos\n서비스가 별로예요,neg\n"),
    ],
)
def test_the_encoding_that_is_proposed_reads_the_file(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(("text,label\n" + text * 6).encode(encoding))
    assert refused(path, "BW203").fields["encoding"] == encoding
    assert len(read_examples(path, labelled=True, encoding=encoding).examples) == 12


def test_no_encoding_is_proposed_for_what_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"\x00\x01\xff\xfe\x80" * 50)
    assert "big5" not in refused(path, "BW260").message("en")
    path.write_bytes(b"text,label\na good one,pos\n\xfe\x80\xff\x81 and more,neg\n" * 20)
    assert 'encoding="NAME"' in refused(path, "BW203").message("en")
    assert 'encoding="编码名"' in refused(path, "BW203").message("zh")


def test_two_byte_characters_without_a_mark_are_read_as_proposed(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    for encoding in ("utf-16-le", "utf-16-be"):
        path.write_bytes(
            ("文本,标签\n" + "".join(f"{one},{'好' if i % 2 else '差'}\n" for i, one in enumerate(CHINESE * 3))).encode(
                encoding
            )
        )
        assert refused(path, "BW203").fields["encoding"] == encoding
        assert read_examples(path, labelled=True, encoding=encoding).columns.label == "标签"


def test_archives_and_documents_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    archive = tmp_path / "data.csv"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("train.csv", "text,label\n")
    assert str(refused(archive, "BW215").fields["kind"]) == "a ZIP archive"
    book = tmp_path / "book.csv"
    with zipfile.ZipFile(book, "w") as file:
        file.writestr("[Content_Types].xml", "<x/>")
        file.writestr("xl/workbook.xml", "<x/>")
    assert str(refused(book, "BW215").fields["kind"]) == "an Excel workbook"
    paper = tmp_path / "paper.txt"
    paper.write_bytes(b"%PDF-1.7\n\xe2\xe3\xcf\xd3")
    assert str(refused(paper, "BW215").fields["kind"]) == "a PDF document"


def test_several_labels_in_a_cell_are_named(tmp_path: Path) -> None:
    labels = ["sports", "news", "sports|news", "politics|news", "sports|politics"]
    table = read(tmp_path / "m.csv", "text,label\n" + "".join(f"a text {i},{labels[i % 5]}\n" for i in range(40)))
    (finding,) = [one for one in found(table).findings if one.kind == "several labels"]
    assert "3 of 5 classes look like several labels joined by '|'" in finding.message
    slashes = ["TCP/IP", "sports", "and/or"]
    table = read(tmp_path / "s.csv", "text,label\n" + "".join(f"a text {i},{slashes[i % 3]}\n" for i in range(40)))
    assert not [one for one in found(table).findings if one.kind == "several labels"]


def test_a_missing_label_that_a_program_wrote_as_nan_is_missing(tmp_path: Path) -> None:
    rows = ["a good one,good", "a bad one,bad", "who knows,nan", "nobody,NaN", "no one,none"]
    table = read(tmp_path / "n.csv", "text,label\n" + "\n".join(rows) + "\n")
    assert [label_of(one) for one in table.examples] == ["good", "bad", None, None, "none"]
    assert "2 rows without a label" in table.summary()


def test_columns_of_zeros_and_ones_are_several_labels(tmp_path: Path) -> None:
    path = tmp_path / "hot.csv"
    rows = "".join(f"a text of some words {i},{i % 2},{i // 2 % 2},{i // 3 % 2}\n" for i in range(40))
    path.write_text("text,toxic,insult,threat\n" + rows, encoding="utf-8")
    error = refused(path, "BW218")
    assert 'label="toxic"' in error.message("en")
    assert "toxic, insult, threat" in error.message("en")


@pytest.mark.parametrize(
    ("line", "label", "text"),
    [
        ("DESC:manner How did it begin {} ?", "DESC:manner", "How did it begin 0 ?"),
        ("__label__good a day {}", "good", "a day 0"),
        ("{flag} a text about {}", "0", "a text about 0"),
        ("__label__a __label__b both {}", "a|b", "both 0"),
    ],
)
def test_lines_that_begin_with_their_label(tmp_path: Path, line: str, label: str, text: str) -> None:
    lines = [line.format(i, flag=i % 2) for i in range(12)]
    table = read(tmp_path / "data.txt", "\n".join(lines) + "\n")
    first = table.examples[0]
    assert (label_of(first), first.text) == (label, text)
    assert "every line begins with" in table.summary()


def test_lines_that_begin_with_their_own_number_are_texts(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("".join(f"{i} a text\n" for i in range(30)), encoding="utf-8")
    table = read_examples(tmp_path / "data.txt", labelled=False)
    assert table.examples[3].text == "3 a text"


def test_a_full_width_comma_between_columns_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("文本，标签\n" + "".join(f"{text}{i}，好评\n" for i, text in enumerate(CHINESE)), encoding="utf-8")
    error = refused(path, "BW216")
    assert "'，'" in error.message("en")
    assert read_examples(opened(path, delimiter="，"), labelled=True).columns.label == "标签"


def test_a_delimiter_that_was_named(tmp_path: Path) -> None:
    table = read(tmp_path / "data.csv", "text^label\na, b^x\nc, d^y\n", delimiter="^")
    assert [one.text for one in table.examples] == ["a, b", "c, d"]
    with pytest.raises(BertwrightError, match="BW138"):
        opened(tmp_path / "data.csv", delimiter="ab")


def test_typed_quotes_in_json_are_named(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("{“text”: “好”, “label”: “x”}\n", encoding="utf-8")
    assert "“" in str(refused(path, "BW225").fields["reason"])
    path.write_text('{"text"："好", "label": "x"}\n', encoding="utf-8")
    assert "：" in str(refused(path, "BW225").fields["reason"])


@pytest.mark.parametrize(
    "value",
    [
        {"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": []}]}]},
        [{"context_id": "1", "context_text": "一", "qas": [], "title": "t"}],
        [{"id": "1", "context": "c", "question": "q", "answers": {"text": ["c"], "answer_start": [0]}}],
    ],
)
def test_questions_about_passages_are_named(tmp_path: Path, value: object) -> None:
    path = tmp_path / "questions.json"
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    assert "question" in refused(path, "BW219").message("en")


def test_pairs_beside_single_texts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("sentence1,sentence2,label\n" + "a man sleeps,somebody rests,yes\n" * 3, encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW238"):
        read_examples(path, labelled=True, pair=False)
    assert read_examples(path, labelled=True, pair=True).is_pair


def test_places_in_words_are_taken_off_the_characters(tmp_path: Path) -> None:
    path = tmp_path / "weibo.conll"
    path.write_text("科0 B-PER.NAM\n技1 I-PER.NAM\n和0 O\n人0 O\n\n全0 O\n国1 O\n3 O\n", encoding="utf-8")
    plain = tmp_path / "plain.conll"
    plain.write_text("科 B-PER.NAM\n技 I-PER.NAM\n和 O\n人 O\n\n全 O\n国 O\n3 O\n", encoding="utf-8")
    assert [one.text for one in read_spans(plain, labelled=True).examples] == ["科技和人", "全国3"]
    path.write_text("科0 B-PER.NAM\n技1 I-PER.NAM\n和0 O\n人0 O\n\n全0 O\n国1 O\n", encoding="utf-8")
    table = read_spans(path, labelled=True)
    assert [one.text for one in table.examples] == ["科技和人", "全国"]
    assert "places in a word" in table.summary()
    path.write_text("B0 B-X\n2 O\nC7 O\n\nA1 O\n", encoding="utf-8")
    assert read_spans(path, labelled=True).examples[0].text == "B0 2 C7", "chess, not places"


def test_what_stands_in_texts_and_beside_them_is_told(tmp_path: Path) -> None:
    rows = "".join(f"{i},a day<br />and a night {i},{'x' if i % 2 else 'y'}\n" for i in range(20))
    ledger = found(read(tmp_path / "data.csv", "id,text,label\n" + rows))
    told = {one.kind: one.message for one in ledger.findings}
    assert "markup is left in 20 texts (100.0 %), such as <br />" in told["markup"]
    assert "columns not read: 'id'" in told["unused columns"]


def test_tags_without_an_entity_are_told(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("Anna B-PER\nsleeps O\n\n", encoding="utf-8")
    assert not [one for one in found(read_spans(path, labelled=True)).findings if one.kind == "no entity"]
    path.write_text("Anna O\nsleeps O\n\n", encoding="utf-8")
    assert [one for one in found(read_spans(path, labelled=True)).findings if one.kind == "no entity"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\xff\x00", "a picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "a document of an old Office program (.xls, .doc)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", "a pointer of Git LFS"),
        (b"\n<!DOCTYPE html>\n<html>404</html>\n", "a web page"),
    ],
)
def test_what_stands_in_the_place_of_data_is_named(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    assert str(refused(path, "BW215").fields["kind"]) == kind


@pytest.mark.parametrize(
    ("line", "label", "text"),
    [
        ("{word} we talked about it {}", "sport", "we talked about it 0"),
        ("{word}\u3000we talked about it {}", "sport", "we talked about it 0"),
        ("we talked about it {} __label__{word}", "sport", "we talked about it 0"),
        ("{sign}1 we talked about it {}", "+1", "we talked about it 0"),
    ],
)
def test_lines_with_a_class_in_front_or_a_label_behind(tmp_path: Path, line: str, label: str, text: str) -> None:
    path = tmp_path / "data.txt"
    lines = [line.format(i, word=("sport", "news")[i % 2], sign="+-"[i % 2]) for i in range(20)]
    table = read(path, "\n".join(lines) + "\n")
    assert (label_of(table.examples[0]), table.examples[0].text) == (label, text)
    assert table.remarks


def test_a_list_of_questions_has_no_classes_in_front_and_answers_get_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text("".join(f"{('What', 'Who')[i % 2]} comes next to {i}\n" for i in range(30)), encoding="utf-8")
    assert "delimiter=" in refused(path, "BW261").message("en")
    path.write_text("".join(f"{('sport', 'news')[i % 2]} came next to {i}\n" for i in range(30)), encoding="utf-8")
    assert read_examples(path, labelled=False).examples[0].text == "sport came next to 0"


def test_a_file_of_blank_lines_holds_no_examples(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("\n\n  \n", encoding="utf-8")
    refused(path, "BW205")


def test_a_header_that_comes_again_is_no_example(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    part = "text,label\n" + "".join(f"a text {i},{'xy'[i % 2]}\n" for i in range(6))
    path.write_text(part + part, encoding="utf-8")
    assert str(refused(path, "BW262").fields["where"]) == f"{path}:8"


def test_what_may_stand_for_no_label_is_counted_or_asked_about(tmp_path: Path) -> None:
    rows = "".join(f"a text {i},{'xy'[i % 2]}\n" for i in range(20))
    table = read(tmp_path / "n.csv", "text,label\n" + rows + "who,null\nwhat,N/A\nwhy,None\n")
    assert len(table.unlabelled) == 2
    (finding,) = [one for one in found(table).findings if one.kind == "doubtful labels"]
    assert "'None' 1" in finding.message
    assert [one.line for one in finding.places] == [24]


def test_one_joined_label_and_labels_of_two_widths_are_told(tmp_path: Path) -> None:
    rows = "".join(f"a text {i},{('sports|news', 'news')[i % 2]}\n" for i in range(20))
    assert "several labels" in {one.kind for one in found(read(tmp_path / "m.csv", "text,label\n" + rows)).findings}
    rows = "".join(f"a text {i},{'1１'[i % 2]}\n" for i in range(20))
    assert "alike labels" in {one.kind for one in found(read(tmp_path / "w.csv", "text,label\n" + rows)).findings}


def test_reasons_of_parsers_are_said_in_chinese(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('text,label\n"never closed,x\n', encoding="utf-8")
    assert "数据意外结束" in refused(path, "BW208").message("zh")
    path = tmp_path / "data.jsonl"
    path.write_text("{'text': 'a'}\n", encoding="utf-8")
    assert "双引号" in refused(path, "BW225").message("zh")


def test_a_delimiter_needs_a_file_to_answer_for() -> None:
    with pytest.raises(BertwrightError, match="BW633") as caught:
        Inquiry(["a text"], delimiter="^").check()
    assert "--delimiter" in caught.value.message("en")


def test_a_short_tagged_file_with_a_word_without_a_tag_is_refused_with_its_line(tmp_path: Path) -> None:
    from bertwright.tasks.registry import task_for

    path = tmp_path / "seven.conll"
    path.write_text("Anna B-PER\nlives\nin\nOslo B-LOC\n", encoding="utf-8")
    assert task_for(opened(path), None).name == "tagging"
    with pytest.raises(BertwrightError, match="BW242") as caught:
        read_spans(path, labelled=True)
    assert str(caught.value.fields["where"]) == f"{path}:2"
