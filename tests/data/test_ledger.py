"""What the ledger finds, with its places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bertwright import BertTokenizer
from bertwright.data.answers import Marked, Span
from bertwright.data.examples import Example, Where
from bertwright.data.inspection.ledger import Ledger, examine
from bertwright.data.inspection.token_counts import count_tokens, counts_of
from bertwright.data.reading.example_sources import read_examples
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.windows import Long, Reading, encode_examples


def table(*rows: tuple[object, ...], name: str = "train") -> Table:
    return read_examples(list(rows), labelled=True, name=name)


def kinds(ledger: Ledger) -> dict[str, list[str]]:
    return {finding.kind: [str(place) for place in finding.places] for finding in ledger.findings}


def test_repetitions_and_contradictions() -> None:
    train = table(("a b", "x"), ("a b", "x"), ("a b", "y"), ("A  b", "x"), ("c", "y"), ("a b", "y"), ("", "x"))
    ledger = examine(train)
    found = kinds(ledger)
    assert found["contradictions"] == ["train:3"]
    assert found["duplicates"] == ["train:2", "train:6"]
    assert found["near duplicates"] == ["train:4"]
    assert found["empty"] == ["train:7"]
    duplicates = next(finding for finding in ledger.findings if finding.kind == "duplicates")
    assert duplicates.line().endswith(": train:2 (see line 1), line 6 (see line 3)")
    severities = [finding.severity for finding in ledger.findings]
    assert severities == sorted(severities, reverse=True)  # warnings first


def test_pairs_repeat_only_as_a_whole() -> None:
    train = table(("a", "b", "x"), ("a", "c", "y"), ("b", "a", "x"), ("a", "b", "x"))
    assert kinds(examine(train))["duplicates"] == ["train:4"]


def test_train_and_dev() -> None:
    train = table(("a", "x"), ("b", "y"), ("c", "z"))
    dev = table(("a", "x"), ("b", "x"), ("C ", "y"), ("d", "w"), name="dev")
    ledger = examine(train, dev)
    found = kinds(ledger)
    assert found["overlap"] == ["dev:1", "dev:2"]
    assert found["near overlap"] == ["dev:3"]
    assert found["unseen classes"] == ["dev:4"]
    assert found["missing classes"] == []
    overlap = next(finding for finding in ledger.findings if finding.kind == "overlap")
    assert "1 with another label" in overlap.message
    assert overlap.line().endswith("dev:1 (see train:1), line 2 (see line 2 there)")
    assert "pairs" in kinds(examine(train, table(("a", "b", "x"), name="dev")))


def test_classes() -> None:
    rows = [(f"text {number}", "many") for number in range(60)]
    found = examine(table(*rows, ("one", "few"), ("two", "few"), ("three", None)))
    assert found.sets[0].classes == {"many": 60, "few": 2}
    assert {"imbalance", "rare classes", "unlabelled"} <= set(kinds(found))
    assert kinds(found)["rare classes"] == ["train:61", "train:62"]
    assert kinds(found)["unlabelled"] == ["train:63"]
    assert "single class" in kinds(examine(table(*rows)))
    assert "too many classes" in kinds(examine(table(*((f"text {n}", f"label {n}") for n in range(50)))))


def test_labels_that_a_person_would_take_for_one() -> None:
    rows = [(f"text {number}", ("Good", "good", "bad", "very  bad", "Very bad")[number % 5]) for number in range(50)]
    found = [one for one in examine(table(*rows)).findings if one.kind == "alike labels"]
    assert [one.message.split("(")[1] for one in found] == ["'Good' 10, 'good' 10)", "'very  bad' 10, 'Very bad' 10)"]
    assert found[0].line().endswith(": train:2, line 7, line 12, … (+7)")


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"])


def test_tokens(tokenizer: BertTokenizer) -> None:
    train = table(("a b", "x"), ("a a a a a a b", "y"), ("a zebra 麒", "x"))
    ledger = examine(train, tokenizer=tokenizer, max_length=6)
    counts = ledger.sets[0].tokens
    assert counts is not None
    assert (counts.tokens, counts.median, counts.longest, str(counts.longest_at)) == (18, 5, 9, "train:2")
    assert ([str(place) for place in counts.long], counts.beyond) == (["train:2"], 3)
    assert (counts.unknown, dict(counts.pieces)) == (2, {"zebra": 1, "麒": 1})
    assert {"long", "unknown tokens"} <= set(kinds(ledger))
    assert ledger.example is not None
    assert ledger.example.pieces == ("[CLS]", "a", "b", "[SEP]")
    # The same from inputs that a training has made.
    encoded = encode_examples(tokenizer, train.examples, Reading(16, overlap=0))
    assert counts_of(tokenizer, train.examples, encoded, 6) == count_tokens(tokenizer, train.examples, 6) == counts
    assert examine(train, tokenizer=tokenizer, counts=[counts]).sets == ledger.sets


@pytest.mark.parametrize(
    ("long", "words"),
    [
        ("window", "in overlapping windows"),
        ("head", "is read (long=head)"),
        (None, "the setting long says"),
    ],
)
def test_what_becomes_of_long_texts_is_what_the_reading_does(
    tokenizer: BertTokenizer, long: Long | None, words: str
) -> None:
    ledger = examine(table(("a a a a a a b", "x"), ("b", "y")), tokenizer=tokenizer, max_length=6, long=long)
    [finding] = [one for one in ledger.findings if one.kind == "long"]
    assert words in finding.message


def test_json_form(tokenizer: BertTokenizer) -> None:
    train = table(("a", "x"), ("a", "x"), ("b", "y"))
    document = json.loads(json.dumps(examine(train, train, tokenizer=tokenizer).to_json()))
    assert list(document) == ["train", "dev", "findings", "example"]
    assert document["train"]["classes"] == {"x": {"count": 2, "share": 0.6667}, "y": {"count": 1, "share": 0.3333}}
    assert document["train"]["tokens"]["median"] == 3
    duplicates = next(finding for finding in document["findings"] if finding["kind"] == "duplicates")
    assert (duplicates["places"], duplicates["earlier"]) == (["train:2"], ["train:1"])


def test_time_is_near_linear(tmp_path: Path) -> None:
    """100,000 rows that are all alike: what compares every two of them would take hours."""
    train = table(*((f"text {number % 10}", str(number % 3)) for number in range(100_000)))
    assert len(kinds(examine(train))["duplicates"]) == 100_000 - 30
    others = table(*((f"text {number}", str(number % 3)) for number in range(100_000)))
    assert "duplicates" not in kinds(examine(others))


def test_a_dev_set_in_which_nothing_is_marked_is_told() -> None:
    def tagged(*spans: tuple[Span, ...]) -> Table:
        examples = [Example(f"text {i}", Marked(one), Where("d", i + 1)) for i, one in enumerate(spans)]
        return Table(examples, "d", Columns("text", "spans"))

    train = tagged((Span(0, 4, "X"), Span(5, 6, "X")), ())
    ledger = examine(train, tagged((), ()))
    assert "unmarked" in kinds(ledger)
    assert "unmarked" not in kinds(examine(train, train))
    assert ledger.sets[0].to_json()["counted"] == "marks"
    assert ledger.sets[0].classes == {"X": 2}


@pytest.mark.parametrize("long", ["window", "head"])
def test_the_share_of_unknown_tokens_is_of_those_read(tokenizer: BertTokenizer, long: Long) -> None:
    train = table(("麒" * 200, "x"), ("a", "y"))
    encoded = encode_examples(tokenizer, train.examples, Reading(16, long, overlap=4))
    counts = counts_of(tokenizer, train.examples, encoded, 16)
    assert counts.unknown < counts.read
    assert counts.read == sum(map(len, encoded.inputs))
    (said,) = [one.message for one in examine(train, counts=[counts]).findings if one.kind == "unknown tokens"]
    assert f"({100 * counts.unknown / counts.read:.2f} %)" in said
