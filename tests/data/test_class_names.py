"""What names of classes tell of mistakes in the labels."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bertwright.data.inspection.finding import Finding
from bertwright.data.inspection.ledger import examine
from bertwright.tasks.classification import Classification


def findings(labels: Sequence[str], rows: int = 60) -> dict[str, Finding]:
    """What is found in so many rows with these labels in turns."""
    table = Classification.read([(f"row {at}", labels[at % len(labels)]) for at in range(rows)], labelled=True)
    return {one.kind: one for one in examine(table).findings}


@pytest.mark.parametrize(
    ("sign", "labels"),
    [
        ("#", ["#体育##新闻#", "#体育#", "#财经##娱乐#"]),
        ("#", ["#sport #news", "#sport", "#news"]),
        (";", ["sport;news", "sport", "news"]),
        (";", ["sport;news;", "sport;", "news;weather;", "weather;"]),
        ("、", ["体育、新闻", "体育", "新闻", "新闻、财经"]),
        ("，", ["体育，新闻", "体育", "新闻"]),
        ("|", ["sport||news", "sport", "news"]),
        ("｜", ["体育｜新闻", "体育", "新闻"]),
        ("&", ["sport&news", "sport", "news"]),
        (",", ["['sport', 'news']", "['sport']", "['news']", "['weather', 'sport']"]),
        (" ", ["sport news", "news sport", "sport", "news"]),
    ],
)
def test_labels_that_are_joined_by_any_sign_are_named(sign: str, labels: list[str]) -> None:
    message = findings(labels)["several labels"].message
    assert f"joined by '{sign}'" in message
    assert labels[0] in message


@pytest.mark.parametrize(
    "labels", [["very good", "good", "very bad", "bad"], ["R&D", "HR", "C#"], ["and/or", "TCP/IP"], ["#1", "#2", "3"]]
)
def test_names_of_several_words_are_one_label(labels: list[str]) -> None:
    assert "several labels" not in findings(labels)


@pytest.mark.parametrize(
    "label", ["未标注", "暂无", "无", "n.a.", "Unlabeled", "unknown", "?", "？", "--", "TODO", "to do", "待 标注"]
)
def test_a_class_whose_name_says_that_there_is_no_label_is_named_with_its_rows(label: str) -> None:
    found = findings(["good", "bad", "good", label])["doubtful labels"]
    assert f"'{label}' 15" in found.message
    assert "--drop-unlabelled" in found.message
    assert [place.line for place in found.places[:2]] == [4, 8]


@pytest.mark.parametrize(
    ("one", "other"),
    [("体育", "體育"), ("A", "Ａ"), ("Sports", "sports"), ("财经", "財經"), ("news", "news\u200b"),
     ("体 育", "体育"), ("good", "good."), ("'good'", "good")],
)  # fmt: skip
def test_two_names_of_one_class_are_named_with_their_rows(one: str, other: str) -> None:
    found = findings(["something else", one, other])["alike labels"]
    assert f"'{one}' 20" in found.message
    assert f"'{other}' 20" in found.message
    assert len(found.places) == 20


def test_names_of_other_classes_are_not_alike() -> None:
    assert not {"alike labels", "doubtful labels"} & findings(["体育", "體操", "財務", "news", "new"]).keys()
