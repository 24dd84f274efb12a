"""Tagged files that hold something else than words where the words should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bertwright.data.inspection.ledger import examine
from bertwright.data.reading.tables import Table
from bertwright.data.tagged.span_sources import read_spans, stream_spans
from bertwright.tasks.data_inspection import inspect

PLACED = "华0 B-ORG\n光1 I-ORG\n20 O\n01 O\n22 O\n43 O\n年4 O\n❤️0 O\n"
WORDS = "她0 O\n们1 O\n在0 O\n海0 B-LOC\n城1 I-LOC\n\n"


def columns(folder: Path, content: str) -> Table:
    path = folder / "train.conll"
    path.write_text(content, encoding="utf-8")
    return read_spans(path)


def kinds(table: Table) -> dict[str, str]:
    return {one.kind: one.message for one in examine(table).findings}


def test_places_behind_digits_and_emoji_are_taken_off_too(tmp_path: Path) -> None:
    first = columns(tmp_path, PLACED).examples[0]
    assert first.text == "华光2024年❤️"
    assert [(first.text[one.start : one.end], one.type) for one in first.answer.spans] == [("华光", "ORG")]  # type: ignore[union-attr]


def test_the_places_of_a_long_word_have_two_digits(tmp_path: Path) -> None:
    long = "".join(f"{character}{place} O\n" for place, character in enumerate("abcdefghijkl"))
    assert columns(tmp_path, WORDS * 9 + long).examples[9].text == "abcdefghijkl"


def test_a_token_without_a_place_is_left_and_told(tmp_path: Path) -> None:
    table = columns(tmp_path, WORDS * 20 + "好0 O\nok O\n")
    assert table.examples[-1].text == "好ok"
    assert f"1 token without such a place left as they are: {tmp_path}/train.conll:122" in table.summary()


@pytest.mark.parametrize("tokens", [("10", "11", "20", "21"), ("A4", "B5", "C6", "D7"), ("x0", "y0", "z0", "x0")])
def test_numbers_sizes_and_single_characters_are_no_places(tmp_path: Path, tokens: tuple[str, ...]) -> None:
    table = columns(tmp_path, "".join(f"{token} {'O' if at else 'B-X'}\n" for at, token in enumerate(tokens)))
    assert table.examples[0].text == " ".join(tokens)


def test_places_are_taken_off_in_json_as_in_columns(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    row = {"tokens": ["海0", "城1", "好0"], "ner_tags": ["B-LOC", "I-LOC", "O"]}
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    assert [one.text for one in read_spans(path).examples] == ["海城好"]
    assert [one.text for one in stream_spans(path)[1]] == ["海城好"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("101 B-PER\n2332 O\n77 O\n\n101 B-PER\n9 O\n", "the tokens are numbers (101, "),
        ("NNP B-PER\nVBZ O\nIN O\n\nNNP B-PER\nVBZ O\n", "the tokens look like tags of parts of speech (NNP, VBZ, IN)"),
        ("nr B-PER\nv O\nd O\n\nnr B-PER\nv O\n", "the tokens look like tags of parts of speech (nr, v, d)"),
    ],
)
def test_tokens_that_are_no_words_are_told(tmp_path: Path, content: str, told: str) -> None:
    assert told in kinds(columns(tmp_path, content))["no text"]


@pytest.mark.parametrize(
    "content",
    [
        "Anna B-PER\npaid O\n12 O\n30 O\n45 O\n",
        "a B-X\nb O\nc O\nd O\nf O\n",  # letters, one by one
        "X B-X\nIN O\nlondon O\nrain O\n",
    ],
)
def test_words_letters_and_figures_among_them_are_text(tmp_path: Path, content: str) -> None:
    assert "no text" not in kinds(columns(tmp_path, content))


def test_the_unit_that_tags_are_given_to_is_told(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train.conll").write_text(WORDS * 3, encoding="utf-8")
    ledger = inspect(tmp_path / "train.conll", model=tiny_model)
    assert "unit=character" in str(ledger)
    assert ledger.to_json()["unit"] == "character"
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh")
    assert "标注单位" in str(ledger)
