"""Readers of tagged texts: each format, what they count, and every mistake with its place."""

from __future__ import annotations

import gzip
import json
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertwright.data.answers import Marked, Span
from bertwright.data.examples import Example, Where, spans_of
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.tagged.clusters import is_inside_cluster
from bertwright.data.tagged.schemes import SCHEMES, Scheme
from bertwright.data.tagged.span_sources import looks_tagged, read_spans, stream_spans
from bertwright.data.tagged.units import span_of_units, trim, unit_for, units_of
from bertwright.data.tagged.writing import form_for, lines_for, overlapping
from bertwright.errors import BertwrightError
from bertwright.tasks.entities.tagging import Tagging

ENGLISH = "Anna I-PER\nMiller I-PER\nlives O\nin O\nNew I-LOC\nYork I-LOC\n. O\n\nBonn I-LOC\nBerlin B-LOC\n"
CHINESE = "李\tB-PER\n明\tE-PER\n在\tO\n2\tO\n0\tO\n楼\tO\n\n上\tB-LOC\n海\tM-LOC\n市\tE-LOC\n很\tO\n大\tO\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def entities(table: Table) -> list[list[tuple[str, str]]]:
    return [[(one.text[span.start : span.end], span.type) for span in spans_of(one) or ()] for one in table.examples]


def test_columns_of_words(tmp_path: Path) -> None:
    path = write(tmp_path, "eng.train", "-DOCSTART- -X- O O\n\n" + ENGLISH.replace(" ", " NN x "))
    assert looks_tagged(path)
    assert "not read: columns 2 and 3, 1 -DOCSTART- mark;" in read_spans(path).summary()
    assert "not read" not in read_spans(write(tmp_path, "two.train", ENGLISH)).summary()
    table = read_spans(path)
    assert [one.text for one in table.examples] == ["Anna Miller lives in New York .", "Bonn Berlin"]
    assert entities(table) == [[("Anna Miller", "PER"), ("New York", "LOC")], [("Bonn", "LOC"), ("Berlin", "LOC")]]
    assert str(table.examples[1].where) == f"{path}:11"
    assert "IOB1" in table.summary()


def test_a_document_ends_a_sentence(tmp_path: Path) -> None:
    mark = "-DOCSTART- -X- O\n"
    path = write(tmp_path, "a.conll", f"{mark}Anna NN B-PER\nsings VB O\n{mark}Bonn NN B-PER\n\n{mark}\nx NN O\n{mark}")
    for labelled in (True, False):
        table = read_spans(path, labelled=labelled)
        assert [one.text for one in table.examples] == ["Anna sings", "Bonn", "x"]
    assert entities(table) == [[("Anna", "PER")], [("Bonn", "PER")], []]
    path = write(tmp_path, "b.tsv", GERMEVAL.replace("\n\n", f"\n{mark}"))
    assert [one.text for one in read_spans(path).examples] == ["Anna von Bonn 1", "Berlin #"]


GERMEVAL = """#\thttp://example.org/a [2010-01-01]
1\tAnna\tB-PER\tO
2\tvon\tI-PER\tO
3\tBonn\tI-PER\tB-LOC
4\t1\tO\tO

#\thttp://example.org/b [2010-01-01]
1\tBerlin\tB-LOC\tO
2\t#\tO\tO
"""


def test_numbered_columns(tmp_path: Path) -> None:
    """The numbers are no tokens, and the entities within entities are not all there are."""
    path = write(tmp_path, "dev.tsv", GERMEVAL)
    assert looks_tagged(path)
    table = read_spans(path)
    assert [one.text for one in table.examples] == ["Anna von Bonn 1", "Berlin #"]
    assert entities(table) == [[("Anna von Bonn", "PER")], [("Berlin", "LOC")]]
    assert [one.where.line for one in table.examples] == [2, 8]
    said = "column 1 counts the tokens, these are column 2, tags are column 3; not read: column 4, 2 comments"
    assert said in table.summary()
    # From 0, with a column of part of speech, spaces, and tags without letters.
    path = write(tmp_path, "b.conll", "0 Anna NN PER\n1 sings VB O\n\n0 Oslo NN LOC\n1 too RB O\n")
    table = read_spans(path)
    assert entities(table) == [[("Anna", "PER")], [("Oslo", "LOC")]]
    assert "tags are column 4;" in table.summary()
    # Numbers that are tokens.
    path = write(tmp_path, "c.conll", "1 CD O\n2 CD O\n4 CD O\nBonn NN B-LOC\n")
    assert read_spans(path).examples[0].text == "1 2 4 Bonn"


