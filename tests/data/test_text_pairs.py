"""Sources with their targets: from columns, and from passages with questions; numbers and their writing."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from recipes.number_writing import date_in_chinese, draw_pairs, number_in_chinese, write_pairs

from bertwright.data.examples import Example, target_of
from bertwright.data.reading.passage_questions import around
from bertwright.data.reading.tables import Columns
from bertwright.data.reading.text_pairs import read_pairs, stream_pairs
from bertwright.errors import BertwrightError


def facts(examples: list[Example]) -> list[tuple[str, str | None, str | None]]:
    return [(one.text, one.text_b, target_of(one)) for one in examples]


def test_a_second_source_that_comes_late_is_said(tmp_path: Path) -> None:
    rows = [{"source": f"a {row}", "target": f"b {row}"} for row in range(1010)]
    rows[1005]["text_b"] = "c"
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(BertwrightError, match=r"BW237: .*:1006: 'text_b'"):
        read_pairs(path, labelled=True)
    assert len(read_pairs(path, Columns("source"), labelled=True).examples) == 1010


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("two.tsv", "a b\tc d\ne f\tg h\n", Columns("1", target="2")),
        ("named.csv", "target,source\nc d,a b\ng h,e f\n", Columns("source", target="target")),
        ("more.csv", "id,article,summary\n1,a b,c d\n2,e f,g h\n", Columns("article", target="summary")),
        ("中文.csv", "原文,摘要\na b,c d\ne f,g h\n", Columns("原文", target="摘要")),
        ("one.csv", "left,output\na b,c d\ne f,g h\n", Columns("left", target="output")),
        ("rows.jsonl", '{"input": "a b", "output": "c d"}\n{"input": "e f", "output": "g h"}\n',
         Columns("input", target="output")),
    ],
)  # fmt: skip
def test_columns_are_found(tmp_path: Path, name: str, content: str, columns: Columns) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    table = read_pairs(path, labelled=True)
    assert facts(table.examples) == [("a b", None, "c d"), ("e f", None, "g h")]
    assert table.columns == columns
    assert "targets from" in table.summary()


def test_columns_can_be_named_and_sources_can_be_pairs(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("u,v,w\na,b,c\n", encoding="utf-8")
    table = read_pairs(path, Columns(text="w", text_b="u", label="v"), labelled=True)
    assert facts(table.examples) == [("c", "a", "b")]
    with pytest.raises(BertwrightError) as caught:
        read_pairs(path, labelled=True)
    assert (caught.value.code, caught.value.fields["sample"]) == ("BW612", "1 = u | 2 = v | 3 = w")
    with pytest.raises(BertwrightError) as caught:
        read_pairs(path, Columns(text="z"), labelled=True)
    assert caught.value.code == "BW206"


def test_names_are_found_however_they_are_written() -> None:
    rows = [{"My Text": "a b", "Out-Put": "c d"}]
    assert facts(read_pairs(rows, Columns("my_text", target="out put"), labelled=True).examples) == [
        ("a b", None, "c d")
    ]


def test_numbers_stay_as_they_are_written_and_empty_sources_are_counted() -> None:
    table = read_pairs([("a", "0.50"), ("b", "1"), (" ", "2")], labelled=True)
    assert facts(table.examples) == [("a", None, "0.50"), ("b", None, "1")]
    assert [place.line for place in table.empty] == [3]
    with pytest.raises(BertwrightError) as caught:
        read_pairs([("", "2")], labelled=True)
    assert caught.value.code == "BW205"


def test_a_stream_needs_no_targets(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("source\na b\n\nc d\n", encoding="utf-8")
    columns, examples = stream_pairs(path)
    assert columns == Columns("source")
    assert [one.text for one in examples] == ["a b", "", "c d"], "answers and rows go side by side"


PASSAGE = "The cat sat. It was a black cat of Mr. Smith! The dog slept in the sun. Nobody saw it."


def squad(**changes: Any) -> dict[str, Any]:
    question = {"id": "q1", "question": "Whose cat was it?",
                "answers": [{"text": "Mr. Smith", "answer_start": PASSAGE.index("Mr.")}]}  # fmt: skip
    return {"data": [{"title": "t", "paragraphs": [{"context": PASSAGE, "qas": [{**question, **changes}]}]}]}


def test_questions_of_passages(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps(squad()), encoding="utf-8")
    table = read_pairs(path, labelled=True)
    assert facts(table.examples) == [("Mr. Smith", PASSAGE, "Whose cat was it?")]
    assert str(table.examples[0].where).startswith(f"{path}#q1")
    assert table.is_pair
    path.write_text(json.dumps(squad(is_impossible=True)), encoding="utf-8")
    with pytest.raises(BertwrightError) as caught:
        read_pairs(path, labelled=True)
    assert caught.value.code == "BW273"


def test_answers_without_a_place_and_answers_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    for start in (None, "x", -1, 99, 3):
        path.write_text(json.dumps(squad(answers=[{"text": "Mr. Smith", "answer_start": start}])), encoding="utf-8")
        assert read_pairs(path, labelled=True).examples[0].text_b == PASSAGE
    whole = squad(answers=[{"text": "Mrs. Smith", "answer_start": 0}], id="q7")
    whole["data"] += squad()["data"]
    path.write_text(json.dumps(whole), encoding="utf-8")
    table = read_pairs(path, labelled=True)
    assert [one.text for one in table.examples] == ["Mr. Smith"]
    assert f"1 question whose answer is not in the passage left out: {path}#q7:1" in table.summary()
    # Where answers are to stand beside rows, none can be left out.
    with pytest.raises(BertwrightError, match=r"BW613: .*#q7:1: .*'Mrs. Smith' is not in its passage"):
        list(stream_pairs(path)[1])


@pytest.mark.parametrize(
    "article",
    [
        {"title": "t"},
        {"paragraphs": None},
        {"paragraphs": ["text"]},
        {"paragraphs": [{"qas": []}]},
        {"paragraphs": [{"context": "a"}]},
        {"paragraphs": [{"context": "a", "qas": [{"answers": {"text": ["a"], "answer_start": [0]}}]}]},
        {"paragraphs": [{"context": "a", "qas": [{"answers": [{"answer_start": 0}]}]}]},
    ],
)
def test_an_article_of_another_form_is_told(tmp_path: Path, article: dict[str, Any]) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps([*squad()["data"], article], indent=None).replace("}, {", "},\n{", 99), encoding="utf-8")
    with pytest.raises(BertwrightError, match=r"BW613: .*train\.json(#\?)?:\d+: "):
        read_pairs(path, labelled=True)


def test_whole_sentences_around_an_answer() -> None:
    at = PASSAGE.index("black")
    assert around(PASSAGE, at, 5, room=10) == "It was a black cat of Mr. Smith!"
    assert around(PASSAGE, at, 5, room=50) == "The cat sat. It was a black cat of Mr. Smith!"
    assert around(PASSAGE, at, 5, room=500) == PASSAGE
    across = PASSAGE.index("sat")
    assert around(PASSAGE, across, 12, room=5) == "The cat sat. It was a black cat of Mr. Smith!"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "零"), (7, "七"), (10, "十"), (14, "十四"), (20, "二十"), (105, "一百零五"), (110, "一百一十"),
        (1000, "一千"), (1001, "一千零一"), (1010, "一千零一十"), (10000, "一万"), (10005, "一万零五"),
        (20300, "二万零三百"), (100000, "十万"), (120034, "十二万零三十四"), (20000000, "二千万"),
        (10100000, "一千零一十万"), (12345678, "一千二百三十四万五千六百七十八"), (100000001, "一亿零一"),
        (105000000, "一亿零五百万"),
    ],
)  # fmt: skip
def test_numbers_in_chinese(number: int, text: str) -> None:
    assert number_in_chinese(number) == text


def test_dates_and_pairs(tmp_path: Path) -> None:
    assert date_in_chinese(date(2024, 3, 9)) == "二〇二四年三月九日"
    assert date_in_chinese(date(1910, 10, 20)) == "一九一〇年十月二十日"
    train, test = draw_pairs(400, 100, seed=3)
    assert (train, test) == draw_pairs(400, 100, seed=3)
    both = [frozenset(pair) for pair in (*train, *test)]
    assert len(set(both)) == 500, "everything comes once, so that no test pair is in training"
    digits = [source[0].isdigit() for source, _ in train]
    assert 0.4 < sum(digits) / len(digits) < 0.6, "both directions"
    write_pairs(tmp_path, 40, 10, seed=3)
    assert len(read_pairs(tmp_path / "train.tsv", labelled=True).examples) == 40
    assert len(read_pairs(tmp_path / "test.tsv", labelled=True).examples) == 10


def test_the_command_of_the_recipe_writes_them(tmp_path: Path) -> None:
    recipes = Path(__file__).parents[2] / "recipes"
    lines = (recipes / "numbers-zh.toml").read_text(encoding="utf-8").splitlines()
    words = next(line for line in lines if line.startswith("#   python ")).split()[2:]
    assert words == ["recipes/number_writing.py", "--out", "numbers"]
    subprocess.run(
        [sys.executable, recipes / "number_writing.py", *words[1:], "--pairs", "20"], cwd=tmp_path, check=True
    )
    assert len(read_pairs(tmp_path / "numbers" / "train.tsv", labelled=True).examples) == 20


def test_a_han_character_counts_for_two() -> None:
    assert around("一二三四。五六七八。", 0, 1, room=17) == "一二三四。"
    assert around("一二三四。五六七八。", 0, 1, room=18) == "一二三四。五六七八。"
