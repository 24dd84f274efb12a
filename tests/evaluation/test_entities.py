"""Entity scores against seqeval and against conlleval's way of counting, on random and on real sequences."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bertwright.data.answers import Span
from bertwright.data.tagged.schemes import Scheme, parse_tag, read_entities, read_strictly
from bertwright.evaluation.entity_scores import EntityCounts, entity_reliability, f1_of
from tests.evaluation.conlleval_reading import chunks, scores

LETTERS = {"bio": "BIO", "bioes": "BIESO", "bilou": "BILUO"}


def random_tags(generator: random.Random, letters: str, types: Sequence[str]) -> list[str]:
    """Well formed and ill formed ones."""
    count = generator.randint(0, 12)
    drawn = (generator.choice(letters) for _ in range(count))
    return ["O" if letter == "O" else f"{letter}-{generator.choice(types)}" for letter in drawn]


def entities(tags: Sequence[str], scheme: Scheme, *, strict: bool = False) -> list[Span]:
    parsed = [parse_tag(tag, scheme) for tag in tags]
    sure = [tag for tag in parsed if tag is not None]
    assert len(sure) == len(tags)
    return read_strictly(sure, scheme) if strict else read_entities(sure)


def changed(generator: random.Random, tags: list[str], others: list[str]) -> list[str]:
    """An answer that is right in places."""
    return [tag if generator.random() < 0.7 or not others else generator.choice(others) for tag in tags]


def random_data(seed: int, letters: str) -> tuple[list[list[str]], list[list[str]]]:
    generator = random.Random(seed)
    gold = [random_tags(generator, letters, ["PER", "LOC", "ORG"]) for _ in range(150)]
    pool = [tag for tags in gold for tag in tags]
    return gold, [changed(generator, tags, pool) for tags in gold]


def test_the_reading_is_that_of_conlleval() -> None:
    generator = random.Random(0)
    for _ in range(3000):
        tags = random_tags(generator, "BIESO", ["A", "B"])
        found = [(one.start, one.end, one.type) for one in entities(tags, "bioes")]
        assert found == chunks(tags), tags


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scheme", ["bio", "bioes"])
def test_counts_equal_conlleval(seed: int, scheme: Scheme) -> None:
    gold, answers = random_data(seed, LETTERS[scheme])
    counts = EntityCounts.of([entities(one, scheme) for one in gold], [entities(one, scheme) for one in answers])
    true, found, right = scores(gold, answers)
    for index, kind in enumerate(counts.types):
        assert (counts.true[index], counts.found[index], counts.right[index]) == (true[kind], found[kind], right[kind])
    expected = 2 * right.total() / (true.total() + found.total())
    assert counts.f1 == pytest.approx(expected)
    assert counts.f1 == pytest.approx(2 * counts.precision * counts.recall / (counts.precision + counts.recall))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scheme", ["bio", "bioes", "bilou"])
@pytest.mark.parametrize("strict", [False, True])
def test_f1_equals_seqeval(seed: int, scheme: Scheme, strict: bool) -> None:
    seqeval = pytest.importorskip("seqeval.metrics")
    from seqeval.scheme import BILOU, IOB2, IOBES

    gold, answers = random_data(100 + seed, LETTERS[scheme])
    counts = EntityCounts.of(
        [entities(one, scheme, strict=strict) for one in gold],
        [entities(one, scheme, strict=strict) for one in answers],
    )
    options = {"mode": "strict", "scheme": {"bio": IOB2, "bioes": IOBES, "bilou": BILOU}[scheme]} if strict else {}
    if not strict and scheme == "bilou":  # its default mode does not know these letters
        renamed = str.maketrans("LU", "ES")
        gold = [[tag[0].translate(renamed) + tag[1:] for tag in tags] for tags in gold]
        answers = [[tag[0].translate(renamed) + tag[1:] for tag in tags] for tags in answers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = seqeval.classification_report(gold, answers, output_dict=True, zero_division=0, **options)
    assert counts.f1 == pytest.approx(report["micro avg"]["f1-score"])
    assert counts.precision == pytest.approx(report["micro avg"]["precision"])
    assert counts.macro_f1 == pytest.approx(report["macro avg"]["f1-score"])
    for kind, f1 in zip(counts.types, counts.f1_of_types()):
        assert f1 == pytest.approx(report[kind]["f1-score"])


def test_real_sequences_score_as_in_seqeval_and_conlleval(real_data: Path) -> None:
    """CoNLL-2003 in IOB1, with answers that are the tags of the sentence, one place late here and there."""
    seqeval = pytest.importorskip("seqeval.metrics")
    text = (real_data / "en" / "conll2003" / "eng.testa").read_text(encoding="utf-8")
    gold = [[line.split()[-1] for line in block.splitlines()] for block in text.split("\n\n") if block.strip()]
    answers = [["O", *tags[:-1]] if index % 3 == 0 else tags for index, tags in enumerate(gold)]
    counts = EntityCounts.of([entities(one, "iob1") for one in gold], [entities(one, "iob1") for one in answers])
    assert counts.true.sum() == 5942  # published
    true, found, right = scores(gold, answers)
    assert (counts.true.sum(), counts.found.sum(), counts.right.sum()) == (true.total(), found.total(), right.total())
    assert counts.f1 == pytest.approx(seqeval.f1_score(gold, answers))


def test_strict_reading_leaves_out_what_is_ill_formed() -> None:
    assert entities(["O", "I-A", "I-A"], "bio", strict=True) == []
    assert entities(["O", "I-A", "I-A"], "bio") == [Span(1, 3, "A")]
    assert entities(["B-A", "I-B", "O"], "bio", strict=True) == [Span(0, 1, "A")]
    assert entities(["B-A", "I-A", "O"], "bioes", strict=True) == []
    assert entities(["B-A", "E-A", "S-B"], "bioes", strict=True) == [Span(0, 2, "A"), Span(2, 3, "B")]


def test_nothing_scores_nothing() -> None:
    counts = EntityCounts.of([[], []], [[], []])
    assert (counts.f1, counts.precision, counts.recall, counts.macro_f1) == (0, 0, 0, 0)
    assert counts.to_json() == {}
    assert f1_of([0, 0, 0]) == 0


def test_an_entity_counts_once_and_the_interval_holds_the_score() -> None:
    gold = [[Span(0, 2, "A"), Span(0, 2, "A")], [Span(1, 2, "B")]] * 20
    answers = [[Span(0, 2, "A")], [Span(1, 3, "B")]] * 20
    counts = EntityCounts.of(gold, answers)
    assert counts.to_json()["A"] == {"precision": 1, "recall": 1, "f1": 1, "true": 20, "found": 20, "right": 20}
    assert counts.to_json()["B"]["f1"] == 0
    interval = counts.interval()
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low < counts.f1 == interval.value < interval.high


def test_reliability_compares_scores_with_what_is_right() -> None:
    class Answer:
        def __init__(self, start: int, score: float) -> None:
            self.start, self.end, self.type, self.score = start, start + 1, "A", score

    gold = [[Span(0, 1, "A")], [Span(5, 6, "A")]]
    table = entity_reliability(gold, [[Answer(0, 0.9), Answer(3, 0.9)], [Answer(5, 0.9)]])
    assert table.counts.sum() == 3
    assert table.error() == pytest.approx(abs(0.9 - 2 / 3))
    assert entity_reliability(gold, [[], []]).error() == 0
    assert np.isnan(entity_reliability(gold, [[], []]).accuracy).all()