def test_columns_of_characters_compressed(tmp_path: Path) -> None:
    path = tmp_path / "train.bmes.gz"
    path.write_bytes(gzip.compress(CHINESE.encode("gb18030")))
    assert looks_tagged(path, "gb18030")
    table = read_spans(path, encoding="gb18030")
    assert [one.text for one in table.examples] == ["李明在20楼", "上海市很大"]
    assert entities(table) == [[("李明", "PER")], [("上海市", "LOC")]]
    assert unit_for(table.examples) == "character"


def test_words_of_letters_stay_apart_in_chinese(tmp_path: Path) -> None:
    path = write(tmp_path, "mixed.bio", "我 O\n爱 O\nNew B-LOC\nYork I-LOC\n市 O\n1 O\n2 O\n")
    assert read_spans(path).examples[0].text == "我爱New York市12"


def test_tokens_without_a_character_are_counted() -> None:
    rows = [
        {"tokens": ["", "北京市", "", "AB", "", "12", " "], "tags": ["O", "B-LOC", "I-LOC", "O", "O", "O", "O"]},
        {"tokens": ["", "", "在"], "tags": ["O", "O", "O"]},
    ]
    table = read_spans(rows)
    assert [one.text for one in table.examples] == ["北京市AB 12 ", "在"]
    assert entities(table) == [[("北京市", "LOC")], []]
    assert "6 tokens without a character: train:1, line 1, line 1, … (+3)" in table.summary()
    assert "".join(lines_for(table.examples, "columns", "bio")) == "北京市\tB-LOC\nAB\tO\n12\tO\n\n在\tO\n\n"
    with pytest.raises(BertwrightError, match="BW243: train:1"):
        read_spans([{"tokens": ["北", ""], "tags": ["O", "B-LOC"]}])


@pytest.mark.parametrize(
    "row",
    [
        {"text": "李明在上海", "label": {"PER": {"李明": [[0, 1]]}, "LOC": {"上海": [[3, 4]]}}},
        {"text": "李明在上海", "label": [[0, 2, "PER"], [3, 5, "LOC"]]},
        {"text": "李明在上海", "labels": [[3, 5, "LOC"], [0, 2, "PER"]]},
        {"text": "李明在上海", "entities": [{"start_offset": 0, "end_offset": 2, "label": "PER", "id": 7},
                                           {"start_offset": 3, "end_offset": 5, "label": "LOC"}]},
        {"text": "李明在上海", "spans": [{"start": 0, "end": 2, "type": "PER", "text": "李明"},
                                        {"start": 3, "end": 5, "type": "LOC"}]},
        {"data": {"text": "李明在上海"}, "annotations": [
            {"was_cancelled": True, "result": [{"value": {"start": 0, "end": 5, "labels": ["X"]}}]},
            {"result": [{"type": "labels", "value": {"start": 0, "end": 2, "text": "李明", "labels": ["PER"]}},
                        {"type": "choices", "value": {"choices": ["good"]}},
                        {"type": "labels", "value": {"start": 3, "end": 5, "labels": ["LOC"]}}]}]},
        {"data": {"my_text": "李明在上海"}, "annotations": [{"result": [
            {"value": {"start": 0, "end": 2, "labels": ["PER"]}},
            {"value": {"start": 3, "end": 5, "labels": ["LOC"]}}]}]},
        {"text": "李明在上海", "label": [{"start": 0, "end": 2, "text": "李明", "labels": ["PER"]},
                                        {"start": 3, "end": 5, "labels": ["LOC"]}]},
        {"text": "李明在上海", "label": [], "annotations": {}, "entities": [
            {"start": 0, "end": 2, "label": "PER"}, {"start": 3, "end": 5, "label": "LOC"}]},
        {"tokens": ["李", "明", "在", "上", "海"], "ner_tags": ["B-PER", "I-PER", "O", "B-LOC", "I-LOC"]},
    ],
)  # fmt: skip
def test_json_in_all_forms(tmp_path: Path, row: dict[str, Any]) -> None:
    expected = [[("李明", "PER"), ("上海", "LOC")]]
    lines = write(tmp_path, "train.jsonl", json.dumps(row, ensure_ascii=False) + "\n")
    whole = write(tmp_path, "train.json", json.dumps([row], indent=1))
    for source in (lines, whole, [row]):
        assert looks_tagged(source)
        table = read_spans(source)
        assert entities(table) == expected
        assert table.examples[0].text == "李明在上海"


def test_texts_of_classes_are_not_taken_for_tagged_ones(tmp_path: Path) -> None:
    assert not looks_tagged(write(tmp_path, "a.tsv", "text\tlabel\nthis is good\tO\nthat is bad\tX\n" * 20))
    assert not looks_tagged(write(tmp_path, "a.jsonl", '{"text": "a", "label": "x"}\n'))
    assert not looks_tagged(write(tmp_path, "b.jsonl", '{"text": "a", "label": ["x", "y"]}\n'))
    assert not looks_tagged([("a text", "x")])
    assert not looks_tagged(write(tmp_path, "broken.json", "{"))
    assert not looks_tagged(tmp_path)


def test_what_is_tidied_is_counted(tmp_path: Path) -> None:
    rows = [
        {"text": "  Anna  sings", "label": [[1, 8, "PER"], [2, 6, "PER"]]},
        {"text": "", "label": []},
        {"text": "no entity", "label": []},
    ]
    table = read_spans(rows)
    assert entities(table) == [[("Anna", "PER")], []]
    assert "1 text with white space at the ends of a span: train:1" in table.summary()
    assert "1 text with a span twice" in table.summary()
    assert "1 row without text left out: train:2" in table.summary()


def test_tasks_that_nobody_annotated_do_not_teach_that_nothing_is_there() -> None:
    """Label Studio exports them beside the others: not done yet, or skipped."""
    marked = {"result": [{"value": {"start": 0, "end": 4, "labels": ["PER"]}}]}
    tasks = [
        {"data": {"text": "Anna sings"}, "annotations": [marked]},
        {"data": {"text": "Bert sings"}, "annotations": []},
        {"data": {"text": "Carl sings"}, "annotations": [{**marked, "was_cancelled": True}]},
        {"data": {"text": "nobody sings"}, "annotations": [{"result": []}]},
        {"data": {"text": "Dora sings"}, "annotations": [{"result": None}]},
        {"data": {"text": "Emil sings"}, "annotations": [{"result": None}, marked]},
    ]
    table = read_spans(tasks)
    assert [one.text for one in table.examples] == ["Anna sings", "nobody sings", "Emil sings"]
    assert len(spans_of(table.examples[2]) or ()) == 1
    assert "3 texts that nobody annotated left out: train:2, train:3, train:5" in table.summary()
    assert len(read_spans(tasks, labelled=False).examples) == 6
    with pytest.raises(BertwrightError, match="BW205"):
        read_spans(tasks[1:2])


def test_ill_formed_tags_are_repaired_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "a.bio", "x B-A\ny O\n\n" * 20 + "x O\ny I-A\nz I-B\n\na B-A\nb I-A\n")
    table = read_spans(path)
    assert entities(table)[20:] == [[("y", "A"), ("z", "B")], [("a b", "A")]]
    assert f"2 ill-formed tags read as conlleval does: {path}:62, {path}:63" in table.summary()


@pytest.mark.parametrize(
    ("code", "name", "text", "fact"),
    [
        ("BW240", "a.bio", "x B-PER\ny I-PER\nz X-PER\n", "a.bio:3"),
        ("BW240", "a.bio", "x B-PER\ny PERSON\nz O\n", "a.bio:2"),
        ("BW241", "a.bio", "x B-A\ny M-A\nz E-A\nq O\nx B-A\ny I-A\n", "I-A"),
        ("BW241", "a.bio", "x B-A\ny I-A\nq O\n" * 9 + "x I-A\nz O\n" * 5, "two schemes"),
        ("BW241", "a.bio", "x B-A\ny L-A\nq O\nx B-A\ny E-A\n", "E-A"),
        ("BW242", "a.bio", "x O\ny\n", "a.bio:2"),
        ("BW242", "a.bio", "x O\nNew York B-A\n", "a.bio:2"),
        ("BW242", "a.bio", "x\nyz\n", "a.bio:1"),
        ("BW256", "a.tsv", "# x\n" + "1\ta\tO\n2\tb\tB-A\n\n" * 700 + "1\ta\tO\n2-3\tb\tO\n2\tb\tO\n", "a.tsv:2103"),
        ("BW242", "a.tsv", "1\ta\tO\n2\tb\tB-A\n\n" * 700 + "1\ta\tO\n2\tb\n", "a.tsv:2102"),
        ("BW247", "a.bio", "x B-A\n", "1 sentences"),
        ("BW247", "a.bio", "x B-A\n\ny O\n\nz O\n", "3 sentences"),
        ("BW205", "a.bio", "\n\n", "a.bio"),
        ("BW205", "a.bio", "-DOCSTART- O\n", "a.bio"),
        ("BW243", "a.jsonl", '{"text": "abc", "label": [[0, 9, "A"]]}', "a.jsonl:1"),
        ("BW243", "a.jsonl", '\n{"text": "abc", "label": [[2, 1, "A"]]}', "a.jsonl:2"),
        ("BW243", "a.jsonl", '{"text": "abc", "label": [[-1, 1, "A"]]}', "[-1, 1)"),
        ("BW244", "a.jsonl", '{"text": "ok 👍🏽!", "label": [[3, 4, "A"]]}', "👍🏽"),
        ("BW244", "a.jsonl", '{"text": "a e\\u0301t", "label": [[3, 5, "A"]]}', "[3, 5)"),
        ("BW244", "a.jsonl", '{"text": "👨\\u200d👩\\u200d👧", "label": [[0, 2, "A"]]}', "[0, 2)"),
        ("BW249", "a.jsonl", '{"text": "李明在上海", "label": {"PER": {"李明": [[1, 2]]}}}', "'明在'"),
        ("BW248", "a.jsonl", '{"text": "abc", "label": [[0, 1]]}', "a.jsonl:1"),
        ("BW248", "a.jsonl", '{"text": "abc", "label": [["0", "1", "A"]]}', "'0'"),
        ("BW248", "a.jsonl", '{"text": "abc", "label": [[true, 1, "A"]]}', "True"),
        ("BW248", "a.jsonl", '{"text": "abc", "label": {"A": {"a": [[0]]}}}', "a.jsonl:1"),
        ("BW248", "a.jsonl", '{"text": "abc"}', "text"),
        ("BW252", "a.jsonl", '{"id": 3, "label": [[0, 1, "A"]]}', "id"),
        ("BW205", "a.jsonl", '{"text": "  ", "label": []}', "a.jsonl"),
    ],
)
def test_mistakes(tmp_path: Path, code: str, name: str, text: str, fact: str) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(BertwrightError) as error:
        read_spans(path)
    assert error.value.code == code
    for lang in ("en", "zh"):
        assert fact in error.value.message(lang) or fact == "two schemes" or "sentences" in fact


def test_mistakes_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW201"):
        read_spans(tmp_path / "absent.bio")
    with pytest.raises(BertwrightError, match="BW253"):
        read_spans(tmp_path)
    with pytest.raises(BertwrightError, match="BW254"):
        read_spans([Example("a text", None, Where("x", 1))])
    with pytest.raises(BertwrightError, match="BW243"):
        read_spans([Example("a text", Marked((Span(3, 99, "A"),)), Where("x", 1))])
    assert spans_of(read_spans([{"text": "not labelled"}], labelled=False).examples[0]) == ()


SAMPLE = [
    Example("李明在上海看NBA比赛。", Marked((Span(0, 2, "PER"), Span(3, 5, "LOC"), Span(6, 9, "ORG"))), Where("x", 1)),
    Example("没有实体", Marked(()), Where("x", 2)),
    Example("北京北京", Marked((Span(0, 2, "LOC"), Span(2, 4, "LOC"))), Where("x", 3)),
]


@pytest.mark.parametrize(
    "name", ["a.json", "a.jsonl", "cluener", *(f"a.{scheme}" for scheme in SCHEMES if scheme != "io")]
)
def test_converting_keeps_every_entity(tmp_path: Path, name: str) -> None:
    scheme: Scheme = next((one for one in SCHEMES if name.endswith(f".{one}")), "bio")
    path = tmp_path / ("a.jsonl" if name == "cluener" else name)
    form = form_for(path, "cluener" if name == "cluener" else "columns" if "." + scheme in name else None)
    path.write_text("".join(lines_for(SAMPLE, form, scheme)), encoding="utf-8")
    again = read_spans(path).examples
    assert [one.text for one in again] == [one.text for one in SAMPLE]
    assert [spans_of(one) for one in again] == [spans_of(one) for one in SAMPLE]


def test_a_word_is_split_where_an_entity_cuts_it() -> None:
    example = Example("the antiNATO talks", Marked((Span(8, 12, "ORG"),)), Where("x", 1))
    plain = Example("the NATO talks", Marked((Span(4, 8, "ORG"),)), Where("x", 2))
    lines = "".join(lines_for([example, *[plain] * 200], "columns", "bio"))
    assert "NATO\tB-ORG\n" in lines


def test_tokens_stay_as_the_source_has_them(tmp_path: Path) -> None:
    """Words are only made of texts that nobody cut: `U.S.` of a column file is one token, and stays one."""
    words = "U.S.\tB-LOC\nforces\tO\ndoesn't\tO\nJohn-Paul\tB-PER\nvan der\tI-PER\n.\tO\n\nx\tO\n...\tO\n\n"
    table = read_spans(write(tmp_path, "a.conll", words))
    assert "".join(lines_for(table.examples, "columns", "bio")) == words
    rows = [{"tokens": ["John-Paul", "can't", "a\tb\n"], "tags": ["B-PER", "O", "O"]}]
    lines = "".join(lines_for(read_spans(rows).examples, "columns", "bio"))
    assert lines == "John-Paul\tB-PER\ncan't\tO\na\tO\nb\tO\n\n"
    characters = read_spans(write(tmp_path, "b.bmes", CHINESE)).examples
    assert "".join(lines_for(characters, "columns", "bmes")) == CHINESE + "\n"


def test_texts_without_tokens_become_lines_of_tokens() -> None:
    one = Example("The U.S.-led talks, O'Brien's.", Marked((Span(4, 8, "LOC"), Span(20, 27, "PER"))), Where("x", 1))
    lines = "".join(lines_for([one], "columns", "bio")).split("\n")
    assert lines[:5] == ["The\tO", "U.S.\tB-LOC", "-led\tO", "talks\tO", ",\tO"]
    assert lines[5:8] == ["O'Brien\tB-PER", "'s\tO", ".\tO"]


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python `work` runs."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_the_work_grows_as_the_text_does() -> None:
    def works(size: int) -> list[Callable[[], object]]:
        spans = tuple(Span(at, at + 4, "A") for at in range(0, 5 * size, 10))
        marked = Example("word " * size, Marked(spans), Where("x", 1))
        return [
            lambda: units_of("🇩🇪" * size, "word"),
            lambda: units_of("U.S.-led " * size, "token"),
            lambda: "".join(lines_for([marked], "columns", "bio")),
        ]

    assert len(works(40)[0]()) == len(works(40)[1]()) == 40  # type: ignore[arg-type]
    assert str(works(40)[2]()).count("B-A") == 20
    for few, many in zip(works(40), works(400)):
        assert lines_run(many) < 12 * lines_run(few)


def test_nested_entities_cannot_become_tags() -> None:
    spans = (Span(0, 4, "ORG"), Span(0, 2, "LOC"))
    assert overlapping(spans) == spans
    assert overlapping((Span(0, 2, "A"), Span(2, 4, "A"))) is None
    with pytest.raises(BertwrightError, match="BW251"):
        list(lines_for([Example("上海大学", Marked(spans), Where("x", 1))], "columns", "bio"))
    with pytest.raises(BertwrightError, match="BW121"):
        form_for(Path("a.docx"), None)


UNICODE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            list("abcXYZ 0123，。李明上海\u0301\u200d\ufe0f👍🏽👨👩🇩🇪𠮷𪚥ＡＢ１\u3000\t\n\u0000\u200bé한글กขا")
        ),
    ).filter(lambda c: not "\ud800" <= c <= "\udfff"),
    min_size=1,
    max_size=60,
)


@given(UNICODE)
@settings(max_examples=300, deadline=None)
def test_units_cover_everything_but_white_space(text: str) -> None:
    larger = None
    for unit in ("token", "word", "character"):
        units = units_of(text, unit)
        assert larger is None or set(larger.ravel()) <= set(units.ravel()), "it is made of the smaller ones"
        larger = units
        covered = "".join(text[start:end] for start, end in units)
        assert covered.replace(" ", "") == covered
        assert "".join(covered.split()) == "".join(text.split())
        assert (units[1:, 0] >= units[:-1, 1]).all()
        assert (units[:, 1] > units[:, 0]).all()
        assert not any(is_inside_cluster(text, int(place)) for place in units.ravel())


@given(UNICODE, st.integers(0, 60), st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_every_span_that_cuts_no_character_is_made_of_units(text: str, start: int, size: int) -> None:
    start = start % len(text)
    end = min(start + size, len(text))
    if is_inside_cluster(text, start) or is_inside_cluster(text, end) or not text[start:end].strip():
        return
    span = trim(text, Span(start, end, "A"))
    if is_inside_cluster(text, span.start) or is_inside_cluster(text, span.end):
        return
    units = units_of(text, "character")
    found = span_of_units(units, span)
    assert found is not None
    assert (units[found.start, 0], units[found.end - 1, 1]) == (span.start, span.end)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("U.S.-based firms", ["U", ".", "S", ".", "-", "based", "firms"]),
        ("在2010年的NBA", ["在", "2010", "年", "的", "NBA"]),
        ("cafe\u0301 ok👍🏽!", ["cafe\u0301", "ok", "👍🏽", "!"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        (" \t\n", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in units_of(text, "word")] == words


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The U.S.-led U.N.", ["The", "U.S.-led", "U.N."]),
        ("J. K. O'Brien of AC/DC.", ["J.", "K.", "O'Brien", "of", "AC/DC", "."]),
        ("on 1996-08-22 at 10:30: 1,000,000 (St. Paul)",
         ["on", "1996-08-22", "at", "10:30", ":", "1,000,000", "(", "St", ".", "Paul", ")"]),
        ("France's, we’re 'quoted'", ["France", "'s", ",", "we", "’re", "'", "quoted", "'"]),
        ("wait -- no ...", ["wait", "--", "no", "..."]),
        ("Ph.D. U.S", ["Ph.D", ".", "U.S"]),
        ("在U.S.的A-1中国-美国", ["在", "U.S.", "的", "A-1", "中", "国", "-", "美", "国"]),
        ("", []),
    ],
)  # fmt: skip
def test_tokens(text: str, tokens: list[str]) -> None:
    assert [text[start:end] for start, end in units_of(text, "token")] == tokens


def test_the_largest_unit_that_entities_leave_whole() -> None:
    def chosen(text: str, *spans: tuple[int, int], whole: int = 0) -> str:
        cut = Example(text, Marked(tuple(Span(*one, "A") for one in spans)), Where("x", 1))
        rest = Example("Oslo", Marked((Span(0, 4, "A"),)), Where("x", 2))
        return unit_for([cut] + [rest] * whole)

    assert chosen("in the U.S. today", (7, 11)) == "token"
    assert chosen("U.S.-led talks", (0, 4)) == "word"
    assert chosen("U.S.-led talks", (0, 4), whole=998) == "word"
    assert chosen("U.S.-led talks", (0, 4), whole=999) == "token"
    assert chosen("antiOslo", (4, 8), whole=98) == "character"
    assert chosen("antiOslo", (4, 8), whole=99) == "word"
    assert chosen("在Oslo的李明", (6, 8)) == "character"


def test_real_files_hold_the_published_numbers(real_data: Path) -> None:
    """Entities as the data sets' own descriptions count them."""
    for name, count, unit in (
        ("en/conll2003/eng.testa", 5942, "token"),
        ("zh/msra_ner/test.bio", 6190, "character"),
        ("zh/resume_ner/test.char.bmes", 1630, "character"),
        ("zh/cluener/dev.json", 3072, "character"),
    ):
        table = read_spans(real_data / name)
        assert sum(len(spans_of(one) or ()) for one in table.examples) == count
        assert unit_for(table.examples) == unit
        assert looks_tagged(real_data / name)
    for name in ("en/sst2/dev.tsv", "zh/tnews/dev.json", "zh/chnsenticorp/dev.tsv"):
        assert not looks_tagged(real_data / name)


@pytest.mark.parametrize(
    ("tags", "found", "remark"),
    [
        ("O B I O B", [("breast cancer", "ENTITY"), ("ataxia", "ENTITY")], "tags without a type (B, I)"),
        ("O B E O S", [("breast cancer", "ENTITY"), ("ataxia", "ENTITY")], "scheme BIOES"),
        ("O DIS-B DIS-I O GENE-B", [("breast cancer", "DIS"), ("ataxia", "GENE")], "the type first, as in DIS-B"),
        ("o b-dis i-dis o b-gene", [("breast cancer", "dis"), ("ataxia", "gene")], "small letters, as in b-dis"),
        ("O DIS DIS O GENE", [("breast cancer", "DIS"), ("ataxia", "GENE")], "scheme IO"),
        ("O B-S I-S O B-L", [("breast cancer", "S"), ("ataxia", "L")], "scheme BIO"),
    ],
)
def test_tags_that_are_written_in_another_way(
    tmp_path: Path, tags: str, found: list[tuple[str, str]], remark: str
) -> None:
    tokens = ["against", "breast", "cancer", "and", "ataxia"]
    lines = "".join(f"{token}\t{tag}\n" for token, tag in zip(tokens, tags.split()))
    table = read_spans(write(tmp_path, "train.tsv", f"{lines}\n{lines}\n"))
    assert entities(table) == [found, found]
    assert remark in table.summary()
    rows = [{"tokens": tokens, "tags": tags.split()}]
    assert entities(read_spans(rows)) == [found]


def test_columns_in_another_order_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.bio", "O\twhat\nB-Rating\tfour\nI-Rating\tstars\n\nO\tfilms\nO\tof\n\n")
    with pytest.raises(BertwrightError, match="BW257: .*a.bio:1.*'O' comes before 'what'"):
        read_spans(path)


def test_numbers_before_the_tokens_are_no_tokens(tmp_path: Path) -> None:
    lines = ["7 Anna NN B-PER", "7 sings VB O", "8 Bonn NN B-LOC", "8 sleeps VB O"]
    for blank in ("", "\n"):
        text = "\n".join(lines[:2]) + "\n" + blank + "\n".join(lines[2:]) + "\n"
        table = read_spans(write(tmp_path, "a.conll", text))
        assert [one.text for one in table.examples] == ["Anna sings", "Bonn sleeps"]
        assert entities(table) == [[("Anna", "PER")], [("Bonn", "LOC")]]
        assert "column 1 has the numbers of sentences, tokens are column 2" in table.summary()
    running = "".join(
        f"{number} {line[2:]}\n{blank}" for number, line, blank in zip((5, 6, 7, 8), lines, ("", "\n", "", ""))
    )
    table = read_spans(write(tmp_path, "b.conll", running))
    assert [one.text for one in table.examples] == ["Anna sings", "Bonn sleeps"]
    assert "column 1 has running numbers" in table.summary()


def test_label_studio_of_several_annotators_and_of_hypertext() -> None:
    def result(start: int, kind: str) -> dict[str, Any]:
        return {"value": {"start": start, "end": start + 4, "labels": [kind]}}

    data = {"text": "Anna sees Bert"}
    rows = [
        {"data": data, "annotations": [{"result": [result(0, "PER")]}, {"result": [result(10, "PER")]}]},
        {"data": data, "annotations": [{"result": []}, {"result": [result(10, "PER")], "ground_truth": True}]},
        {"data": data, "annotations": [{"result": [result(0, "PER")]}, {"result": [], "was_cancelled": True}]},
    ]
    table = read_spans(rows)
    assert entities(table) == [[("Anna", "PER")], [("Bert", "PER")], [("Anna", "PER")]]
    assert "2 texts with several annotations, of which one is read" in table.summary()
    value = {
        "start": "/div[1]/text()[1]", "end": "/div[1]/text()[1]", "startOffset": 0, "endOffset": 4,
        "globalOffsets": {"start": 10, "end": 14}, "text": "Bert", "hypertextlabels": ["PER"],
    }  # fmt: skip
    table = read_spans([{"data": data, "annotations": [{"result": [{"value": value}]}]}])
    assert entities(table) == [[("Bert", "PER")]]
    with pytest.raises(BertwrightError, match="BW248"):
        read_spans([{"data": data, "annotations": [{"result": [{"value": value | {"globalOffsets": None}}]}]}])


def test_texts_with_a_class_and_no_spans_are_texts_of_classes(tmp_path: Path) -> None:
    row = {"text": "a good film", "label": "pos", "entities": []}
    assert not looks_tagged([row])
    assert not looks_tagged(write(tmp_path, "a.jsonl", json.dumps(row) + "\n"))
    assert looks_tagged([{"text": "a good film", "label": []}])
    assert looks_tagged([{"text": "a good film", "label": "pos", "entities": [[0, 1, "X"]]}])


def test_tokens_are_joined_in_a_stream_as_in_the_file(tmp_path: Path) -> None:
    rows = [{"tokens": ["中", "国"], "tags": ["O", "O"]}] * 1500
    rows += [{"tokens": ["John", "lives", "."], "tags": ["B-P", "O", "O"]}] * 600
    path = write(tmp_path, "mixed.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    _, streamed = stream_spans(path)
    assert [one.text for one in streamed] == [one.text for one in read_spans(path).examples]


def test_a_named_column_of_tagged_data_is_the_one_that_is_read(tmp_path: Path) -> None:
    row = {"text": "Anna lives here", "other": "Bob went away", "spans": [{"start": 0, "end": 4, "type": "P"}]}
    path = write(tmp_path, "tagged.jsonl", json.dumps(row) + "\n")
    task = Tagging(("P",))
    assert [one.text for one in task.stream(path, Columns())[1]] == ["Anna lives here"]
    assert [one.text for one in task.stream(path, Columns("other"))[1]] == ["Bob went away"]
    with pytest.raises(BertwrightError, match="nonsense"):
        list(task.stream(path, Columns("nonsense"))[1])


def test_texts_of_a_tagged_file_are_streamed(tmp_path: Path) -> None:
    rows = [{"text": f"text {number} " + "x" * 2000, "label": []} for number in range(4000)]
    path = write(tmp_path, "many.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    _, examples = stream_spans(path)
    tracemalloc.start()
    count = sum(example.text.startswith(f"text {number} ") for number, example in enumerate(examples))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 4000
    assert peak < path.stat().st_size * 0.8
